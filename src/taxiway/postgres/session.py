"""One database session over psycopg: the engine's :class:`taxiway.engine.ports.Session`.

The lock lives on the session that makes the changes (docs/adr/0004-one-session-and-its-lock.md): a lost
connection loses both, so nobody can migrate without holding the lock. The session is in autocommit mode and opens
transactions itself; between them it holds no snapshot, so ``CREATE INDEX CONCURRENTLY`` never waits for it.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from taxiway import errors
from taxiway.engine.ports import HistoryTable, SchemaFacts, SessionFacts
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
_GIVES_LOCKS_BACK: Final = re.compile("advisory_unlock", re.IGNORECASE)

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


class PostgresSession:
    """A session of one psycopg connection. Use it as a context manager: leaving it closes the connection."""

    def __init__(self, connection: psycopg.Connection[Any], facts: SessionFacts) -> None:
        self._connection = connection
        self._facts = facts
        self._locked: HistoryTable | None = None

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
        with _translated():
            rows = self._connection.execute(
                _LOOK, {"schemas": list({*schemas, table.schema}), "schema": table.schema, "table": table.name}
            ).fetchall()
        return SchemaFacts(
            existing=frozenset(name for name, _, _ in rows),
            non_empty=frozenset(name for name, non_empty, _ in rows if non_empty),
            history_exists=any(exists for _, _, exists in rows),
        )

    def history_rows(self, table: HistoryTable) -> list[AppliedMigration]:
        """All rows of the history table, by rank."""
        with _translated(f"Reading the schema history {table}"):
            rows = self._connection.execute(history.select_rows(table)).fetchall()
        return [history.applied_migration(row) for row in rows]

    def try_lock(self, table: HistoryTable) -> bool:
        """Take the lock if it is free. Never waits: a waiting request would hold a snapshot."""
        with _translated():
            row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", [lock_number(table)]).fetchone()
        taken = bool(row and row[0])
        if taken:
            self._locked = table
        return taken

    def unlock(self, table: HistoryTable) -> None:
        """Give the lock back; on a broken connection the server has done it already."""
        self._locked = None
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
        """Who holds the lock: process, user, program, address, since when."""
        with _translated():
            row = self._connection.execute(
                sql.SQL(_LOCK_HOLDER).format(is_the_lock=_is_the_lock(table))
            ).fetchone()
        if row is None:
            return None
        pid, user, program, address, since = row
        return (
            f"process {pid} (user {user}, program '{program}', from {address or 'a local socket'}, since {since})"
        )

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
        with _translated(f"Creating the schema history {table}"):
            self._connection.execute(sql.SQL("BEGIN; {} COMMIT").format(sql.SQL("").join(parts)))

    def begin_migration(self, schema: str, *, transactional: bool) -> None:
        """Reset role and search path, and open a transaction if wanted, in one round trip."""
        begin = sql.SQL("BEGIN;" if transactional else "")
        set_path = sql.SQL("SELECT pg_catalog.set_config('search_path', {}, false)").format(
            sql.Literal(self._search_path(schema))
        )
        with _translated():
            self._restore_encoding()
            self._connection.execute(sql.SQL("").join([begin, self._reset_role(), set_path]))

    def begin(self) -> None:
        """Open a transaction, and change nothing else."""
        with _translated():
            self._connection.execute("BEGIN")

    def run(self, statement: Statement) -> str:
        """Run one statement as it is and return its command tag.

        Raises:
            LockNotAcquired: The statement has given our lock back, and somebody else took it.
        """
        nul = statement.text.find("\0")
        if nul >= 0:
            raise errors.StatementFailed(
                "The statement contains a NUL character, which PostgreSQL text cannot.", position=nul + 1
            )
        with _translated(), self._connection.cursor() as cursor:
            if statement.kind is StatementKind.COPY_FROM_STDIN:
                self._copy(cursor, statement)
            else:
                cursor.execute(self._encoded(statement.text))
            command = cursor.statusmessage or ""
        if self._locked and (command == "DISCARD ALL" or _GIVES_LOCKS_BACK.search(statement.text)):
            self._keep_lock(self._locked)
        return command

    def record(self, table: HistoryTable, row: HistoryRow) -> None:
        """Add a history row as the connect-time role, and commit an open transaction, in one round trip."""
        commit = sql.SQL("COMMIT" if self.in_transaction else "")
        # installed_on is a time without zone: that of the client, whatever the script has made of the session's.
        set_zone = sql.SQL("SELECT pg_catalog.set_config('TimeZone', {}, true);").format(
            sql.Literal(self._facts.time_zone)
        )
        parts = [self._reset_role(), set_zone, history.insert_row(table, row), commit]
        with _translated(f"Writing to the schema history {table}", of_a_script=True):
            self._restore_encoding()
            self._connection.execute(sql.SQL("").join(parts))

    def rollback(self) -> None:
        """Roll back an open transaction; does nothing without one or on a broken connection."""
        if self._connection.closed or self._connection.broken or not self.in_transaction:
            return
        with contextlib.suppress(psycopg.Error):
            self._connection.execute("ROLLBACK")

    def _keep_lock(self, table: HistoryTable) -> None:
        """Take the lock again if it is lost."""
        query = sql.SQL("SELECT CASE WHEN {} THEN true ELSE pg_catalog.pg_try_advisory_lock({}) END").format(
            _we_hold(table), sql.Literal(lock_number(table))
        )
        with _translated():
            row = self._connection.execute(query).fetchone()
        if not (row and row[0]):
            raise errors.LockNotAcquired(str(table), waited_seconds=0, holder=self.lock_holder(table))

    def _reset_role(self) -> sql.Composed:
        # A migration may have changed either; the history row is ours to write.
        return sql.SQL("RESET SESSION AUTHORIZATION; SET ROLE {};").format(sql.Literal(self._facts.user))

    def _search_path(self, schema: str) -> str:
        """Flyway 13: the schema in front of the original path, unless it stands there already."""
        original = self._facts.search_path
        if original == schema or original.startswith(f"{schema},"):
            return original
        quoted = '"' + schema.replace('"', '""') + '"'
        return f"{quoted},{original}" if original else quoted

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
            raise errors.StatementFailed(
                f"The character '{text[error.start]}' does not exist in the client_encoding of the session, "
                f"{encoding}, which the script has set."
            ) from None

    def _restore_encoding(self) -> None:
        if self._connection.info.parameter_status("client_encoding") != _ENCODING:
            self._connection.execute(f"SET client_encoding = '{_ENCODING}'")


def _we_hold(table: HistoryTable) -> sql.Composed:
    return sql.SQL(_WE_HOLD).format(is_the_lock=_is_the_lock(table))


def _is_the_lock(table: HistoryTable) -> sql.Composed:
    return sql.SQL(_IS_THE_LOCK).format(number=sql.Literal(lock_number(table)))


@contextlib.contextmanager
def _translated(doing: str | None = None, *, of_a_script: bool = False) -> Iterator[None]:
    """Turn psycopg's errors into ours. ``doing`` names what we were doing, if no script made us do it.

    ``of_a_script`` says that it was part of a migration: the error stays one of those that the engine knows how to
    make a failed migration of.
    """
    try:
        yield
    except psycopg.Error as error:
        ours = translate_error(error)
        # Not chained: psycopg's exception shows the statement, which may hold the value of a secret placeholder.
        if doing is None:
            raise ours from None
        raise (permission_error if of_a_script else error_of_ours)(ours, doing=doing) from None
