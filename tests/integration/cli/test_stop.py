"""A command that is stopped says what it has left behind, and stops even if its first exception is swallowed."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.protocol_proxy import Cut, Message, Moment, ProtocolProxy
from tests.support.pytest_sandbox import Database, plain_url
from tests.support.workspace import Workspace

SLEEPING = "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
SLEEP = "SELECT pg_sleep(60);"
HEDGED = "it was rolled back, unless it was being committed just then ('taxiway info' tells)"
STAYED = (
    "it ran outside a transaction, so what it had done has stayed, and the history shows it as failed "
    "if it had begun. Look at the database and at 'taxiway info' before you run again"
)
CONCURRENTLY = "CREATE INDEX CONCURRENTLY ON a (slow(i));"

# The command, and something that happens to it just before it connects: when a module is looked for.
HAPPENING = """
import signal, sys

class Swallows:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "taxiway.postgres.connection":
            HAPPENS()

sys.meta_path.insert(0, Finder())
from taxiway.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def run_while(workspace: Workspace, happening: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", HAPPENING.replace("HAPPENS()", happening), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=workspace.directory,
        env=workspace.environment,
        timeout=60,
        check=False,
    )


def stop(workspace: Workspace, *arguments: str, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    """Run until a statement sleeps, then send the signal."""
    with workspace.running("migrate", *arguments) as child:
        workspace.wait_for(SLEEPING)
        child.send_signal(number)
        output, error = child.communicate(timeout=30)
    return child.returncode, output, error.strip()


@pytest.mark.parametrize(
    ("number", "exit_code", "word"), [(signal.SIGTERM, 143, "Terminated"), (signal.SIGINT, 130, "Interrupted")]
)
def test_what_was_rolled_back_is_told(
    workspace: Workspace, number: signal.Signals, exit_code: int, word: str
) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": SLEEP})
    code, _, error = stop(workspace, number=number)
    assert (code, error) == (
        exit_code,
        f"{word} while V2__b.sql ran: it was rolled back; 1 migration was applied before it.",
    )


@pytest.mark.parametrize(
    ("delay_ms", "sentence"),
    [
        (100, "Terminated while V2__b.sql ran: it was rolled back; 1 migration was applied before it."),
        # To cancel and to ask takes longer than there is time for a stop.
        (
            600,
            (
                "Terminated while V1__a.sql ran: whether it and those behind it, up to V2__b.sql, were applied is not "
                "known ('taxiway info' tells); no migration was applied before it."
            ),
        ),
    ],
)
def test_the_server_is_further_than_its_answers(
    plain_database: Database, tmp_path: Path, delay_ms: float, sentence: str
) -> None:
    workspace = Workspace(plain_database, tmp_path)
    workspace.write({"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": SLEEP})
    with ProtocolProxy(plain_database.host, plain_database.port, delay_ms=delay_ms) as proxy:
        code, _, error = stop(workspace, "--url", plain_url(proxy, plain_database.user, plain_database.name))
    assert (code, error) == (143, sentence)


class OnlyTheFirst:
    """Lets one connection through, and swallows what the others send."""

    def find_action(self, message: Message, _moment: Moment) -> Cut | None:
        return Cut.BLACK_HOLE if message.connection > 1 else None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("callbacks", [{}, {"beforeEachMigrate.sql": "SELECT 1;"}], ids=["ahead", "one by one"])
def test_a_request_to_cancel_that_nobody_answers_is_not_waited_for(
    plain_database: Database, tmp_path: Path, callbacks: dict[str, str], number: signal.Signals
) -> None:
    workspace = Workspace(plain_database, tmp_path)
    workspace.write({"V1__a.sql": SLEEP} | callbacks)
    with ProtocolProxy(plain_database.host, plain_database.port, policy=OnlyTheFirst()) as proxy:
        url = plain_url(proxy, plain_database.user, plain_database.name)
        code, _, error = stop(workspace, "--url", url, number=number)
    assert code == 128 + number
    assert "V1__a.sql" in error
    assert "bug" not in error


def test_what_may_have_been_committed_is_left_open(workspace: Workspace) -> None:
    # Between them, the answer to the first has time to be read.
    workspace.write({"V1__a.sql": f"CREATE TABLE a ();\nSELECT pg_sleep(0.5);\n{SLEEP}"})
    _, _, error = stop(workspace)
    assert error == f"Terminated while V1__a.sql ran: {HEDGED}; no migration was applied before it."


def test_what_ran_outside_a_transaction_has_stayed(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__a.sql": "CREATE TABLE a AS SELECT 1 AS i;\n"
            "CREATE FUNCTION slow(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog AS"
            " 'BEGIN PERFORM pg_sleep(60); RETURN i; END';",
            "V2__b.sql": CONCURRENTLY,
        }
    )
    with workspace.running("migrate") as child:
        workspace.wait_for(SLEEPING.replace("pg_sleep(60)", "CREATE INDEX CONCURRENTLY"))
        child.terminate()
        _, error = child.communicate(timeout=30)
    assert (child.returncode, error.strip()) == (
        143,
        f"Terminated while V2__b.sql ran: {STAYED}; 1 migration was applied before it.",
    )
    assert [row["success"] for row in workspace.history()] == [True, False]


