"""What goes wrong has a code of its own, an exit code, and a hint that says what to do next."""

import shutil
import socket
from pathlib import Path

import pytest

from sandbox.bastion import Bastion
from sandbox.git_server import make_key
from tests.e2e.tunnel.conftest import CLUSTER, INSTANCE_NAME, Shop, key_secret, through
from tests.support.tunnels import RunningTunnel, TunnelUser, processes_of


def refused(ended: RunningTunnel, code: str, exit_code: int, *words: str) -> None:
    assert (ended.code, ended.process.returncode) == (code, exit_code), ended.stderr
    [hint] = [line for line in ended.stderr.splitlines() if line.startswith("Hint: ")]
    for one in words:
        assert one in ended.stderr
    assert len(hint) > len("Hint: ")
    assert "Traceback" not in ended.stderr


# --- where to ---


def test_a_misspelt_key_is_an_error_with_the_nearest_name(user: TunnelUser) -> None:
    user.write(cluster=CLUSTER, targt="door")
    refused(user.call(), "unknown-option", 2, "tunnel.targt", "Did you mean 'tunnel.target'?")


def test_a_misspelt_cluster_is_an_error_with_the_nearest_name(user: TunnelUser) -> None:
    user.write(cluster="shpo", target="door")
    refused(user.call(), "aws-not-found", 2, "Did you mean 'shop'?")


def test_a_misspelt_instance_is_an_error_with_the_nearest_name(user: TunnelUser) -> None:
    user.write(cluster=CLUSTER, target="dor")
    refused(user.call(), "aws-not-found", 2, "Did you mean 'door'?")


def test_no_database_and_no_way_are_errors(user: TunnelUser) -> None:
    user.write(target="door")
    refused(user.call(), "missing-option", 2, "--cluster")
    user.write(cluster=CLUSTER)
    refused(user.call(), "missing-option", 2, "--target")
    refused(user.call("--via", "ssh"), "missing-option", 2, "--bastion")


@pytest.mark.parametrize(
    "arguments", [("--via", "shh"), ("--port", "0"), ("--bastion=-oProxyCommand=x",), ("--bastion", "a@b:c")]
)
def test_impossible_values_are_errors(user: TunnelUser, arguments: tuple[str, ...]) -> None:
    refused(user.call(*arguments), "invalid-option", 2)


def test_the_readers_are_led_to_when_asked_for_and_named(by_ssm: TunnelUser, shop: Shop) -> None:
    with by_ssm.calling("--reader") as tunnel:
        line = tunnel.open()
        assert f"host={shop.reader} " in line
        assert "the readers of cluster shop" in tunnel.stderr
        assert by_ssm.psql(line, "SELECT 1", shop.password).stdout == "1\n"
        tunnel.end()


# --- the local port ---


