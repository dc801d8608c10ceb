"""Names of new scripts, and the configuration file of a new project."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.authoring import NewMigration, NewProject, Timestamp, add_migration, init_project, next_version
from taxiway.config.load import load
from taxiway.config.toml import parse_toml
from taxiway.model.location import Location
from taxiway.model.migration import MigrationKind
from taxiway.model.rules import Naming
from taxiway.model.settings import MigrationSettings, Settings
from taxiway.model.version import MigrationVersion
from taxiway.reports.text import render_init

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STAMP = "20260102030405"
AUTO, ALWAYS, NEVER = Timestamp.AUTO, Timestamp.ALWAYS, Timestamp.NEVER
UNDO, BASELINE, REPEATABLE = MigrationKind.UNDO, MigrationKind.BASELINE, MigrationKind.REPEATABLE


@pytest.mark.parametrize(
    ("highest", "timestamp", "following"),
    [
        ("1", AUTO, "2"),
        ("001", AUTO, "002"),
        ("009", AUTO, "010"),
        ("999", AUTO, "1000"),
        ("1.2.3", AUTO, "2"),
        ("1_7", AUTO, "2"),
        ("002_20240829162505", AUTO, f"003_{STAMP}"),
        ("002.20240829162505", AUTO, f"003_{STAMP}"),
        ("002_20240829162505", NEVER, "003"),
        ("002", ALWAYS, f"003_{STAMP}"),
        ("20240829162505", AUTO, STAMP),
        (STAMP, AUTO, "20260102030406"),
        ("20260102030459", AUTO, "20260102030500"),
        ("99999999999999", AUTO, "100000000000000"),
        ("1666966941", AUTO, "1666966942"),
    ],
)
def test_the_next_version_is_the_highest_one_raised(highest: str, timestamp: Timestamp, following: str) -> None:
    assert next_version(MigrationVersion(highest), timestamp=timestamp, now=NOW) == following
    assert MigrationVersion(following) > MigrationVersion(highest)


def add(folder: Path, new: NewMigration, *, write: bool = True, replace: bool = False, **naming: str) -> str:
    settings = MigrationSettings(naming=Naming(**naming))  # type: ignore[arg-type]  # texts only, in these tests
    result = add_migration(new, settings, base=folder, now=NOW, write=write, replace=replace)
    return str(Path(result.path).relative_to(folder))


@pytest.mark.parametrize(
    ("there", "new", "name"),
    [
        ([], NewMigration(description="first one"), "V001__first_one.sql"),
        ([], NewMigration(), "V001.sql"),
        ([], NewMigration(description="a", timestamp=ALWAYS), f"V001_{STAMP}__a.sql"),
        (["B001__b.sql", "V002__a.sql"], NewMigration(description="c"), "V003__c.sql"),
        (["B7__b.sql"], NewMigration(description="c"), "V8__c.sql"),
        (["V1__a.sql", "sub/V2__b.sql"], NewMigration(description="c"), "V3__c.sql"),
        (["V1__a.sql", "V2__b_b.sql"], NewMigration(kind=UNDO), "U2__b_b.sql"),
        (["V1__a.sql", "V2__b.sql"], NewMigration(kind=UNDO, version="1"), "U1__a.sql"),
        (["V1__a.sql"], NewMigration(kind=UNDO, description="other"), "U1__other.sql"),
        ([], NewMigration(kind=BASELINE, description="state"), "B001__state.sql"),
        (["V1__a.sql", "V2__b.sql"], NewMigration(kind=BASELINE), "B2.sql"),
        (["V1__a.sql"], NewMigration(kind=REPEATABLE, description="all views"), "R__all_views.sql"),
        (["V1__a.sql"], NewMigration(version="2.5", description="x"), "V2.5__x.sql"),
    ],
)
def test_a_new_script_is_named_after_those_that_are_there(
    tmp_path: Path, there: list[str], new: NewMigration, name: str
) -> None:
    for one in there:
        (tmp_path / "sql" / one).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sql" / one).touch()
    assert add(tmp_path, new) == f"sql/{name}"
    assert (tmp_path / "sql" / name).read_bytes() == b""


def test_prefixes_and_separator_are_those_of_the_project(tmp_path: Path) -> None:
    new = NewMigration(description="a b")
    assert add(tmp_path, new, versioned_prefix="M", separator="--") == "sql/M001--a_b.sql"


def test_a_location_can_be_named(tmp_path: Path) -> None:
    assert add(tmp_path, NewMigration(description="a", location="filesystem:other/place")) == (
        "other/place/V001__a.sql"
    )


def test_only_the_name_is_told_if_that_is_all_that_is_wanted(tmp_path: Path) -> None:
    assert add(tmp_path, NewMigration(description="a"), write=False) == "sql/V001__a.sql"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("new", "error", "words"),
    [
        (NewMigration(version="1", description="other"), errors.FileAlreadyExists, "has that version already"),
        (NewMigration(version="1.0", description="other"), errors.FileAlreadyExists, "has that version already"),
        (NewMigration(version="1", description="a"), errors.FileAlreadyExists, "is there already"),
        (NewMigration(version="x"), errors.InvalidOption, "--version"),
        (NewMigration(version="1/../2", description="a"), errors.InvalidOption, "--version"),
        (NewMigration(description="a/b"), errors.InvalidOption, "'/'"),
        (NewMigration(description="a\nb"), errors.InvalidOption, r"'\n'"),
        (NewMigration(kind=REPEATABLE), errors.InvalidOption, "needs a description"),
        (NewMigration(location="s3:bucket"), errors.InvalidOption, "--location"),
    ],
)
def test_what_would_not_work_is_refused(
    tmp_path: Path, new: NewMigration, error: type[errors.TaxiwayError], words: str
) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "V1__a.sql").write_text("SELECT 1;")
    with pytest.raises(error, match=words.replace("\\", r"\\")):
        add(tmp_path, new)
    assert (tmp_path / "sql" / "V1__a.sql").read_text() == "SELECT 1;"


def test_a_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    new = NewMigration(version="1", description="a")
    add(tmp_path, new)
    (tmp_path / "sql" / "V1__a.sql").write_text("SELECT 1;")
    add(tmp_path, new, replace=True)
    assert (tmp_path / "sql" / "V1__a.sql").read_text() == ""


def test_nothing_can_be_undone_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption, match="no versioned migration"):
        add(tmp_path, NewMigration(kind=UNDO))


def test_without_a_folder_among_the_locations_one_has_to_be_named(tmp_path: Path) -> None:
    settings = MigrationSettings(locations=(Location("filesystem", "sql/*"),))
    with pytest.raises(errors.MissingOption, match="None of the locations"):
        add_migration(NewMigration(), settings, base=tmp_path, now=NOW, write=True, replace=False)


# --- init


def test_a_new_project_has_a_configuration_that_is_accepted(tmp_path: Path) -> None:
    result = init_project(NewProject(name="shop"), directory=tmp_path)
    text = (tmp_path / "taxiway.toml").read_text()
    assert text.startswith(f"# Project shop, {result.project_id}\n")
    assert parse_toml(text).given
    assert (tmp_path / "sql").is_dir()


def test_a_second_init_changes_nothing(tmp_path: Path) -> None:
    init_project(NewProject(), directory=tmp_path)
    before = (tmp_path / "taxiway.toml").read_text()
    with pytest.raises(errors.FileAlreadyExists):
        init_project(NewProject(), directory=tmp_path)
    assert (tmp_path / "taxiway.toml").read_text() == before


CONF = """\
flyway.url=jdbc:postgresql://db:5432/${DB_NAME}
flyway.user=owner
flyway.password=hunter2
flyway.driver=org.postgresql.Driver
flyway.locations=filesystem:sql, filesystem:more
flyway.outOfOrder=TRUE
flyway.lockRetryCount=7
flyway.placeholders.app-role=reader
flyway.baselineDescription=first "state"
"""


def test_a_flyway_conf_is_taken_over_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "flyway.conf").write_text(CONF)
    init_project(NewProject(source=tmp_path / "flyway.conf"), directory=tmp_path)
    text = (tmp_path / "taxiway.toml").read_text()
    assert tomllib.loads(text) == {
        "database": {
            "url": "jdbc:postgresql://db:5432/${env:DB_NAME}",
            "user": "owner",
            "password": "${env:FLYWAY_PASSWORD}",
        },
        "flyway": {
            "locations": ["filesystem:sql", "filesystem:more"],
            "outOfOrder": True,
            "lockRetryCount": 7,
            "placeholders": {"app-role": "reader"},
            "baselineDescription": 'first "state"',
        },
    }
    assert parse_toml(text).given
    assert "hunter2" not in text


def test_a_password_in_the_url_is_left_out_too(tmp_path: Path) -> None:
    (tmp_path / "flyway.conf").write_text("flyway.url=jdbc:postgresql://db/shop?user=u&password=hunter2\n")
    init_project(NewProject(source=tmp_path / "flyway.conf"), directory=tmp_path)
    assert tomllib.loads((tmp_path / "taxiway.toml").read_text())["database"] == {"url": "${env:FLYWAY_URL}"}


def converted(folder: Path, conf: str) -> str:
    (folder / "flyway.conf").write_text(conf)
    init_project(NewProject(source=folder / "flyway.conf"), directory=folder)
    return (folder / "taxiway.toml").read_text()


@pytest.mark.parametrize(
    ("line", "reference"),
    [
        ("flyway.jdbcProperties.password=hunter2", "${env:FLYWAY_JDBC_PROPERTIES_PASSWORD}"),
        ("flyway.placeholders.API_KEY=hunter2", "${env:FLYWAY_PLACEHOLDERS_API_KEY}"),
        ("flyway.placeholders.app-password=hunter2", "${env:FLYWAY_PLACEHOLDERS_APP_PASSWORD}"),
        ("flyway.placeholders.token=hunter2${X}", "${env:FLYWAY_PLACEHOLDERS_TOKEN}"),
        ("flyway.password=${DB_PASSWORD}", "${env:DB_PASSWORD}"),
    ],
)
def test_what_is_confidential_becomes_a_reference(tmp_path: Path, line: str, reference: str) -> None:
    text = converted(tmp_path, f"{line}\n")
    assert f'= "{reference}"' in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "line",
    [
        "flyway.placeholders.a=${X}",
        "flyway.placeholders.a=x ${X} y",
        "flyway.placeholders.a=${x.y} $${x.y} ${",
        "flyway.placeholders.a=${x.y} ${X}",
        "flyway.placeholders.a=",
        'flyway.placeholders.a="quoted" \x7f end',
        "flyway.placeholderPrefix=${",
        "flyway.placeholderPrefix=$${",
        "flyway.initSql=SELECT '${x.y}'",
        "flyway.locations=filesystem:${X}",
        "flyway.locations=filesystem:a-${x.y},filesystem:b",
        "flyway.cherryPick=${LIST}",
        "flyway.ignoreMigrationPatterns=",
        "flyway.sqlMigrationPrefix=",
        "flyway.group=${TRUE}",
        "flyway.lockRetryCount=-1",
        "flyway.postgresql.transactional.lock=false",
        "user=not-a-setting-of-flyways",
        "flyway.placeholders.A=1\nflyway.placeholders.a=2",
    ],
)
def test_a_setting_means_the_same_in_the_new_file(tmp_path: Path, line: str) -> None:
    converted(tmp_path, f"{line}\n")
    environ = {"X": "value", "LIST": "1,2", "TRUE": "true"}

    def settings() -> Settings:
        return load({}, environ=environ, directory=tmp_path, secret=lambda _id, _key: "").settings

    conf = (tmp_path / "flyway.conf").rename(tmp_path / "aside")
    ours = settings()
    (tmp_path / "taxiway.toml").unlink()
    conf.rename(tmp_path / "flyway.conf")
    assert ours == settings()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("flyway.initSql=SET ROLE ${X}", "cannot have a variable in this place"),
        ("flyway.placeholders.a=$${X}", "cannot have a variable in this place"),
        ("flyway.outOfOrder=yes", "neither true nor false"),
        ("flyway.lockRetryCount=many", "not a whole number"),
        ("flyway.placeholders.a=${1X}", "has not the form of its resolver"),
    ],
)
def test_what_our_file_could_not_say_is_refused(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(errors.InvalidOption, match=words):
        converted(tmp_path, f"{line}\n")
    assert not (tmp_path / "taxiway.toml").exists()


@pytest.mark.parametrize("name", ["flyway.toml", "flyway.user.toml", "other.toml", "flyway.conf"])
def test_no_file_of_flyways_is_made_with_our_tables(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.InvalidOption, match=f"{name} cannot be made"):
        init_project(NewProject(file_name=name), directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_folder_is_made_or_told_of_where_the_file_names_others(tmp_path: Path) -> None:
    (tmp_path / "flyway.conf").write_text("flyway.locations=filesystem:db\n")
    result = init_project(NewProject(source=tmp_path / "flyway.conf"), directory=tmp_path)
    assert result.location is None
    assert not (tmp_path / "sql").exists()
    assert "sql" not in render_init(result)
    assert "None" not in render_init(result)


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "sql").write_text("")
    with pytest.raises(errors.InvalidOption, match="cannot be made"):
        init_project(NewProject(), directory=tmp_path)


@pytest.mark.parametrize(
    ("conf", "error"),
    [
        ("flyway.outOfOrdre=true\n", errors.UnknownOption),
        ("flyway.ignoreMissingMigrations=true\n", errors.ObsoleteOption),
    ],
)
def test_a_setting_that_is_none_stops_the_conversion(
    tmp_path: Path, conf: str, error: type[errors.TaxiwayError]
) -> None:
    (tmp_path / "flyway.conf").write_text(conf)
    with pytest.raises(error):
        init_project(NewProject(source=tmp_path / "flyway.conf"), directory=tmp_path)
    assert not (tmp_path / "taxiway.toml").exists()


def test_a_file_that_is_not_there_cannot_be_converted(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigFileUnreadable, match="cannot be read"):
        init_project(NewProject(source=tmp_path / "flyway.conf"), directory=tmp_path)