def test_a_stop_in_clean_after_migrate_names_what_was_cleaned(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();", "afterClean.sql": SLEEP})
    with workspace.running("migrate", "clean", "--no-clean-disabled") as child:
        workspace.wait_for(SLEEPING)
        child.terminate()
        _, error = child.communicate(timeout=30)
    assert child.returncode == 143
    assert "1 migration was applied and" in error
    assert 'schema "public" had been cleaned and callback afterClean.sql had begun.' in error


def test_who_waits_for_the_lock_has_changed_nothing(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": SLEEP})
    with workspace.running("migrate") as holder:
        workspace.wait_for(SLEEPING)
        with workspace.running("migrate") as child:
            assert child.stdout
            while "Waiting for the migration lock" not in child.stdout.readline():
                pass
            child.terminate()
            _, error = child.communicate(timeout=30)
        holder.terminate()
        holder.communicate(timeout=30)
    assert (child.returncode, error.strip()) == (143, "Terminated before anything was changed.")


def test_a_stop_is_told_in_json_with_what_was_applied(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": SLEEP})
    code, output, error = stop(workspace, "-o", "json")
    value: dict[str, Any] = json.loads(output)
    assert (code, error) == (143, "")
    assert (value["success"], value["migrationsExecuted"]) == (False, 1)
    assert [item["filepath"] for item in value["migrations"]] == [str(workspace.scripts / "V1__a.sql")]
    assert (value["error"]["errorCode"], value["error"]["taxiwayCode"]) == ("ERROR", "terminated")
    assert value["error"]["message"].startswith("Terminated while V2__b.sql ran: it was rolled back")


def test_a_bug_is_told_in_json_too_with_its_traceback_on_standard_error(workspace: Workspace) -> None:
    result = run_while(workspace, "1 / 0", "migrate", "-o", "json")
    value: dict[str, Any] = json.loads(result.stdout)
    assert result.returncode == 70
    assert (value["success"], value["migrations"]) == (False, [])
    assert (value["error"]["errorCode"], value["error"]["taxiwayCode"]) == ("FAULT", "bug")
    assert value["error"]["message"] == "A bug in Taxiway: ZeroDivisionError: division by zero"
    assert "Traceback" in result.stderr


@pytest.mark.parametrize("arguments", [["migrate"], ["migrate", "-o", "json"], ["info"]])
def test_a_signal_whose_exception_is_swallowed_ends_the_run_before_it_changes_anything(
    workspace: Workspace, arguments: list[str]
) -> None:
    """Python reports what a destructor raises, and goes on."""
    workspace.write({"V1__a.sql": "CREATE TABLE a ();"})
    result = run_while(workspace, "Swallows()", *arguments)
    assert result.returncode == 143, result.stdout + result.stderr
    assert "Terminated before anything was changed." in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert workspace.query("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []
