"""RunTask really runs something, and what is told of it is what has happened."""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.account import AccountBuilder
from sandbox.aws import AwsEndpoint
from sandbox.cloud.limits import can_limit
from tests.support.tasks import ALLOWED_SECRET, OTHER_SECRET, SHELL_DIGEST, Tasks

only_with_cgroups = pytest.mark.skipif(not can_limit(), reason="control groups are not ours to write")


def container(task: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = task["containers"][0]
    return made


# --- life ---


def test_output_and_exit_code_are_those_of_the_process(tasks: Tasks) -> None:
    task = tasks.run("echo one; echo two >&2; echo three; exit 7")
    assert container(task)["exitCode"] == 7
    assert container(task)["lastStatus"] == "STOPPED"
    assert container(task)["imageDigest"] == SHELL_DIGEST
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert tasks.lines(task["taskArn"]) == ["one", "two", "three"]


def test_a_task_goes_through_its_statuses_and_has_the_time_of_each(tasks: Tasks) -> None:
    arn = tasks.start("read forever < /dev/zero", definition=tasks.register())
    assert tasks.describe(arn)["lastStatus"] == "PROVISIONING"
    assert "exitCode" not in container(tasks.describe(arn))
    running = tasks.wait(arn, "RUNNING")
    assert container(running)["lastStatus"] == "RUNNING"
    assert (running["desiredStatus"], running["connectivity"]) == ("RUNNING", "CONNECTED")
    assert "exitCode" not in container(running)
    tasks.ecs.stop_task(cluster=tasks.account.cluster, task=arn)
    stopped = tasks.wait(arn)
    names = [
        "createdAt",
        "pullStartedAt",
        "pullStoppedAt",
        "startedAt",
        "stoppingAt",
        "executionStoppedAt",
        "stoppedAt",
    ]
    times = [stopped[name] for name in names]
    assert times == sorted(times)


def test_a_process_that_is_killed_has_the_exit_code_of_the_signal(tasks: Tasks) -> None:
    assert container(tasks.run("kill -9 $$"))["exitCode"] == 137


def test_the_log_stream_is_there_before_the_process(tasks: Tasks) -> None:
    task = tasks.run("exit 0")
    streams = tasks.logs.describe_log_streams(
        logGroupName=tasks.account.log_group, logStreamNamePrefix=tasks.account.log_stream(task["taskArn"])
    )
    assert len(streams["logStreams"]) == 1
    assert tasks.lines(task["taskArn"]) == []


def test_lines_are_in_the_log_while_the_task_runs(tasks: Tasks) -> None:
    arn = tasks.start("echo live; sleep 60")
    tasks.wait_for_line(arn, "live")
    assert tasks.describe(arn)["lastStatus"] == "RUNNING"


def test_a_hundred_thousand_lines_arrive_all(tasks: Tasks) -> None:
    task = tasks.run("seq 100000")
    assert tasks.lines(task["taskArn"]) == [str(number) for number in range(1, 100_001)]


# --- stop ---


def test_stop_is_sigterm_and_the_exit_code_says_so(tasks: Tasks) -> None:
    arn = tasks.start("echo up; exec sleep 60")
    tasks.wait_for_line(arn, "up")
    answer = tasks.ecs.stop_task(cluster=tasks.account.cluster, task=arn, reason="asked by a test")["task"]
    assert (answer["desiredStatus"], answer["lastStatus"]) == ("STOPPED", "STOPPING")
    task = tasks.wait(arn)
    assert container(task)["exitCode"] == 143
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "asked by a test")


def test_what_is_printed_after_sigterm_is_in_the_log(tasks: Tasks) -> None:
    arn = tasks.start("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done")
    tasks.wait_for_line(arn, "up")
    tasks.ecs.stop_task(cluster=tasks.account.cluster, task=arn)
    assert container(tasks.wait(arn))["exitCode"] == 5
    assert tasks.lines(arn) == ["up", "bye"]


