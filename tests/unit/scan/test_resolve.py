"""From files to resolved migrations."""

import pytest

from taxiway import errors
from taxiway.model.migration import MigrationKind, MigrationType
from taxiway.model.rules import Naming, Placeholders
from taxiway.model.source import SourceFile
from taxiway.scan.checksum import checksum
from taxiway.scan.resolve import Resolution, resolve
from tests.support.builders import source_file


def resolve_files(
    *files: SourceFile,
    placeholders: Placeholders = Placeholders(),
    encoding: str = "UTF-8",
    validate_naming: bool = True,
) -> Resolution:
    return resolve(
        files, naming=Naming(), placeholders=placeholders, encoding=encoding, validate_naming=validate_naming
    )


def test_a_file_becomes_a_migration_with_script_path_and_checksum() -> None:
    [migration] = resolve_files(source_file("a/b/V1_0__add_users.sql", "SELECT 1;\n")).migrations
    assert migration.kind is MigrationKind.VERSIONED
    assert migration.type is MigrationType.SQL
    assert str(migration.version) == "1.0"
    assert migration.description == "add users"
    assert migration.script == "a/b/V1_0__add_users.sql"
    assert migration.path == "sql/a/b/V1_0__add_users.sql"
    assert migration.checksum == 78787420
    assert migration.equivalent_checksum is None
    assert migration.read() == "SELECT 1;\n"


@pytest.mark.parametrize(
    ("script", "type_"),
    [
        ("V1__a.sql", MigrationType.SQL),
        ("R__a.sql", MigrationType.SQL),
        ("B1__a.sql", MigrationType.SQL_BASELINE),
        ("U1__a.sql", MigrationType.UNDO_SQL),
    ],
)
def test_the_kind_decides_the_type_of_the_row(script: str, type_: MigrationType) -> None:
    [migration] = resolve_files(source_file(script)).migrations
    assert migration.type is type_


def test_migrations_are_sorted_as_flyway_sorts_files() -> None:
    names = [
        "R__b",
        "R__B",
        "R__\U0001f600",
        "R__\uff5e",
        "V10__a",
        "U9__a",
        "B9__a",
        "V9__a",
        "V1.10__a",
        "V-1__a",
    ]
    found = resolve_files(*(source_file(f"{name}.sql") for name in names)).migrations
    # U+1F600 is written as two code units from U+D83D on, which come before U+FF5E in Java.
    assert [migration.script.removesuffix(".sql") for migration in found] == [
        "V-1__a",
        "V1.10__a",
        "V9__a",
        "B9__a",
        "U9__a",
        "V10__a",
        "R__B",
        "R__b",
        "R__\U0001f600",
        "R__\uff5e",
    ]


def test_a_bom_is_neither_in_the_text_nor_in_the_checksum() -> None:
    [migration] = resolve_files(source_file("V1__a.sql", b"\xef\xbb\xbf\xef\xbb\xbfa\n")).migrations
    assert migration.read() == "\ufeffa\n"
    assert migration.checksum == 1069251642


def test_the_checksum_of_a_versioned_migration_is_that_of_the_raw_text() -> None:
    values = Placeholders(values={"x": "v"})
    [migration] = resolve_files(source_file("V1__a.sql", "SELECT '${x}';\n"), placeholders=values).migrations
    assert migration.checksum == -1710649929


def test_a_versioned_migration_with_an_unknown_placeholder_is_resolved() -> None:
    assert len(resolve_files(source_file("V1__a.sql", "SELECT '${nobody}';")).migrations) == 1


def test_the_checksum_of_a_repeatable_migration_is_that_of_the_replaced_text() -> None:
    values = Placeholders(values={"x": "v"})
    [migration] = resolve_files(source_file("R__a.sql", "SELECT '${x}';\n"), placeholders=values).migrations
    assert migration.checksum == -1896273774
    assert migration.equivalent_checksum == -1710649929
    assert migration.read() == "SELECT '${x}';\n"


def test_without_replacement_both_checksums_of_a_repeatable_migration_are_raw() -> None:
    off = Placeholders(values={"x": "v"}, enabled=False)
    [migration] = resolve_files(source_file("R__a.sql", "SELECT '${x}';\n"), placeholders=off).migrations
    assert migration.checksum == migration.equivalent_checksum == -1710649929


def test_a_repeatable_migration_may_use_its_file_name() -> None:
    [migration] = resolve_files(source_file("a/R__a.sql", "-- ${flyway:filename}")).migrations
    assert migration.checksum == checksum("-- R__a.sql")


def test_an_unknown_placeholder_in_a_repeatable_migration_is_refused_at_once() -> None:
    with pytest.raises(errors.UnknownPlaceholder, match=r"sql/R__a\.sql"):
        resolve_files(source_file("R__a.sql", "SELECT '${nobody}';"))


def test_every_invalid_name_is_told_at_once() -> None:
    with pytest.raises(errors.InvalidMigrationName) as caught:
        resolve_files(source_file("V1_create.sql"), source_file("readme.sql"), source_file("V2__a.sql"))
    assert [path for path, _ in caught.value.problems] == ["sql/V1_create.sql", "sql/readme.sql"]
    assert "did you mean 'V1__create.sql'?" in str(caught.value)


def test_invalid_names_are_passed_over_as_flyway_does_when_asked() -> None:
    found = resolve_files(source_file("V1_create.sql"), source_file("V2__a.sql"), validate_naming=False)
    assert [migration.script for migration in found.migrations] == ["V2__a.sql"]
    assert [path for path, _ in found.invalid_names] == ["sql/V1_create.sql"]


