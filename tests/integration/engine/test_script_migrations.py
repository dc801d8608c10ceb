"""Migrations that are programs: what they are told, when they are recorded, and what their failure means."""

import shlex
import sys

import pytest

import taxiway
from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.model.event import Event, ProgramPrinted
from taxiway.postgres.lock import lock_number
from tests.support.workspace import Workspace

TABLE = {"V1__a.sql": "CREATE TABLE a (i int);"}
SHOW = "echo $FP__flyway_filename__ $FP__flyway_defaultSchema__ $FP__flyway_table__; env | grep -c '^FP__empty__'\ntrue"


def lines(events: list[Event]) -> list[str]:
    return [event.line for event in events if isinstance(event, ProgramPrinted)]


def test_a_program_runs_and_is_recorded(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sh": SHOW, "R__c.py": "print('repeatable')"})
    events: list[Event] = []
    result = workspace.migrate(on_event=events.append, script_migrations=True, placeholders={"empty": ""})
    assert [one.type for one in result.migrations] == ["SQL", "SCRIPT", "SCRIPT"]
    assert lines(events) == ["V2__b.sh public flyway_schema_history", "0", "repeatable"]
    assert [(row["version"], row["type"], row["script"]) for row in workspace.history()][1:] == [
        ("2", "SCRIPT", "V2__b.sh"),
        (None, "SCRIPT", "R__c.py"),
    ]
    assert workspace.migrate(script_migrations=True).count == 0


def test_programs_are_refused_unless_they_are_asked_for(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sh": SHOW})
    with pytest.raises(errors.ScriptMigrationsDisabled, match=r"V2__b\.sh"):
        workspace.migrate()


def test_a_program_may_use_the_database_that_we_are_connected_to(workspace: Workspace) -> None:
    """It would wait for us forever if our transaction were open with what a callback has locked."""
    program = (
        f"#!/bin/sh\nexec {shlex.quote(sys.executable)} - <<'PROGRAM'\n"
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['FLYWAY_URL'], password=os.environ['FLYWAY_PASSWORD']) as connection:\n"
        "    connection.execute('ALTER TABLE a ADD COLUMN j int')\n"
        "PROGRAM\n"
    )
    workspace.write(TABLE)
    workspace.migrate()
    workspace.write(
        {
            "V2__b": program,
            "beforeEachMigrate.sql": "INSERT INTO a VALUES (1);",
            "afterEachMigrate.sql": "INSERT INTO a VALUES (2);",
        }
    )
    assert workspace.migrate(script_migrations=True).count == 1
    assert workspace.query("SELECT i, j FROM a") == [(1, None), (2, None)]


def test_a_program_that_fails_is_not_recorded_and_what_it_did_stays(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sh": "echo half; exit 3", "V3__c.sql": "SELECT 1;"})
    workspace.write({"afterEachMigrateError.sql": "INSERT INTO a VALUES (1);"})
    events: list[Event] = []

    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(on_event=events.append, script_migrations=True)

    error = caught.value
    assert error.message == (
        f"Migration V2__b.sh failed.\n{workspace.scripts}/V2__b.sh: the program ended with status 3"
    )
    assert (error.line, error.excerpt, error.sqlstate, error.rolled_back) == (None, "", None, False)
    assert "has no row for it" in (error.hint or "")
    assert [str(one.version) for one in error.result.migrations] == ["1"]
    assert lines(events) == ["half"]
    assert workspace.applied() == ["1"]
    assert workspace.value("SELECT i FROM a") == 1


def test_a_program_that_cannot_run_is_an_error_of_its_own(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b": "no first line"})
    with pytest.raises(errors.ProgramUnavailable, match="Exec format error") as caught:
        workspace.migrate(script_migrations=True)
    assert caught.value.result
    assert caught.value.result.count == 1


def test_a_program_that_ran_is_recorded_even_if_somebody_else_has_the_lock_by_then(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sh": "echo now", "V3__c.sql": "SELECT 1;"})
    workspace.write({"beforeEachMigrate.sql": "SELECT pg_advisory_unlock_all();"})
    number = lock_number(HistoryTable("public", "flyway_schema_history"))
    with workspace.database.connect() as other:

        def take_the_lock(event: Event) -> None:
            if isinstance(event, ProgramPrinted):
                other.execute("SELECT pg_advisory_lock(%s)", [number])

        with pytest.raises(errors.LockNotAcquired) as caught:
            workspace.migrate(on_event=take_the_lock, script_migrations=True, output_query_results=False)

    assert workspace.applied() == ["1", "2"]
    assert caught.value.result
    assert caught.value.result.count == 2


def test_secrets_that_a_program_prints_are_masked(workspace: Workspace) -> None:
    workspace.write({"V1__a.sh": "printf '%s %s' \"$FLYWAY_PASSWORD\" $FP__pw__"})
    events: list[Event] = []
    workspace.migrate(
        on_event=events.append, script_migrations=True, placeholders={"pw": taxiway.Secret("Geheim4711x")}
    )
    assert lines(events) == ["**** ****"]


def test_a_program_is_ended_with_the_run_and_the_run_says_where_it_was(workspace: Workspace) -> None:
    workspace.write({"V1__a.sh": "echo started; sleep 60"})
    with workspace.running("migrate", environment={"FLYWAY_SCRIPT_MIGRATIONS": "true"}) as child:
        assert child.stdout
        while "started" not in (line := child.stdout.readline()):
            assert line
        child.terminate()
        _, error = child.communicate(timeout=20)
    assert child.returncode == 143
    assert "while V1__a.sh ran: it is a program, so what it had done has stayed" in error
    assert workspace.applied() == []