def test_who_ignores_sigterm_is_killed_after_the_stop_timeout(tasks: Tasks) -> None:
    definition = tasks.register(container={"stopTimeout": 2})
    arn = tasks.start("trap '' TERM; echo up; while :; do sleep 0.05; done", definition=definition)
    tasks.wait_for_line(arn, "up")
    tasks.ecs.stop_task(cluster=tasks.account.cluster, task=arn)
    task = tasks.wait(arn)
    assert container(task)["exitCode"] == 137
    assert (task["executionStoppedAt"] - task["stoppingAt"]).total_seconds() >= 2


def test_only_the_first_process_gets_sigterm_and_its_end_is_the_end_of_all(tasks: Tasks) -> None:
    script = (
        "(trap 'echo child' TERM; while :; do sleep 0.05; done) & trap 'echo parent; exit 0' TERM; echo up; wait"
    )
    arn = tasks.start(script)
    tasks.wait_for_line(arn, "up")
    tasks.ecs.stop_task(cluster=tasks.account.cluster, task=arn)
    tasks.wait(arn)
    assert tasks.lines(arn) == ["up", "parent"]


def test_a_process_that_got_away_does_not_hold_the_task_up(tasks: Tasks) -> None:
    task = tasks.run("setsid sleep 20 & echo done")
    assert tasks.lines(task["taskArn"]) == ["done"]
    assert (task["executionStoppedAt"] - task["startedAt"]).total_seconds() < 15


def test_a_task_that_was_stopped_already_stays_as_it_is(tasks: Tasks) -> None:
    task = tasks.run("exit 3")
    tasks.ecs.stop_task(cluster=tasks.account.cluster, task=task["taskArn"], reason="too late")
    assert tasks.describe(task["taskArn"]) == task


def test_an_unknown_task_cannot_be_stopped(tasks: Tasks) -> None:
    with pytest.raises(ClientError, match="The referenced task was not found") as caught:
        tasks.ecs.stop_task(cluster=tasks.account.cluster, task="0" * 32)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"


# --- environment ---


def test_the_container_has_the_environment_of_image_definition_and_request_and_no_other(
    tasks: Tasks, aws_endpoint: AwsEndpoint
) -> None:
    definition = tasks.register(
        container={"environment": [{"name": "FROM_DEFINITION", "value": "1"}, {"name": "BOTH", "value": "1"}]}
    )
    request = tasks.request("exec env", definition=definition)
    request["overrides"]["containerOverrides"][0]["environment"] = [{"name": "BOTH", "value": "2"}]
    arn = tasks.ecs.run_task(**request)["tasks"][0]["taskArn"]
    tasks.wait(arn)
    environment = dict(line.split("=", 1) for line in tasks.lines(arn))
    # The shell adds the last one.
    assert environment.keys() == {
        *("PATH", "HOME", "TMPDIR", "HOSTNAME", "FROM_DEFINITION", "BOTH"),
        *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_ENDPOINT_URL"),
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "ECS_CONTAINER_METADATA_URI_V4", "PWD"),
    }
    assert environment["BOTH"] == "2"
    assert environment["AWS_ENDPOINT_URL"] == aws_endpoint.url
    assert environment["HOME"] == str(aws_endpoint.task_directory(arn.rpartition("/")[2]))


_CANARY = """
import os, sys
from pathlib import Path
from sandbox.account import AccountBuilder
from sandbox.aws import AwsEndpoint
from tests.support.tasks import Tasks

with AwsEndpoint(Path(sys.argv[1])) as aws:
    tasks = Tasks(aws, AccountBuilder(aws).build(environment={}, secrets=()))
    print(tasks.lines(tasks.run("exec env")["taskArn"]))
"""


def test_nothing_of_who_starts_the_sandbox_reaches_a_task(tmp_path: Path) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(sys.path),
        "CANARY": "yellow",
        "DB_HOST": "mine",
    }
    command = [sys.executable, "-c", _CANARY, str(tmp_path / "aws")]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    assert "HOSTNAME=" in output
    assert "yellow" not in output
    assert "mine" not in output


