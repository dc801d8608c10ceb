"""The image as Fargate runs it: read-only, without capabilities, 512 MB and a quarter of a processor."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.image import ContainerSpec, Engine
from sandbox.world import World
from taxiway import __version__
from tests.image.conftest import Run, Start
from tests.support.job import Outcome, publish

pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]

# For looking at what a process in the container is and may do.
PYTHON = ("/opt/taxiway/bin/python", "-c")


@pytest.fixture(scope="module")
def own_world() -> Iterator[World]:
    """A world of these tests alone."""
    with World() as world:
        yield world


def task(world: World, *arguments: str) -> ContainerSpec:
    return ContainerSpec(arguments=arguments, variables=world.task_environment(), files=[world.postgres.authority])


def test_it_tells_its_version(run: Run) -> None:
    outcome = run(ContainerSpec(arguments=("--version",)))
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (0, f"taxiway {__version__}\n", "")


@pytest.mark.parametrize("word", ["sh", "bash", "/bin/sh", "info", "--version=x"])
def test_what_is_neither_a_branch_nor_an_option_is_refused(run: Run, own_world: World, word: str) -> None:
    """Nothing that is in the image, and no command of Taxiway's, can be started by the command of a task."""
    outcome = run(task(own_world, word))
    assert outcome.exit_code == 2
    assert f"'{word.removesuffix('=x')}'" in outcome.stderr
    assert "Hint: " in outcome.stderr
    assert "0 applied, exit code 2" in outcome.stdout


def test_arguments_of_a_shell_are_refused(run: Run, own_world: World) -> None:
    outcome = run(task(own_world, "sh", "-c", "id"))
    assert outcome.exit_code == 2
    assert "There is no option '-c' of 'taxiway run'" in outcome.stderr
    assert "uid=" not in outcome.output


def test_without_a_branch_it_does_the_job(run: Run) -> None:
    outcome = run(ContainerSpec())
    assert outcome.exit_code == 2
    assert "No repository is named" in outcome.stderr


def test_another_command_takes_another_entry_point(run: Run) -> None:
    outcome = run(ContainerSpec(entry_point=("tini", "--", "taxiway"), arguments=("list-engines",)))
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert "PostgreSQL" in outcome.stdout


def test_the_process_has_no_rights(run: Run) -> None:
    look = "print(*[l for l in open('/proc/self/status') if l.startswith(('Uid','Gid','Cap','NoNew'))], sep='')"
    outcome = run(ContainerSpec(entry_point=PYTHON, arguments=(look,)))
    status = dict(line.split(":\t", 1) for line in outcome.stdout.splitlines() if line)
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"10001"}
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"


def test_only_tmp_can_be_written(run: Run) -> None:
    look = """
import os
for directory, names, files in os.walk("/"):
    names[:] = [n for n in names if os.path.join(directory, n) not in ("/proc", "/sys", "/dev")]
    if os.access(directory, os.W_OK):
        print(directory)
"""
    assert run(ContainerSpec(entry_point=PYTHON, arguments=(look,))).stdout.split() == ["/tmp"]
    assert run(ContainerSpec(entry_point=PYTHON, arguments=(look,), volume=False)).stdout.split() == []


def test_without_a_writable_tmp_it_says_what_to_do(run: Run, own_world: World) -> None:
    outcome = run(replace(task(own_world), volume=False))
    assert outcome.exit_code != 0
    assert "No temporary directory can be made" in outcome.stderr
    assert "Make /tmp writable" in outcome.stderr


def test_orphans_are_reaped(run: Run) -> None:
    """Process 1 is tini. A grandchild whose parent has gone is its to wait for, and nothing is left of it."""
    look = """
import os, time
if os.fork() == 0:
    if os.fork() == 0:
        os._exit(0)
    time.sleep(0.2)
    os._exit(0)
os.wait()
time.sleep(0.5)
pids = [p for p in os.listdir("/proc") if p.isdigit()]
print(len(pids), open("/proc/1/comm").read().strip())
"""
    outcome = run(ContainerSpec(entry_point=("tini", "--", *PYTHON), arguments=(look,)))
    assert outcome.stdout.split() == ["2", "tini"]


def test_more_memory_than_it_has_ends_it(run: Run) -> None:
    outcome = run(ContainerSpec(entry_point=PYTHON, arguments=("b = bytearray(700 << 20)",)))
    assert outcome.exit_code == 137


