"""From files to resolved migrations."""

from io import BytesIO

import pytest

from taxiway import errors
from taxiway.model.callback import CallbackEvent
from taxiway.model.migration import MigrationKind, MigrationType, Program, ScriptConfiguration
from taxiway.model.rules import Placeholders
from taxiway.model.settings import MigrationSettings
from taxiway.model.source import CHUNK_BYTES, SourceFile
from taxiway.scan.checksum import checksum
from taxiway.scan.inventory import take_inventory
from taxiway.scan.resolve import Resolution, before_connect_callbacks, resolve
from tests.support.builders import source_file

DEFAULT = MigrationSettings()
WITH_PROGRAMS = MigrationSettings(script_migrations=True)


def resolve_files(
    *files: SourceFile, placeholders: Placeholders = Placeholders(), settings: MigrationSettings = DEFAULT
) -> Resolution:
    inventory = take_inventory(files, settings)
    resolution = resolve(inventory, settings, placeholders=placeholders, environment={"STAGE": "prod"})
    assert resolution.migrations is not None  # read now, errors included
    return resolution


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
    assert "".join(migration.read()) == "SELECT 1;\n"


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
    assert "".join(migration.read()) == "\ufeffa\n"
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
    assert "".join(migration.read()) == "SELECT '${x}';\n"


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


def test_files_that_are_no_migrations_are_not_read() -> None:
    def fail() -> BytesIO:
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
        ("V1__a.sql", "V1__a.sh", "the version 1"),
        ("R__a.sql", "R__a.py", "the description 'a'"),
        ("B1__a.sql", "B1__a", "the version 1"),
    ],
)
def test_two_files_that_claim_the_same_place_are_refused(first: str, second: str, claim: str) -> None:
    with pytest.raises(errors.DuplicateMigration) as caught:
        resolve_files(source_file(first), source_file(second), settings=WITH_PROGRAMS)
    message = str(caught.value)
    assert claim in message
    assert caught.value.kind.value[0] == first[0]
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
    def refuse() -> BytesIO:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(errors.UnreadableScript, match=r"sql/V1__a\.sql: .*Permission denied"):
        resolve_files(SourceFile("V1__a.sql", "sql/V1__a.sql", refuse))


def test_a_file_that_vanishes_after_the_scan_is_named_when_it_is_read() -> None:
    contents = [b"SELECT 1;"]

    def open_once() -> BytesIO:
        if not contents:
            raise FileNotFoundError(2, "No such file or directory")
        return BytesIO(contents.pop())

    [migration] = resolve_files(SourceFile("V1__a.sql", "sql/V1__a.sql", open_once)).migrations
    with pytest.raises(errors.UnreadableScript, match="No such file"):
        "".join(migration.read())


def test_a_file_in_another_encoding_is_read_when_the_encoding_is_said() -> None:
    file = source_file("V1__a.sql", b"-- caf\xe9\nselect 1;\n")
    [migration] = resolve_files(file, settings=MigrationSettings(encoding="ISO-8859-1")).migrations
    assert migration.checksum == -634644525
    assert "".join(migration.read()) == "-- café\nselect 1;\n"
    with pytest.raises(errors.UnreadableScript, match="byte 6"):
        resolve_files(file)


@pytest.mark.parametrize("script", ["V1__a.sql", "B1__a.sql", "R__a.sql"])
def test_a_script_that_changes_after_the_scan_is_refused_when_it_is_read(script: str) -> None:
    contents = [b"SELECT 1;", b"SELECT 1;", b"DROP TABLE a;"]
    [migration] = resolve_files(SourceFile(script, f"sql/{script}", lambda: BytesIO(contents.pop(0)))).migrations
    assert "".join(migration.read()) == "SELECT 1;"
    with pytest.raises(errors.UnreadableScript, match=r"a\.sql: the file has changed") as caught:
        "".join(migration.read())
    assert caught.value.hint


def test_a_second_bom_is_no_change() -> None:
    [migration] = resolve_files(source_file("V1__a.sql", "\ufeff\ufeffSELECT 1;")).migrations
    assert "".join(migration.read()) == "\ufeffSELECT 1;"


def test_the_encoding_is_detected_when_asked_for() -> None:
    settings = MigrationSettings(detect_encoding=True)
    [migration] = resolve_files(
        source_file("V1__a.sql", "select 1;".encode("utf-16")), settings=settings
    ).migrations
    assert "".join(migration.read()) == "select 1;"
    assert migration.checksum == checksum("select 1;")


# --- script configuration ---


def configured(script: str, configuration: str, content: str | bytes = "") -> tuple[SourceFile, SourceFile]:
    return source_file(script, content), source_file(f"{script}.conf", configuration)


