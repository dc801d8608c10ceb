"""Whatever happens to a task, its end is told truthfully, and nothing that went wrong is a success.

The task's container is a shell script here, which says what an engine would say, or something else.
"""

import signal
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws import AwsEndpoint
from taxiway.aws.ec2 import Ec2
from taxiway.aws.session import Place
from tests.support.operator import Ended, Operator, read_until
from tests.support.tasks import OTHER_SECRET, Tasks

SUCCESS = "Result: SUCCESS, 1 applied, schema version 1, branch main, commit 0123456789ab, exit code 0"
FAILED = "Result: FAILED (migration-failed), 0 applied, exit code 1"


@pytest.fixture
def operator(tmp_path: Path, tasks: Tasks) -> Operator:
    return Operator(tmp_path, tasks.account, tasks.aws.environment)


class Shell:
    """``taxiway task run`` of a script."""

    def __init__(self, operator: Operator, tasks: Tasks) -> None:
        self.operator, self.tasks = operator, tasks

    def arguments(self, script: str, *options: str, container: dict[str, Any] | None = None) -> tuple[str, ...]:
        definition = self.tasks.register(container=container)
        return ("run", "--task-definition", definition, *options, "--", script)

    def run(self, script: str, *options: str, container: dict[str, Any] | None = None) -> Ended:
        return self.operator.call(*self.arguments(script, *options, container=container))


@pytest.fixture
def shell(operator: Operator, tasks: Tasks) -> Shell:
    return Shell(operator, tasks)


def must_have_failed(ended: Ended, code: str, words: str, exit_code: int = 1) -> None:
    assert (ended.code, ended.exit_code) == (code, exit_code), ended.stdout + ended.stderr
    assert words in ended.stderr
    assert "stop reason agree" not in ended.stderr


# --- agreement


def test_a_result_that_all_agree_on_is_the_exit_code(shell: Shell) -> None:
    ended = shell.run(f"echo one; echo two >&2; echo '{SUCCESS}'")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.splitlines() == ["one", "two", SUCCESS]
    assert "log, exit code and stop reason agree" in ended.stderr


@pytest.mark.parametrize("exit_code", [1, 2, 4, 70])
def test_a_failure_has_the_engines_exit_code(shell: Shell, exit_code: int) -> None:
    ended = shell.run(f"echo 'Result: FAILED (some-code), 0 applied, exit code {exit_code}'; exit {exit_code}")
    assert ended.exit_code == exit_code
    assert ended.code is None
    assert f"FAILED (some-code), exit code {exit_code}" in ended.stderr


def test_a_result_in_a_log_of_json_lines_is_one_too(shell: Shell) -> None:
    line = '{"event": "result", "outcome": "SUCCESS", "exitCode": 0, "applied": 3, "branch": "main"}'
    ended = shell.run(f"echo '{line}'", "--output", "json")
    assert ended.json["result"]["applied"] == 3
    assert ended.json["logLines"] == 1
    assert line in ended.stderr


def test_options_come_behind_what_the_definition_runs(shell: Shell) -> None:
    script = f"echo \"$0 $*\"; echo '{SUCCESS}'"
    ended = shell.run("--debug", container={"command": [script, "develop"]})
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.splitlines() == ["develop --debug", SUCCESS]


# --- disagreement


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (f"echo '{SUCCESS}'; exit 1", "its log says exit code 0, and ECS says 1"),
        (f"echo '{FAILED}'", "its log says exit code 1, and ECS says 0"),
    ],
)
def test_a_contradiction_is_no_success(shell: Shell, script: str, words: str) -> None:
    must_have_failed(shell.run(script), "task-disagrees", words)


def test_a_success_of_another_branch_is_none(operator: Operator, tasks: Tasks) -> None:
    """An entry point that runs a branch of its own, whatever it is asked for."""
    definition = tasks.register(container={"entryPoint": ["/bin/sh", "-c", f"echo '{SUCCESS}'"]})
    ended = operator.call("run", "--task-definition", definition, "--branch", "develop")
    must_have_failed(ended, "task-disagrees", "its log says branch main, and it was started for branch develop")


