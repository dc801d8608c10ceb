"""The line that is printed leads to the database, with the server's real name checked, by either way."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.tunnel.conftest import Shop
from tests.support.tunnels import TunnelUser, processes_of

WHERE = "SELECT current_database(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(params=["by_ssm", "by_sshd", "by_asyncssh"])
def user(request: pytest.FixtureRequest) -> TunnelUser:
    made: TunnelUser = request.getfixturevalue(request.param)
    return made


def test_the_printed_line_leads_to_the_writer_and_checks_its_name(user: TunnelUser, shop: Shop) -> None:
    with user.calling() as tunnel:
        line = tunnel.open()
        assert f"host={shop.writer} hostaddr=127.0.0.1 " in line
        assert "sslmode=verify-full" in line
        assert f"the writer of cluster shop ({shop.writer}:{shop.port})" in tunnel.stderr
        answer = user.psql(line, WHERE, shop.password)
        assert (answer.returncode, answer.stdout.strip()) == (0, "shop|t"), answer.stderr
        # Another name at the same address: the server cannot prove it.
        other = user.psql(line.replace(shop.writer, f"other.{shop.writer}"), WHERE, shop.password)
        assert "does not match host name" in other.stderr
        assert tunnel.end() == 130
    assert "The tunnel is closed." in tunnel.stderr
    assert shop.password not in tunnel.stdout + tunnel.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_process_no_file_and_no_session(
    user: TunnelUser, shop: Shop, number: signal.Signals
) -> None:
    before = set(user.directory.iterdir())
    with user.calling() as tunnel:
        tunnel.open()
        assert processes_of(user.directory)
        assert tunnel.end(number) == (130 if number == signal.SIGINT else 143)
    assert processes_of(user.directory) == []
    left = {path for path in set(user.directory.iterdir()) - before if not path.name.startswith(("out-", "err-"))}
    assert left == set()
    assert shop.aws.sessions() == []


def test_a_kill_leaves_no_process_either(user: TunnelUser) -> None:
    with user.calling() as tunnel:
        tunnel.open()
        tunnel.process.kill()
        tunnel.process.wait()
        deadline = time.monotonic() + 10
        while processes_of(user.directory):
            assert time.monotonic() < deadline, processes_of(user.directory)
            time.sleep(0.05)


def test_a_program_runs_through_it_and_its_exit_code_is_ours(user: TunnelUser, shop: Shop) -> None:
    shop_password = {"PGPASSWORD": shop.password}
    ran = user.call("--", "psql", "-XAtc", WHERE, **shop_password)
    assert (ran.process.returncode, ran.stdout.strip()) == (0, "shop|t"), ran.stderr
    ran = user.call("-q", "--", "psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", "SELECT 1/0", **shop_password)
    assert ran.process.returncode == 1
    assert "division by zero" in ran.stderr
    assert user.call("--", "/bin/sh", "-c", "exit 42").process.returncode == 42
    assert user.call("--", "/bin/sh", "-c", "kill -9 $$").process.returncode == 137
    assert processes_of(user.directory) == []


def test_several_clients_at_once_and_a_lot_of_data(user: TunnelUser, shop: Shop) -> None:
    with user.calling() as tunnel:
        line = tunnel.open().strip()
        environment = user.variables | {"PGPASSWORD": shop.password}
        statement = "SELECT sum(length(t)) FROM (SELECT repeat('x', 1000) t FROM generate_series(1, 3000)) a"
        copy = "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 3000)) TO STDOUT"
        clients = [
            subprocess.Popen(
                ["/bin/sh", "-c", f'{line} -XAtc "$1"', "sh", text],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for text in (statement, copy, copy)
        ]
        outputs = [client.communicate(timeout=60)[0] for client in clients]
        assert outputs[0].strip() == "3000000"
        assert outputs[1] == outputs[2] == ("x" * 1000 + "\n") * 3000
        # The other direction: what psql copies in.
        into = "CREATE TEMP TABLE t (a text); COPY t FROM STDIN; SELECT count(*), sum(length(a)) FROM t"
        arguments = " ".join(f"-c '{part.strip()}'" for part in into.split(";"))
        sent = subprocess.run(
            ["/bin/sh", "-c", f"{line} -qXAt {arguments}"],
            env=environment,
            input=("y" * 1000 + "\n") * 1000,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert sent.stdout.strip() == "1000|1000000", sent.stderr


def test_json_has_everything_and_no_password(user: TunnelUser, shop: Shop) -> None:
    with user.calling("--output", "json", "--port", str(free_port())) as tunnel:
        tunnel.wait_for("The tunnel is open")
        while not tunnel.stdout.endswith("}\n"):
            time.sleep(0.01)
        content = json.loads(tunnel.stdout)
        assert content["role"] == "writer"
        assert content["endpoint"] == content["connection"]["host"] == shop.writer
        assert content["connection"]["hostaddr"] == "127.0.0.1"
        assert content["port"] == int(content["connection"]["port"])
        assert content["psql"].startswith("psql ")
        tunnel.end()


def test_ctrl_c_is_for_the_program_while_one_runs(user: TunnelUser) -> None:
    script = "trap 'echo heard; exit 7' INT; echo up; while :; do sleep 0.05; done"
    with user.calling("--", "/bin/sh", "-c", script) as tunnel:
        while "up" not in tunnel.stdout:
            time.sleep(0.02)
        # As a terminal does: to everybody in the foreground.
        os.killpg(tunnel.process.pid, signal.SIGINT)
        assert tunnel.process.wait(20) == 7
    assert "heard" in tunnel.stdout


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_login_secret_is_for_the_program_alone(user: TunnelUser, shop: Shop, tmp_path: Path) -> None:
    name = f"login-{tmp_path.name}"
    shop.aws.put_secret(name, {"username": shop.user, "password": shop.password})
    ran = user.call("--login-secret", name, "--", "psql", "-XAtc", "SELECT current_user")
    assert (ran.process.returncode, ran.stdout.strip()) == (0, shop.user), ran.stderr
    assert shop.password not in ran.stdout + ran.stderr