def test_main_again_and_broken(run: Run, own_world: World) -> None:
    """The exit codes of the story are the container's, and no secret is in what it prints."""
    outcomes: list[Outcome] = []
    for branch, exit_code, words in (
        (None, 0, "Result: SUCCESS, 4 applied"),
        (None, 0, "is up to date"),
        ("develop", 0, "Result: SUCCESS, 1 applied"),
        ("broken", 1, 'column "wieght_lbs" does not exist'),
        ("no-such-branch", 2, "no-such-branch"),
    ):
        outcome = run(task(own_world, *([branch] if branch else [])))
        assert words in outcome.output
        assert outcome.exit_code == exit_code, outcome.output
        outcomes.append(outcome)
    lines = {line for secret in own_world.secrets for line in secret.splitlines() if line}
    assert [line for line in lines for outcome in outcomes if line in outcome.output] == []
    with own_world.connect() as connection:
        assert connection.execute("SELECT count(*) FROM flyway_schema_history").fetchone() == (5,)


def test_a_branch_that_is_called_like_a_command_is_a_branch(run: Run, own_world: World, tmp_path: Path) -> None:
    branches = {"main": {"taxiway.toml": configuration("called")}, "info": {"sql/V2__a.sql": "SELECT 1;\n"}}
    publish(own_world.git.root, "called", branches, tmp_path)
    spec = task(own_world, "info")
    address = {"TAXIWAY_REPOSITORY_URL": own_world.git.url("called")}
    outcome = run(replace(spec, variables={**spec.variables, **address}))
    assert outcome.exit_code == 0, outcome.output
    assert "Result: SUCCESS, 1 applied, schema version 2, branch info" in outcome.stdout


class TestStop:
    """SIGTERM, and SIGKILL after the stop timeout: what ECS does."""

    @pytest.fixture
    def slow(self, own_world: World, tmp_path: Path) -> ContainerSpec:
        files = {
            "taxiway.toml": configuration("slow"),
            "sql/V9__slow.sql": "CREATE TABLE half (id int);\nSELECT pg_sleep(60);\n",
        }
        publish(own_world.git.root, "slow", {"main": files}, tmp_path)
        address = {"TAXIWAY_REPOSITORY_URL": own_world.git.url("slow")}
        spec = task(own_world)
        return replace(spec, variables={**spec.variables, **address})

    def test_a_stop_in_a_statement_rolls_back(self, start: Start, own_world: World, slow: ContainerSpec) -> None:
        container = start(slow)
        wait_until(lambda: sleeping(own_world) == 1 or container.process.poll() is not None)
        assert sleeping(own_world) == 1, container.process.communicate()
        begin = time.monotonic()
        container.stop(seconds=30)
        assert time.monotonic() - begin < 10
        stdout, stderr = container.process.communicate(timeout=30)
        assert container.process.returncode == 143, stdout + stderr
        assert b"Terminated" in stderr
        assert b"Traceback" not in stderr
        assert sleeping(own_world) == 0
        with own_world.connect() as connection:
            assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)
            locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            assert connection.execute(locks).fetchone() == (0,)

    @pytest.mark.parametrize("delay", [0.6, 1.0, 1.5, 2.5])
    def test_a_stop_while_it_starts_ends_with_143(
        self, start: Start, engine: Engine, slow: ContainerSpec, delay: float
    ) -> None:
        container = start(slow)
        wait_until(lambda: engine.run("ps", "--quiet", "--filter", f"name={container.name}") != "")
        time.sleep(delay)
        # As ECS does it: to process 1 of the container.
        container.process.send_signal(signal.SIGTERM)
        stdout, stderr = container.process.communicate(timeout=30)
        assert container.process.returncode == 143, stdout + stderr
        assert b"Traceback" not in stderr

    def test_nothing_is_left_of_it(self, start: Start, engine: Engine, slow: ContainerSpec) -> None:
        container = start(slow)
        wait_until(lambda: engine.run("ps", "--quiet", "--filter", f"name={container.name}") != "")
        volume = engine.run("inspect", "--format", "{{range .Mounts}}{{.Name}}{{end}}", container.name).strip()
        assert volume in engine.run("volume", "ls", "--quiet").split()
        container.stop(seconds=30)
        container.process.communicate(timeout=30)
        assert engine.run("ps", "--all", "--quiet", "--filter", f"name={container.name}") == ""
        assert volume not in engine.run("volume", "ls", "--quiet").split()


def configuration(name: str) -> str:
    """taxiway.toml of a project with a schema history of its own."""
    return f"""\
[database]
host = "${{env:DB_HOST}}"
name = "${{env:DB_NAME}}"
user = "${{secret:postgresql@auroradb@master@sqladmin#username}}"
password = "${{secret:postgresql@auroradb@master@sqladmin#password}}"

[flyway]
locations = ["filesystem:sql"]
table = "{name}_history"
baselineOnMigrate = true
"""


def sleeping(world: World) -> int:
    """How many sessions are in the slow statement."""
    with world.postgres.admin() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active'"
            " AND pid <> pg_backend_pid()"
        ).fetchone()
    return row[0] if row else 0


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
