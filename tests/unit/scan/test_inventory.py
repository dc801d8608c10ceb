"""What files are, by their names."""

import time
from collections.abc import Sequence
from io import BytesIO

import pytest

from taxiway import errors
from taxiway.model.callback import CallbackEvent
from taxiway.model.rules import Naming
from taxiway.model.settings import MigrationSettings
from taxiway.model.source import SourceFile
from taxiway.scan.inventory import Inventory, take_inventory
from tests.support.builders import source_file

LENIENT = MigrationSettings(validate_migration_naming=False)
WITH_PROGRAMS = MigrationSettings(script_migrations=True)


def take(
    *scripts: str, settings: MigrationSettings = MigrationSettings(), callbacks: Sequence[str] | None = None
) -> Inventory:
    elsewhere = None if callbacks is None else [source_file(one, location="callbacks") for one in callbacks]
    return take_inventory([source_file(script) for script in scripts], settings, callback_files=elsewhere)


def migrations(inventory: Inventory) -> list[str]:
    return [one.file.script for one in inventory.migrations]


def callbacks(inventory: Inventory) -> list[str]:
    return [one.file.path for one in inventory.callbacks]


def test_files_are_migrations_callbacks_or_passed_over() -> None:
    found = take("V1__a.sql", "afterMigrate.sql", "notes.txt", "README", "deploy.sh", "flyway.conf")
    assert migrations(found) == ["V1__a.sql"]
    assert callbacks(found) == ["sql/afterMigrate.sql"]
    assert (found.invalid_names, found.warnings) == ((), ())


def test_no_file_is_read() -> None:
    def fail() -> BytesIO:
        raise AssertionError

    files = [SourceFile(name, name, fail) for name in ("V1__a.sql", "afterMigrate.sql", "V1__a.sql.conf", "x.txt")]
    assert len(take_inventory(files, MigrationSettings()).migrations) == 1


def test_every_invalid_name_is_told_at_once() -> None:
    with pytest.raises(errors.InvalidMigrationName) as caught:
        take("V1_create.sql", "readme.sql", "V2__a.sql")
    assert [path for path, _ in caught.value.problems] == ["sql/V1_create.sql", "sql/readme.sql"]
    assert "did you mean 'V1__create.sql'?" in str(caught.value)


def test_invalid_names_are_skipped_as_flyway_does_when_asked() -> None:
    found = take("V1_create.sql", "V2__a.sql", settings=LENIENT)
    assert migrations(found) == ["V2__a.sql"]
    assert [path for path, _ in found.invalid_names] == ["sql/V1_create.sql"]


@pytest.mark.parametrize(
    "script",
    [
        "V1__\udcff.sql",
        "sub\udcff/V1__a.sql",
        "afterMigrate__\udcff.sql",
        "V1\udcff.sql",
        "V1__\udcff.sh",
        "V1__\udcff",
    ],
)
def test_a_path_that_is_no_text_is_an_invalid_name_and_shown_escaped(script: str) -> None:
    with pytest.raises(errors.InvalidMigrationName) as caught:
        take(script)
    [(path, reason)] = caught.value.problems
    assert path == f"sql/{script}".replace("\udcff", r"\udcff")
    assert "not text in UTF-8" in reason
    assert caught.value.message.isascii()


# --- callbacks ---


def test_callbacks_are_sorted_by_event_then_description_none_first() -> None:
    found = take(
        "b/afterMigrate__b.sql",
        "beforeMigrate__z.sql",
        "afterMigrate.sql",
        "afterMigrate__B.sql",
        "a/afterMigrate__a.sh",
        "beforeMigrate.sql",
        settings=WITH_PROGRAMS,
    )
    assert [one.file.name for one in found.callbacks] == [
        "beforeMigrate.sql",
        "beforeMigrate__z.sql",
        "afterMigrate.sql",
        "afterMigrate__B.sql",
        "afterMigrate__a.sh",
        "afterMigrate__b.sql",
    ]


def test_with_callback_locations_only_before_connect_is_looked_for_elsewhere() -> None:
    found = take(
        "V1__a.sql",
        "afterMigrate.sql",
        "beforeConnect.sh",
        settings=WITH_PROGRAMS,
        callbacks=["beforeMigrate.sql", "beforeConnect.py", "V2__b.sql", "readme.sql", "afterInfo.sh"],
    )
    assert migrations(found) == ["V1__a.sql"]
    assert callbacks(found) == ["callbacks/beforeMigrate.sql", "callbacks/afterInfo.sh", "sql/beforeConnect.sh"]


def test_the_callbacks_that_are_sql_can_be_skipped() -> None:
    settings = MigrationSettings(skip_default_callbacks=True, script_migrations=True)
    assert callbacks(take("afterMigrate.sql", "afterMigrate__x.sh", settings=settings)) == [
        "sql/afterMigrate__x.sh"
    ]


def test_sql_before_the_connection_never_runs_and_that_is_said() -> None:
    found = take("beforeConnect.sql", "beforeConnect__x.py", settings=WITH_PROGRAMS)
    assert callbacks(found) == ["sql/beforeConnect__x.py"]
    assert found.warnings == (
        "sql/beforeConnect.sql never runs: before there is a connection, only programs can.",
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a/afterMigrate.sql", "b/afterMigrate.sql"),
        ("afterMigrate__a_b.sql", "afterMigrate__a b.sql"),
        ("a/afterMigrate__x.sql", "a/afterMigrate__x.SQL"),
    ],
)
def test_two_sql_callbacks_with_the_same_description_are_refused(first: str, second: str) -> None:
    with pytest.raises(errors.DuplicateCallback) as caught:
        take(first, second)
    assert f"sql/{first}" in str(caught.value)
    assert f"sql/{second}" in str(caught.value)
    assert caught.value.hint


