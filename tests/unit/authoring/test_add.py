"""Names of new scripts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.authoring.add import NewMigration, Timestamp, add_migration, next_version
from taxiway.model.location import Location
from taxiway.model.migration import MigrationKind
from taxiway.model.rules import Naming
from taxiway.model.settings import MigrationSettings
from taxiway.model.version import MigrationVersion

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
        (NewMigration(version="x"), errors.InvalidOption, "version: "),
        (NewMigration(version="1/../2", description="a"), errors.InvalidOption, "version: "),
        (NewMigration(description="a/b"), errors.InvalidOption, "'/'"),
        (NewMigration(description="a\nb"), errors.InvalidOption, r"'\n'"),
        (NewMigration(kind=REPEATABLE), errors.InvalidOption, "needs a description"),
        (NewMigration(location="s3:bucket"), errors.InvalidOption, "location: "),
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
