"""A laptop that cannot reach the database in any way reaches it through the tunnel: in a network of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.bastion import Bastion, find_sshd
from sandbox.directory import temporary_directory
from sandbox.network import Machine, can_make_machines
from sandbox.relay import Relay
from tests.e2e.tunnel.conftest import CLUSTER, INSTANCE_NAME, Shop, key_secret
from tests.support.tunnels import TunnelUser

pytestmark = pytest.mark.skipif(
    not can_make_machines(), reason="no network namespaces for this test: they take root on Linux, and iproute2"
)


@pytest.fixture(scope="module")
def laptop() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


@pytest.fixture
def outside(laptop: Machine, shop: Shop, tmp_path: Path) -> Iterator[TunnelUser]:
    """At the laptop, which reaches AWS and the bastion, as everybody does, and nothing else."""
    channels = shop.connect_agent()
    gateway = laptop.gateway
    with (
        Relay("127.0.0.1", shop.aws.port, host=gateway, port=shop.aws.port),
        Relay("127.0.0.1", channels, host=gateway, port=channels),
    ):
        environment = {**shop.aws.environment, "AWS_ENDPOINT_URL": f"http://{gateway}:{shop.aws.port}"}
        yield TunnelUser(tmp_path, environment, prefix=laptop.prefix)
    shop.aws.end_sessions()
    shop.aws.disconnect_agents()


def directly(user: TunnelUser, shop: Shop, address: str) -> str:
    """What psql says without a tunnel."""
    line = f"psql 'host={shop.writer} hostaddr={address} port={shop.port} dbname={CLUSTER} user={shop.user}'"
    answer = user.psql(line, "SELECT 1", shop.password)
    assert answer.returncode != 0
    return answer.stderr


def reaches_the_database(user: TunnelUser, shop: Shop, laptop: Machine) -> None:
    for address in ("127.0.0.1", laptop.gateway):
        assert "Connection refused" in directly(user, shop, address)
    with user.calling() as tunnel:
        answer = user.psql(tunnel.open(), "SELECT inet_server_addr()", shop.password)
        assert (answer.returncode, answer.stdout.strip()) == (0, "127.0.0.1"), answer.stderr
        tunnel.end()
    assert "Connection refused" in directly(user, shop, "127.0.0.1")


def test_with_systems_manager(outside: TunnelUser, shop: Shop, laptop: Machine) -> None:
    outside.write(cluster=CLUSTER, target=INSTANCE_NAME, sslrootcert=str(shop.server.authority))
    reaches_the_database(outside, shop, laptop)


@pytest.mark.parametrize("kind", ["sshd", "asyncssh"])
def test_with_a_bastion(outside: TunnelUser, shop: Shop, laptop: Machine, kind: str) -> None:
    sshd = find_sshd() if kind == "sshd" else None
    if kind == "sshd" and sshd is None:
        pytest.skip("no sshd for this test: it takes root on Linux, unshare, and openssh-server")
    with (
        temporary_directory() as directory,
        Bastion(
            directory / "bastion", name=shop.writer, port=shop.port, sshd=sshd, address=laptop.gateway
        ) as bastion,
    ):
        secret = f"{key_secret(bastion)}-outside"
        shop.aws.put_secret(secret, bastion.private_key)
        outside.write(
            cluster=CLUSTER,
            bastion=f"{bastion.user}@{bastion.address}:{bastion.port}",
            key_secret=secret,
            host_key=[bastion.host_key],
            sslrootcert=str(shop.server.authority),
        )
        reaches_the_database(outside, shop, laptop)
