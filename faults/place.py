"""A server with databases to break things in, and what is found there afterwards."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from faults.case import EFFECTS, PACE
from sandbox.directory import temporary_directory
from sandbox.password import make_password
from sandbox.postgres import PostgresServer
from sandbox.protocol_proxy import ProtocolProxy

if TYPE_CHECKING:
    import psycopg

OWNER: Final = "pilot"
APPLICATION: Final = "taxiway"

# A server that is killed keeps what it has committed; only a machine that loses its power would not.
_CRASH_SAFE: Final = {"synchronous_commit": "on"}
_SESSIONS_END_SECONDS: Final = 15
_POLL_SECONDS: Final = 0.005

_RESET: Final = f"""
SET client_min_messages = error;
DROP SCHEMA IF EXISTS public, ledger CASCADE;
CREATE SCHEMA public AUTHORIZATION {OWNER};
CREATE SCHEMA ledger AUTHORIZATION {OWNER};
SET ROLE {OWNER};
CREATE TABLE {EFFECTS} (what text NOT NULL);
CREATE TABLE {PACE} (seconds float NOT NULL);
INSERT INTO {PACE} VALUES (0);
RESET ROLE;
"""
_OTHERS: Final = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SLEEPERS: Final = f"{_OTHERS} AND wait_event = 'PgSleep'"
_ROWS: Final = "SELECT script, success, execution_time FROM public.flyway_schema_history ORDER BY installed_rank"
_INDEXES: Final = """
SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid
WHERE relnamespace = 'public'::regnamespace
"""
_HAS_HISTORY: Final = "SELECT to_regclass('public.flyway_schema_history') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """What a row of the history says of its script."""

    script: str
    success: bool
    execution_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is in a database.

    Attributes:
        effects: How often each is there.
        indexes: All of the schema, each with whether it is valid.
        has_history: The table is there.
    """

    rows: tuple[HistoryRow, ...]
    effects: Mapping[str, int]
    indexes: Mapping[str, bool]
    has_history: bool

    @property
    def applied(self) -> list[str]:
        """The scripts whose rows say that they are applied, markers included."""
        return [row.script for row in self.rows if row.success]

    @property
    def failed(self) -> list[str]:
        """The scripts whose rows say that they are not."""
        return [row.script for row in self.rows if not row.success]


class Place:
    """One database. Not for several threads."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self.server, self.name = server, name
        self._observer: psycopg.Connection | None = None

    def url(self) -> str:
        """For Taxiway, over TLS."""
        return f"postgresql://{OWNER}@{self.server.host}:{self.server.port}/{self.name}?sslmode=require"

    def url_through(self, proxy: ProtocolProxy) -> str:
        """For Taxiway, without TLS: the proxy is to see every message."""
        return f"postgresql://{OWNER}@{proxy.host}:{proxy.port}/{self.name}?sslmode=disable"

    @property
    def observer(self) -> "psycopg.Connection":
        """A superuser's session in autocommit mode; another one when the server has ended the last one."""
        if self._observer is None or self._observer.closed:
            self._observer = self.server.admin(self.name)
        return self._observer

    def close(self) -> None:
        """Close the observer."""
        if self._observer:
            self._observer.close()
            self._observer = None

    def run(self, sql: str) -> None:
        """Run statements as a superuser."""
        self.observer.execute(sql.encode())

    def reset(self, setup: str = "") -> None:
        """Make it as good as new, with ``setup`` run by the owner."""
        self.run(_RESET)
        if setup:
            self.run(f"SET ROLE {OWNER}; {setup}; RESET ROLE")

    def set_pace(self, seconds: float) -> None:
        """How long slow migrations sleep."""
        self.run(f"UPDATE {PACE} SET seconds = {seconds}")

    def sessions(self) -> list[int]:
        """The server's processes for other sessions."""
        return [pid for (pid,) in self.observer.execute(_OTHERS)]

    def is_left_alone(self, *, seconds: float = _SESSIONS_END_SECONDS) -> bool:
        """Wait until nobody else has a session; whether it came to that."""
        deadline = time.monotonic() + seconds
        while self.sessions():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def wait_for_sleep(self) -> None:
        """Return when a slow migration sleeps.

        Raises:
            TimeoutError: It has not come to that.
        """
        deadline = time.monotonic() + _SESSIONS_END_SECONDS
        while not self.observer.execute(_SLEEPERS).fetchall():
            if time.monotonic() > deadline:
                raise TimeoutError("no migration sleeps")
            time.sleep(_POLL_SECONDS)

    def look(self) -> State:
        """Look at everything."""
        [(has_history,)] = self.observer.execute(_HAS_HISTORY)
        rows = self.observer.execute(_ROWS) if has_history else ()
        return State(
            rows=tuple(HistoryRow(*row) for row in rows),
            effects=Counter(what for (what,) in self.observer.execute(f"SELECT what FROM {EFFECTS}".encode())),
            indexes=dict(self.observer.execute(_INDEXES).fetchall()),
            has_history=bool(has_history),
        )


@contextmanager
def open_server(
    settings: Mapping[str, str] | None = None, *, make: Callable[..., PostgresServer] = PostgresServer
) -> Iterator[PostgresServer]:
    """A server that believes whoever says to be the owner, with TLS or without."""
    with temporary_directory() as directory:
        trusting = directory / "hba.conf"
        trusting.write_text("host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n")
        trusting.chmod(0o644)
        given = {**_CRASH_SAFE, "hba_file": str(trusting), **(settings or {})}
        with make(directory / "postgres", settings=given) as server:
            server.create_user(OWNER, make_password())
            yield server


@contextmanager
def open_place(server: PostgresServer, name: str) -> Iterator[Place]:
    """A database, dropped afterwards."""
    server.create_database(name, OWNER)
    place = Place(server, name)
    try:
        yield place
    finally:
        place.close()
        with suppress(Exception):  # whatever broke before is what has to be told
            server.drop_database(name)


def log_of(server: PostgresServer) -> str:
    """What the server has written so far."""
    return Path(server.log).read_text(errors="replace")
