"""All parts together: what a task is told is enough to reach them, and nothing is left behind."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from sandbox.directory import REPOSITORY_ROOT
from sandbox.password import AWKWARD
from sandbox.world import DEPLOY_KEY_SECRET, USER_SECRETS, World

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


def processes_below(directory: Path) -> list[int]:
    """The processes that mention the directory in their arguments or work in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            about = process.joinpath("cmdline").read_text() + str(process.joinpath("cwd").readlink())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if str(directory) in about:
            found.append(int(process.name))
    return found


def test_the_task_is_told_everything_but_the_secrets(world: World) -> None:
    environment = world.task_environment()
    assert environment.keys() == {
        *("REGION", "REPOSITORY_DEPLOY_KEY_SECRET", "TAXIWAY_REPOSITORY_URL", "TAXIWAY_SSH_KNOWN_HOSTS"),
        *("DB_HOST", "DB_PORT", "DB_NAME", "DB_SSLROOTCERT"),
        *("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"),
        "AWS_EC2_METADATA_DISABLED",
    }
    told = {value for name, value in environment.items() if name != "AWS_SECRET_ACCESS_KEY"}
    assert not [value for value in told for secret in world.secrets if secret in value]


def test_every_secret_of_the_tutorial_is_stored(world: World) -> None:
    import boto3

    client = boto3.client(
        "secretsmanager",
        endpoint_url=world.aws.url,
        region_name=world.aws.region,
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    for user, name in USER_SECRETS.items():
        stored = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
        assert stored == {"username": user, "password": world.passwords[user]}
    assert client.get_secret_value(SecretId=DEPLOY_KEY_SECRET)["SecretString"] == world.git.private_key


def test_the_database_is_empty_and_belongs_to_the_master_user(world: World) -> None:
    with world.connect() as connection:
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert owner == ("sqladmin",)


def test_passwords_have_what_is_special_to_somebody_on_the_way(world: World) -> None:
    assert AWKWARD in world.passwords["sqladmin"]
    for user in ("read_only", "sample_application"):
        assert not set("'\\") & set(world.passwords[user])
        assert set(AWKWARD) - set("'\\") <= set(world.passwords[user])


def test_a_user_of_a_later_migration_is_not_there_yet(world: World) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        world.connect("read_only")


@on_linux
def test_the_end_leaves_no_process_and_no_file() -> None:
    with World() as world:
        ports = [part.port for part in (world.postgres, world.git, world.aws)]
        assert len(processes_below(world.directory)) >= 3
    assert len(set(ports)) == 3
    assert processes_below(world.directory) == []
    assert not world.directory.exists()


@on_linux
def test_a_part_that_does_not_start_takes_the_others_with_it() -> None:
    world = World()
    (world.directory / "git").write_text("in the way")
    with pytest.raises(NotADirectoryError), world:
        pytest.fail("started")
    assert processes_below(world.directory) == []
    assert not world.directory.exists()


@on_linux
def test_a_part_whose_start_is_interrupted_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    start_thread, start_aws = threading.Thread.start, world._start_aws
    started = []

    def start_and_interrupt(thread: threading.Thread) -> None:
        start_thread(thread)
        # Ctrl-C comes when the thread runs and the pool does not know it yet.
        monkeypatch.undo()
        signal.raise_signal(signal.SIGINT)

    def start_slowly() -> None:
        time.sleep(0.2)
        start_aws()
        started.append("aws")

    monkeypatch.setattr(world, "_start_aws", start_slowly)
    monkeypatch.setattr(threading.Thread, "start", start_and_interrupt)
    with pytest.raises(KeyboardInterrupt), world:
        pytest.fail("started")
    assert started == ["aws"]
    assert processes_below(world.directory) == []


_KEEP = """
import sys
import threading
import time
from pathlib import Path
from sandbox.world import World

with World() as world:
    world.keep(Path(sys.argv[1]))
"""


@on_linux
def test_a_kept_world_runs_on_until_it_is_stopped(tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY_ROOT)}
    subprocess.run([sys.executable, "-c", _KEEP, state_file], check=True, env=environment, timeout=60)
    state = json.loads(state_file.read_text())
    directory = Path(state["directory"])
    assert stat.S_IMODE(state_file.stat().st_mode) == 0o600
    assert {process["pid"] for process in state["processes"]} <= set(processes_below(directory))
    assert re.fullmatch(r"ssh://git@127.0.0.1:\d+/sample-project.git", state["urls"]["git"])

    World.stop_kept(state_file)
    assert processes_below(directory) == []
    assert not directory.exists()
    assert not state_file.exists()
