"""The configuration file of a new project."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.authoring.init import NewProject, init_project
from taxiway.config.load import load
from taxiway.config.toml import parse_toml
from taxiway.model.settings import Settings
from taxiway.reports.text import render_init
from taxiway.secret import reveal


def test_a_new_project_has_a_configuration_that_is_accepted(tmp_path: Path) -> None:
    result = init_project(NewProject(name="shop"), directory=tmp_path)
    text = (tmp_path / "taxiway.toml").read_text()
    assert text.startswith(f"# Project shop, {result.project_id}\n")
    assert parse_toml(text).given
    assert (tmp_path / "sql").is_dir()


@pytest.mark.parametrize(
    ("environ", "login"),
    [
        ({"DB_HOST": "db", "DB_NAME": "shop"}, (None, None)),
        ({"FLYWAY_URL": "postgresql://owner@db/shop"}, (None, None)),
        ({"DB_HOST": "db", "DB_NAME": "shop", "FLYWAY_USER": "u", "FLYWAY_PASSWORD": "p"}, ("u", "p")),
    ],
)
def test_a_new_project_bars_no_way_to_log_in(
    tmp_path: Path, environ: dict[str, str], login: tuple[str | None, str | None]
) -> None:
    init_project(NewProject(), directory=tmp_path)
    database = settings_in(tmp_path, environ).database
    assert (database.user, database.password and reveal(database.password)) == login


def test_the_login_that_a_new_project_shows_can_be_taken_out_of_its_comments(tmp_path: Path) -> None:
    init_project(NewProject(), directory=tmp_path)
    file = tmp_path / "taxiway.toml"
    file.write_text(file.read_text().replace("# user =", "user =").replace("# password =", "password ="))
    environ = {"DB_HOST": "db", "DB_NAME": "shop", "DB_USER": "u", "DB_PASSWORD": "p"}
    database = settings_in(tmp_path, environ).database
    assert (database.user, database.password and reveal(database.password)) == ("u", "p")


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


FLYWAY_TOML = """\
[environments.default]
url = "jdbc:postgresql://db/shop"
user = "owner"
[flyway]
locations = ["filesystem:db"]
"""


@pytest.mark.parametrize(
    ("files", "beside"),
    [
        ({"flyway.toml": FLYWAY_TOML}, ("flyway.toml",)),
        ({"flyway.conf": CONF}, ("flyway.conf",)),
        ({"flyway.toml": FLYWAY_TOML, "flyway.user.toml": ""}, ("flyway.toml", "flyway.user.toml")),
        ({"flyway.toml": FLYWAY_TOML, "flyway.conf": "x=y"}, ("flyway.toml",)),
    ],
)
def test_beside_a_configuration_of_flyways_the_new_file_overrules_nothing(
    tmp_path: Path, files: dict[str, str], beside: tuple[str, ...]
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = settings_in(tmp_path)
    result = init_project(NewProject(), directory=tmp_path)
    assert settings_in(tmp_path) == before
    assert (result.beside, result.overrules, result.location) == (beside, False, None)
    assert not (tmp_path / "sql").exists()
    assert f"win over those of {' and '.join(beside)};" in (tmp_path / "taxiway.toml").read_text()
    assert f"those of {' and '.join(beside)} hold as before" in render_init(result)


def test_what_is_taken_over_wins_over_the_file_that_it_comes_from_and_that_is_told(tmp_path: Path) -> None:
    (tmp_path / "flyway.conf").write_text(CONF)
    result = init_project(NewProject(source=tmp_path / "flyway.conf"), directory=tmp_path)
    assert result.overrules
    assert "win over those of flyway.conf, which is still read" in render_init(result)


def settings_in(folder: Path, environ: Mapping[str, str] | None = None) -> Settings:
    environ = environ or {"DB_NAME": "shop"}
    return load({}, environ=environ, directory=folder, secret=lambda _id, _key: "").settings


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
