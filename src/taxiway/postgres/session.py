"""One database session over psycopg: the engine's :class:`taxiway.engine.ports.Session`.

The lock lives on the session that makes the changes (docs/adr/0004-one-session-and-its-lock.md): a lost
connection loses both, so nobody can migrate without holding the lock. A script can give it back: that is looked at
where a migration begins and where it is committed. The session is in autocommit mode and opens transactions
itself; between them it holds no snapshot, so ``CREATE INDEX CONCURRENTLY`` never waits for it.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, LiteralString

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from taxiway import errors
from taxiway.engine.ports import HistoryTable, SchemaFacts, SessionFacts
from taxiway.model.identifier import quote_identifier
from taxiway.model.migration import AppliedMigration, HistoryRow
from taxiway.model.script import Statement, StatementKind
from taxiway.postgres import history
from taxiway.postgres.errors import error_of_ours, permission_error, translate_error
from taxiway.postgres.lock import lock_number

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_COPY_CHUNK_CHARACTERS: Final = 1 << 18
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
                 AND n.nspname = %(schema)s AND c.relname = %(table)s)
FROM pg_catalog.pg_namespace n
WHERE n.nspname = ANY(%(schemas)s)
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

# Of a class that neither PostgreSQL nor the SQL standard uses
_LOCK_LOST: Final = "TW001"
_REFUSE_WITHOUT_LOCK: Final = """
DO $lock$ BEGIN
    IF NOT ({keep_lock}) THEN
        RAISE EXCEPTION USING ERRCODE = {lock_lost}, MESSAGE = 'the migration lock is lost';
    END IF;