@pytest.mark.parametrize("script", ["V1__a.sql", "R__a.sql", "B1__a.sql", "U1__a.sql", "V1__a.sh"])
def test_a_migration_carries_its_configuration(script: str) -> None:
    files = configured(script, "executeInTransaction=false\nshouldExecute=a==b")
    [migration] = resolve_files(*files, settings=WITH_PROGRAMS).migrations
    assert migration.configuration == ScriptConfiguration(
        execute_in_transaction=False, should_execute=False, should_execute_expression="a==b"
    )


def test_configuration_is_no_part_of_the_checksum() -> None:
    [migration] = resolve_files(*configured("V1__a.sql", "executeInTransaction=false", "SELECT 1;\n")).migrations
    assert migration.checksum == 78787420


def test_its_encoding_is_that_of_the_script_whatever_is_detected() -> None:
    settings = MigrationSettings(detect_encoding=True)
    [migration] = resolve_files(
        *configured("V1__a.sql", "encoding=ISO-8859-1", "é".encode()), settings=settings
    ).migrations
    assert "".join(migration.read()) == "Ã©"
    assert migration.checksum == checksum("Ã©")


@pytest.mark.parametrize(("enabled", "replaces", "text"), [(True, "false", "${x}"), (False, "true", "v")])
def test_its_placeholder_replacement_decides_the_checksum_of_a_repeatable(
    enabled: bool, replaces: str, text: str
) -> None:
    files = configured("R__a.sql", f"placeholderReplacement={replaces}", "${x}")
    [migration] = resolve_files(*files, placeholders=Placeholders(values={"x": "v"}, enabled=enabled)).migrations
    assert migration.checksum == checksum(text)
    assert migration.equivalent_checksum == checksum("${x}")


def test_a_mistake_in_a_configuration_is_told_with_its_place() -> None:
    with pytest.raises(errors.InvalidScriptConfiguration, match=r"sql/V1__a\.sql\.conf:2"):
        resolve_files(*configured("V1__a.sql", "# x\nmixed=true"))


def test_a_configuration_may_use_placeholders_and_variables() -> None:
    files = configured("V1__a.sql", "shouldExecute=${STAGE}==%stage%")
    placeholders = Placeholders(values={"stage": "prod"}, prefix="%", suffix="%")
    [migration] = resolve_files(*files, placeholders=placeholders).migrations
    assert migration.configuration.should_execute


def test_the_same_file_with_another_configuration_is_another_migration() -> None:
    with pytest.raises(errors.DuplicateMigration):
        resolve_files(
            source_file("V1__a.sql", location="one"),
            source_file("V1__a.sql.conf", "executeInTransaction=false", location="one"),
            source_file("V1__a.sql", location="two"),
            source_file("V1__a.sql.conf", "executeInTransaction=true", location="two"),
        )


# --- callbacks ---


def test_a_callback_is_read_when_it_runs() -> None:
    contents = [b"\xef\xbb\xbfSELECT '${nobody}';"]
    file = SourceFile("x/afterMigrate__b_c.sql", "sql/x/afterMigrate__b_c.sql", lambda: BytesIO(contents.pop()))
    [callback] = resolve_files(file).callbacks
    assert (callback.event, callback.description) == (CallbackEvent.AFTER_MIGRATE, "b c")
    assert (callback.script, callback.path) == ("x/afterMigrate__b_c.sql", "sql/x/afterMigrate__b_c.sql")
    assert (callback.program, callback.configuration) == (None, ScriptConfiguration())
    assert "".join(callback.read()) == "SELECT '${nobody}';"


def test_a_callback_carries_its_configuration() -> None:
    files = configured("afterMigrate.sql", "executeInTransaction=false\nencoding=ISO-8859-1", b"-- \xe9")
    [callback] = resolve_files(*files).callbacks
    assert callback.configuration.execute_in_transaction is False
    assert "".join(callback.read()) == "-- é"


def test_a_callback_that_is_not_to_run_is_left_out() -> None:
    files = configured("afterMigrate.sql", "shouldExecute=false")
    assert resolve_files(*files, source_file("afterInfo.sql")).callbacks[0].event is CallbackEvent.AFTER_INFO
    assert len(resolve_files(*files).callbacks) == 0


def test_a_callback_may_be_a_program() -> None:
    files = configured("afterMigrate.sh", "executeInTransaction=false")
    [callback] = resolve_files(*files, settings=WITH_PROGRAMS).callbacks
    assert callback.configuration.execute_in_transaction is False
    assert callback.program == Program(("sh",), "/files/sql/afterMigrate.sh")


