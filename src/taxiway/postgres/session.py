"""One database session over libpq: the engine's :class:`taxiway.engine.ports.Session`.

The lock lives on the session that makes the changes (docs/adr/0004-one-session-and-its-lock.md): a lost
connection loses both, so nobody can migrate without holding the lock. A script can give it back: that is looked at
where a migration begins, where it is committed, and in every other transaction that changes something. The session
is in autocommit mode and opens transactions itself; between them it holds no snapshot, so ``CREATE INDEX
CONCURRENTLY`` never waits for it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.engine.ports import (
    BeginStep,
    HistoryTable,
    RecordStep,
    SchemaFacts,
    Seen,
    SessionFacts,
    StatementOutcome,
    Step,
    StepOutcome,
)
from taxiway.interruption import sleep
from taxiway.postgres import history
from taxiway.postgres.errors import translate_error
from taxiway.postgres.exchange import Exchange, is_true, texts
from taxiway.postgres.libpq.result import ConnectionBroken, Result, ServerError
from taxiway.postgres.sql import Sql, array, fill, identifier, join, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from taxiway.model.migration import AppliedMigration, HistoryRow
    from taxiway.model.plan import RepairPlan
    from taxiway.model.role import PasswordCheck, RoleChange, RolesFound
    from taxiway.model.script import Statement
    from taxiway.postgres.exchange import Row
    from taxiway.postgres.libpq.connection import Connection
    from taxiway.postgres.own_statements import OwnStatements
    from taxiway.secret import Secret

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


class PostgresSession:
    """A session of one connection. Use it as a context manager: leaving it closes the connection."""

    def __init__(
        self,
        connection: Connection,
        facts: SessionFacts,
        *,
        reopen: Callable[[], tuple[Connection, SessionFacts]],
        try_password: Callable[[Connection, str, Secret], PasswordCheck],
    ) -> None:
        """``reopen`` opens another connection like this one, with some patience.

        ``try_password`` logs in to the server of a connection as another role.
        """
        self._exchange = Exchange(connection, facts)
        self._reopen = reopen
        self._try_password = try_password
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
        return self._exchange.facts

    @property
    def _connection(self) -> Connection:
        return self._exchange.connection

    @property
    def _ours(self) -> OwnStatements:
        return self._exchange.ours

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
        lost = self.facts
        for attempts_left in reversed(range(_ATTEMPTS_TO_RECONNECT)):
            self._connection.close()
            self._exchange = Exchange(*self._reopen())
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
            if not self._exchange.rows(query, doing="Ending the lost session"):
                return
            sleep(seconds)
        message = f"The server has not ended the lost session (process {lost.process_id})."
        raise errors.DatabaseError(message, hint="End it with pg_terminate_backend, then run again.")

    def look(self, schemas: Sequence[str], table: HistoryTable) -> SchemaFacts:
        """Look at the schemas and the history table, in one round trip."""
        facts = _schema_facts(self._exchange.read(_look(schemas, table), doing="Looking at the schemas"))
        self._has_seen_history = facts.history_exists
        return facts

    def history_rows(self, table: HistoryTable) -> list[AppliedMigration]:
        """All rows of the history table, by rank."""
        rows = self._exchange.read(history.select_rows(table), doing=f"Reading the schema history {table}")
        return [history.applied_migration(row) for row in rows]

    def look_and_read(self, schemas: Sequence[str], table: HistoryTable) -> Seen:
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

    def _look_and_read(self, schemas: Sequence[str], table: HistoryTable) -> Seen:
        statements = join([self._ours.reset_role(), _look(schemas, table), Sql(";"), history.select_rows(table)])
        _, look, rows = self._exchange.ask(
            lambda: self._exchange.results(statements), doing=f"Reading the schema history {table}"
        )
        return _schema_facts(texts(look)), [history.applied_migration(row) for row in texts(rows)]

    def try_lock(self, table: HistoryTable) -> bool:
        """Take the lock if it is free. Never waits: a waiting request would hold a snapshot."""
        query = fill("SELECT {take_lock}", take_lock=self._ours.take_lock(table))
        [(taken,)] = self._exchange.rows(query, doing=f"Taking the migration lock of {table}")
        return is_true(taken)

    def lock_and_look(self, schemas: Sequence[str], table: HistoryTable) -> Seen | None:
        """Take the lock if it is free, and see under it what :meth:`look_and_read` sees; one round trip less."""
        try:
            try:
                return self._lock_and_look(schemas, table, with_history=self._has_seen_history)
            except errors.DatabaseError as error:
                if error.sqlstate != _NO_SUCH_TABLE:
                    raise
            return self._lock_and_look(schemas, table, with_history=False)
        except BaseException:
            # It may have been taken before something else failed.
            self.unlock(table)
            raise

    def _lock_and_look(self, schemas: Sequence[str], table: HistoryTable, *, with_history: bool) -> Seen | None:
        # A transaction of its own: in one that is REPEATABLE READ by default, the look would see what there was
        # before the lock was taken.
        statements = fill(
            "BEGIN; SELECT {take_lock}; COMMIT; {reset} {look}; {rows}",
            take_lock=self._ours.take_lock(table),
            reset=self._ours.reset_role(),
            look=_look(schemas, table),
            rows=history.select_rows(table) if with_history else Sql(""),
        )
        doing = f"Reading the schema history {table}" if with_history else "Looking at the schemas"
        _, lock, _, _, look, *read = self._exchange.ask(lambda: self._exchange.results(statements), doing=doing)
        [(taken,)] = texts(lock)
        if not is_true(taken):
            return None
        facts = _schema_facts(texts(look))
        self._has_seen_history = facts.history_exists
        if read and facts.history_exists:
            return facts, [history.applied_migration(row) for row in texts(read[0])]
        return facts, self.history_rows(table) if facts.history_exists else []

    def unlock(self, table: HistoryTable) -> None:
        """Give the lock back; on a broken connection the server has done it already."""
        self.rollback()
        if not self._connection.is_usable:
            return
        with contextlib.suppress(ServerError, ConnectionBroken):
            self._connection.execute(self._ours.give_back(table).encode())
            self._ours.has_given_back()

    def lock_holder(self, table: HistoryTable) -> str | None:
        """Who holds the lock: process, user, program, address, since when; less if the server hides it from us."""
        return self._exchange.lock_holder(table)

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
        self._exchange.change(table, join(parts), doing=f"Creating the schema history {table}")
        self._has_seen_history = True

    def begin_script(
        self, table: HistoryTable, *, transactional: bool, keep_lock: bool, begun: HistoryRow | None = None
    ) -> None:
        """Keep the lock, reset role, search path and how strings are read, and open a transaction if wanted.

        All of it is one round trip, and with it the row of a migration that was ``begun``.

        What asks and resets is a transaction of its own, so that the one of the script has no snapshot yet and may
        be given an isolation level. In a transaction that is open already it is a part of that.
        """
        ready = [self._ours.ready_for_script(table, keep_lock=keep_lock), Sql(";")]
        if begun:
            ready += [self._ours.set_zone(), history.insert_row(table, begun)]
        if not self.in_transaction:
            ready = [Sql("BEGIN;"), *ready, Sql("COMMIT;"), Sql("BEGIN" if transactional else "")]
        with self._exchange.minding_the_lock(table):
            self._exchange.ask_or_roll_back(join(ready), doing="Beginning a script")

    def end_begun(self, table: HistoryTable, row: HistoryRow) -> None:
        """Write how a migration has ended, with the lock or without it: it is done."""
        self._write(table, history.end_begun(table, row), only_with_lock=False)

    def remove_begun(self, table: HistoryTable, rank: int) -> None:
        """Remove the row of a migration that nothing was run of."""
        self._write(table, history.remove_begun(table, rank), only_with_lock=False)

    def begin(self) -> None:
        """Open a transaction, and change nothing else."""
        self._exchange.rows(Sql("BEGIN"), doing="Beginning a transaction")

    def commit(self) -> None:
        """Commit an open transaction; does nothing without one.

        Raises:
            StatementFailed: A deferred constraint refuses it, or a statement has failed before; it is rolled back.
        """
        if not self.in_transaction:
            return
        [result] = self._exchange.ask(lambda: self._connection.execute(b"COMMIT"))
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
        from taxiway.postgres.ahead import StepsAhead

        ahead = StepsAhead(self._ours, table, keep_rows=keep_rows)
        self._exchange.speak_utf8()
        with contextlib.closing(self._connection.pipeline(ahead.messages(steps))) as results:
            while (result := self._next_result(table, results, ahead.first)) is not None:
                if (outcome := ahead.take(result)) is not None:
                    yield outcome

    def _next_result(self, table: HistoryTable, results: Iterator[Result], step: Step | None) -> Result | None:
        try:
            return next(results, None)
        except (ServerError, ConnectionBroken) as error:
            match step:
                case RecordStep():
                    ours = self._exchange.error_of(
                        error, doing=f"Writing to the schema history {table}", of_a_script=True
                    )
                    ours = self._ours.explain(ours)
                case BeginStep():
                    ours = self._exchange.error_of(error, doing="Beginning a script")
                case _:
                    ours = translate_error(error)
        # Raised here and not above, where the server's own words would go along as the context.
        with self._exchange.minding_the_lock(table):
            raise ours

    def record(self, table: HistoryTable, row: HistoryRow, *, only_with_lock: bool, commit: bool = True) -> None:
        """Add a history row as the connect-time role, and commit an open transaction, in one round trip."""
        end = Sql("COMMIT" if commit and self.in_transaction else "")
        self._write(table, join([history.insert_row(table, row), end]), only_with_lock=only_with_lock)

    def _write(self, table: HistoryTable, statements: Sql, *, only_with_lock: bool) -> None:
        ready = self._ours.ready_for_row(table, only_with_lock=only_with_lock)
        with self._exchange.minding_the_lock(table):
            self._exchange.ask(
                lambda: self._exchange.in_utf8(join([ready, Sql(";"), statements])),
                doing=f"Writing to the schema history {table}",
                of_a_script=True,
            )

    def rollback(self) -> None:
        """Roll back an open transaction; does nothing without one or on a broken connection."""
        self._exchange.rollback()

    def repair_history(self, table: HistoryTable, plan: RepairPlan) -> None:
        """Carry out a plan as the connect-time role, in one transaction and one round trip.

        Raises:
            LockNotAcquired: Somebody else has the lock; nothing was changed.
        """
        statements = join([self._ours.set_zone(), history.repair(table, plan)])
        self._exchange.change(table, statements, doing=f"Repairing the schema history {table}")

    def do_beside(self, statements: Sql, *, doing: str) -> list[Row]:
        """Do something beside the migrations, as the connect-time role, in one transaction and one round trip.

        It takes no lock. What is still open is rolled back: it belongs to nobody any more.

        Raises:
            DatabaseError: The server refused; nothing was changed.
        """
        self.rollback()
        mine = fill("BEGIN; {role} {statements} COMMIT", role=self._ours.reset_role(), statements=statements)
        return self._exchange.ask_or_roll_back(mine, doing=doing)

    def clean_schema(self, schema: str, table: HistoryTable) -> None:
        """Drop every object of a schema and keep the schema (docs/adr/0016-clean.md).

        In one transaction, unless the server has too little room for so many locks: then in several. ``table`` is
        the schema history whose lock we hold.

        Raises:
            DatabaseError: The server refused; nothing of the transaction in question is dropped.
            LockNotAcquired: Somebody else has the lock; the same holds.
        """
        from taxiway.postgres import clean

        self._has_seen_history = False
        clean.clean_schema(self._exchange, schema, table)

    def drop_schema(self, schema: str, table: HistoryTable) -> None:
        """Drop a schema with all that is in it; does nothing if there is none. Raises as :meth:`clean_schema`."""
        from taxiway.postgres import clean

        self._has_seen_history = False
        clean.drop_schema(self._exchange, schema, table)

    def find_roles(self, names: Sequence[str], schemas: Sequence[str]) -> RolesFound:
        """Look at roles and at what they may do, as the connect-time role, in one round trip."""
        from taxiway.postgres import roles

        return roles.read_roles(self._exchange, names, schemas)

    def check_password(self, role: str, password: Secret) -> PasswordCheck:
        """Whether the server has that password for a role."""
        return self._try_password(self._connection, role, password)

    def change_roles(
        self,
        table: HistoryTable,
        changes: Sequence[RoleChange],
        *,
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        """Change roles and privileges as the connect-time role, in one transaction.

        It is one round trip, and one more for the end of the transaction with ``before_commit``.

        Raises:
            LockNotAcquired: Somebody else has the lock; nothing was changed.
            TaxiwayError: What ``before_commit`` raises; nothing was changed.
            DatabaseError: The server refused; nothing was changed.
        """
        from taxiway.postgres import roles

        roles.change_roles(self._exchange, table, changes, before_commit=before_commit)


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
        non_empty=frozenset(name for name, non_empty, _ in rows if name is not None and is_true(non_empty)),
        history_exists=any(is_true(exists) for _, _, exists in rows),
    )
