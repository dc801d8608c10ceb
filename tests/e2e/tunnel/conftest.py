"""A private database that only a bastion, or an instance of Systems Manager, can reach: verify-full, by its real name."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from sandbox.aws import AwsEndpoint
from sandbox.bastion import Bastion, find_sshd
from sandbox.directory import temporary_directory
from sandbox.password import make_password
from sandbox.postgres import PostgresServer
from sandbox.relay import Relay
from tests.support.tunnels import TunnelUser

CLUSTER = "shop"
INSTANCE_NAME = "door"
NO_SSHD = "no sshd for this test: it takes root on Linux, unshare, and openssh-server"

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """An Aurora cluster of the emulated account, and the real server that plays it.

    Attributes:
        writer, reader: Its endpoints, both in the server's certificate.
        port: The port of both; on this machine, a relay to the server.
        instance: An EC2 instance with the Name tag ``door``.
    """

    aws: AwsEndpoint
    server: PostgresServer
    relay: Relay
    writer: str
    reader: str
    port: int
    instance: str
    user: str
    password: str

    def connect_agent(self, **settings: bool | str) -> int:
        """Connect the instance to Systems Manager."""
        hosts = [(name, self.port, "127.0.0.1", self.port) for name in (self.writer, self.reader)]
        is_lossy, version = bool(settings.get("is_lossy")), settings.get("version")
        return self.aws.connect_agent(
            self.instance, hosts, is_lossy=is_lossy, version=version if isinstance(version, str) else None
        )


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    with temporary_directory() as directory, AwsEndpoint(directory / "aws") as aws:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        user, password = "shop_user", make_password()
        writer, reader = make_cluster(aws, port, user)
        names = (writer, reader)
        with (
            PostgresServer(directory / "postgres", names=names) as server,
            Relay(server.host, server.port, port=port) as relay,
        ):
            server.create_user(user, password)
            server.create_database(CLUSTER, user)
            yield Shop(
                aws=aws,
                server=server,
                relay=relay,
                writer=writer,
                reader=reader,
                port=port,
                instance=make_instance(aws),
                user=user,
                password=password,
            )


def make_cluster(aws: AwsEndpoint, port: int, user: str) -> tuple[str, str]:
    made = aws.client("rds").create_db_cluster(
        DBClusterIdentifier=CLUSTER,
        Engine="aurora-postgresql",
        DatabaseName=CLUSTER,
        MasterUsername=user,
        MasterUserPassword="not used here",
        Port=port,
    )["DBCluster"]
    return made["Endpoint"], made["ReaderEndpoint"]


def make_instance(aws: AwsEndpoint) -> str:
    image = aws.client("ec2").describe_images()["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": INSTANCE_NAME}]}]
    made = aws.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags)
    instance: str = made["Instances"][0]["InstanceId"]
    return instance


@pytest.fixture
def connected(shop: Shop) -> Iterator[Shop]:
    """The same, with the instance connected to Systems Manager; every session is over afterwards."""
    shop.connect_agent()
    yield shop
    shop.aws.end_sessions()
    shop.aws.disconnect_agents()
    shop.aws.clear_faults()


@pytest.fixture(scope="session")
def sshd_bastion(shop: Shop) -> Iterator[Bastion]:
    """A real sshd that leads to the writer and nowhere else; its key is in Secrets Manager."""
    sshd = find_sshd()
    if sshd is None:
        pytest.skip(NO_SSHD)
    yield from _bastion(shop, sshd)


@pytest.fixture(scope="session")
def asyncssh_bastion(shop: Shop) -> Iterator[Bastion]:
    """The same where there is no sshd."""
    yield from _bastion(shop, None)


def _bastion(shop: Shop, sshd: str | None) -> Iterator[Bastion]:
    with (
        temporary_directory() as directory,
        Bastion(directory / "bastion", name=shop.writer, port=shop.port, sshd=sshd) as made,
    ):
        shop.aws.put_secret(key_secret(made), made.private_key)
        yield made


def key_secret(bastion: Bastion) -> str:
    return f"bastion@{bastion.user}"


@pytest.fixture
def user(shop: Shop, tmp_path: Path) -> TunnelUser:
    """Whoever opens a tunnel, with the right authorities; what to go through is for the test to say."""
    made = TunnelUser(tmp_path, {**shop.aws.environment, "TAXIWAY_NUMBER": str(next(_numbers))})
    made.write(cluster=CLUSTER, sslrootcert=str(shop.server.authority))
    return made


@pytest.fixture
def by_ssm(user: TunnelUser, connected: Shop) -> TunnelUser:
    user.write(cluster=CLUSTER, target=INSTANCE_NAME, sslrootcert=str(connected.server.authority))
    return user


@pytest.fixture
def by_sshd(user: TunnelUser, shop: Shop, sshd_bastion: Bastion) -> TunnelUser:
    return through(sshd_bastion, user, shop)


@pytest.fixture
def by_asyncssh(user: TunnelUser, shop: Shop, asyncssh_bastion: Bastion) -> TunnelUser:
    return through(asyncssh_bastion, user, shop)


def through(bastion: Bastion, user: TunnelUser, shop: Shop, *, port: int | None = None) -> TunnelUser:
    """The user with a bastion in the file, or with another port of it."""
    user.write(
        cluster=CLUSTER,
        bastion=f"{bastion.user}@{bastion.address}:{port or bastion.port}",
        key_secret=key_secret(bastion),
        host_key=[bastion.host_key],
        sslrootcert=str(shop.server.authority),
    )
    return user
