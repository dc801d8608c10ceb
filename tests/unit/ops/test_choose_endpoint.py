"""A tunnel leads to the writer, and always says where it leads."""

import pytest

from taxiway import errors
from taxiway.model.infra import Stack
from taxiway.model.tunnel import DatabaseServer, Role, TunnelSettings
from taxiway.ops.choose_endpoint import choose_endpoint, with_outputs
from tests.support.fake_stacks import stack

CLUSTER = DatabaseServer(
    identifier="shop",
    host="w.example",
    port=5433,
    role=Role.WRITER,
    reader="r.example",
    cluster="shop",
    user="master",
)


class Servers:
    def __init__(self, server: DatabaseServer = CLUSTER) -> None:
        self.server = server
        self.asked: list[str] = []

    def get_server(self, name: str) -> DatabaseServer:
        self.asked.append(name)
        return self.server


class Stacks:
    def get_stack(self, _stack: str) -> Stack:
        outputs = (("DatabaseClusterId", "of-the-stack"), ("BastionInstanceId", "i-1"))
        return stack("CREATE_COMPLETE", outputs=outputs)


def test_the_writer_is_meant_unless_somebody_says_otherwise() -> None:
    found = choose_endpoint(TunnelSettings(cluster="shop"), Servers())
    assert (found.host, found.port, found.role) == ("w.example", 5433, Role.WRITER)
    assert found.words == "the writer of cluster shop"
    found = choose_endpoint(TunnelSettings(cluster="shop", reader=True), Servers())
    assert (found.host, found.words) == ("r.example", "the readers of cluster shop")


@pytest.mark.parametrize(
    ("role", "cluster", "words"),
    [
        (Role.READER, "shop", "instance one, now a reader of cluster shop"),
        (Role.WRITER, "shop", "instance one, now a writer of cluster shop"),
        (Role.WRITER, None, "instance one"),
        (Role.READER, None, "instance one, a read replica"),
    ],
)
def test_what_an_instance_is_is_said(role: Role, cluster: str | None, words: str) -> None:
    server = DatabaseServer(identifier="one", host="h", port=5432, role=role, cluster=cluster)
    assert choose_endpoint(TunnelSettings(cluster="one"), Servers(server)).words == words


@pytest.mark.parametrize(
    ("endpoint", "role"),
    [
        ("shop.cluster-abc.eu-west-1.rds.amazonaws.com", Role.WRITER),
        ("shop.cluster-ro-abc.eu-west-1.rds.amazonaws.com", Role.READER),
        ("x.cluster-custom-abc.eu-west-1.rds.amazonaws.com", Role.CUSTOM),
        ("x.proxy-abc.eu-west-1.rds.amazonaws.com", Role.PROXY),
        ("one.abc.eu-west-1.rds.amazonaws.com", Role.INSTANCE),
        ("db.internal", Role.UNKNOWN),
    ],
)
def test_an_endpoint_is_not_asked_about_and_known_by_its_name(endpoint: str, role: Role) -> None:
    servers = Servers()
    found = choose_endpoint(TunnelSettings(endpoint=endpoint), servers)
    assert (found.host, found.port, found.role, servers.asked) == (endpoint, 5432, role, [])


@pytest.mark.parametrize(
    "settings",
    [
        TunnelSettings(),
        TunnelSettings(endpoint="h", reader=True),
        TunnelSettings(cluster="shop", endpoint_port=5432),
    ],
)
def test_what_does_not_say_where_is_refused(settings: TunnelSettings) -> None:
    with pytest.raises(errors.ConfigError):
        choose_endpoint(settings, Servers())


def test_a_cluster_without_readers_has_none() -> None:
    server = DatabaseServer(identifier="one", host="h", port=5432, role=Role.WRITER)
    with pytest.raises(errors.InvalidOption, match="no endpoint for readers"):
        choose_endpoint(TunnelSettings(cluster="one", reader=True), Servers(server))


def test_the_outputs_of_the_stack_tell_what_is_set_nowhere_else() -> None:
    told = with_outputs(TunnelSettings(stack="s"), Stacks())
    assert (told.cluster, told.target) == ("of-the-stack", "i-1")
    assert with_outputs(TunnelSettings(stack="s", cluster="mine"), Stacks()).cluster == "mine"
    assert with_outputs(TunnelSettings(stack="s", endpoint="h"), Stacks()).cluster is None
    assert with_outputs(TunnelSettings(), Stacks()) == TunnelSettings()
