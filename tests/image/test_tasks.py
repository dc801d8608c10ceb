"""A container of the image as a task of the sandbox: what Fargate would do with it, and tell of it.

The container's program is Python here, for a look at what it sees. tests/integration/sandbox has the same for programs.
"""

import json
from typing import Any

import pytest

from sandbox.account import BuiltImage
from sandbox.image import IMAGE, Engine
from tests.support.tasks import Tasks

pytestmark = [pytest.mark.image, pytest.mark.timeout(300)]

PYTHON = ["tini", "--", "/opt/taxiway/bin/python", "-c"]
REFERENCE = "registry.example/real:1"

LOOK = """
import json, os
print(json.dumps({
    "uid": os.getuid(),
    "writable": [path for path in ("/", "/home/taxiway", "/opt", "/tmp", "/var") if os.access(path, os.W_OK)],
    "environment": dict(os.environ),
    "files": os.listdir("/"),
}))
"""


@pytest.fixture
def image(tasks: Tasks, engine: Engine) -> BuiltImage:
    """The image in the registry of the tasks."""
    made = BuiltImage(name=IMAGE, digest=engine.run("inspect", "--format", "{{.Digest}}", IMAGE).strip())
    tasks.aws.push_image(REFERENCE, digest=made.digest, container=made.name)
    return made


class Programs:
    """Runs Python programs in containers of the image."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks

    def register(self, **container: Any) -> str:
        return self.tasks.register(container={"image": REFERENCE, "entryPoint": PYTHON, **container})

    def start(self, program: str, **container: Any) -> str:
        return self.tasks.start(program, definition=self.register(**container))

    def run(self, program: str, **container: Any) -> dict[str, Any]:
        return self.tasks.wait(self.start(program, **container))

    def stop(self, arn: str) -> dict[str, Any]:
        self.tasks.ecs.stop_task(cluster=self.tasks.account.cluster, task=arn, reason="asked by a test")
        return self.tasks.wait(arn)


@pytest.fixture
def programs(tasks: Tasks, image: BuiltImage) -> Programs:
    return Programs(tasks)


def container(task: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = task["containers"][0]
    return made


def test_output_and_exit_code_are_those_of_the_container(programs: Programs, image: BuiltImage) -> None:
    task = programs.run("import sys; print(1); print(2, file=sys.stderr); sys.exit(7)")
    assert container(task)["exitCode"] == 7
    assert container(task)["imageDigest"] == image.digest
    assert task["stopCode"] == "EssentialContainerExited"
    assert sorted(programs.tasks.lines(task["taskArn"])) == ["1", "2"]


def test_it_sees_what_the_image_the_definition_and_the_request_say_and_nothing_else(programs: Programs) -> None:
    """No more than a container on Fargate: not the files, the user or the environment of this machine."""
    environment = [{"name": "TWO_LINES", "value": "1\n2"}, {"name": "LANG", "value": "C"}]
    task = programs.run(LOOK, environment=environment)
    [line] = programs.tasks.lines(task["taskArn"])
    seen = json.loads(line)
    assert seen["uid"] == 10001
    assert seen["writable"] == ["/tmp"]
    assert "work" not in seen["files"]
    assert "root" not in seen["files"]
    found = seen["environment"]
    assert (found["TWO_LINES"], found["LANG"], found["HOME"]) == ("1\n2", "C", "/home/taxiway")
    from_engine = {"container", "TERM"}
    from_image = {"HOME", "LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "TMPDIR"}
    from_fargate = {
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_ENDPOINT_URL", "HOSTNAME"),
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "ECS_CONTAINER_METADATA_URI_V4"),
    }
    assert found.keys() - from_engine == {"TWO_LINES", *from_image, *from_fargate}


def test_without_a_mounted_volume_nothing_is_writable(programs: Programs) -> None:
    [line] = programs.tasks.lines(programs.run(LOOK, mountPoints=[])["taskArn"])
    assert json.loads(line)["writable"] == []


def test_nothing_is_left_of_it(programs: Programs, engine: Engine) -> None:
    arn = programs.start("import time; print('up', flush=True); time.sleep(60)")
    programs.tasks.wait_for_line(arn, "up")
    # Another test may run containers too: this one has the number of the task among its variables.
    metadata = f"/v4/{arn.rpartition('/')[2]}"
    running = json.loads(engine.run("inspect", *engine.run("ps", "--quiet").split(), check=False))
    [own] = [one for one in running if any(text.endswith(metadata) for text in one["Config"]["Env"])]
    [volume] = own["Mounts"]
    assert volume["Destination"] == "/tmp"
    programs.stop(arn)
    assert own["Id"][:12] not in engine.run("ps", "--all", "--quiet").split()
    assert volume["Name"] not in engine.run("volume", "ls", "--quiet").split()


def test_stop_is_sigterm_to_the_first_process(programs: Programs) -> None:
    arn = programs.start("import time; print('up', flush=True); time.sleep(60)")
    programs.tasks.wait_for_line(arn, "up")
    task = programs.stop(arn)
    assert container(task)["exitCode"] == 143
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "asked by a test")


def test_who_ignores_sigterm_is_killed_after_the_stop_timeout(programs: Programs) -> None:
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    arn = programs.start(program, stopTimeout=2)
    programs.tasks.wait_for_line(arn, "up")
    task = programs.stop(arn)
    assert container(task)["exitCode"] == 137
    assert (task["executionStoppedAt"] - task["stoppingAt"]).total_seconds() >= 2


def test_who_wants_more_memory_than_the_task_has_is_killed(programs: Programs) -> None:
    task = programs.run("print(1, flush=True); bytearray(700 * 2**20)")
    assert container(task)["exitCode"] == 137
    assert container(task)["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_it_has_a_quarter_of_a_processor(programs: Programs) -> None:
    """While it counts for a second of its own time, at least three seconds pass."""
    program = "import time\nb = time.monotonic()\nwhile time.process_time() < 1: pass\nprint(time.monotonic() - b)"
    [seconds] = programs.tasks.lines(programs.run(program)["taskArn"])
    assert float(seconds) > 3


def test_a_program_that_is_not_in_the_image_cannot_be_started(programs: Programs) -> None:
    task = programs.run("x", entryPoint=["/bin/bash", "-c"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotStartContainerError: ")
    assert "/bin/bash" in task["stoppedReason"]
    assert "exitCode" not in container(task)


def test_a_container_that_has_ended_before_anybody_looked_has_its_exit_code(programs: Programs) -> None:
    task = programs.run("", entryPoint=["/opt/taxiway/bin/taxiway", "no-such-command"])
    assert container(task)["exitCode"] == 2
