"""One database session over libpq: the engine's :class:`taxiway.engine.ports.Session`.

The lock lives on the session that makes the changes (docs/adr/0004-one-session-and-its-lock.md): a lost
connection loses both, so nobody can migrate without holding the lock. A script can give it back: that is looked at
where a migration begins, where it is committed, and in every other transaction that changes something. The session
is in autocommit mode and opens transactions itself; between them it holds no snapshot, so ``CREATE INDEX
CONCURRENTLY`` never waits for it.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.engine.ports import (
    BeginStep,
    HistoryTable,
    RecordStep,
    SchemaFacts,
    SessionFacts,
    StatementOutcome,
    StatementStep,
    Step,
    StepOutcome,
)
from taxiway.model.identifier import quote_identifier
from taxiway.postgres import clean, history
from taxiway.postgres.errors import error_of_ours, permission_error, translate_error
from taxiway.postgres.libpq.connection import Connection, Message
from taxiway.postgres.libpq.result import ConnectionBroken, Result, ServerError
from taxiway.postgres.lock import lock_number
from taxiway.postgres.sql import Sql, array, fill, identifier, join, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from taxiway.model.migration import AppliedMigration, HistoryRow
    from taxiway.model.plan import RepairPlan
    from taxiway.model.script import Statement

type Row = tuple[str | None, ...]

_ENCODING: Final = "UTF8"

# What makes a schema non-empty is Flyway's test (PostgreSQLSchema, 13.0): a table, view, sequence or toast table;
# a type that is neither an array nor composite; a routine. What belongs to an extension does not count.
_LOOK: Final = """
WITH owned AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e')
SELECT n.nspname,
       EXISTS (SELECT FROM pg_catalog.pg_class c
               WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'v', 'S', 't')
                 AND ('pg_catalog.pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM owned))
       OR EXISTS (SELECT FROM pg_catalog.pg_type t
                  WHERE t.typnamespace = n.oid AND t.typcategory NOT IN ('A', 'C')
                    AND ('pg_catalog.pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM owned))
       OR EXISTS (SELECT FROM pg_catalog.pg_proc p
                  WHERE p.pronamespace = n.oid
                    AND ('pg_catalog.pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM owned)),
       EXISTS (SELECT FROM pg_catalog.pg_class c
               WHERE c.relnamespace = n.oid AND c.relkind = 'r'
                 AND n.nspname = {schema} AND c.relname = {table})
FROM pg_catalog.pg_namespace n
WHERE n.nspname = ANY({schemas})
"""

# The two halves of a 64-bit advisory key as pg_locks shows them (PostgreSQL manual, pg_locks).
_IS_THE_LOCK: Final = """
l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.classid::bigint = ({number}::bigint >> 32) & 4294967295
  AND l.objid::bigint = {number}::bigint & 4294967295
"""
_LOCK_HOLDER: Final = """
SELECT a.pid, a.usename, a.application_name, a.client_addr::text, a.backend_start::timestamptz(0)::text
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE {is_the_lock}
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
LIMIT 1
"""
# To keep the lock is to take it once more: that costs the server next to nothing, and succeeds only if nobody else
# has it. It is given back as often, until there is nothing left to give back, which the server warns about.
_TAKE_LOCK: Final = "pg_catalog.pg_try_advisory_lock({number})"
_GIVE_BACK: Final = """
BEGIN; SET LOCAL client_min_messages = error;
WITH RECURSIVE given (back, n) AS (
    SELECT pg_catalog.pg_advisory_unlock({number}), 1
    UNION ALL SELECT pg_catalog.pg_advisory_unlock({number}), n + 1 FROM given WHERE back AND n < {times})
SELECT count(*) FROM given;
COMMIT
"""

# The process of the session that is to end; nothing when it is gone. A user may end sessions of their own.
_END_SESSION: Final = """
SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
WHERE a.pid = {process_id} AND extract(epoch FROM a.backend_start)::text = {started}
"""
_ATTEMPTS_TO_RECONNECT: Final = 3
_WAITS_FOR_END: Final = (0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8)

# The tag that COMMIT of a failed transaction has, and the state of statements in one
_ROLLED_BACK: Final = "ROLLBACK"
_FAILED_TRANSACTION: Final = "25P02"
_NO_SUCH_TABLE: Final = "42P01"

# An error that says what we want, without a procedural language that a database may lack: the server repeats the
# text that is no number, whatever the language of its messages is.
_LOCK_LOST: Final = "taxiway: the migration lock is lost"
_NOT_A_NUMBER: Final = "22P02"
_UNLESS_LOCKED: Final = "CASE WHEN {take_lock} THEN '1' ELSE {lock_lost} END::int"


class PostgresSession:
    """A session of one connection. Use it as a context manager: leaving it closes the connection."""

    def __init__(
        self, connection: Connection, facts: SessionFacts, *, reopen: Callable[[], tuple[Connection, SessionFacts]]
    ) -> None:
        """``reopen`` opens another connection like this one, with some patience."""
        self._connection = connection
        self._facts = facts
        self._reopen = reopen
        self._times_locked = 0
        self._has_seen_history = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session. The server rolls back what is open and frees the lock."""
        self._connection.close()

    @property
    def facts(self) -> SessionFacts:
        """What was asked at connect time."""
        return self._facts

    @property
    def in_transaction(self) -> bool:
        """A transaction block is open, failed ones included."""
        return self._connection.is_in_transaction

    def reconnect(self) -> None:
        """Open another connection in the place of a lost one, and end that one on the server.

        A session whose client is gone goes on with what it does, until it has something to say: a network that
        fails without a word leaves it running. It is told to end, and waited for.

        Raises:
            DatabaseError: There is no other connection, or the server is not rid of the lost session in time.
        """
        lost = self._facts
        for attempts_left in reversed(range(_ATTEMPTS_TO_RECONNECT)):
            self._connection.close()
            self._connection, self._facts = self._reopen()
            self._times_locked = 0
            try:
                self._end_session(lost)
            except errors.ConnectionLost:
                # A server that is going down still answers for a moment.
                if not attempts_left:
                    raise
            else:
                return

    def _end_session(self, lost: SessionFacts) -> None:
        query = fill(_END_SESSION, process_id=literal(lost.process_id), started=literal(lost.process_started))
        for seconds in _WAITS_FOR_END:
            if not self._rows(query, doing="Ending the lost session"):
                return
            time.sleep(seconds)
        message = f"The server has not ended the lost session (process {lost.process_id})."
        raise errors.DatabaseError(message, hint="End it with pg_terminate_backend, then run again.")

    def look(self, schemas: Sequence[str], table: HistoryTable) -> SchemaFacts:
        """Look at the schemas and the history table, in one round trip."""
        facts = _schema_facts(self._read(_look(schemas, table), doing="Looking at the schemas"))
        self._has_seen_history = facts.history_exists
        return facts

    def history_rows(self, table: HistoryTable) -> list[AppliedMigration]:
        """All rows of the history table, by rank."""
        rows = self._read(history.select_rows(table), doing=f"Reading the schema history {table}")
        return [history.applied_migration(row) for row in rows]

    def look_and_read(
        self, schemas: Sequence[str], table: HistoryTable
    ) -> tuple[SchemaFacts, list[AppliedMigration]]:
        """What :meth:`look` and :meth:`history_rows` say; one round trip if there was a history the last time.

        If there is none any more, the server refuses both, and is asked again.
        """
        if self._has_seen_history:
            try:
                return self._look_and_read(schemas, table)
            except errors.DatabaseError as error:
                if error.sqlstate != _NO_SUCH_TABLE:
                    raise
        facts = self.look(schemas, table)
        return facts, self.history_rows(table) if facts.history_exists else []

    def _look_and_read(
        self, schemas: Sequence[str], table: HistoryTable
    ) -> tuple[SchemaFacts, list[AppliedMigration]]:
        statements = join([self._reset_role(), _look(schemas, table), Sql(";"), history.select_rows(table)])
        _, look, rows = self._asked(lambda: self._results(statements), doing=f"Reading the schema history {table}")
        return _schema_facts(_texts(look)), [history.applied_migration(row) for row in _texts(rows)]

    def try_lock(self, table: HistoryTable) -> bool:
        """Take the lock if it is free. Never waits: a waiting request would hold a snapshot."""
        query = fill("SELECT {take_lock}", take_lock=self._take_lock(table))
        [(taken,)] = self._rows(query, doing=f"Taking the migration lock of {table}")
        return _is_true(taken)

    def unlock(self, table: HistoryTable) -> None:
        """Give the lock back; on a broken connection the server has done it already."""
        self.rollback()
        if not self._connection.is_usable:
            return
        number = literal(lock_number(table))
        with contextlib.suppress(ServerError, ConnectionBroken):
            self._connection.execute(fill(_GIVE_BACK, number=number, times=literal(self._times_locked)).encode())
            self._times_locked = 0

    def lock_holder(self, table: HistoryTable) -> str | None:
        """Who holds the lock: process, user, program, address, since when; less if the server hides it from us."""
        query = fill(_LOCK_HOLDER, is_the_lock=_is_the_lock(table))
        rows = self._read(query, doing=f"Asking who holds the migration lock of {table}")
        return _holder_in_words(*rows[0]) if rows else None

    def create_schemas_and_history(
        self,
        schemas: Sequence[str],
        table: HistoryTable,
        rows: Sequence[HistoryRow],
        *,
        create_table: bool,
        tablespace: str | None,
    ) -> None:
        """Create schemas and history table and add the rows, in one transaction and one round trip.

        Raises:
            LockNotAcquired: Somebody else has the lock; nothing was created.
        """
        parts = [fill("CREATE SCHEMA IF NOT EXISTS {name};", name=identifier(schema)) for schema in schemas]
        if create_table:
            parts.append(history.create_table(table, tablespace=tablespace))
        parts += [history.insert_row(table, row) for row in rows]
        self._in_one_transaction(table, join(parts), doing=f"Creating the schema history {table}")
        self._has_seen_history = True

    def begin_script(
        self, table: HistoryTable, *, transactional: bool, keep_lock: bool, begun: HistoryRow | None = None
    ) -> None:
        """Keep the lock, reset role, search path and how strings are read, and open a transaction if wanted.

        All of it is one round trip, and with it the row of a migration that was ``begun``.

        What asks and resets is a transaction of its own, so that the one of the script has no snapshot yet and may
        be given an isolation level. In a transaction that is open already it is a part of that.
        """
        ready = [self._ready_for_script(table, keep_lock=keep_lock), Sql(";")]
        if begun:
            ready += [self._set_zone(), history.insert_row(table, begun)]
        if not self.in_transaction:
            ready = [Sql("BEGIN;"), *ready, Sql("COMMIT;"), Sql("BEGIN" if transactional else "")]
        with self._minding_the_lock(table):
            self._or_roll_back(join(ready), doing="Beginning a script")

    def end_begun(self, table: HistoryTable, row: HistoryRow) -> None:
        """Write how a migration has ended, with the lock or without it: it is done."""
        self._write(table, history.end_begun(table, row), only_with_lock=False)

    def remove_begun(self, table: HistoryTable, rank: int) -> None:
        """Remove the row of a migration that nothing was run of."""
        self._write(table, history.remove_begun(table, rank), only_with_lock=False)

    def _ready_for_script(self, table: HistoryTable, *, keep_lock: bool) -> Sql:
        """One statement that undoes what scripts before may have set. It is not run at all without the lock."""
        return fill(
            "SELECT {who}, pg_catalog.set_config('standard_conforming_strings', {standard}, false),"
            " pg_catalog.set_config('search_path', {path}, false), {lock}",
            who=self._ourselves(),
            # The script was split with what the session began with.
            standard=literal("on" if self._facts.standard_strings else "off"),
            path=literal(self._search_path(table.schema)),
            lock=self._unless_locked(table) if keep_lock else literal(value=True),
        )

    def begin(self) -> None:
        """Open a transaction, and change nothing else."""
        self._rows(Sql("BEGIN"), doing="Beginning a transaction")

    def commit(self) -> None:
        """Commit an open transaction; does nothing without one.

        Raises:
            StatementFailed: A deferred constraint refuses it, or a statement has failed before; it is rolled back.
        """
        if not self.in_transaction:
            return
        [result] = self._asked(lambda: self._connection.execute(b"COMMIT"))
        if result.tag == _ROLLED_BACK:
            # What the server answers to COMMIT when a statement has failed; it is no error to it.
            raise errors.StatementFailed(
                "the transaction was rolled back, because a statement in it had failed",
                sqlstate=_FAILED_TRANSACTION,
            )

    def run(self, statement: Statement, *, keep_rows: bool = False) -> StatementOutcome:
        """Run one statement as it is; with ``keep_rows`` the rows of all its results come back."""
        from taxiway.postgres.send import send

        return send(self._connection, statement, keep_rows=keep_rows)

    def send_ahead(
        self, table: HistoryTable, steps: Iterable[Step], *, keep_rows: bool = False
    ) -> Generator[StepOutcome]:
        """Carry out steps in a pipeline; yield what each came to, in order.

        Raises:
            StatementFailed, PermissionDenied, LockNotAcquired, ConnectionLost: See the protocol.
        """
        under_way: deque[_UnderWay] = deque()
        self._speak_utf8()
        messages = self._messages(table, steps, under_way, keep_rows=keep_rows)
        with contextlib.closing(self._connection.pipeline(messages)) as results:
            while (result := self._next_result(table, results, under_way)) is not None:
                first = under_way[0]
                first.results.append(result)
                if first.is_done:
                    under_way.popleft()
                    yield first.outcome(keep_rows=keep_rows)

    def _messages(
        self, table: HistoryTable, steps: Iterable[Step], under_way: deque[_UnderWay], *, keep_rows: bool
    ) -> Iterator[Message]:
        """What is sent for each step. ``under_way`` gets them as they are sent."""
        from taxiway.postgres.send import encode_statement

        for step in steps:
            under_way.append(one := _UnderWay(step))
            if isinstance(step, StatementStep):
                one.expected = 1
                yield Message(encode_statement(step.statement, "utf-8"), keep_rows)
            else:
                statements = self._begin(table, step) if isinstance(step, BeginStep) else self._record(table, step)
                one.expected = len(statements)
                yield from (Message(statement.encode(), with_rows=True) for statement in statements)

    def _begin(self, table: HistoryTable, step: BeginStep) -> tuple[Sql, ...]:
        ready = self._ready_for_script(table, keep_lock=True)
        return (Sql("BEGIN"), ready, Sql("COMMIT"), Sql("BEGIN")) if step.opens else (ready,)

    def _record(self, table: HistoryTable, step: RecordStep) -> tuple[Sql, ...]:
        ready = self._ready_for_row(table, only_with_lock=True)
        row = history.insert_measured_row(table, step.row)
        return (ready, row, Sql("COMMIT")) if step.commit else (ready, row)

    def _next_result(
        self, table: HistoryTable, results: Iterator[Result], under_way: deque[_UnderWay]
    ) -> Result | None:
        def ask() -> Result | None:
            return next(results, None)

        with self._minding_the_lock(table):
            match under_way[0].step if under_way else None:
                case RecordStep():
                    return self._asked(ask, doing=f"Writing to the schema history {table}", of_a_script=True)
                case BeginStep():
                    return self._asked(ask, doing="Beginning a script")
                case _:
                    return self._asked(ask)

    def record(self, table: HistoryTable, row: HistoryRow, *, only_with_lock: bool, commit: bool = True) -> None:
        """Add a history row as the connect-time role, and commit an open transaction, in one round trip."""
        end = Sql("COMMIT" if commit and self.in_transaction else "")
        self._write(table, join([history.insert_row(table, row), end]), only_with_lock=only_with_lock)

    def _write(self, table: HistoryTable, statements: Sql, *, only_with_lock: bool) -> None:
        ready = self._ready_for_row(table, only_with_lock=only_with_lock)
        with self._minding_the_lock(table):
            self._asked(
                lambda: self._in_utf8(join([ready, Sql(";"), statements])),
                doing=f"Writing to the schema history {table}",
                of_a_script=True,
            )

    def rollback(self) -> None:
        """Roll back an open transaction; does nothing without one or on a broken connection."""
        if not self._connection.is_usable or not self.in_transaction:
            return
        with contextlib.suppress(ServerError, ConnectionBroken):
            self._connection.execute(b"ROLLBACK")

    def repair_history(self, table: HistoryTable, plan: RepairPlan) -> None:
        """Carry out a plan as the connect-time role, in one transaction and one round trip.

        Raises:
            LockNotAcquired: Somebody else has the lock; nothing was changed.
        """
        statements = join([self._set_zone(), history.repair(table, plan)])
        self._in_one_transaction(table, statements, doing=f"Repairing the schema history {table}")

    def do_beside(self, statements: Sql, *, doing: str) -> list[Row]:
        """Do something beside the migrations, as the connect-time role, in one transaction and one round trip.

        It takes no lock. What is still open is rolled back: it belongs to nobody any more.

        Raises:
            DatabaseError: The server refused; nothing was changed.
        """
        self.rollback()
        mine = fill("BEGIN; {role} {statements} COMMIT", role=self._reset_role(), statements=statements)
        return self._or_roll_back(mine, doing=doing)

    def clean_schema(self, schema: str, table: HistoryTable) -> None:
        """Drop every object of a schema and keep the schema (docs/adr/0016-clean.md).

        In one transaction, unless the server has too little room for so many locks: then in several. ``table`` is
        the schema history whose lock we hold.

        Raises:
            DatabaseError: The server refused; nothing of the transaction in question is dropped.
            LockNotAcquired: Somebody else has the lock; the same holds.
        """
        doing = f"Cleaning schema {quote_identifier(schema)}"
        drops = self._list_drops(schema, doing=doing)
        if not self._drop_at_once(table, drops, doing=doing):
            for batch in batched(drops, clean.BATCH):
                self._drop(table, batch, doing=doing)

    def drop_schema(self, schema: str, table: HistoryTable) -> None:
        """Drop a schema with all that is in it; does nothing if there is none. Raises as :meth:`clean_schema`."""
        self._drop(table, [clean.drop_schema(schema)], doing=f"Dropping schema {quote_identifier(schema)}")

    def _list_drops(self, schema: str, *, doing: str) -> list[Sql]:
        statements = fill(
            "BEGIN; {reset} SET LOCAL search_path = ''; {list} COMMIT",
            reset=self._reset_role(),
            list=clean.list_drops(schema),
        )
        return [Sql(drop or "") for (drop,) in self._or_roll_back(statements, doing=doing)]

    def _drop_at_once(self, table: HistoryTable, drops: Sequence[Sql], *, doing: str) -> bool:
        """Drop them all, or none if the server has too little room for so many locks."""
        try:
            self._drop(table, drops, doing=doing)
        except errors.DatabaseError as error:
            if error.sqlstate == clean.OUT_OF_LOCKS:
                return False
            raise
        return True

    def _drop(self, table: HistoryTable, drops: Sequence[Sql], *, doing: str) -> None:
        self._has_seen_history = False
        try:
            self._in_one_transaction(table, join([clean.QUIETLY, *drops]), doing=doing)
        except errors.DatabaseError as error:
            if error.sqlstate == clean.OUT_OF_LOCKS:
                error.hint = clean.MORE_LOCKS
            raise

    @contextlib.contextmanager
    def _minding_the_lock(self, table: HistoryTable) -> Iterator[None]:
        """For statements that refuse to be carried out without the lock: makes LockNotAcquired of the refusal."""
        try:
            yield
        except errors.DatabaseError as error:
            if error.sqlstate != _NOT_A_NUMBER or _LOCK_LOST not in error.message:
                raise
        else:
            return
        raise self._lock_lost(table)

    def _lock_lost(self, table: HistoryTable) -> errors.LockNotAcquired:
        self.rollback()
        return errors.LockNotAcquired(str(table), waited_seconds=0, holder=self.lock_holder(table))

    def _ready_for_row(self, table: HistoryTable, *, only_with_lock: bool) -> Sql:
        """One statement that makes the session ours for the history row. It fails without the lock, if wanted."""
        return fill(
            "SELECT {who}, pg_catalog.set_config('TimeZone', {zone}, true), {lock}",
            who=self._ourselves(),
            # installed_on is a time without zone: that of the client, whatever a script has made of the session's.
            zone=literal(self._facts.time_zone),
            lock=self._unless_locked(table) if only_with_lock else literal(value=True),
        )

    def _ourselves(self) -> Sql:
        """The expressions that make us who we were when we connected: a migration may have changed either."""
        return fill(
            "pg_catalog.set_config('session_authorization', NULL, false),"
            " pg_catalog.set_config('role', {user}, false)",
            user=literal(self._facts.user),
        )

    def _reset_role(self) -> Sql:
        return fill("SELECT {who};", who=self._ourselves())

    def _set_zone(self) -> Sql:
        return fill("SELECT pg_catalog.set_config('TimeZone', {zone}, true);", zone=literal(self._facts.time_zone))

    def _take_lock(self, table: HistoryTable) -> Sql:
        self._times_locked += 1
        return fill(_TAKE_LOCK, number=literal(lock_number(table)))

    def _unless_locked(self, table: HistoryTable) -> Sql:
        """An expression that fails if somebody else has the lock."""
        return fill(_UNLESS_LOCKED, take_lock=self._take_lock(table), lock_lost=literal(_LOCK_LOST))

    def _search_path(self, schema: str) -> str:
        """Flyway 13: the schema in front of the original path, unless it stands there already."""
        original = self._facts.search_path
        if original == schema or original.startswith(f"{schema},"):
            return original
        quoted = quote_identifier(schema)
        return f"{quoted},{original}" if original else quoted

    def _asked[T](self, ask: Callable[[], T], *, doing: str | None = None, of_a_script: bool = False) -> T:
        """What the server answers, with libpq's errors turned into ours.

        ``doing`` names what we were doing, if no script made us do it. ``of_a_script`` says that it was part of a
        migration: the error stays one of those that the engine knows how to make a failed migration of.
        """
        try:
            return ask()
        except (ServerError, ConnectionBroken) as error:
            ours = translate_error(error)
        # Raised here and not above, where the server's own words would go along as the context.
        if doing is None:
            raise ours
        raise (permission_error if of_a_script else error_of_ours)(ours, doing=doing, user=self._facts.user)

    def _rows(self, query: Sql, *, doing: str) -> list[Row]:
        return self._asked(lambda: _last_rows(self._connection.execute(query.encode())), doing=doing)

    def _read(self, query: Sql, *, doing: str) -> list[Row]:
        """Ask as the connect-time role: a callback may have changed it."""
        statements = join([self._reset_role(), query])
        return self._asked(lambda: self._in_utf8(statements), doing=doing)

    def _in_one_transaction(self, table: HistoryTable, statements: Sql, *, doing: str) -> None:
        """Change something as the connect-time role, and only with the lock: a callback may have given it back."""
        guarded = fill(
            "BEGIN; {role} SELECT {lock}; {statements} COMMIT",
            role=self._reset_role(),
            lock=self._unless_locked(table),
            statements=statements,
        )
        with self._minding_the_lock(table):
            self._or_roll_back(guarded, doing=doing)

    def _or_roll_back(self, statements: Sql, *, doing: str) -> list[Row]:
        """Ask with statements that begin a transaction, which does not stay open if one of them fails."""
        try:
            return self._asked(lambda: self._in_utf8(statements), doing=doing)
        except BaseException:
            self.rollback()
            raise

    def _speak_utf8(self) -> None:
        if self._connection.parameter("client_encoding") != _ENCODING:
            self._connection.execute(f"SET client_encoding = '{_ENCODING}'".encode())

    def _in_utf8(self, statements: Sql) -> list[Row]:
        """Send statements of ours in our encoding: a script may have set another one."""
        return _last_rows(self._results(statements))

    def _results(self, statements: Sql) -> list[Result]:
        self._speak_utf8()
        return list(self._connection.execute(statements.encode()))


@dataclass(slots=True)
class _UnderWay:
    """A step that was sent, or is being sent. ``expected`` is how many answers it gets."""

    step: Step
    expected: int = 0
    results: list[Result] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return len(self.results) == self.expected

    def outcome(self, *, keep_rows: bool) -> StepOutcome:
        """What it came to."""
        if isinstance(self.step, RecordStep):
            [[value]] = self.results[1].rows
            return StepOutcome(execution_time_ms=int(value or 0))
        if isinstance(self.step, BeginStep):
            return StepOutcome()
        from taxiway.postgres.send import outcome

        came_to = outcome(self.results, "utf-8", keep_rows=keep_rows)
        return StepOutcome(came_to.command, came_to.tables)


def _last_rows(results: Sequence[Result]) -> list[Row]:
    """The rows of the last result that may have some."""
    last = next((result for result in reversed(results) if result.columns is not None), None)
    return _texts(last) if last else []


def _texts(result: Result) -> list[Row]:
    return [tuple(None if value is None else value.decode() for value in row) for row in result.rows]


def _look(schemas: Sequence[str], table: HistoryTable) -> Sql:
    return fill(
        _LOOK,
        schemas=array(sorted({*schemas, table.schema})),
        schema=literal(table.schema),
        table=literal(table.name),
    )


def _schema_facts(rows: Sequence[Row]) -> SchemaFacts:
    return SchemaFacts(
        existing=frozenset(name for name, _, _ in rows if name is not None),
        non_empty=frozenset(name for name, non_empty, _ in rows if name is not None and _is_true(non_empty)),
        history_exists=any(_is_true(exists) for _, _, exists in rows),
    )


def _is_true(value: str | None) -> bool:
    return value == "t"


def _holder_in_words(
    pid: str | None, user: str | None, program: str | None, address: str | None, since: str | None
) -> str:
    # Without a time, the server hides the rest from us too (PostgreSQL manual, pg_stat_activity).
    if since is None:
        known = f"user {user}; " if user else ""
        return f"process {pid} ({known}a member of pg_read_all_stats would see more)"
    return f"process {pid} (user {user}, program '{program}', from {address or 'a local socket'}, since {since})"


def _is_the_lock(table: HistoryTable) -> Sql:
    return fill(_IS_THE_LOCK, number=literal(lock_number(table)))