def test_programs_before_the_connection_are_apart() -> None:
    files = [
        source_file("beforeConnect__b.sh"),
        source_file("beforeConnect__a.py"),
        source_file("afterMigrate.sh"),
    ]
    inventory = take_inventory(files, WITH_PROGRAMS)
    placeholders = Placeholders(values={"stage": "prod"})
    before = before_connect_callbacks(inventory, WITH_PROGRAMS, placeholders=placeholders, environment={})
    assert [callback.description for callback in before] == ["a", "b"]
    resolution = resolve(inventory, WITH_PROGRAMS, placeholders=placeholders, environment={})
    assert [callback.event for callback in resolution.callbacks] == [CallbackEvent.AFTER_MIGRATE]


# --- programs ---


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ("V1__a.sh", ("sh",)),
        ("V1__a.BASH", ("bash",)),
        ("V1__a.py", ("python",)),
        ("V1__a.ps1", ("pwsh", "-File")),
        ("V1__a.cmd", ("cmd", "/c")),
        ("V1__a.bat", ("cmd", "/c")),
        ("V1__a", ()),
    ],
)
def test_a_program_is_run_by_what_its_extension_says(script: str, command: tuple[str, ...]) -> None:
    [migration] = resolve_files(source_file(script, "SELECT 1;"), settings=WITH_PROGRAMS).migrations
    assert migration.program == Program(command, f"/files/sql/{script}")
    assert migration.checksum == 78787420


def test_the_powershell_can_be_chosen() -> None:
    settings = MigrationSettings(script_migrations=True, powershell_executable="powershell")
    [migration] = resolve_files(source_file("V1__a.ps1"), settings=settings).migrations
    assert migration.program == Program(("powershell", "-File"), "/files/sql/V1__a.ps1")


@pytest.mark.parametrize(
    ("script", "type_"),
    [
        ("V1__a.sh", MigrationType.SCRIPT),
        ("R__a.sh", MigrationType.SCRIPT),
        ("B1__a.sh", MigrationType.SQL_BASELINE),
    ],
)
def test_the_type_of_a_program(script: str, type_: MigrationType) -> None:
    [migration] = resolve_files(source_file(script), settings=WITH_PROGRAMS).migrations
    assert migration.type is type_


def test_the_checksum_of_a_repeatable_program_has_the_values_of_its_variables() -> None:
    text = "echo $FP__x__ FP__flyway_table__ FP__flyway_filename__ ${x}"
    placeholders = Placeholders(values={"x": "v"}, built_in={"flyway:table": "t"})
    [migration] = resolve_files(
        source_file("R__a.sh", text), placeholders=placeholders, settings=WITH_PROGRAMS
    ).migrations
    assert migration.checksum == checksum("echo $v t R__a.sh ${x}")
    assert migration.equivalent_checksum == checksum(text)


def test_the_checksum_of_a_versioned_program_is_that_of_the_raw_text() -> None:
    [migration] = resolve_files(source_file("V1__a.sh", "FP__x__"), settings=WITH_PROGRAMS).migrations
    assert migration.checksum == checksum("FP__x__")
    assert migration.equivalent_checksum is None


def test_an_undo_script_may_not_be_there_twice() -> None:
    with pytest.raises(errors.DuplicateMigration, match="this undo migration has the version 1") as caught:
        resolve_files(source_file("U1__a.sql"), source_file("x/U1.0__b.sql"))
    assert caught.value.kind is MigrationKind.UNDO


def test_a_large_script_is_read_in_chunks_and_has_the_checksum_of_the_whole() -> None:
    rows = "-- ${x}\r\n" + "insert into t values ('é', '${x}');\r\n" * 20_000
    placeholders = Placeholders(values={"x": "1\n2"})
    versioned, repeatable = resolve_files(
        source_file("V1__a.sql", rows), source_file("R__a.sql", rows), placeholders=placeholders
    ).migrations
    chunks = list(versioned.read())
    assert "".join(chunks) == rows
    assert max(map(len, chunks)) <= CHUNK_BYTES < len(rows)
    assert versioned.checksum == repeatable.equivalent_checksum == checksum([rows])
    assert repeatable.checksum == checksum([rows.replace("${x}", "1\n2")])


def test_a_large_script_that_changes_is_refused_when_it_was_read() -> None:
    rows = b"insert into t values (1);\n" * 20_000
    contents = [rows, rows + b"delete from t;\n"]
    file = SourceFile("V1__a.sql", "sql/V1__a.sql", lambda: BytesIO(contents.pop(0)))
    [migration] = resolve_files(file).migrations
    chunks = iter(migration.read())
    assert next(chunks).startswith("insert")
    with pytest.raises(errors.UnreadableScript, match="has changed"):
        list(chunks)