def test_an_end_without_a_result_is_no_success(shell: Shell, operator: Operator) -> None:
    """Both at once: each of them is waited for, as long as a line may take to arrive."""
    with (
        operator.calling(*shell.arguments("echo all is well")) as talking,
        operator.calling(*shell.arguments("true")) as silent,
    ):
        must_have_failed(
            operator.finish(talking), "task-disagrees", "its exit code is 0, and its log has no result"
        )
        must_have_failed(
            operator.finish(silent), "task-disagrees", "its exit code is 0, and its log has no result"
        )


# --- never started


def test_an_image_that_is_not_there(shell: Shell) -> None:
    ended = shell.run("true", container={"image": "registry.example/none:1"})
    must_have_failed(ended, "task-not-started", "registry.example/none:1: not found")
    assert "Hint: Push the image" in ended.stderr


def test_a_secret_that_the_execution_role_may_not_read(shell: Shell, tasks: Tasks) -> None:
    arn = tasks.aws.client("secretsmanager").describe_secret(SecretId=OTHER_SECRET)["ARN"]
    ended = shell.run("true", container={"secrets": [{"name": "PASSWORD", "valueFrom": arn}]})
    must_have_failed(ended, "task-not-started", "AccessDeniedException")
    assert "Hint: Let the execution role do secretsmanager:GetSecretValue" in ended.stderr


def test_a_program_that_is_not_in_the_image(shell: Shell) -> None:
    ended = shell.run("true", container={"entryPoint": ["no-such-program"]})
    must_have_failed(ended, "task-not-started", "CannotStartContainerError")


