"""One database session over psycopg: the engine's :class:`taxiway.engine.ports.Session`.

The lock lives on the session that makes the changes (docs/adr/0004-one-session-and-its-lock.md): a lost
connection loses both, so nobody can migrate without holding the lock. A script can give it back: that is looked at
where a migration begins, where it is committed, and in every other transaction that changes something. The session
is in autocommit mode and opens transactions itself; between them it holds no snapshot, so ``CREATE INDEX
CONCURRENTLY`` never waits for it.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from taxiway import errors
from taxiway.engine.ports import HistoryTable, SchemaFacts, SessionFacts, StatementOutcome
from taxiway.model.identifier import quote_identifier
from taxiway.model.migration import AppliedMigration, HistoryRow
from taxiway.model.plan import RepairPlan
from taxiway.model.script import Statement
from taxiway.postgres import clean, history
from taxiway.postgres.errors import error_of_ours, permission_error, translate_error
from taxiway.postgres.lock import lock_number
from taxiway.postgres.send import send

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

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
WHERE n.nspname = ANY({schemas}::text[])
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
_WE_HOLD: Final = """
EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid() AND {is_the_lock})
"""
# Taken again, the lock of a session would have to be given back twice.
_KEEP_LOCK: Final = "CASE WHEN {we_hold} THEN true ELSE pg_catalog.pg_try_advisory_lock({number}) END"

# The tag that COMMIT of a failed transaction has, and the state of statements in one
_ROLLED_BACK: Final = "ROLLBACK"
_FAILED_TRANSACTION: Final = "25P02"

# An error that says what we want, without a procedural language that a database may lack: the server repeats the
# text that is no number, whatever the language of its messages is.
_LOCK_LOST: Final = "taxiway: the migration lock is lost"
_NOT_A_NUMBER: Final = "22P02"
_REFUSE_WITHOUT_LOCK: Final = "SELECT CASE WHEN {keep_lock} THEN '1' ELSE {lock_lost} END::int;"


class PostgresSession:
    """A session of one psycopg connection. Use it as a context manager: leaving it closes the connection."""

    def __init__(self, connection: psycopg.Connection[Any], facts: SessionFacts) -> None:
        self._connection = connection
        self._facts = facts

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: "TracebackType | None",
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
        return self._connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}

    def look(self, schemas: Sequence[str], table: HistoryTable) -> SchemaFacts:
        """Look at the schemas and the history table, in one round trip."""
        query = sql.SQL(_LOOK).format(
            schemas=sql.Literal(sorted({*schemas, table.schema})),
            schema=sql.Literal(table.schema),
            table=sql.Literal(table.name),
        )
        rows = self._read(query, doing="Looking at the schemas")
        return SchemaFacts(
            existing=frozenset(name for name, _, _ in rows),
            non_empty=frozenset(name for name, non_empty, _ in rows if non_empty),
            history_exists=any(exists for _, _, exists in rows),
        )

    def history_rows(self, table: HistoryTable) -> list[AppliedMigration]:
        """All rows of the history table, by rank."""
        rows = self._read(history.select_rows(table), doing=f"Reading the schema history {table}")
        return [history.applied_migration(row) for row in rows]

    def try_lock(self, table: HistoryTable) -> bool:
        """Take the lock if it is free. Never waits: a waiting request would hold a snapshot."""
        query = sql.SQL("SELECT pg_catalog.pg_try_advisory_lock({})").format(sql.Literal(lock_number(table)))
        [(taken,)] = self._rows(query, doing=f"Taking the migration lock of {table}")
        return bool(taken)

    def unlock(self, table: HistoryTable) -> None:
        """Give the lock back; on a broken connection the server has done it already."""
        self.rollback()
        if self._connection.closed or self._connection.broken:
            return
        # Only what we have: the server warns about the rest, and the last script may have given it back.
        unlock = sql.SQL("SELECT pg_advisory_unlock({}) WHERE {}").format(
            sql.Literal(lock_number(table)), _we_hold(table)
        )
        with contextlib.suppress(psycopg.Error):
            self._connection.execute(unlock)

    def lock_holder(self, table: HistoryTable) -> str | None:
        """Who holds the lock: process, user, program, address, since when; less if the server hides it from us."""
        query = sql.SQL(_LOCK_HOLDER).format(is_the_lock=_is_the_lock(table))
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
        parts: list[sql.Composable] = [
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {};").format(sql.Identifier(schema)) for schema in schemas
        ]
        if create_table:
            parts.append(history.create_table(table, tablespace=tablespace))
        parts += [history.insert_row(table, row) for row in rows]
        self._in_one_transaction(table, sql.SQL("").join(parts), doing=f"Creating the schema history {table}")

    def begin_script(self, table: HistoryTable, *, transactional: bool, keep_lock: bool) -> None:
        """Keep the lock, reset role, search path and how strings are read, and open a transaction if wanted.

        All of it is one round trip.

        What asks and resets is a transaction of its own, so that the one of the script has no snapshot yet and may
        be given an isolation level. In a transaction that is open already it is a part of that.
        """
        ask = sql.SQL("SELECT {lock}, pg_catalog.set_config('search_path', {path}, false);").format(
            lock=_keep_lock(table) if keep_lock else sql.SQL("true"),
            path=sql.Literal(self._search_path(table.schema)),
        )
        parts: list[sql.Composable] = [self._reset_role(), self._reset_strings(), ask]
        if not self.in_transaction:
            parts = [sql.SQL("BEGIN;"), *parts, sql.SQL("COMMIT;"), sql.SQL("BEGIN;" if transactional else "")]
        [(kept, _)] = self._or_roll_back(sql.SQL("").join(parts), doing="Beginning a script")
        if not kept:
            raise self._lock_lost(table)

    def begin(self) -> None:
        """Open a transaction, and change nothing else."""
        self._rows(sql.SQL("BEGIN"), doing="Beginning a transaction")

    def commit(self) -> None:
        """Commit an open transaction; does nothing without one.

        Raises:
            StatementFailed: A deferred constraint refuses it, or a statement has failed before; it is rolled back.
        """
        if not self.in_transaction:
            return
        tag = self._asked(lambda: self._connection.execute("COMMIT").statusmessage)
        if tag == _ROLLED_BACK:
            # What the server answers to COMMIT when a statement has failed; it is no error to it.
            raise errors.StatementFailed(
                "the transaction was rolled back, because a statement in it had failed",
                sqlstate=_FAILED_TRANSACTION,
            )

    def run(self, statement: Statement, *, keep_rows: bool = False) -> StatementOutcome:
        """Run one statement as it is; with ``keep_rows`` the rows of all its results come back."""
        return send(self._connection, statement, keep_rows=keep_rows)

    def record(self, table: HistoryTable, row: HistoryRow, *, only_with_lock: bool, commit: bool = True) -> None:
        """Add a history row as the connect-time role, and commit an open transaction, in one round trip."""
        lock = _refuse_without_lock(table) if only_with_lock else sql.SQL("")
        end = sql.SQL("COMMIT" if commit and self.in_transaction else "")
        statements = sql.SQL("").join(
            [self._reset_role(), self._set_zone(), lock, history.insert_row(table, row), end]
        )
        with self._minding_the_lock(table):
            doing = f"Writing to the schema history {table}"
            self._asked(lambda: self._in_utf8(statements), doing=doing, of_a_script=True)

    def rollback(self) -> None:
        """Roll back an open transaction; does nothing without one or on a broken connection."""
        if self._connection.closed or self._connection.broken or not self.in_transaction:
            return
        with contextlib.suppress(psycopg.Error):
            self._connection.execute("ROLLBACK")

    def repair_history(self, table: HistoryTable, plan: RepairPlan) -> None:
        """Carry out a plan as the connect-time role, in one transaction and one round trip.

        Raises:
            LockNotAcquired: Somebody else has the lock; nothing was changed.
        """
        statements = sql.SQL("").join([self._set_zone(), history.repair(table, plan)])
        self._in_one_transaction(table, statements, doing=f"Repairing the schema history {table}")

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

    def _list_drops(self, schema: str, *, doing: str) -> list[sql.SQL]:
        statements = sql.SQL("BEGIN; {reset} SET LOCAL search_path = ''; {list} COMMIT").format(
            reset=self._reset_role(), list=clean.list_drops(schema)
        )
        return [sql.SQL(drop) for (drop,) in self._or_roll_back(statements, doing=doing)]

    def _drop_at_once(self, table: HistoryTable, drops: Sequence[sql.Composable], *, doing: str) -> bool:
        """Drop them all, or none if the server has too little room for so many locks."""
        try:
            self._drop(table, drops, doing=doing)
        except errors.DatabaseError as error:
            if error.sqlstate == clean.OUT_OF_LOCKS:
                return False
            raise
        return True

    def _drop(self, table: HistoryTable, drops: Sequence[sql.Composable], *, doing: str) -> None:
        try:
            self._in_one_transaction(table, sql.SQL("").join([clean.QUIETLY, *drops]), doing=doing)
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

    def _reset_role(self) -> sql.Composed:
        # A migration may have changed either; the history row is ours to write.
        return sql.SQL("RESET SESSION AUTHORIZATION; SET ROLE {};").format(sql.Literal(self._facts.user))

    def _reset_strings(self) -> sql.Composed:
        # The script was split with what the session began with.
        standard = sql.SQL("on" if self._facts.standard_strings else "off")
        return sql.SQL("SET standard_conforming_strings = {};").format(standard)

    def _set_zone(self) -> sql.Composed:
        # installed_on is a time without zone: that of the client, whatever a script has made of the session's.
        return sql.SQL("SELECT pg_catalog.set_config('TimeZone', {}, true);").format(
            sql.Literal(self._facts.time_zone)
        )

    def _search_path(self, schema: str) -> str:
        """Flyway 13: the schema in front of the original path, unless it stands there already."""
        original = self._facts.search_path
        if original == schema or original.startswith(f"{schema},"):
            return original
        quoted = quote_identifier(schema)
        return f"{quoted},{original}" if original else quoted

    def _asked[T](self, ask: Callable[[], T], *, doing: str | None = None, of_a_script: bool = False) -> T:
        """What the server answers, with psycopg's errors turned into ours.

        ``doing`` names what we were doing, if no script made us do it. ``of_a_script`` says that it was part of a
        migration: the error stays one of those that the engine knows how to make a failed migration of.
        """
        try:
            return ask()
        except psycopg.Error as error:
            ours = translate_error(error)
        # Raised here and not above: psycopg's exception shows the statement, which may hold the value of a secret
        # placeholder, and would go along as the context.
        if doing is None:
            raise ours
        raise (permission_error if of_a_script else error_of_ours)(ours, doing=doing, user=self._facts.user)

    def _rows(self, query: sql.SQL | sql.Composed, *, doing: str) -> list[tuple[Any, ...]]:
        return self._asked(lambda: _fetch(self._connection.execute(query)), doing=doing)

    def _read(self, query: sql.Composed, *, doing: str) -> list[tuple[Any, ...]]:
        """Ask as the connect-time role: a callback may have changed it."""
        statements = sql.SQL("").join([self._reset_role(), query])
        return self._asked(lambda: self._in_utf8(statements), doing=doing)

    def _in_one_transaction(self, table: HistoryTable, statements: sql.Composed, *, doing: str) -> None:
        """Change something as the connect-time role, and only with the lock: a callback may have given it back."""
        guarded = sql.SQL("BEGIN; {role} {lock} {statements} COMMIT").format(
            role=self._reset_role(), lock=_refuse_without_lock(table), statements=statements
        )
        with self._minding_the_lock(table):
            self._or_roll_back(guarded, doing=doing)

    def _or_roll_back(self, statements: sql.Composed, *, doing: str) -> list[tuple[Any, ...]]:
        """Ask with statements that begin a transaction, which does not stay open if one of them fails."""
        try:
            return self._asked(lambda: self._in_utf8(statements), doing=doing)
        except BaseException:
            self.rollback()
            raise

    def _in_utf8(self, statements: sql.Composed) -> list[tuple[Any, ...]]:
        """Send statements of ours in our encoding: a script may have set another one."""
        if self._connection.info.parameter_status("client_encoding") != _ENCODING:
            self._connection.execute(f"SET client_encoding = '{_ENCODING}'")
        return _fetch(self._connection.execute(statements))


def _fetch(cursor: psycopg.Cursor[Any]) -> list[tuple[Any, ...]]:
    """All rows of the first result that has a row; none where none has one."""
    more: bool | None = True
    while more:
        if cursor.description and (rows := cursor.fetchall()):
            return rows
        more = cursor.nextset()
    return []


def _holder_in_words(pid: int, user: str | None, program: str, address: str | None, since: str | None) -> str:
    # Without a time, the server hides the rest from us too (PostgreSQL manual, pg_stat_activity).
    if since is None:
        known = f"user {user}; " if user else ""
        return f"process {pid} ({known}a member of pg_read_all_stats would see more)"
    return f"process {pid} (user {user}, program '{program}', from {address or 'a local socket'}, since {since})"


def _refuse_without_lock(table: HistoryTable) -> sql.Composed:
    return sql.SQL(_REFUSE_WITHOUT_LOCK).format(keep_lock=_keep_lock(table), lock_lost=sql.Literal(_LOCK_LOST))


def _keep_lock(table: HistoryTable) -> sql.Composed:
    return sql.SQL(_KEEP_LOCK).format(we_hold=_we_hold(table), number=sql.Literal(lock_number(table)))


def _we_hold(table: HistoryTable) -> sql.Composed:
    return sql.SQL(_WE_HOLD).format(is_the_lock=_is_the_lock(table))


def _is_the_lock(table: HistoryTable) -> sql.Composed:
    return sql.SQL(_IS_THE_LOCK).format(number=sql.Literal(lock_number(table)))
