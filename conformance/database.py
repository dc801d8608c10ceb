"""Databases to play in, and everything about one that a command could have changed."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final, LiteralString

from sandbox.postgres import PostgresServer, unpacked_programs

if TYPE_CHECKING:
    import psycopg

OWNER: Final = "conformance"
_PASSWORD: Final = "conformance"

# What pg_dump says of itself and of its session; the key of \restrict is another one each time.
_DUMP_NOISE: Final = ("-- ", "SET ", "SELECT pg_catalog.set_config", "\\restrict", "\\unrestrict")
_MOST_ROWS: Final = 50
# What a script has from now(): a timestamp with parts of a second.
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+(?:[+-]\d\d)?")

_USER_SCHEMAS: Final = "nspname !~ '^pg_' AND nspname <> 'information_schema'"

_HISTORY: Final = "SELECT FROM pg_attribute h WHERE h.attrelid = c.oid AND h.attname = 'installed_rank'"

_OBJECTS: Final[LiteralString] = f"""
SELECT format('schema %s', nspname) FROM pg_namespace WHERE {_USER_SCHEMAS}
UNION ALL
SELECT format('relation %s %s.%s', relkind, nspname, relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE {_USER_SCHEMAS} AND relkind NOT IN ('i', 'I') AND NOT EXISTS ({_HISTORY})
UNION ALL
SELECT format('column %s.%s.%s %s', nspname, relname, attname, format_type(atttypid, atttypmod))
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE {_USER_SCHEMAS} AND attnum > 0 AND NOT attisdropped AND relkind NOT IN ('i', 'I', 'S')
AND NOT EXISTS ({_HISTORY})
UNION ALL
SELECT format('routine %s.%s(%s)', nspname, proname, pg_get_function_arguments(p.oid))
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE {_USER_SCHEMAS}
UNION ALL
SELECT format('type %s %s.%s', typtype, nspname, typname)
FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace
WHERE {_USER_SCHEMAS} AND typrelid = 0 AND typelem = 0
ORDER BY 1
"""

_TABLES: Final[LiteralString] = f"""
SELECT format('%I.%I', nspname, relname), EXISTS ({_HISTORY})
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND {_USER_SCHEMAS} ORDER BY 1
"""

_HISTORY_COLUMNS: Final = "installed_rank, version, description, type, script, checksum, installed_by, success"

type HistoryRow = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a database, apart from times.

    Attributes:
        history: The rows of every schema history table, without the two columns that have times.
        objects: A line for each schema, relation, column, routine and type, but for history tables and indexes.
        rows: A line for each row of the other tables; only the first of large ones.
    """

    history: tuple[HistoryRow, ...]
    objects: tuple[str, ...]
    rows: tuple[str, ...]


class Database:
    """A database of a throw-away server, and its owner, who is not a superuser.

    ``plain`` is for a server that believes whoever says to be the owner: without TLS and password, a session is
    opened in a fraction of the time, and Flyway opens several for each command.
    """

    def __init__(self, server: PostgresServer, name: str, *, plain: bool) -> None:
        self.server, self.name = server, name
        self._plain = plain
        self._observer: psycopg.Connection | None = None

    @property
    def url(self) -> str:
        """For Taxiway."""
        if self._plain:
            return f"postgresql://{OWNER}@{self.server.host}:{self.server.port}/{self.name}?sslmode=disable"
        return self.server.url(OWNER, self.name)

    @property
    def jdbc_url(self) -> str:
        """For Flyway."""
        place = f"jdbc:postgresql://{self.server.host}:{self.server.port}/{self.name}"
        tls = "disable" if self._plain else f"verify-full&sslrootcert={self.server.authority}"
        return f"{place}?sslmode={tls}"

    @property
    def password(self) -> str:
        """Of the owner."""
        return _PASSWORD

    def connect(self) -> "psycopg.Connection":
        """A connection of the owner, in autocommit mode."""
        import psycopg

        return psycopg.connect(self.url, password=_PASSWORD, autocommit=True)

    def close(self) -> None:
        """Close the session that looks at the contents."""
        if self._observer:
            self._observer.close()
            self._observer = None

    def run(self, sql: str) -> None:
        """Run statements as the owner."""
        with self.connect() as connection:
            connection.execute(sql.encode())

    def contents(self) -> Contents:
        """Look at everything."""
        connection = self._observer = self._observer or self.connect()
        objects = [text for (text,) in connection.execute(_OBJECTS)]
        tables = connection.execute(_TABLES).fetchall()
        history = [row for table, is_history in tables if is_history for row in _history(connection, table)]
        rows = [row for table, is_history in tables if not is_history for row in _rows(connection, table)]
        return Contents(tuple(history), tuple(objects), tuple(rows))

    def dump(self) -> tuple[str, ...]:
        """The lines of ``pg_dump --schema-only`` that say something about the schema."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "PGPASSWORD": _PASSWORD}
        result = subprocess.run(
            [unpacked_programs() / "pg_dump", "--schema-only", f"--dbname={self.url}"],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )
        lines = result.stdout.splitlines()
        return tuple(line for line in lines if line.strip("- ") and not line.startswith(_DUMP_NOISE))

    def end_sessions(self) -> None:
        """End every session, such as those of a tool that was killed."""
        self.close()
        with self.server.admin() as connection:
            query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(query, [self.name])

    def clear(self) -> None:
        """Make it as good as new."""
        with self.connect() as connection:
            schemas = connection.execute(
                f"SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE {_USER_SCHEMAS}"
            ).fetchall()
            connection.execute(";".join(statement for (statement,) in schemas))
        with self.server.admin(self.name) as connection:
            connection.execute("CREATE SCHEMA public AUTHORIZATION pg_database_owner")


def _history(connection: "psycopg.Connection", table: str) -> list[HistoryRow]:
    query = f"SELECT {_HISTORY_COLUMNS} FROM {table} ORDER BY 1"
    return connection.execute(query.encode()).fetchall()


def _rows(connection: "psycopg.Connection", table: str) -> list[str]:
    query = (
        f"SELECT '{table.replace("'", "''")} ' || the_row::text FROM {table} the_row ORDER BY 1 LIMIT {_MOST_ROWS}"
    )
    return sorted(_MOMENT.sub("<moment>", text) for (text,) in connection.execute(query.encode()))


class Playground:
    """A server, and fresh databases on it."""

    def __init__(self, server: PostgresServer, *, plain: bool = False) -> None:
        self.server, self._plain = server, plain
        self._numbers = count(1)
        if OWNER not in server.roles():
            server.create_user(OWNER, _PASSWORD)

    @contextmanager
    def database(self, name: str = "") -> Iterator[Database]:
        """An empty database, dropped afterwards."""
        name = name or f"conformance_{next(self._numbers)}"
        self.server.create_database(name, OWNER)
        database = Database(self.server, name, plain=self._plain)
        try:
            yield database
        finally:
            database.close()
            self.server.drop_database(name)
