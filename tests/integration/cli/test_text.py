"""What people see: results on standard output, errors on standard error, and exit codes that can be trusted."""

import re
import subprocess
import sys

import pytest

from tests.support.command import complaint
from tests.support.workspace import Workspace

SCRIPTS = {
    "V1__First_table.sql": "CREATE TABLE a (i int);",
    "V1.1__Second.sql": "CREATE TABLE IF NOT EXISTS a (i int);",
    "R__View.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;",
}
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


def test_a_first_run_and_a_second_one(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    database = workspace.database

    first, second = workspace.run("migrate"), workspace.run("migrate")

    assert (first.returncode, first.stderr) == (0, "")
    *lines, last = first.stdout.splitlines()
    assert lines == [
        f"Database: 127.0.0.1:{database.port}/{database.name} (PostgreSQL {database.server.version})",
        "Successfully validated 3 migrations",
        'Created schema history table "public"."flyway_schema_history"',
        'Current version of schema "public": << Empty Schema >>',
        'Migrating schema "public" to version "1 - First table"',
        'Migrating schema "public" to version "1.1 - Second"',
        'WARNING: DB: relation "a" already exists, skipping (SQL State: 42P07 - Error Code: 0)',
        'Migrating schema "public" with repeatable migration "View"',
    ]
    assert re.fullmatch(
        r'Successfully applied 3 migrations to schema "public", now at version v1\.1 \(execution time 00:\d\d\.\d{3}s\)',
        last,
    )
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout.splitlines()[1:] == [
        "Successfully validated 3 migrations",
        'Current version of schema "public": 1.1',
        'Schema "public" is up to date. No migration necessary.',
    ]


def test_info_is_flyways_table(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    workspace.run("migrate", "--target", "1")

    result = workspace.run("info")

    assert result.returncode == 0
    table = re.sub(TIME, "<------ when ----->", result.stdout.split("\n", 1)[1])
    assert table == (
        "Schema version: 1\n"
        "\n"
        "+------------+---------+-------------+------+---------------------+---------+----------+\n"
        "| Category   | Version | Description | Type | Installed On        | State   | Undoable |\n"
        "+------------+---------+-------------+------+---------------------+---------+----------+\n"
        "| Versioned  | 1       | First table | SQL  | <------ when -----> | Success | No       |\n"
        "| Repeatable |         | View        | SQL  | <------ when -----> | Success |          |\n"
        "| Versioned  | 1.1     | Second      | SQL  |                     | Pending | No       |\n"
        "+------------+---------+-------------+------+---------------------+---------+----------+\n"
    )


def test_info_without_migrations_says_so(workspace: Workspace) -> None:
    result = workspace.run("info")
    assert result.returncode == 0
    assert "\nSchema version: << Empty Schema >>\n\nNo migrations found on disk." in result.stdout
    assert "| locations                    | filesystem:sql |\n" in result.stdout
    assert result.stdout.endswith("\n+---------------------+\n| No migrations found |\n+---------------------+\n")


def test_a_failed_migration_shows_place_excerpt_and_words_of_the_server(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int PRIMARY KEY);\nINSERT INTO a VALUES (1), (1);\n"})

    error = complaint(workspace.run("migrate"), 1, "migration-failed")

    path = workspace.scripts / "V1__a.sql"
    assert error.splitlines() == [
        "ERROR: Migration V1__a.sql failed.",
        f'{path}:2:1: duplicate key value violates unique constraint "a_pkey" (SQLSTATE 23505)',
        "",
        "1 | CREATE TABLE a (i int PRIMARY KEY);",
        "2 | INSERT INTO a VALUES (1), (1);",
        "  | ^",
        "",
        "Server detail: Key (i)=(1) already exists.",
        "The migration was rolled back: the database is as it was before it.",
        "Hint: Nothing of this migration was kept. Mend the script and run again.",
        "Code: migration-failed",
    ]


def test_validate_lists_every_problem(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    error = complaint(workspace.run("validate"), 1, "validation-failed")
    assert "Validation failed, 3 problem(s):" in error
    assert workspace.run("migrate").returncode == 0
    result = workspace.run("validate")
    assert (result.returncode, result.stdout.splitlines()[1:]) == (0, ["Successfully validated 3 migrations"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--target", "oops"], "invalid-option"),
        (["--config", "nowhere.toml"], "config-file-unreadable"),
        (["--locations", "filesystem:nowhere"], "location-not-found"),
        (["--url", "postgresql://127.0.0.1/x?nonsense=1"], "invalid-option"),
        ([], "no-migrations-found"),
    ],
)
def test_a_setting_that_cannot_be_used_says_why(workspace: Workspace, arguments: list[str], code: str) -> None:
    complaint(workspace.run("migrate", *arguments), 2, code)


def test_a_misspelt_key_in_the_file_names_the_nearest(workspace: Workspace) -> None:
    (workspace.directory / "taxiway.toml").write_text("[flyway]\noutOfOrdre = true\n")
    assert "'flyway.outOfOrder'" in complaint(workspace.run("info"), 2, "unknown-option")


def test_the_environment_the_file_and_the_command_line_agree_on_who_wins(workspace: Workspace) -> None:
    (workspace.directory / "taxiway.toml").write_text('[flyway]\ntable = "from_file"\ndefaultSchema = "public"\n')
    workspace.write(SCRIPTS)
    environment = {"FLYWAY_TABLE": "from_environment"}
    assert workspace.run("migrate", "--table", "from_flag", environment=environment).returncode == 0
    assert len(workspace.history("from_flag")) == 3


@pytest.mark.parametrize("command", ["info", "migrate", "--help"])
def test_a_reader_who_leaves_early_does_no_harm(workspace: Workspace, command: str) -> None:
    workspace.write({f"V{number}__m.sql": "SELECT 1;" for number in range(1, 50)})
    with subprocess.Popen(
        [sys.executable, "-m", "taxiway", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=workspace.directory,
        env=workspace.environment,
    ) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        error = child.stderr.read()
    assert (child.returncode, error) == (0, b"")
    assert workspace.query("SELECT FROM pg_locks WHERE locktype = 'advisory'") == []
    if command == "migrate":
        assert len(workspace.applied()) == 49


def test_a_placeholder_that_looks_confidential_is_masked_everywhere(workspace: Workspace) -> None:
    workspace.write(
        {"V1__a.sql": "DO $$ BEGIN RAISE NOTICE 'it is ${db_password}'; RAISE 'no, ${db_password}'; END $$;"}
    )
    result = workspace.run("migrate", environment={"FLYWAY_PLACEHOLDERS_DB_PASSWORD": "hunter2"})
    assert "DB: it is ****" in result.stdout
    assert "no, ****" in complaint(result, 1, "migration-failed")
    assert "hunter2" not in result.stdout + result.stderr


def test_a_failure_counts_what_was_applied_before_it(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;", "V3__c.sql": "SELECT nope;"})
    assert "2 migrations were applied before it, and stay." in complaint(
        workspace.run("migrate"), 1, "migration-failed"
    )


def test_one_that_was_applied_before_a_failure_stays(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT nope;"})
    assert "1 migration was applied before it, and stays." in complaint(
        workspace.run("migrate"), 1, "migration-failed"
    )


def test_a_failure_without_anything_before_it_counts_nothing(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT nope;"})
    assert "applied before it" not in complaint(workspace.run("migrate"), 1, "migration-failed")


def test_a_filter_that_nothing_passes_is_no_matter_of_missing_files(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    workspace.migrate()
    result = workspace.run("info", "-infoOfState=pending")
    assert "None of 1 migration(s) is what was asked for." in result.stdout
    assert "No migrations found" not in result.stdout
