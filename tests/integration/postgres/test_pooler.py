"""Poolers that share sessions are found for certain; a server costs no question for that."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.directory import temporary_directory
from sandbox.pooler import Pooler
from sandbox.postgres import PostgresServer
from taxiway import errors
from taxiway.model.event import Warned
from taxiway.model.settings import DatabaseSettings
from tests.integration.postgres.conftest import Heard, Opener
from tests.support.command import complaint, run_command
from tests.support.servers import trusting_server

USER = "pooled"
PROXY = "shop.proxy-abc123.eu-west-1.rds.amazonaws.com"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with trusting_server(USER) as server:
        yield server


@pytest.fixture(params=[True, False], ids=["per transaction", "per session"])
def pooler(server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[Pooler]:
    with Pooler(server.host, server.port, per_transaction=request.param) as pooler:
        yield pooler


per_transaction = pytest.mark.parametrize("pooler", [True], indirect=True, ids=["per transaction"])
per_session = pytest.mark.parametrize("pooler", [False], indirect=True, ids=["per session"])


def settings(host: str, port: int, *, pooler: str = "warn", **parameters: str) -> DatabaseSettings:
    given = {"host": host, "port": str(port), "dbname": "postgres", "sslmode": "disable", "gssencmode": "disable"}
    return DatabaseSettings(user=USER, pooler=pooler, parameters=given | parameters)


@per_transaction
def test_a_pooler_that_shares_sessions_is_warned_of(opened: Opener, pooler: Pooler, heard: Heard) -> None:
    opened(settings(pooler.host, pooler.port))
    [warned] = heard
    assert isinstance(warned, Warned)
    assert f"{pooler.host}:{pooler.port}/postgres is a pooler" in warned.message
    assert "migration lock" in warned.message


@per_transaction
def test_others_who_use_the_pool_make_no_difference(opened: Opener, pooler: Pooler, heard: Heard) -> None:
    for _ in range(3):
        opened(settings(pooler.host, pooler.port, pooler="accept"))
    opened(settings(pooler.host, pooler.port))
    assert len(heard) == 1


@per_session
def test_a_pooler_that_leaves_a_client_its_session_is_none_to_us(
    opened: Opener, pooler: Pooler, heard: Heard
) -> None:
    opened(settings(pooler.host, pooler.port))
    opened(settings(pooler.host, pooler.port, pooler="refuse"))
    assert heard == []


def test_a_server_is_no_pooler(opened: Opener, server: PostgresServer, heard: Heard) -> None:
    opened(settings(server.host, server.port, pooler="refuse"))
    assert heard == []


@per_transaction
def test_it_can_be_accepted_or_refused(opened: Opener, pooler: Pooler, heard: Heard) -> None:
    opened(settings(pooler.host, pooler.port, pooler="accept"))
    assert heard == []
    with pytest.raises(errors.PoolerRefused, match="is a pooler") as caught:
        opened(settings(pooler.host, pooler.port, pooler="refuse"))
    assert "pooler=warn" in (caught.value.hint or "")


def test_rds_proxy_is_known_by_its_name(opened: Opener, server: PostgresServer, heard: Heard) -> None:
    opened(settings(PROXY, server.port, hostaddr=server.host))
    [warned] = heard
    assert isinstance(warned, Warned)
    assert f"{PROXY} at {server.host}:{server.port}/postgres is an RDS Proxy" in warned.message
    with pytest.raises(errors.PoolerRefused):
        opened(settings(PROXY, server.port, hostaddr=server.host, pooler="refuse"))


@per_transaction
def test_the_command_refuses_by_name(pooler: Pooler, tmp_path: Path) -> None:
    url = f"postgresql://{USER}@{pooler.host}:{pooler.port}/postgres?sslmode=disable&gssencmode=disable"
    result = run_command("test-connection", "--url", url, "--pooler", "refuse", directory=tmp_path)
    assert "is a pooler" in complaint(result, 2, "pooler-refused")


# --- the real PgBouncer, where it is installed ---


@pytest.mark.skipif(not shutil.which("pgbouncer"), reason="PgBouncer is not installed")
@pytest.mark.parametrize(("mode", "warnings"), [("transaction", 1), ("statement", 1), ("session", 0)])
def test_pgbouncer(opened: Opener, server: PostgresServer, heard: Heard, mode: str, warnings: int) -> None:
    with temporary_directory() as directory:
        directory.chmod(0o755)
        configuration, users = directory / "pgbouncer.ini", directory / "users"
        users.write_text(f'"{USER}" ""\n')
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        configuration.write_text(
            f"[databases]\n* = host={server.host} port={server.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {users}\npool_mode = {mode}\nuser = nobody\n"
        )
        with subprocess.Popen(["pgbouncer", "-q", configuration], stderr=subprocess.DEVNULL) as process:
            try:
                time.sleep(0.5)
                opened(settings("127.0.0.1", port))
            finally:
                process.terminate()
    assert len(heard) == warnings