END $lock$;
"""


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
        names = {"schemas": list({*schemas, table.schema}), "schema": table.schema, "table": table.name}
        rows = self._rows(_LOOK, names, doing="Looking at the schemas")
        return SchemaFacts(
            existing=frozenset(name for name, _, _ in rows),
            non_empty=frozenset(name for name, non_empty, _ in rows if non_empty),
            history_exists=any(exists for _, _, exists in rows),
        )

    def history_rows(self, table: HistoryTable) -> list[AppliedMigration]:
        """All rows of the history table, by rank."""
        rows = self._rows(history.select_rows(table), doing=f"Reading the schema history {table}")
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
        rows = self._rows(query, doing=f"Asking who holds the migration lock of {table}")
        return _holder_in_words(*rows[0]) if rows else None

    def create_schemas_and_history(
        self, schemas: Sequence[str], table: HistoryTable, rows: Sequence[HistoryRow], *, create_table: bool
    ) -> None:
        """Create schemas and history table and add the rows, in one transaction and one round trip."""
        parts: list[sql.Composable] = [
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {};").format(sql.Identifier(schema)) for schema in schemas
        ]
        if create_table:
            parts.append(history.create_table(table))
        parts += [history.insert_row(table, row) for row in rows]
        statements = sql.SQL("BEGIN; {} COMMIT").format(sql.SQL("").join(parts))
        self._rows(statements, doing=f"Creating the schema history {table}")

    def begin_migration(self, table: HistoryTable, *, transactional: bool) -> None:
        """Keep the lock, reset role and search path, and open a transaction if wanted, in one round trip."""
        keep_lock = sql.SQL("SELECT {};").format(_keep_lock(table))
        begin = sql.SQL("BEGIN;" if transactional else "")
        set_path = sql.SQL("SELECT pg_catalog.set_config('search_path', {}, false)").format(
            sql.Literal(self._search_path(table.schema))
        )
        statements = sql.SQL("").join([keep_lock, begin, self._reset_role(), set_path])
        [(kept,)] = self._asked(lambda: self._in_utf8(statements), doing="Beginning a migration")
        if not kept:
            raise self._lock_lost(table)

    def begin(self) -> None:
        """Open a transaction, and change nothing else."""
        self._rows(sql.SQL("BEGIN"), doing="Beginning a transaction")

    def run(self, statement: Statement) -> str:
        """Run one statement as it is and return its command tag."""
        nul = statement.text.find("\0")
        if nul >= 0:
            raise errors.StatementFailed(
                "The statement contains a NUL character, which PostgreSQL text cannot.", position=nul + 1
            )
        return self._asked(lambda: self._send(statement))

    def record(self, table: HistoryTable, row: HistoryRow, *, only_with_lock: bool) -> None:
        """Add a history row as the connect-time role, and commit an open transaction, in one round trip."""
        lock = _refuse_without_lock(table) if only_with_lock else sql.SQL("")
        commit = sql.SQL("COMMIT" if self.in_transaction else "")
        # installed_on is a time without zone: that of the client, whatever the script has made of the session's.
        set_zone = sql.SQL("SELECT pg_catalog.set_config('TimeZone', {}, true);").format(
            sql.Literal(self._facts.time_zone)
        )
        statements = sql.SQL("").join([self._reset_role(), set_zone, lock, history.insert_row(table, row), commit])
        try:
            doing = f"Writing to the schema history {table}"
            self._asked(lambda: self._in_utf8(statements), doing=doing, of_a_script=True)
        except errors.StatementFailed as error:
            if error.sqlstate != _LOCK_LOST:
                raise
        else:
            return
        raise self._lock_lost(table)

    def rollback(self) -> None:
        """Roll back an open transaction; does nothing without one or on a broken connection."""
        if self._connection.closed or self._connection.broken or not self.in_transaction:
            return
        with contextlib.suppress(psycopg.Error):
            self._connection.execute("ROLLBACK")

    def _lock_lost(self, table: HistoryTable) -> errors.LockNotAcquired:
        self.rollback()
        return errors.LockNotAcquired(str(table), waited_seconds=0, holder=self.lock_holder(table))

    def _reset_role(self) -> sql.Composed:
        # A migration may have changed either; the history row is ours to write.
        return sql.SQL("RESET SESSION AUTHORIZATION; SET ROLE {};").format(sql.Literal(self._facts.user))

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

    def _rows(
        self,
        query: LiteralString | sql.SQL | sql.Composed,
        parameters: Mapping[str, Any] | None = None,
        *,
        doing: str,
    ) -> list[tuple[Any, ...]]:
        return self._asked(lambda: _fetch(self._connection.execute(query, parameters)), doing=doing)

    def _in_utf8(self, statements: sql.Composed) -> list[tuple[Any, ...]]:
        """Send statements of ours in our encoding: a script may have set another one."""
        if self._connection.info.parameter_status("client_encoding") != _ENCODING:
            self._connection.execute(f"SET client_encoding = '{_ENCODING}'")
        return _fetch(self._connection.execute(statements))

    def _send(self, statement: Statement) -> str:
        with self._connection.cursor() as cursor:
            if statement.kind is StatementKind.COPY_FROM_STDIN:
                self._copy(cursor, statement)
            else:
                cursor.execute(self._encoded(statement.text))
            return cursor.statusmessage or ""

    def _copy(self, cursor: psycopg.Cursor[Any], statement: Statement) -> None:
        data = statement.copy_data
        with cursor.copy(self._encoded(statement.text)) as copy:
            for start in range(0, len(data), _COPY_CHUNK_CHARACTERS):
                copy.write(self._encoded(data[start : start + _COPY_CHUNK_CHARACTERS]))

    def _encoded(self, text: str) -> bytes:
        """In the encoding that the server expects now: a script may have set ``client_encoding``."""
        encoding = self._connection.info.encoding
        try:
            # "ascii" stands for SQL_ASCII, with which the server takes bytes as they are.
            return text.encode("utf-8" if encoding == "ascii" else encoding)
        except UnicodeEncodeError as error:
            missing = text[error.start]
        # Raised here and not above, where Python's exception would go along: it holds the whole text.
        raise errors.StatementFailed(
            f"The character '{missing}' does not exist in the client_encoding of the session, {encoding}, "
            "which the script has set."
        )


def _fetch(cursor: psycopg.Cursor[Any]) -> list[tuple[Any, ...]]:
    """All rows of the first result; none where it has none."""
    return cursor.fetchall() if cursor.description else []


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