_METADATA = """exec python3 -c '
import json, os, urllib.request
for path in ("", "/task"):
    with urllib.request.urlopen(os.environ["ECS_CONTAINER_METADATA_URI_V4"] + path) as answer:
        print(json.dumps(json.load(answer)))
'"""


def test_the_container_can_ask_what_task_it_is(tasks: Tasks) -> None:
    task = tasks.run(_METADATA)
    own, whole = (json.loads(line) for line in tasks.lines(task["taskArn"]))
    assert whole["TaskARN"] == task["taskArn"]
    assert f"{whole['Family']}:{whole['Revision']}" == task["taskDefinitionArn"].rpartition("/")[2]
    assert whole["Cluster"] == task["clusterArn"]
    assert whole["Limits"] == {"CPU": 0.25, "Memory": 512}
    assert whole["Containers"] == [own]
    assert own["ImageID"] == SHELL_DIGEST
    assert own["Name"] == "taxiway"


_AWS = """
import boto3
from botocore.exceptions import ClientError
print(boto3.client("sts").get_caller_identity()["Arn"])
secrets = boto3.client("secretsmanager")
for name in ("{allowed}", "{other}"):
    try:
        print(secrets.get_secret_value(SecretId=name)["SecretString"])
    except ClientError as error:
        print(error)
"""


def test_the_task_acts_as_its_role_and_is_held_to_it(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    program = _AWS.format(allowed=ALLOWED_SECRET, other=OTHER_SECRET)
    task = tasks.run(f"exec {shlex.quote(sys.executable)} -c '{program}'")
    task_id = task["taskArn"].rpartition("/")[2]
    identity, allowed, denied = tasks.lines(task["taskArn"])
    assert identity == f"arn:aws:sts::123456789012:assumed-role/taxiway-task/{task_id}"
    assert json.loads(allowed)["password"] == f"password of {ALLOWED_SECRET}"
    assert "(AccessDeniedException)" in denied
    assert f"User: {identity} is not authorized to perform: secretsmanager:GetSecretValue" in denied
    decisions = [
        (entry["action"], entry["decision"])
        for entry in aws_endpoint.audit("taxiway-task")
        if entry["session"] == identity
    ]
    assert decisions == [
        ("secretsmanager:GetSecretValue", "allowed"),
        ("secretsmanager:GetSecretValue", "implicitDeny"),
    ]


def test_credentials_are_gone_with_the_task(tasks: Tasks) -> None:
    task = tasks.run('echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI"; echo "$ECS_CONTAINER_METADATA_URI_V4"')
    for address in tasks.lines(task["taskArn"]):
        fetched = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", address], capture_output=True, check=True
        )
        assert fetched.stdout == b"404"


@only_with_cgroups
def test_the_end_of_the_cloud_ends_its_tasks(tmp_path: Path) -> None:
    with AwsEndpoint(tmp_path / "aws") as aws:
        tasks = Tasks(aws, AccountBuilder(aws).build(environment={}, secrets=()))
        arn = tasks.start("echo $$; exec sleep 60")
        tasks.wait(arn, "RUNNING")
        while not (lines := tasks.lines(arn)):
            time.sleep(0.02)
    assert not Path("/proc", lines[0]).exists()
    assert not list(Path("/sys/fs/cgroup/memory").glob(f"*{arn.rpartition('/')[2]}"))


# --- limits ---


@only_with_cgroups
def test_who_wants_more_memory_than_the_task_has_is_killed(tasks: Tasks) -> None:
    task = tasks.run("exec python3 -c 'print(1, flush=True); bytearray(700 * 2**20)'")
    assert container(task)["exitCode"] == 137
    assert container(task)["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert task["stopCode"] == "EssentialContainerExited"
    assert tasks.lines(task["taskArn"]) == ["1"]


@only_with_cgroups
def test_a_task_gets_its_share_of_a_cpu_if_that_is_wanted(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("cpu-quota")
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    task = tasks.run(f"exec python3 -c '{busy}'")
    assert (task["executionStoppedAt"] - task["startedAt"]).total_seconds() >= 1.2
