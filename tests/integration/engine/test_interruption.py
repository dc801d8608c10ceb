"""Ended from outside at a bad moment: nothing half-done stays, the lock is free, and the next run goes on."""

import signal
import time

import pytest

from taxiway import errors
from taxiway.exit_codes import exit_code_for
from taxiway.model.event import Event, MigrationStarted
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

SLEEPING = "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
NOBODY_SLEEPS = f"SELECT WHERE NOT EXISTS ({SLEEPING})"
NO_LOCK = "SELECT WHERE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')"


@pytest.fixture
def waiting(workspace: Workspace) -> Workspace:
    """Version 1 is applied; version 2 would make a table and sleep for a minute."""
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);"})
    workspace.migrate()
    workspace.write({"V2__b.sql": "CREATE TABLE b (i int);\nSELECT pg_sleep(60);"})
    return workspace


def mended(workspace: Workspace) -> list[str | None]:
    workspace.write({"V2__b.sql": "CREATE TABLE b (i int);"})
    workspace.migrate(lock_retry_count=0)
    return workspace.applied()


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "Terminated"), (signal.SIGINT, 130, "Interrupted")]
)
def test_a_signal_cancels_the_statement_and_rolls_back(
    waiting: Workspace, number: signal.Signals, code: int, word: str
) -> None:
    before = fingerprint(waiting.database)
    with waiting.running("migrate") as child:
        waiting.wait_for(SLEEPING)
        sent = time.monotonic()
        child.send_signal(number)
        _, error = child.communicate(timeout=30)

    assert time.monotonic() - sent < 5
    assert child.returncode == code
    assert error.strip().startswith(f"{word} while V2__b.sql ran: it was rolled back")
    assert fingerprint(waiting.database) == before
    waiting.wait_for(NOBODY_SLEEPS)
    assert mended(waiting) == ["1", "2"]


def test_a_signal_while_waiting_for_the_lock_ends_the_wait(waiting: Workspace) -> None:
    with waiting.running("migrate") as first:
        waiting.wait_for(SLEEPING)
        with waiting.running("migrate") as second:
            assert second.stdout
            while "Waiting for the migration lock" not in second.stdout.readline():
                pass
            second.terminate()
            second.communicate(timeout=10)
            first.terminate()
            first.communicate(timeout=10)
    assert (first.returncode, second.returncode) == (143, 143)


def test_the_server_cleans_up_after_a_killed_process(waiting: Workspace) -> None:
    before = fingerprint(waiting.database)
    with waiting.running("migrate") as child:
        waiting.wait_for(SLEEPING)
        child.kill()
        child.communicate()
    # The server notices when it next looks at the connection; a sleeping backend does so at the end of its sleep.
    with waiting.database.server.admin(waiting.database.name) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
        )
    waiting.wait_for(NO_LOCK)
    assert fingerprint(waiting.database) == before
    assert mended(waiting) == ["1", "2"]


def test_a_lost_connection_is_told_as_what_it_is(waiting: Workspace) -> None:
    before = fingerprint(waiting.database)
    waiting.write({"V2__b.sql": "CREATE TABLE b (i int);\nSELECT pg_terminate_backend(pg_backend_pid());"})

    with pytest.raises(errors.ConnectionLost) as caught:
        waiting.migrate()

    assert caught.value.sqlstate == "57P01"
    assert "V2__b.sql was running" in caught.value.message
    assert "It was not applied" in caught.value.message
    assert type(caught.value) is errors.ConnectionLost
    assert caught.value.hint
    assert fingerprint(waiting.database) == before
    assert mended(waiting) == ["1", "2"]


@pytest.mark.parametrize("script", ["VACUUM a;\nKILL;", "CREATE TABLE c ();\nCOMMIT;\nKILL;"])
def test_a_lost_connection_outside_a_transaction_says_that_something_may_have_stayed(
    waiting: Workspace, script: str
) -> None:
    waiting.write({"V2__b.sql": script.replace("KILL", "SELECT pg_terminate_backend(pg_backend_pid())")})
    with pytest.raises(errors.OutcomeUnknown, match=r"(may have|has) stayed") as caught:
        waiting.migrate(mixed=True)
    assert exit_code_for(caught.value) == 1
    assert "Look at the database first" in (caught.value.hint or "")


def test_a_script_without_a_transaction_that_never_began_is_safe_to_run_again(waiting: Workspace) -> None:
    waiting.write({"V2__b.sql": "VACUUM a;"})

    def hang_up(event: Event) -> None:
        if isinstance(event, MigrationStarted):
            with waiting.database.server.admin(waiting.database.name) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'taxiway'"
                )

    with pytest.raises(errors.ConnectionLost, match="not done anything") as caught:
        waiting.migrate(on_event=hang_up)
    assert (type(caught.value), exit_code_for(caught.value)) == (errors.ConnectionLost, 4)
    assert waiting.migrate().count == 1


@pytest.mark.parametrize(
    "kill",
    ["SELECT pg_terminate_backend(pg_backend_pid());", "VACUUM;\nSELECT pg_terminate_backend(pg_backend_pid());"],
)
def test_a_lost_connection_tells_what_was_applied_before(workspace: Workspace, kill: str) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 1;", "V3__c.sql": kill})
    with pytest.raises(errors.ConnectionLost) as caught:
        workspace.migrate(mixed=True)
    result = caught.value.result
    assert result
    assert [str(one.version) for one in result.migrations] == ["1", "2"]
    assert workspace.states()[:2] == ["1 Success", "2 Success"]


def test_an_error_before_the_first_migration_has_no_result(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT '${missing}';"})
    with pytest.raises(errors.UnknownPlaceholder) as caught:
        workspace.migrate()
    assert caught.value.result is None


def test_a_connection_lost_at_commit_is_followed_by_a_look_at_the_history(waiting: Workspace) -> None:
    waiting.write(
        {
            "V2__b.sql": "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';\n"
            "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION die();\nINSERT INTO a VALUES (1);"
        }
    )
    with pytest.raises(errors.ConnectionLost, match="It was not applied") as caught:
        waiting.migrate()
    assert exit_code_for(caught.value) == 4
    assert mended(waiting) == ["1", "2"]


def test_a_lost_connection_is_worth_another_try(waiting: Workspace) -> None:
    with waiting.running("migrate") as child:
        waiting.wait_for(SLEEPING)
        with waiting.database.server.admin(waiting.database.name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
            )
        _, error = child.communicate(timeout=30)
    assert child.returncode == 4
    assert "Code: connection-lost" in error


def test_an_error_of_another_server_is_no_lost_connection(workspace: Workspace) -> None:
    """SQLSTATE class 08 is also what a foreign server's absence is reported with."""
    workspace.write({"V1__a.sql": "DO $$ BEGIN RAISE EXCEPTION 'no such host' USING ERRCODE = '08001'; END $$;"})
    result = workspace.run("migrate")
    assert result.returncode == 1
    assert "Code: migration-failed" in result.stderr


def test_two_runs_at_once_apply_each_migration_once(workspace: Workspace) -> None:
    workspace.write(
        {
            f"V{number}__t.sql": f"CREATE TABLE t{number} (i int);\nSELECT pg_sleep(0.03);"
            for number in range(1, 21)
        }
    )

    with workspace.running("migrate") as first, workspace.running("migrate") as second:
        outputs = [child.communicate(timeout=60) for child in (first, second)]

    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert workspace.applied() == [str(number) for number in range(1, 21)]
    assert sum("Successfully applied 20" in output for output, _ in outputs) == 1
