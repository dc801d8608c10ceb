"""A connection that dies is made again, with a line that says so, on the same port."""

import subprocess
import time

import pytest

from sandbox.bastion import Bastion
from sandbox.relay import Relay
from tests.e2e.tunnel.conftest import Shop, through
from tests.support.tunnels import TunnelUser

WORKING = "SELECT pg_sleep(3), 'survived'"


def begin(user: TunnelUser, line: str, shop: Shop, statement: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["/bin/sh", "-c", f'{line.strip()} -XAtc "$1"', "sh", statement],
        env=user.variables | {"PGPASSWORD": shop.password},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_asleep(shop: Shop) -> None:
    deadline = time.monotonic() + 30
    with shop.server.admin() as connection:
        while not connection.execute(b"SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_session_is_resumed_and_open_connections_go_on(by_ssm: TunnelUser, shop: Shop) -> None:
    with by_ssm.calling() as tunnel:
        line = tunnel.open()
        client = begin(by_ssm, line, shop, WORKING)
        wait_until_asleep(shop)
        assert shop.aws.cut_sessions() == 1
        tunnel.wait_for("The connection was lost (")
        tunnel.wait_for("Connected again; open database connections go on.")
        assert client.communicate(timeout=60)[0].strip() == "|survived"
        [session] = shop.aws.sessions()
        assert session
        tunnel.end()


def test_a_session_that_was_ended_is_replaced_by_another(by_ssm: TunnelUser, shop: Shop) -> None:
    with by_ssm.calling() as tunnel:
        line = tunnel.open()
        [first] = shop.aws.sessions()
        shop.aws.end_sessions()
        tunnel.wait_for("The connection was lost (ended by the administrator); reconnecting ...")
        tunnel.wait_for("Connected again on the same port")
        [second] = shop.aws.sessions()
        assert second != first
        assert by_ssm.psql(line, "SELECT 1", shop.password).stdout == "1\n"
        tunnel.end()


def test_no_byte_is_lost_or_doubled_where_messages_are(by_ssm: TunnelUser, shop: Shop) -> None:
    shop.connect_agent(is_lossy=True)
    with by_ssm.calling() as tunnel:
        line = tunnel.open()
        answer = by_ssm.psql(
            line, "SELECT string_agg(md5(n::text), '' ORDER BY n) FROM generate_series(1, 1000) n", shop.password
        )
        with shop.server.admin() as connection:
            [[wanted]] = connection.execute(
                b"SELECT string_agg(md5(n::text), '' ORDER BY n) FROM generate_series(1, 1000) n"
            ).fetchall()
        assert answer.stdout.strip() == wanted, answer.stderr
        tunnel.end()


@pytest.mark.parametrize("kind", ["sshd_bastion", "asyncssh_bastion"])
def test_ssh_is_started_again_when_its_connection_is_cut(
    user: TunnelUser, shop: Shop, kind: str, request: pytest.FixtureRequest
) -> None:
    bastion: Bastion = request.getfixturevalue(kind)
    with Relay(bastion.address, bastion.port) as way:
        through(bastion, user, shop, port=way.port)
        with user.calling() as tunnel:
            line = tunnel.open()
            way.is_open = False
            assert way.cut() == 1
            tunnel.wait_for("reconnecting ...")
            tunnel.wait_for("Trying again in")
            way.is_open = True
            tunnel.wait_for("Connected again on the same port")
            assert user.psql(line, "SELECT 1", shop.password).stdout == "1\n"
            tunnel.end()


def test_a_client_that_comes_meanwhile_waits(user: TunnelUser, shop: Shop, asyncssh_bastion: Bastion) -> None:
    with Relay(asyncssh_bastion.address, asyncssh_bastion.port) as way:
        through(asyncssh_bastion, user, shop, port=way.port)
        with user.calling() as tunnel:
            line = tunnel.open()
            way.is_open = False
            way.cut()
            tunnel.wait_for("Trying again in")
            client = begin(user, line, shop, "SELECT 1")
            time.sleep(0.3)
            assert client.poll() is None
            way.is_open = True
            assert client.communicate(timeout=60)[0] == "1\n"
            tunnel.end()
