"""A database that is not up yet is waited for, when that is asked for, and nothing else is."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from sandbox.postgres import PostgresServer
from taxiway import errors
from taxiway.model.event import WaitingForDatabase, WakingDatabase
from taxiway.model.settings import DatabaseSettings
from taxiway.reports.log import describe
from taxiway.secret import Secret
from tests.integration.postgres.conftest import RDS_NAME, Heard, Opener
from tests.support.workspace import Workspace


@pytest.fixture
def asleep(rds_server: PostgresServer) -> DatabaseSettings:
    parameters = {
        "host": RDS_NAME,
        "hostaddr": rds_server.host,
        "port": str(rds_server.port),
        "dbname": "postgres",
        "sslrootcert": str(rds_server.authority),
    }
    password = Secret(rds_server.superuser_password)
    return DatabaseSettings(user="postgres", password=password, wake_seconds=30, parameters=parameters)


@contextmanager
def waking_after(server: PostgresServer, seconds: float) -> Iterator[None]:
    """The server is down, and comes up after so many seconds."""
    server.stop()
    timer = threading.Timer(seconds, server.restart)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_a_database_is_woken(
    opened: Opener, asleep: DatabaseSettings, rds_server: PostgresServer, heard: Heard
) -> None:
    with waking_after(rds_server, 1.5):
        assert opened(asleep).facts.database == "postgres"
    [told] = heard
    assert isinstance(told, WakingDatabase)
    assert "Waking the database, for up to 30 s ..." in describe(told).text


def test_attempts_to_wake_do_not_count_as_retries(opened: Opener, asleep: DatabaseSettings, heard: Heard) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = {**asleep.parameters, "port": str(probe.getsockname()[1])}
        with pytest.raises(errors.ConnectionFailed, match=r"waited for \d+ s \(wakeTimeout\)"):
            opened(replace(asleep, wake_seconds=1, connect_retries=1, parameters=closed))
    assert [type(event) for event in heard] == [WakingDatabase, WaitingForDatabase]


def test_a_server_that_accepts_and_says_nothing_is_waited_for(
    opened: Opener, asleep: DatabaseSettings, heard: Heard
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        parameters = {**asleep.parameters, "port": str(silent.getsockname()[1]), "connect_timeout": "2"}
        with pytest.raises(errors.ConnectionFailed, match="timeout expired"):
            opened(replace(asleep, wake_seconds=3, parameters=parameters))
    assert isinstance(heard[0], WakingDatabase)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"password": Secret("wrong")}, errors.AuthenticationFailed),
        ({"dbname": "nowhere"}, errors.DatabaseNotFound),
        ({"host": "other.example.com", "sslmode": "verify-full"}, errors.CertificateRejected),
        ({"host": "nowhere.invalid", "hostaddr": ""}, errors.ConnectionFailed),
    ],
)
def test_what_does_not_get_better_is_not_waited_for(
    opened: Opener,
    asleep: DatabaseSettings,
    heard: Heard,
    change: dict[str, str | Secret],
    error: type[errors.DatabaseError],
) -> None:
    password = change.pop("password", asleep.password)
    started = time.monotonic()
    with pytest.raises(error):
        opened(replace(asleep, password=password, parameters={**asleep.parameters, **change}))  # type: ignore[arg-type]
    assert heard == []
    assert time.monotonic() - started < 20


def test_the_command_waits_when_that_is_asked_for(workspace: Workspace) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
        patient = workspace.run("info", "--port", port, "--wake-timeout", "1")
        impatient = workspace.run("info", "--port", port)
    assert patient.returncode == impatient.returncode == 4
    assert "Waking the database, for up to 1 s ..." in patient.stdout
    assert "Waking" not in impatient.stdout
