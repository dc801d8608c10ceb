"""``--output json`` has Flyway's shape, whatever happens, and is all that is on standard output."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.workspace import Workspace

SCRIPTS = {"V01_1__First_table.sql": "CREATE TABLE a (i int);", "R__View.sql": "SELECT 1;"}
OURS = {"taxiwayVersion"}


def test_migrate_has_flyways_fields(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)

    value = workspace.answer("migrate", TZ="Asia/Tokyo")

    local = datetime.fromisoformat(value.pop("timestamp"))
    assert abs(datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=9) - local) < timedelta(minutes=1)
    times = [item.pop("executionTime") for item in value["migrations"]]
    assert value.pop("totalMigrationTime") == sum(times)
    assert value.pop("taxiwayVersion")
    assert value == {
        "operation": "migrate",
        "exception": None,
        "licenseFailed": False,
        "initialSchemaVersion": None,
        "targetSchemaVersion": "01.1",
        "schemaName": "",
        "migrations": [
            {
                "category": "Versioned",
                "version": "01.1",
                "description": "First table",
                "type": "SQL",
                "filepath": str(workspace.scripts / "V01_1__First_table.sql"),
            },
            {
                "category": "Repeatable",
                "version": "",
                "description": "View",
                "type": "SQL",
                "filepath": str(workspace.scripts / "R__View.sql"),
            },
        ],
        "migrationsExecuted": 2,
        "success": True,
        "flywayVersion": "13.12.0",
        "database": workspace.database.name,
        "databaseType": "PostgreSQL",
        "warnings": [],
    }


def test_a_second_migrate_has_applied_nothing(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    workspace.answer("migrate")
    value = workspace.answer("migrate")
    assert (value["migrationsExecuted"], value["initialSchemaVersion"], value["targetSchemaVersion"]) == (
        0,
        "01.1",
        None,
    )


def test_info_has_flyways_fields(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    workspace.answer("migrate", "--schemas", "s1,public", "--target", "current")

    value = workspace.answer("info", "--schemas", "s1,public", TZ="Asia/Tokyo")

    marker, repeatable, pending = value.pop("migrations")
    assert value.pop("timestamp")
    assert value.pop("taxiwayVersion")
    assert value == {
        "operation": "info",
        "exception": None,
        "licenseFailed": False,
        "schemaVersion": None,
        "schemaName": "s1, public",
        "flywayVersion": "13.12.0",
        "database": workspace.database.name,
        "allSchemasEmpty": False,
        "warnings": [],
    }
    assert (marker["category"], marker["type"], marker["state"], marker["filepath"]) == (
        "",
        "SCHEMA",
        "Success",
        "",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", repeatable["installedOnUTC"])
    assert pending == {
        "category": "Versioned",
        "version": "01.1",
        "rawVersion": "01_1",
        "description": "First table",
        "type": "SQL",
        "installedOnUTC": "",
        "state": "Pending",
        "undoable": "No",
        "filepath": str(workspace.scripts / "V01_1__First_table.sql"),
        "undoFilepath": "",
        "installedBy": "",
        "shouldExecuteExpression": None,
        "executionTime": 0,
    }


def test_installed_on_is_the_same_moment_in_utc(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    workspace.answer("migrate", TZ="Asia/Tokyo")
    [row, _] = workspace.answer("info", TZ="Asia/Tokyo")["migrations"]
    age = datetime.now(UTC) - datetime.fromisoformat(row["installedOnUTC"])
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_validate_has_flyways_fields_and_an_exit_code(workspace: Workspace) -> None:
    """Flyway ends with 0 here even if validation fails."""
    workspace.write(SCRIPTS)

    value = workspace.answer("validate", exit_code=1)

    messages = [item["errorDetails"]["errorMessage"] for item in value["invalidMigrations"]]
    assert value["allErrorMessages"] == "\n".join(messages)
    assert value["errorDetails"] == {"errorCode": "VALIDATE_ERROR", "errorMessage": value["allErrorMessages"]}
    assert value["invalidMigrations"][0] == {
        "version": "01.1",
        "description": "First table",
        "filepath": str(workspace.scripts / "V01_1__First_table.sql"),
        "errorDetails": {"errorCode": "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED", "errorMessage": messages[0]},
    }
    assert (value["validationSuccessful"], value["validateCount"]) == (False, 0)
    workspace.answer("migrate")
    value = workspace.answer("validate")
    assert value.keys() - OURS == {
        "operation", "flywayVersion", "database", "warnings", "validationSuccessful", "validateCount",
        "errorDetails", "invalidMigrations", "allErrorMessages",
    }  # fmt: skip
    assert (value["validationSuccessful"], value["validateCount"], value["errorDetails"]) == (True, 2, None)


def test_a_failed_migration_is_inside_the_result_of_migrate(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 1;\n SELECT oops;"})

    value = workspace.answer("migrate", exit_code=1)

    assert (value["success"], value["migrationsExecuted"], value["targetSchemaVersion"]) == (False, 1, None)
    assert value["exception"] == value["error"]["message"]
    error = value["error"]
    assert (error["errorCode"], error["sqlState"], error["sqlErrorCode"]) == (
        "FAILED_VERSIONED_MIGRATION",
        "42703",
        0,
    )
    assert (error["lineNumber"], error["columnNumber"]) == (2, 9)
    assert (error["path"], error["cause"]) == (str(workspace.scripts / "V2__b.sql"), None)


def test_a_failed_repeatable_has_a_code_of_its_own(workspace: Workspace) -> None:
    workspace.write({"R__a.sql": "SELECT oops;"})
    assert workspace.answer("migrate", exit_code=1)["error"]["errorCode"] == "FAILED_REPEATABLE_MIGRATION"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "error_code", "code"),
    [
        (["--target", "oops"], 2, "CONFIGURATION", "invalid-option"),
        (["--locations", "filesystem:nowhere"], 2, "ERROR", "location-not-found"),
        (["--database-name", "nowhere"], 2, "DB_CONNECTION", "database-not-found"),
        (["--target", "99"], 1, "ERROR", "target-not-found"),
        (["--schemas", "taken"], 1, "NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE", "non-empty-schema"),
    ],
)
def test_an_error_is_json_too(
    workspace: Workspace, arguments: list[str], exit_code: int, error_code: str, code: str
) -> None:
    workspace.query("CREATE SCHEMA taken CREATE TABLE t (i int)")
    workspace.write(SCRIPTS)

    error = workspace.answer("migrate", *arguments, exit_code=exit_code)["error"]

    assert (error["errorCode"], error["taxiwayCode"], error["cause"]) == (error_code, code, None)
    assert error["message"]
    assert error["hint"]


def test_a_failed_validation_within_migrate_is_an_ordinary_error(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    workspace.answer("migrate")
    workspace.write({"V01_1__First_table.sql": "SELECT 2;"})
    assert workspace.answer("migrate", exit_code=1)["error"]["errorCode"] == "VALIDATE_ERROR"


@pytest.mark.parametrize("port", ["1"])
def test_an_unreachable_database_is_a_connection_failure(workspace: Workspace, port: str) -> None:
    workspace.write(SCRIPTS)
    error = workspace.answer("info", "--port", port, exit_code=4)["error"]
    assert (error["errorCode"], error["subErrorCode"]) == ("DB_CONNECTION", "CONNECTION_FAILURE")
    assert error.keys() >= {"sqlState", "sqlErrorCode"}


def test_wrong_usage_is_json_when_that_was_asked_for_before(workspace: Workspace) -> None:
    result = workspace.run("migrate", "--output", "json", "stray")
    assert (result.returncode, result.stderr) == (2, "")
    assert json.loads(result.stdout)["error"]["errorCode"] == "CONFIGURATION"


WARNING = 'DB: relation "a" already exists, skipping (SQL State: 42P07 - Error Code: 0)'
AGAIN = "CREATE TABLE a ();\nCREATE TABLE IF NOT EXISTS a ();\nDO $$ BEGIN RAISE NOTICE 'no warning'; END $$;"


def test_warnings_are_in_the_result_of_migrate(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": AGAIN, "V2_misnamed.sql": "SELECT 1;"})

    misnamed, server = workspace.answer("migrate", FLYWAY_VALIDATE_MIGRATION_NAMING="false")["warnings"]

    assert misnamed.startswith(f"{workspace.scripts / 'V2_misnamed.sql'} is skipped: ")
    assert server == WARNING


def test_warnings_are_in_the_result_of_a_failed_migrate(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": AGAIN, "V2__b.sql": "SELECT oops;"})
    assert workspace.answer("migrate", exit_code=1)["warnings"] == [WARNING]


MISNAMED = {"V2_misnamed.sql": "SELECT 1;"}
LENIENT = "--no-validate-migration-naming"
GIVES_WAY = "elsewhere.example"


@pytest.mark.parametrize("command", ["info", "migrate", "validate", "repair", "test-connection"])
def test_a_warning_of_the_configuration_is_in_every_result(workspace: Workspace, command: str) -> None:
    [warning] = workspace.answer(command, FLYWAY_FAIL_ON_MISSING_LOCATIONS="false", DB_HOST=GIVES_WAY)["warnings"]
    assert "DB_HOST" in warning


def test_a_failed_migrate_has_the_warnings_of_the_configuration_first(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": AGAIN, "V2__b.sql": "SELECT oops;"})
    configuration, server = workspace.answer("migrate", exit_code=1, DB_HOST=GIVES_WAY)["warnings"]
    assert "DB_HOST" in configuration
    assert server == WARNING


def test_each_result_of_a_chain_has_its_own_warnings(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": AGAIN, **MISNAMED})
    value = workspace.answer("info", "migrate", "info", LENIENT, DB_HOST=GIVES_WAY)
    before, migrated, after = (result["warnings"] for result in value["individualResults"])
    assert ["DB_HOST" in before[0], "is skipped" in before[1], len(before)] == [True, True, 2]
    assert (migrated, after) == ([WARNING], [])


def test_a_failure_in_a_chain_does_not_repeat_the_warnings_of_the_results_before(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT oops;", **MISNAMED})
    value = workspace.answer("info", "migrate", LENIENT, exit_code=1, DB_HOST=GIVES_WAY)
    assert [len(result["warnings"]) for result in value["individualResults"]] == [2, 0]


def test_a_lost_connection_keeps_what_was_applied_before(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": AGAIN, "V2__b.sql": "SELECT pg_terminate_backend(pg_backend_pid());"})

    value = workspace.answer("migrate", exit_code=4)

    assert (value["success"], value["migrationsExecuted"], value["warnings"]) == (False, 1, [WARNING])
    assert value["exception"] == value["error"]["message"]
    assert (value["error"]["taxiwayCode"], value["error"]["subErrorCode"]) == (
        "connection-lost",
        "CONNECTION_FAILURE",
    )


@pytest.mark.parametrize("time_zone", ["UTC", "Asia/Tokyo", "JST-9"])
def test_a_machine_without_a_database_of_time_zones_can_tell_the_time(
    workspace: Workspace, time_zone: str
) -> None:
    workspace.write(SCRIPTS)
    workspace.answer("migrate", TZ=time_zone, PYTHONTZPATH="")
    [row, _] = workspace.answer("info", TZ=time_zone, PYTHONTZPATH="")["migrations"]
    age = datetime.now(UTC) - datetime.fromisoformat(row["installedOnUTC"])
    assert timedelta(0) <= age < timedelta(minutes=1)
