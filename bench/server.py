"""The server that everything is measured on: crash-safe as in production, on loopback, without TLS or password."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from sandbox.directory import temporary_directory
from sandbox.password import make_password
from sandbox.postgres import PostgresServer

USER: Final = "bench"

# PostgreSQL's own defaults, where the sandbox's are those of a throw-away server.
_SETTINGS: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a tool finds its database: the server itself, or a proxy before it. ``user`` needs no password."""

    host: str
    port: int
    database: str
    user: str = USER

    @property
    def url(self) -> str:
        """For libpq and what understands the same."""
        return f"postgres://{self.user}@{self.host}:{self.port}/{self.database}?sslmode=disable"


class BenchServer:
    """``with open_server() as server``: fresh databases."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = count(1)
        server.create_user(USER, make_password())

    @property
    def version(self) -> str:
        """Of PostgreSQL."""
        return self._server.version

    @contextmanager
    def database(self, *, like: Address | None = None) -> Iterator[Address]:
        """An empty database, or a copy of another one; dropped afterwards."""
        name = f"bench_{next(self._numbers)}"
        template = like.database if like else "template1"
        with self._server.admin() as connection:
            # Written to disk before anything is measured, so that no run pays for another one's pages.
            connection.execute(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE {template}".encode())
            connection.execute("CHECKPOINT")
        try:
            yield Address(host=self._server.host, port=self._server.port, database=name)
        finally:
            self._server.drop_database(name)

    def count_rows(self, address: Address, table: str) -> int:
        """How many rows a table has."""
        with self._server.admin(address.database) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def open_server() -> Iterator[BenchServer]:
    """Start it; everything of it is gone afterwards."""
    with temporary_directory() as directory:
        settings = {**_SETTINGS, "hba_file": str(_write_rules(directory))}
        with PostgresServer(directory / "postgres", settings=settings) as server:
            yield BenchServer(server)


def _write_rules(directory: Path) -> Path:
    rules = directory / "hba.conf"
    rules.write_text("host all all 127.0.0.1/32 trust\n")
    rules.chmod(0o644)
    return rules