def test_callbacks_and_other_files_are_neither_migrations_nor_misnamed() -> None:
    found = resolve_files(source_file("afterMigrate.sql"), source_file("notes.txt"), source_file("V1__a.sql.conf"))
    assert found == Resolution((), passed_over=("sql/afterMigrate.sql", "sql/V1__a.sql.conf"))


def test_files_that_are_no_migrations_are_not_read() -> None:
    def fail() -> bytes:
        raise AssertionError

    assert resolve_files(SourceFile("notes.txt", "sql/notes.txt", fail)).migrations == ()


@pytest.mark.parametrize(
    ("first", "second", "claim"),
    [
        ("V1__a.sql", "x/V1.0__b.sql", "the version 1.0"),
        ("V1__a.sql", "x/V01__a.sql", "the version 01"),
        ("B1__a.sql", "B1_0__b.sql", "the version 1.0"),
        ("U1__a.sql", "U1__b.sql", "the version 1"),
        ("R__a_b.sql", "R__a b.sql", "the description 'a b'"),
        ("V1__a.sql", "x/V1__a.sql", "the version 1"),
    ],
)
def test_two_files_that_claim_the_same_place_are_refused(first: str, second: str, claim: str) -> None:
    with pytest.raises(errors.DuplicateMigration) as caught:
        resolve_files(source_file(first), source_file(second))
    message = str(caught.value)
    assert claim in message
    assert f"sql/{first}" in message
    assert f"sql/{second}" in message


def test_a_version_may_have_a_migration_a_baseline_and_an_undo() -> None:
    found = resolve_files(source_file("U3__a.sql"), source_file("B3__a.sql"), source_file("V3__a.sql"))
    assert len(found.migrations) == 3


def test_identical_files_below_two_locations_are_one_migration() -> None:
    found = resolve_files(
        source_file("V1__a.sql", "SELECT 1;\n", location="one"),
        source_file("V1__a.sql", "SELECT 1;\r\n", location="two"),
    )
    assert [migration.path for migration in found.migrations] == ["one/V1__a.sql"]


def test_different_files_at_the_same_relative_path_are_refused() -> None:
    with pytest.raises(errors.DuplicateMigration, match=r"two/V1__a\.sql: .* one/V1__a\.sql"):
        resolve_files(
            source_file("V1__a.sql", "SELECT 1;", location="one"),
            source_file("V1__a.sql", "SELECT 2;", location="two"),
        )


def test_a_file_that_cannot_be_read_is_named() -> None:
    def refuse() -> bytes:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(errors.UnreadableScript, match=r"sql/V1__a\.sql: .*Permission denied"):
        resolve_files(SourceFile("V1__a.sql", "sql/V1__a.sql", refuse))


def test_a_file_that_vanishes_after_the_scan_is_named_when_it_is_read() -> None:
    contents = [b"SELECT 1;"]

    def read_once() -> bytes:
        if not contents:
            raise FileNotFoundError(2, "No such file or directory")
        return contents.pop()

    [migration] = resolve_files(SourceFile("V1__a.sql", "sql/V1__a.sql", read_once)).migrations
    with pytest.raises(errors.UnreadableScript, match="No such file"):
        migration.read()


def test_a_file_in_another_encoding_is_read_when_the_encoding_is_said() -> None:
    file = source_file("V1__a.sql", b"-- caf\xe9\nselect 1;\n")
    [migration] = resolve_files(file, encoding="ISO-8859-1").migrations
    assert migration.checksum == -634644525
    assert migration.read() == "-- café\nselect 1;\n"
    with pytest.raises(errors.UnreadableScript, match="byte 6"):
        resolve_files(file)


def test_only_configuration_of_a_script_counts_as_such() -> None:
    found = resolve_files(source_file("readme.conf"), source_file("V1_a.sql.conf"))
    assert found == Resolution(())


@pytest.mark.parametrize("script", ["V1__a.sql", "B1__a.sql", "R__a.sql"])
def test_a_script_that_changes_after_the_scan_is_refused_when_it_is_read(script: str) -> None:
    contents = [b"SELECT 1;", b"SELECT 1;", b"DROP TABLE a;"]
    [migration] = resolve_files(SourceFile(script, f"sql/{script}", lambda: contents.pop(0))).migrations
    assert migration.read() == "SELECT 1;"
    with pytest.raises(errors.UnreadableScript, match=r"a\.sql: the file has changed") as caught:
        migration.read()
    assert caught.value.hint


def test_a_second_bom_is_no_change() -> None:
    [migration] = resolve_files(source_file("V1__a.sql", "\ufeff\ufeffSELECT 1;")).migrations
    assert migration.read() == "\ufeffSELECT 1;"


@pytest.mark.parametrize(
    "script", ["V1__\udcff.sql", "sub\udcff/V1__a.sql", "afterMigrate__\udcff.sql", "V1\udcff.sql"]
)
def test_a_path_that_is_no_text_is_an_invalid_name_and_shown_escaped(script: str) -> None:
    with pytest.raises(errors.InvalidMigrationName) as caught:
        resolve_files(source_file(script))
    [(path, reason)] = caught.value.problems
    assert path == f"sql/{script}".replace("\udcff", r"\udcff")
    assert "not text in UTF-8" in reason
    assert caught.value.message.isascii()


def test_a_path_that_is_no_text_is_shown_escaped_where_it_is_passed_over() -> None:
    assert resolve_files(source_file("V1__\udcff.sql.conf")).passed_over == (r"sql/V1__\udcff.sql.conf",)
    assert resolve_files(source_file("notes\udcff.txt")) == Resolution(())
