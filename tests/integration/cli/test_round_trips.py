"""How often a command waits for the server: the numbers are those of the wire, counted on the way."""

from pathlib import Path

import pytest

from sandbox.password import make_password
from sandbox.postgres import PostgresServer
from sandbox.protocol_proxy import ProtocolProxy
from tests.support.command import run_command
from tests.support.pytest_sandbox import plain_url

USER = "owner"
# The greeting, and two to agree that the password is right (PostgreSQL manual, "SASL Authentication")
LOGIN = 3


class Origin:
    """A server behind a proxy that counts."""

    def __init__(self, server: PostgresServer) -> None:
        self.server, self.password = server, make_password()
        server.create_user(USER, self.password)
        self._databases = 0

    def create_database(self) -> str:
        self._databases += 1
        name = f"counted_{self._databases}"
        self.server.create_database(name, USER)
        return name

    def round_trips(
        self, *commands: str, directory: Path, database: str, delay_ms: float = 0, ledger: bool = False
    ) -> int:
        """How many the commands take, after the login."""
        with ProtocolProxy(self.server.host, self.server.port, delay_ms=delay_ms) as proxy:
            environment = {
                "FLYWAY_URL": plain_url(proxy, USER, database),
                "FLYWAY_PASSWORD": self.password,
                "TAXIWAY_LEDGER": str(ledger).lower(),
            }
            result = run_command(*commands, directory=directory, environment=environment)
            assert result.returncode == 0, result.stderr
            proxy.wait_until_closed()
            return proxy.counts().round_trips - LOGIN


@pytest.fixture(scope="module")
def origin(plain_server: PostgresServer) -> Origin:
    return Origin(plain_server)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_migrations(tmp_path, 3)
    return tmp_path


def write_migrations(directory: Path, count: int) -> None:
    scripts = directory / "sql"
    scripts.mkdir()
    for number in range(1, count + 1):
        (scripts / f"V{number}__table.sql").write_text(f"CREATE TABLE t{number} (n int);")


def test_info_of_a_fresh_database_asks_who_we_are_and_what_is_there(origin: Origin, project: Path) -> None:
    assert origin.round_trips("info", directory=project, database=origin.create_database()) == 2


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        # Who we are, what is there, the history
        (("info",), 3),
        (("info", "info"), 4),
        (("validate",), 3),
        # The lock is taken with the first look, and given back by itself
        (("migrate",), 4),
        (("info", "migrate", "info"), 6),
    ],
)
def test_with_nothing_to_do_each_command_waits_as_often_as_this(
    origin: Origin, project: Path, commands: tuple[str, ...], expected: int
) -> None:
    database = origin.create_database()
    origin.round_trips("migrate", directory=project, database=database)
    assert origin.round_trips(*commands, directory=project, database=database) == expected


def test_a_hundred_migrations_with_info_before_and_after_wait_twelve_times_at_most(
    origin: Origin, tmp_path: Path
) -> None:
    write_migrations(tmp_path, 100)
    database = origin.create_database()
    # Without a delay, answers come while the rest is still being sent, and each such moment counts.
    waits = origin.round_trips("info", "migrate", "info", directory=tmp_path, database=database, delay_ms=40)
    assert waits <= 12


def test_the_ledger_waits_twice_once_its_tables_are_there(origin: Origin, project: Path) -> None:
    database = origin.create_database()
    origin.round_trips("migrate", directory=project, database=database, ledger=True)
    without = origin.round_trips("migrate", directory=project, database=database)
    assert origin.round_trips("migrate", directory=project, database=database, ledger=True) == without + 2


def test_a_ledger_of_a_hundred_migrations_waits_twice_too(origin: Origin, tmp_path: Path) -> None:
    database = origin.create_database()
    write_migrations(tmp_path, 1)
    origin.round_trips("migrate", directory=tmp_path, database=database, ledger=True)
    for number in range(2, 101):
        (tmp_path / "sql" / f"V{number}__table.sql").write_text(f"CREATE TABLE t{number} (n int);")
    waits = origin.round_trips(
        "info", "migrate", "info", directory=tmp_path, database=database, delay_ms=40, ledger=True
    )
    assert waits <= 12 + 2
