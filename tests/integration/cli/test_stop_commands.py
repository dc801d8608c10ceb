"""Every command that talks to a server ends soon when it is stopped, with one sentence that is true."""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

SECONDS_TO_STOP = 2

SCRIPTS = {"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": "CREATE TABLE b ();"}
UNDO = {"U2__b.sql": "DROP TABLE b;\nSELECT pg_sleep(60);"}
HISTORY = "public.flyway_schema_history"

OF_THE_RUN = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'taxiway'"
IS_HELD_UP = f"SELECT 1 {OF_THE_RUN} AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep')"
IS_GONE = f"SELECT 1 WHERE NOT EXISTS (SELECT 1 {OF_THE_RUN})"
IS_FREE = """
SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database =
    (SELECT oid FROM pg_database WHERE datname = current_database()))
"""

NOTHING = "before anything was changed."
JUST_THEN = "just then ('taxiway info' tells)."
UNLESS = ", unless it was being committed just then ('taxiway info' tells)"
HEDGED = f"it was rolled back{UNLESS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A call, what holds it up, and what it says when it is stopped there.

    Attributes:
        applied: How many of the scripts are applied before.
        before: What happens to the database then.
        blocker: What another session has done and not committed.
    """

    call: str
    said: str
    applied: int = 2
    scripts: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    blocker: str = ""

    def __str__(self) -> str:
        return f"{self.call}: {self.said[:40]}"


HISTORY_IS_LOCKED = f"LOCK TABLE {HISTORY}"
CASES = (
    Case(call="test-connection", said=NOTHING),
    Case(call="info", said=NOTHING, blocker=HISTORY_IS_LOCKED),
    Case(call="validate", said=NOTHING, blocker=HISTORY_IS_LOCKED),
    Case(call="info validate repair", said=NOTHING, blocker=HISTORY_IS_LOCKED),
    Case(call="repair", said=NOTHING, blocker=HISTORY_IS_LOCKED),
    Case(
        call="repair",
        said=f"before the end; the schema history may have been repaired {JUST_THEN}",
        before=f"UPDATE {HISTORY} SET checksum = 1",
        blocker=f"SELECT FROM {HISTORY} WHERE version = '2' FOR UPDATE",
    ),
    Case(
        call="undo",
        said=f"while U2__b.sql ran: {HEDGED}; no migration was applied before it.",
        scripts=UNDO,
    ),
    Case(
        call="migrate undo",
        said=f"while U2__b.sql ran: {HEDGED}; 1 migration was applied before it.",
        scripts=UNDO,
        applied=1,
    ),
    Case(
        call="baseline",
        said=f"before the end; the schema history may have been created {JUST_THEN}",
        applied=0,
        blocker=f"CREATE TABLE {HISTORY} ()",
    ),
    Case(
        call="migrate",
        said=f"before the end; the schema history may have been created {JUST_THEN}",
        applied=0,
        blocker=f"CREATE TABLE {HISTORY} ()",
    ),
    Case(
        call="clean --no-clean-disabled",
        said=f'before the end; schema "public" may have been cleaned {JUST_THEN}',
        blocker="LOCK TABLE a IN ACCESS SHARE MODE",
    ),
)


@contextmanager
def another_session(workspace: Workspace, statement: str) -> Iterator[None]:
    """It has run the statement, and its transaction is open; rolled back afterwards."""
    with workspace.database.connect() as connection:
        if statement:
            connection.execute(statement.encode())
        yield
        connection.rollback()


def prepare(workspace: Workspace, case: Case) -> None:
    workspace.write(SCRIPTS)
    if case.applied:
        workspace.migrate(target=str(case.applied))
    workspace.write(case.scripts)
    if case.before:
        workspace.query(case.before)


def stop(workspace: Workspace, case: Case, number: signal.Signals) -> tuple[int, str, float]:
    """Run until it is held up, and send the signal: exit code, standard error, seconds."""
    environment = {"FLYWAY_INIT_SQL": "SELECT pg_sleep(60)"} if case.call == "test-connection" else {}
    with workspace.running(*case.call.split(), environment=environment) as child:
        workspace.wait_for(IS_HELD_UP)
        sent_at = time.monotonic()
        child.send_signal(number)
        _, error = child.communicate(timeout=30)
        return child.returncode, error.strip(), time.monotonic() - sent_at


@pytest.mark.parametrize(
    ("number", "exit_code", "word"), [(signal.SIGTERM, 143, "Terminated"), (signal.SIGINT, 130, "Interrupted")]
)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_stop_ends_every_command_soon_with_what_is_certain(
    workspace: Workspace, case: Case, number: signal.Signals, exit_code: int, word: str
) -> None:
    prepare(workspace, case)
    before = fingerprint(workspace.database)
    with another_session(workspace, case.blocker):
        code, error, seconds = stop(workspace, case, number)
        # The server may be at the second statement before the answer to the first was read: nothing is left open then.
        sentences = {f"{word} {said}" for said in (case.said, case.said.replace(UNLESS, ""))}
        assert (code, error in sentences) == (exit_code, True), error
        assert seconds < SECONDS_TO_STOP
        workspace.wait_for(IS_FREE)
        workspace.wait_for(IS_GONE)
    if case.call != "migrate undo":
        # What migrate has done there is committed.
        assert fingerprint(workspace.database) == before
    else:
        assert workspace.applied() == ["1", "2"]
        assert workspace.value("SELECT to_regclass('b') IS NOT NULL")
