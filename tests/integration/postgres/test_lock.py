"""One run at a time for each history table, Flyway's runs included."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

import taxiway
from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.model.event import Event, MigrationFinished, StatementRun, Validated, WaitingForLock
from taxiway.model.script import Statement
from taxiway.postgres.session import PostgresSession
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

SCRIPT = {"V1__a.sql": "CREATE TABLE a (i int);"}

# The dossier's numbers, seen with the real Flyway
LOCKS = [
    ({}, 77433833903597),
    ({"default_schema": "s1"}, 77433440444120),
    ({"default_schema": "app"}, 77431436970681),
    ({"table": "my_history"}, 77431724908399),
]

# The two halves of the key as pg_locks shows them
LOCK_NUMBERS = (
    "SELECT (classid::bigint << 32) + objid::bigint AS number FROM pg_locks "
    "WHERE locktype = 'advisory' AND objsubid = 1"
)


@contextmanager
def flyway_holds(workspace: Workspace, number: int) -> Iterator[psycopg.Connection]:
    """What Flyway does by default: a lock that belongs to an open transaction."""
    with workspace.database.connect() as connection:
        connection.execute("SET application_name = 'another tool'")
        connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        yield connection


@pytest.mark.parametrize(("options", "number"), LOCKS)
def test_we_stay_out_while_flyway_runs(workspace: Workspace, options: taxiway.api.Options, number: int) -> None:
    once: taxiway.api.Options = {**options, "lock_retry_count": 0}
    workspace.write(SCRIPT)
    with flyway_holds(workspace, number) as holder:
        before = fingerprint(workspace.database)
        with pytest.raises(errors.LockNotAcquired) as caught:
            workspace.migrate(**once)
        assert fingerprint(workspace.database) == before
        assert f"process {holder.info.backend_pid} (user {workspace.database.user}" in caught.value.message
        assert "another tool" in caught.value.message
        assert caught.value.hint

    assert workspace.migrate(**once).count == 1


@pytest.mark.parametrize(("options", "number"), LOCKS)
def test_flyway_stays_out_while_we_run(workspace: Workspace, options: taxiway.api.Options, number: int) -> None:
    workspace.write({"V1__a.sql": f"CREATE TABLE held AS {LOCK_NUMBERS};"})
    workspace.migrate(**options)
    schema = options.get("default_schema", "public")
    assert workspace.query(f"SELECT number FROM {schema}.held") == [(number,)]


def test_the_lock_of_another_table_does_not_concern_us(workspace: Workspace) -> None:
    workspace.write(SCRIPT)
    with flyway_holds(workspace, 77431724908399):
        assert workspace.migrate(lock_retry_count=0).count == 1


def test_the_wait_ends_when_the_lock_is_free(workspace: Workspace) -> None:
    workspace.write(SCRIPT)
    with flyway_holds(workspace, 77433833903597) as holder:
        events: list[Event] = []

        def on_event(event: Event) -> None:
            events.append(event)
            if isinstance(event, WaitingForLock):
                holder.rollback()

        assert workspace.migrate(on_event=on_event, lock_retry_count=3).count == 1
    assert len([event for event in events if isinstance(event, WaitingForLock)]) == 1


def test_the_number_of_retries_is_the_number_of_seconds(workspace: Workspace) -> None:
    workspace.write(SCRIPT)
    with flyway_holds(workspace, 77433833903597), pytest.raises(errors.LockNotAcquired) as caught:
        workspace.migrate(lock_retry_count=2)
    assert 2 <= caught.value.waited_seconds < 3


@pytest.mark.parametrize("script", ["SELECT 1;", "SELECT nonsense;"])
def test_the_lock_is_free_afterwards(workspace: Workspace, script: str) -> None:
    workspace.write({"V1__a.sql": script})
    result = workspace.run("migrate")
    assert result.returncode in {0, 1}
    assert workspace.query("SELECT FROM pg_locks WHERE locktype = 'advisory'") == []


def test_info_and_validate_do_not_ask_for_the_lock(workspace: Workspace) -> None:
    workspace.write(SCRIPT)
    with flyway_holds(workspace, 77433833903597):
        assert workspace.states() == ["1 Pending"]
        assert not workspace.validate().successful


def test_a_script_that_gives_the_lock_to_somebody_else_is_stopped(workspace: Workspace) -> None:
    workspace.write(
        {"V1__a.sql": "CREATE TABLE a ();\nSELECT pg_advisory_unlock_all(), pg_sleep(1);", "V2__b.sql": ""}
    )
    with workspace.running("migrate") as first:
        workspace.wait_for("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        with flyway_holds(workspace, 77433833903597):
            _, error = first.communicate(timeout=30)
    assert (first.returncode, "Code: lock-not-acquired" in error) == (4, True)
    assert workspace.applied() == []
    assert workspace.value("SELECT to_regclass('a') IS NULL")


def test_a_holder_whom_the_server_hides_is_named_as_far_as_it_is_known(workspace: Workspace) -> None:
    workspace.write(SCRIPT)
    with workspace.database.server.admin(workspace.database.name) as holder:
        holder.execute("SELECT pg_advisory_lock(77433833903597)")
        with pytest.raises(errors.LockNotAcquired) as caught:
            workspace.migrate(lock_retry_count=0)
        process = (
            f"process {holder.info.backend_pid} (user postgres; a member of pg_read_all_stats would see more)"
        )
        assert caught.value.holder == process


def test_the_holder_is_asked_for_with_the_role_of_the_connection(
    session: PostgresSession, workspace: Workspace, table: HistoryTable
) -> None:
    """The role that a script has set may see less of other sessions."""
    workspace.query("CREATE ROLE sees_nothing")
    workspace.query(f"GRANT sees_nothing TO {workspace.database.user}")
    with flyway_holds(workspace, 77433833903597):
        session.run(Statement("SET ROLE sees_nothing", 0, 0))
        assert "another tool" in (session.lock_holder(table) or "")


@pytest.mark.parametrize("word", ["pg_advisory_unlock_all()", "release()"])
def test_a_lock_that_somebody_else_has_taken_stops_the_commit(workspace: Workspace, word: str) -> None:
    workspace.query("CREATE SCHEMA tools CREATE TABLE nothing ()")
    workspace.query(
        "CREATE FUNCTION tools.release() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_unlock_all()'"
    )
    word = word.replace("release", "tools.release")
    workspace.write({"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": f"CREATE TABLE b ();\nSELECT {word};"})
    with workspace.database.connect() as other, ThreadPoolExecutor() as pool:

        def wait(event: Event) -> None:
            # The server gives the lock to whoever waits for it, in the moment in which the script gives it back.
            if isinstance(event, Validated):
                pool.submit(other.execute, "SELECT pg_advisory_lock(77433833903597)")
                workspace.wait_for("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

        with pytest.raises(errors.LockNotAcquired) as caught:
            workspace.migrate(on_event=wait)

    assert caught.value.result
    assert caught.value.result.count == 1
    assert workspace.applied() == ["1"]
    assert workspace.value("SELECT to_regclass('b') IS NULL")


@pytest.mark.parametrize(
    "script", ["VACUUM;\nDISCARD ALL;", "CREATE TABLE b ();\nCOMMIT;\nSELECT pg_advisory_unlock_all();"]
)
def test_what_cannot_be_undone_is_recorded_before_the_run_stops(workspace: Workspace, script: str) -> None:
    workspace.write({"V1__a.sql": script, "V2__b.sql": "SELECT 1;"})
    with workspace.database.connect() as other:

        def take(event: Event) -> None:
            if isinstance(event, MigrationFinished):
                other.execute("SELECT pg_try_advisory_xact_lock(77433833903597)")

        with pytest.raises(errors.LockNotAcquired):
            workspace.migrate(on_event=take)

    assert workspace.applied() == ["1"]
    assert workspace.migrate().count == 1


@pytest.mark.parametrize(
    ("command", "callback"),
    [
        ("clean", "beforeClean"),
        ("repair", "beforeRepair"),
        ("baseline", "beforeBaseline"),
        ("migrate", "beforeCreateSchema"),
    ],
)
def test_what_a_callback_gives_to_somebody_else_stops_the_command_before_it_writes(
    workspace: Workspace, command: str, callback: str
) -> None:
    workspace.write(SCRIPT)
    if command in {"clean", "repair"}:
        workspace.migrate()
        workspace.write({"V1__a.sql": "CREATE TABLE edited ();"})
    workspace.write({f"{callback}.sql": "SELECT pg_advisory_unlock_all();"})
    before = fingerprint(workspace.database)
    with workspace.database.connect() as other:

        def take(event: Event) -> None:
            if isinstance(event, StatementRun):
                other.execute("SELECT pg_try_advisory_xact_lock(77433833903597)")

        calls: dict[str, Callable[[], object]] = {
            "clean": lambda: workspace.clean(take, clean_disabled=False),
            "repair": lambda: workspace.repair(take),
            "baseline": lambda: workspace.baseline(take),
            "migrate": lambda: workspace.migrate(take),
        }
        with pytest.raises(errors.LockNotAcquired):
            calls[command]()

    assert fingerprint(workspace.database) == before


def test_the_lock_needs_no_procedural_language(workspace: Workspace) -> None:
    with workspace.database.server.admin(workspace.database.name) as admin:
        admin.execute("DROP EXTENSION plpgsql")
    workspace.write(SCRIPT)
    assert workspace.migrate().count == 1
    assert workspace.clean(clean_disabled=False).cleaned == ("public",)
