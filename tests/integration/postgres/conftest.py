"""Sessions as the engine gets them, without files and commands."""

from collections.abc import Callable, Iterator

import pytest

from sandbox.directory import temporary_directory
from sandbox.postgres import PostgresServer
from taxiway.clock import SystemClock
from taxiway.engine.ports import HistoryTable
from taxiway.model.event import NoticeReceived, SecretReadAgain, WaitingForDatabase, WakingDatabase, Warned
from taxiway.model.settings import DatabaseSettings
from taxiway.postgres.connection import open_session
from taxiway.postgres.session import PostgresSession
from taxiway.secret import Secret
from tests.support.pytest_sandbox import Database

type Heard = list[NoticeReceived | WaitingForDatabase | WakingDatabase | SecretReadAgain | Warned]
type Opener = Callable[[DatabaseSettings], PostgresSession]


@pytest.fixture
def heard() -> Heard:
    """Everything that the sessions of a test have told, in order."""
    return []


@pytest.fixture
def opened(heard: Heard) -> Iterator[Opener]:
    """Opens sessions that are closed after the test."""
    sessions: list[PostgresSession] = []

    def opener(settings: DatabaseSettings) -> PostgresSession:
        session = open_session(settings, clock=SystemClock(), on_notice=heard.append, on_event=heard.append)
        sessions.append(session)
        return session

    yield opener
    for session in sessions:
        session.close()


@pytest.fixture
def settings(database: Database) -> DatabaseSettings:
    """How to reach the database of the test as its owner."""
    return DatabaseSettings(url=database.url, password=Secret(database.password))


@pytest.fixture
def session(opened: Opener, settings: DatabaseSettings) -> PostgresSession:
    return opened(settings)


@pytest.fixture
def superuser(opened: Opener, database: Database) -> PostgresSession:
    """A session on the same database of somebody who may do everything."""
    server = database.server
    url = server.url("postgres", database.name)
    return opened(DatabaseSettings(url=url, password=Secret(server.superuser_password)))


@pytest.fixture
def table() -> HistoryTable:
    return HistoryTable("public", "flyway_schema_history")


RDS_NAME = "shop.cluster-abc123.eu-west-1.rds.amazonaws.com"
"""A name that no resolver knows; the server below has a certificate for it."""


@pytest.fixture(scope="module")
def rds_server() -> Iterator[PostgresServer]:
    """A server with a name of Aurora, certified by an authority that is none of RDS's."""
    with (
        temporary_directory(in_memory=True) as directory,
        PostgresServer(directory / "postgres", names=[RDS_NAME]) as server,
    ):
        yield server