def test_a_program_may_have_the_description_of_an_sql_callback() -> None:
    found = take("afterMigrate.sql", "afterMigrate.sh", "x/afterMigrate.sh", settings=WITH_PROGRAMS)
    assert len(found.callbacks) == 3
    assert len({one.name.event for one in found.callbacks} | {CallbackEvent.AFTER_MIGRATE}) == 1


# --- programs ---


def test_programs_are_found_where_they_may_run() -> None:
    found = take("V1__a.py", "R__b.SH", "B3__c", "V2__d.txt", settings=WITH_PROGRAMS)
    assert [(one.file.script, one.extension) for one in found.migrations] == [
        ("V1__a.py", ".py"),
        ("R__b.SH", ".sh"),
        ("B3__c", ""),
    ]


def test_every_program_is_told_where_they_may_not_run() -> None:
    with pytest.raises(errors.ScriptMigrationsDisabled) as caught:
        take("V1__a.py", "R__b", "V2__c.sql", "afterMigrate.sh", "README", "Vagrantfile", "setup.sh")
    assert caught.value.message == (
        "3 file(s) are programs, and programs may not run:\n  sql/V1__a.py\n  sql/R__b\n  sql/afterMigrate.sh"
    )
    assert caught.value.programs == ("sql/V1__a.py", "sql/R__b", "sql/afterMigrate.sh")
    assert "Set scriptMigrations=true" in str(caught.value.hint)


def test_programs_that_do_not_count_are_no_reason_to_refuse() -> None:
    found = take("V1__a.sql", "afterMigrate.sh", "README", "U1__a.sh", callbacks=["V2__b.py", "beforeConnect.sh"])
    assert migrations(found) == ["V1__a.sql"]


def test_a_suffix_of_sql_wins_over_that_of_a_program() -> None:
    settings = MigrationSettings(naming=Naming(suffixes=(".sql", ".sh")))
    [found] = take("V1__a.sh", settings=settings).migrations
    assert found.extension is None


# --- script configuration ---


def configuration_of(script: str, *files: SourceFile) -> str | None:
    inventory = take_inventory(files, WITH_PROGRAMS)
    [file] = [one for one in files if one.path == script]
    found = inventory.configurations.find(file)
    return found.path if found else None


@pytest.mark.parametrize("name", ["x/V1__a.sql.conf", "x/v1__A.SQL.Conf"])
def test_the_configuration_lies_beside_the_script(name: str) -> None:
    files = [source_file(name), source_file("V1__a.sql.conf"), source_file("x/V1__a.sql")]
    assert configuration_of("sql/x/V1__a.sql", *files) == f"sql/{name}"


def test_another_location_may_hold_the_configuration() -> None:
    files = [
        source_file("V1__a.sql"),
        source_file("V1__a.sql.conf", location="prod"),
        source_file("V1__a.sql.conf", location="stage"),
    ]
    assert configuration_of("sql/V1__a.sql", *files) == "stage/V1__a.sql.conf"


def test_the_configuration_beside_the_script_wins_over_that_of_another_location() -> None:
    files = [
        source_file("V1__a.sql"),
        source_file("V1__a.sql.conf"),
        source_file("V1__a.sql.conf", location="stage"),
    ]
    assert configuration_of("sql/V1__a.sql", *files) == "sql/V1__a.sql.conf"


def test_a_script_without_configuration_has_none() -> None:
    assert configuration_of("sql/V1__a.sql", source_file("V1__a.sql"), source_file("V2__a.sql.conf")) is None


def test_callbacks_that_are_programs_may_have_configuration() -> None:
    assert take("afterMigrate.sh", "afterMigrate.sh.conf", settings=WITH_PROGRAMS).warnings == ()


@pytest.mark.parametrize("script", ["V1__a.sql", "R__a.sql", "afterMigrate.sql", "V1__a.sh", "V1__a"])
def test_configuration_without_its_script_is_a_warning(script: str) -> None:
    [warning] = take(f"x/{script}.conf", script, settings=WITH_PROGRAMS).warnings
    assert warning == f"sql/x/{script}.conf has no effect: the script that it configures is not there."


@pytest.mark.parametrize("name", ["flyway.conf", "readme.sql.conf", "V1_a.sql.conf", "V1__a.txt.conf", ".conf"])
def test_other_configuration_files_are_none_of_our_business(name: str) -> None:
    assert take(name).warnings == ()


def test_paths_in_warnings_are_text() -> None:
    [warning] = take("V1__\udcff.sql.conf").warnings
    assert warning.startswith(r"sql/V1__\udcff.sql.conf has no effect")


def test_ten_thousand_files_are_quick() -> None:
    files = [source_file(f"{number}/V{number}__x.sql{end}") for number in range(5_000) for end in ("", ".conf")]
    started = time.process_time()
    assert len(take_inventory(files, MigrationSettings()).migrations) == 5_000
    assert time.process_time() - started < 2