def test_no_capacity_is_worth_another_try(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("run-task-failure")
    must_have_failed(shell.run("true"), "task-without-capacity", "Capacity is unavailable", exit_code=4)


def test_a_task_that_hangs_in_provisioning_ends_with_its_time(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("stuck-in-provisioning")
    ended = shell.run("true", "--timeout", "2s")
    must_have_failed(ended, "task-timed-out", "took longer than 2s")


# --- killed, stopped, lost


def test_a_task_that_is_killed_for_memory(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("out-of-memory", after_lines=1)
    ended = shell.run(f"echo one; sleep 60; echo '{SUCCESS}'")
    must_have_failed(ended, "task-stopped", "exit code 137")
    assert "more memory than it has" in ended.stderr
    assert ended.stdout == "one\n"


def test_a_task_whose_host_is_lost_has_no_exit_code(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("host-failure", after_lines=1)
    ended = shell.run(f"echo one; sleep 60; echo '{SUCCESS}'")
    must_have_failed(ended, "task-stopped", "no exit code")


def test_a_success_of_which_ecs_knows_no_exit_code_is_none(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("host-failure", after_lines=1)
    ended = shell.run(f"echo '{SUCCESS}'; sleep 60")
    must_have_failed(ended, "task-disagrees", "ECS has no exit code")


def test_a_task_that_loses_its_log(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("log-stream-deleted", after_lines=1)
    ended = shell.run(f"echo one; sleep 3; echo '{SUCCESS}'")
    assert ended.exit_code == 1
    assert ended.code in {"task-log-lost", "task-disagrees"}, ended.stderr


def test_a_task_that_is_stopped_from_outside_says_by_whom(shell: Shell, operator: Operator, tasks: Tasks) -> None:
    script = (
        "trap 'echo \"Result: TERMINATED, 0 applied, exit code 143\"; exit 143' TERM; echo up; sleep 60 & wait"
    )
    with operator.calling(*shell.arguments(script)) as process:
        before = read_until(process, "up")
        [running] = tasks.ecs.list_tasks(cluster=tasks.account.cluster, desiredStatus="RUNNING")["taskArns"]
        tasks.ecs.stop_task(cluster=tasks.account.cluster, task=running, reason="By bob")
        ended = operator.finish(process, before=before)
    assert ended.exit_code == 143
    assert "TERMINATED, exit code 143" in ended.stderr


def test_a_success_that_was_stopped_is_none(shell: Shell, operator: Operator, tasks: Tasks) -> None:
    script = f"trap 'echo \"{SUCCESS}\"; exit 0' TERM; echo up; sleep 60 & wait"
    with operator.calling(*shell.arguments(script)) as process:
        before = read_until(process, "up")
        [running] = tasks.ecs.list_tasks(cluster=tasks.account.cluster, desiredStatus="RUNNING")["taskArns"]
        tasks.ecs.stop_task(cluster=tasks.account.cluster, task=running, reason="By bob")
        ended = operator.finish(process, before=before)
    # What ECS makes of it: an end by itself, or one that was asked for. It must not be both.
    assert ended.exit_code == 1, ended.stderr
    must_have_failed(ended, "task-disagrees", "By bob")


# --- length


def test_a_task_that_is_shorter_than_one_look(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("shorter-than-a-poll")
    ended = shell.run(f"echo one; echo '{SUCCESS}'")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.splitlines() == ["one", SUCCESS]


def test_lines_that_arrive_after_the_stop_are_not_lost(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("log-delay", seconds=4)
    ended = shell.run(f"echo one; echo two; echo '{SUCCESS}'")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.splitlines() == ["one", "two", SUCCESS]


def test_a_hundred_thousand_lines_come_whole_and_in_order(shell: Shell) -> None:
    ended = shell.run(f"seq 100000; echo '{SUCCESS}'")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.splitlines() == [*map(str, range(1, 100_001)), SUCCESS]


# --- the service


def test_a_task_that_ecs_does_not_know_at_once(shell: Shell, tasks: Tasks) -> None:
    tasks.aws.add_fault("task-not-visible", times=3)
    assert shell.run(f"echo '{SUCCESS}'").exit_code == 0


@pytest.mark.parametrize("action", ["ecs:RunTask", "ecs:DescribeTasks", "logs:GetLogEvents"])
def test_throttling_is_waited_for_and_starts_no_second_task(shell: Shell, tasks: Tasks, action: str) -> None:
    tasks.aws.add_fault("api-error", action=action, times=3)
    ended = shell.run(f"echo one; echo '{SUCCESS}'")
    assert ended.exit_code == 0, ended.stderr
    assert ended.stdout.splitlines() == ["one", SUCCESS]


@pytest.mark.parametrize(
    ("code", "action", "expected", "exit_code"),
    [
        ("AccessDeniedException", "ecs:RunTask", "aws-access-denied", 2),
        ("ExpiredTokenException", "ecs:RunTask", "aws-credentials-expired", 2),
        ("ThrottlingException", "ecs:RunTask", "aws-throttled", 4),
        ("ServiceUnavailable", "ecs:RunTask", "task-start-unknown", 1),
    ],
)
def test_a_refusal_of_aws_names_the_action(
    shell: Shell, tasks: Tasks, *, code: str, action: str, expected: str, exit_code: int
) -> None:
    tasks.aws.add_fault("api-error", action=action, code=code, message="No.", times=None)
    ended = shell.run("true")
    assert (ended.code, ended.exit_code) == (expected, exit_code), ended.stderr
    if expected == "aws-access-denied":
        assert "AWS denied ecs:RunTask on arn:aws:ecs:" in ended.stderr


@pytest.mark.parametrize("action", ["logs:GetLogEvents", "ecs:DescribeTasks"])
def test_a_task_that_may_not_be_watched_is_not_told_to_be_one_that_was_not_started(
    shell: Shell, tasks: Tasks, action: str
) -> None:
    """Otherwise whoever reads the exit code would mend the policy, and start a second one beside it."""
    tasks.aws.add_fault("api-error", action=action, code="AccessDeniedException", message="No.", times=None)
    ended = shell.run(f"sleep 1; echo '{SUCCESS}'", "--output", "json")
    tasks.aws.clear_faults()
    assert ended.exit_code == 1
    error = ended.json["error"]
    assert error["taxiwayCode"] == "task-unwatched"
    assert "was started and may still be running; its result is not known: AWS denied" in error["message"]
    assert f"Allow {action}" in error["hint"]
    _, _, started, *_ = ended.stderr.split()
    assert ended.stderr.startswith("Started task ")
    assert error["hint"].endswith(f"taxiway task attach {started}")
    assert ended.json["task"]["id"].startswith(started)


# --- detaching


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_task_outlives_whoever_watches_it(
    shell: Shell, operator: Operator, tasks: Tasks, number: signal.Signals, exit_code: int
) -> None:
    """In a pipe nobody can be asked: the task goes on, and the last words say how to get back."""
    with operator.calling(*shell.arguments(f"echo up; sleep 4; echo '{SUCCESS}'")) as process:
        read_until(process, "up")
        process.send_signal(number)
        ended = operator.finish(process)
    assert ended.exit_code == exit_code
    assert "goes on running; its result is not known" in ended.stderr
    [arn] = tasks.ecs.list_tasks(cluster=tasks.account.cluster, desiredStatus="RUNNING")["taskArns"]
    assert f"taxiway task attach {arn.rpartition('/')[2][:12]}" in ended.stderr
    assert tasks.wait(arn)["containers"][0]["exitCode"] == 0


def test_a_task_outlives_its_terminal(shell: Shell, operator: Operator, tasks: Tasks) -> None:
    with operator.calling(*shell.arguments(f"echo up; sleep 2; echo '{SUCCESS}'")) as process:
        read_until(process, "up")
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGHUP
    [arn] = tasks.ecs.list_tasks(cluster=tasks.account.cluster, desiredStatus="RUNNING")["taskArns"]
    assert tasks.wait(arn)["containers"][0]["exitCode"] == 0


def test_a_time_limit_may_leave_the_task_alone(shell: Shell, tasks: Tasks) -> None:
    ended = shell.run(f"sleep 5; echo '{SUCCESS}'", "--timeout", "1s", "--on-timeout", "detach")
    must_have_failed(ended, "task-timed-out", "is still running after 1s; it goes on")
    [arn] = tasks.ecs.list_tasks(cluster=tasks.account.cluster, desiredStatus="RUNNING")["taskArns"]
    assert tasks.wait(arn)["stopCode"] == "EssentialContainerExited"


# --- before anything is started


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--cluster", "taxiwya"), "aws-not-found", "Did you mean 'taxiway'?"),
        (("--task-definition", "taxiwy"), "aws-not-found", "Did you mean 'taxiway'?"),
        (("--subnet", "taxiway-privat-a"), "aws-not-found", "Did you mean 'taxiway-private-a'?"),
        (("--security-group", "none-such"), "aws-not-found", "There is no security group 'none-such'"),
        (("--branch", "a b"), "invalid-option", "cannot be the name of a Git branch"),
        (("--commit", "35cd16f"), "invalid-option", "only the beginning"),
        (("--branch", "a", "--commit", "b"), "configuration", "both given"),
        (("--timeout", "soon"), "invalid-option", "'soon' is no duration"),
        (("--timeout", "30m", "--detach"), "configuration", "--detach leaves nobody"),
        (("--on-timeout", "detach"), "configuration", "no --timeout that could pass"),
        (("--branch", "", "--detach"), "configuration", "'--branch': it is empty"),
        (("--commit", "", "--detach"), "configuration", "'--commit': it is empty"),
        (("--timeout", ""), "configuration", "'--timeout': it is empty"),
        (("--cluster", "", "main"), "configuration", "'--cluster': it is empty"),
        (("--subnet", ""), "configuration", "'--subnet': it is empty"),
        (("--env", ""), "configuration", "'--env': it is empty"),
        (("",), "configuration", "Is a variable of the shell not set?"),
        (("--env", "prod"), "unknown-environment", "no environment 'prod'"),
        (("--profile", "none"), "aws-no-credentials", "none"),
    ],
)
def test_a_wrong_name_is_an_error_before_anything_is_started(
    operator: Operator, aws_endpoint: AwsEndpoint, options: tuple[str, ...], code: str, words: str
) -> None:
    before = count_tasks(aws_endpoint)
    ended = operator.call("run", *options)
    assert (ended.code, ended.exit_code) == (code, 2), ended.stderr
    assert words in ended.stderr
    assert count_tasks(aws_endpoint) == before


@pytest.mark.parametrize("argument", ["-password=hunter2", "-placeholders.KEY=hunter2", "--password=hunter2"])
def test_a_value_that_no_run_would_take_is_not_sent_to_aws(
    operator: Operator, aws_endpoint: AwsEndpoint, argument: str
) -> None:
    """What a task was started with can be read by everybody who may describe tasks."""
    before = count_tasks(aws_endpoint)
    ended = operator.call("run", "--branch", "main", "--", argument)
    assert (ended.code, ended.exit_code) == ("configuration", 2), ended.stderr
    assert "hunter2" not in ended.stdout + ended.stderr
    assert count_tasks(aws_endpoint) == before


def test_an_empty_id_is_nobodys(operator: Operator, tasks: Tasks) -> None:
    """``stop "$ID"``, and the variable is not set: the only running task may be that of somebody else."""
    definition = tasks.register()
    arn = tasks.start("sleep 60", definition=definition)
    for command in ("stop", "attach", "logs"):
        ended = operator.call(command, "", "--task-definition", definition)
        assert (ended.code, ended.exit_code) == ("configuration", 2), ended.stderr
        assert "it is empty" in ended.stderr
    assert tasks.describe(arn)["desiredStatus"] == "RUNNING"


def test_two_subnets_of_one_name_are_an_error(operator: Operator, tasks: Tasks) -> None:
    for number in (7, 8):
        tasks.aws.client("ec2").create_subnet(
            VpcId=tasks.account.vpc,
            CidrBlock=f"10.0.{number}.0/24",
            TagSpecifications=[{"ResourceType": "subnet", "Tags": [{"Key": "Name", "Value": "twin"}]}],
        )
    ended = operator.call("run", "--subnet", "twin")
    assert (ended.code, ended.exit_code) == ("aws-ambiguous", 2)
    assert "2 subnets are called 'twin': subnet-" in ended.stderr


def test_a_group_of_the_same_name_in_another_vpc_is_not_meant(
    operator: Operator, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each VPC has a group "default", and staging and production may share an account."""
    ec2 = tasks.aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    there = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    other = ec2.create_security_group(GroupName="taxiway-task", Description="x", VpcId=vpc)["GroupId"]
    network = tasks.account.network["awsvpcConfiguration"]
    try:
        for name, value in tasks.aws.environment.items():
            monkeypatch.setenv(name, value)
        found = [
            Ec2(Place()).find_security_groups(["taxiway-task"], beside)["taxiway-task"]
            for beside in (network["subnets"], [there])
        ]
        assert [[one] for one in found] == [network["securityGroups"], [other]]
        script = f"echo '{SUCCESS}'"
        ended = operator.call(
            "run", "--task-definition", tasks.register(), "--security-group", "default", "--", script
        )
        assert ended.exit_code == 0, ended.stderr
    finally:
        ec2.delete_security_group(GroupId=other)


def test_without_credentials(operator: Operator) -> None:
    ended = operator.call("list", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert (ended.code, ended.exit_code) == ("aws-no-credentials", 2), ended.stderr


def test_an_endpoint_that_does_not_answer(operator: Operator) -> None:
    ended = operator.call("list", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert (ended.code, ended.exit_code) == ("aws-unreachable", 4), ended.stderr
    assert "Check the region, the network" in ended.stderr


def test_another_region_has_no_such_cluster(operator: Operator) -> None:
    ended = operator.call("list", "--region", "eu-west-1")
    assert (ended.code, ended.exit_code) == ("aws-not-found", 2), ended.stderr
    assert "in region eu-west-1" in ended.stderr


def test_an_arn_says_its_region(operator: Operator, tasks: Tasks) -> None:
    region, cluster = tasks.aws.region, tasks.account.cluster
    elsewhere = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "REGION": ""}
    [found] = tasks.ecs.describe_clusters(clusters=[cluster])["clusters"]
    assert operator.call("list", "--cluster", found["clusterArn"], **elsewhere).exit_code == 0
    ended = operator.call("list", "--cluster", found["clusterArn"], "--region", "eu-west-1")
    assert (ended.code, ended.exit_code) == ("aws-not-found", 2)
    assert f":{region}:" in ended.stderr
    assert "in region eu-west-1" in ended.stderr


def count_tasks(aws: AwsEndpoint) -> int:
    ecs = aws.client("ecs")
    return sum(
        len(ecs.list_tasks(cluster="taxiway", desiredStatus=status)["taskArns"])
        for status in ("RUNNING", "STOPPED")
    )