def test_a_port_that_is_in_use_is_told_before_a_session_begins(by_ssm: TunnelUser, shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused(by_ssm.call("--port", str(port)), "tunnel-port-in-use", 2, f"Port {port}", "--port")
    assert shop.aws.sessions() == []


def test_a_second_tunnel_has_a_port_of_its_own_or_is_refused_the_first_ones(
    by_ssm: TunnelUser, shop: Shop
) -> None:
    with by_ssm.calling() as first:
        line = first.open()
        [port] = [word.removeprefix("port=") for word in line.split() if word.startswith("port=")]
        refused(by_ssm.call("--port", port), "tunnel-port-in-use", 2, "another tunnel")
        with by_ssm.calling() as second:
            other = second.open()
            assert other != line
            for one in (line, other):
                assert by_ssm.psql(one, "SELECT 1", shop.password).stdout == "1\n"
            second.end()
        first.end()


# --- Systems Manager ---


def test_an_instance_that_is_not_connected(by_ssm: TunnelUser, shop: Shop) -> None:
    shop.aws.disconnect_agents()
    refused(by_ssm.call(), "tunnel-target-not-connected", 4, INSTANCE_NAME, "AmazonSSMManagedInstanceCore")


def test_an_agent_that_is_too_old(by_ssm: TunnelUser, shop: Shop) -> None:
    shop.connect_agent(version="3.0.196.0")
    refused(by_ssm.call(), "tunnel-agent-too-old", 2, "3.0.196.0", "AWS-UpdateSSMAgent")


def test_a_database_that_the_instance_does_not_reach(by_ssm: TunnelUser, shop: Shop) -> None:
    shop.aws.connect_agent(shop.instance)
    refused(by_ssm.call(), "tunnel-database-unreachable", 4, "security group")
    assert shop.aws.sessions() == []


def test_no_network_to_aws(by_ssm: TunnelUser) -> None:
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    refused(by_ssm.call(**nowhere), "aws-unreachable", 4)


def test_throttling_is_told(by_ssm: TunnelUser, shop: Shop) -> None:
    shop.aws.add_fault("api-error", times=None, action="ssm:StartSession")
    refused(by_ssm.call(), "aws-throttled", 4)


# --- SSH ---


def test_a_key_that_the_bastion_does_not_know(
    user: TunnelUser, shop: Shop, asyncssh_bastion: Bastion, tmp_path: Path
) -> None:
    make_key(tmp_path / "stranger", comment="stranger")
    text = (tmp_path / "stranger").read_text()
    (tmp_path / "stranger").unlink()
    shop.aws.put_secret(f"stranger-{tmp_path.name}", text)
    through(asyncssh_bastion, user, shop)
    ended = user.call("--key-secret", f"stranger-{tmp_path.name}")
    refused(ended, "bastion-auth-rejected", 2, "authorized_keys")


@pytest.mark.parametrize("text", ["nothing like a key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"])
def test_a_secret_that_is_no_key(
    user: TunnelUser, shop: Shop, asyncssh_bastion: Bastion, tmp_path: Path, text: str
) -> None:
    shop.aws.put_secret(f"no-key-{tmp_path.name}", text)
    through(asyncssh_bastion, user, shop)
    ended = user.call("--key-secret", f"no-key-{tmp_path.name}")
    refused(ended, "secret-malformed", 2, f"private key in secret 'no-key-{tmp_path.name}'")


def test_another_host_key(user: TunnelUser, shop: Shop, asyncssh_bastion: Bastion, tmp_path: Path) -> None:
    make_key(tmp_path / "other", comment="other")
    other = (tmp_path / "other.pub").read_text()
    through(asyncssh_bastion, user, shop)
    user.write(
        cluster=CLUSTER,
        bastion=f"{asyncssh_bastion.user}@127.0.0.1:{asyncssh_bastion.port}",
        key_secret=key_secret(asyncssh_bastion),
        host_key=[other.strip()],
    )
    refused(user.call(), "bastion-host-key-rejected", 2, "somebody else")


@pytest.mark.parametrize("kind", ["sshd_bastion", "asyncssh_bastion"])
def test_a_bastion_that_does_not_forward_there(
    user: TunnelUser, shop: Shop, kind: str, request: pytest.FixtureRequest
) -> None:
    bastion: Bastion = request.getfixturevalue(kind)
    through(bastion, user, shop)
    # permitopen of its key names the writer alone
    refused(user.call("--reader"), "bastion-forward-refused", 2, f'permitopen="{shop.reader}:{shop.port}"')
    assert processes_of(user.directory) == []


def test_a_bastion_that_does_not_answer(user: TunnelUser, shop: Shop, asyncssh_bastion: Bastion) -> None:
    through(asyncssh_bastion, user, shop, port=9)
    refused(user.call(), "bastion-unreachable", 4, "Connection refused")


def test_programs_that_are_missing(by_asyncssh: TunnelUser, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = by_asyncssh.call(PATH=str(tmp_path / "empty"))
    refused(ended, "tunnel-program-missing", 2, "'ssh'", "--via ssm")
    refused(by_asyncssh.call("--", "pgsql"), "tunnel-program-missing", 2, "'pgsql'")


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace for this test")
def test_an_ssh_that_is_slow_between_bind_and_listen(by_asyncssh: TunnelUser) -> None:
    """Its socket is there then, and refuses: that says nothing about the database."""
    slow = "inject=listen:delay_enter=300ms"
    by_asyncssh.prefix = ("strace", "-D", "-f", "-qq", "-e", "trace=listen", "-e", slow, "-o", "/dev/null")
    with by_asyncssh.calling() as tunnel:
        tunnel.open()
        assert tunnel.end() == 130


def test_a_database_that_is_down(by_asyncssh: TunnelUser, shop: Shop) -> None:
    shop.relay.is_open = False
    try:
        refused(by_asyncssh.call(), "tunnel-database-unreachable", 4)
    finally:
        shop.relay.is_open = True


def test_another_server_than_postgresql(by_ssm: TunnelUser, shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        shop.aws.connect_agent(shop.instance, [("web.internal", 80, "127.0.0.1", port)])
        with by_ssm.calling("--endpoint", "web.internal", "--endpoint-port", "80") as tunnel:
            client, _ = other.accept()
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            tunnel.process.wait(30)
            client.close()
    refused(tunnel, "tunnel-database-unreachable", 4, "no PostgreSQL")


def test_nothing_is_left_in_the_background(user: TunnelUser) -> None:
    """Of no test before this one: each has had a directory of its own beside that of this user."""
    assert {str(one): processes_of(one) for one in user.directory.parent.iterdir() if processes_of(one)} == {}
