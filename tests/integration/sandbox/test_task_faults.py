"""What goes wrong on AWS goes wrong here too: by itself where that is possible, otherwise when switched on."""

import json
import time
import urllib.error
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws import AwsEndpoint
from tests.support.tasks import ALLOWED_SECRET, OTHER_SECRET, Tasks

type Description = dict[str, Any]


def secret_arn(tasks: Tasks, name: str) -> str:
    arn: str = tasks.aws.client("secretsmanager").describe_secret(SecretId=name)["ARN"]
    return arn


def must_not_have_started(task: Description, reason: str) -> None:
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(reason), task["stoppedReason"]
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" not in task
    assert "executionStoppedAt" not in task


# --- without a switch ---


def test_an_image_that_nobody_pushed_cannot_be_pulled(tasks: Tasks) -> None:
    task = tasks.run("true", definition=tasks.register(container={"image": "registry.example/none:1"}))
    must_not_have_started(task, "CannotPullContainerError: ")
    assert "registry.example/none:1: not found" in task["containers"][0]["reason"]


def test_a_program_that_the_image_does_not_have_cannot_be_started(tasks: Tasks) -> None:
    task = tasks.run("true", definition=tasks.register(container={"entryPoint": ["no-such-program"]}))
    must_not_have_started(task, "CannotStartContainerError: ")
    assert 'exec: "no-such-program"' in task["stoppedReason"]


def test_a_secret_that_the_execution_role_may_not_read_stops_the_task(tasks: Tasks) -> None:
    secrets = [{"name": "PASSWORD", "valueFrom": secret_arn(tasks, OTHER_SECRET)}]
    task = tasks.run("true", definition=tasks.register(container={"secrets": secrets}))
    must_not_have_started(task, "ResourceInitializationError: unable to pull secrets or registry auth: ")
    assert "AccessDeniedException" in task["stoppedReason"]
    assert "assumed-role/taxiway-execution/" in task["stoppedReason"]
    assert "reason" not in task["containers"][0]


def test_secrets_reach_the_container_whole_or_by_key(tasks: Tasks) -> None:
    arn = secret_arn(tasks, ALLOWED_SECRET)
    definition = tasks.register(
        executionRoleArn=role_for_secrets(tasks, "reads-secrets", arn),
        container={
            "secrets": [
                {"name": "WHOLE", "valueFrom": arn},
                {"name": "PASSWORD", "valueFrom": f"{arn}:password::"},
            ]
        },
    )
    task = tasks.run('echo "$WHOLE"; echo "$PASSWORD"', definition=definition)
    assert tasks.lines(task["taskArn"]) == [
        f'{{"username": "user", "password": "password of {ALLOWED_SECRET}"}}',
        f"password of {ALLOWED_SECRET}",
    ]


def test_a_key_that_the_secret_does_not_have_stops_the_task(tasks: Tasks) -> None:
    arn = secret_arn(tasks, ALLOWED_SECRET)
    definition = tasks.register(
        executionRoleArn=role_for_secrets(tasks, "reads-a-key", arn),
        container={"secrets": [{"name": "PASSWORD", "valueFrom": f"{arn}:pasword::"}]},
    )
    task = tasks.run("true", definition=definition)
    must_not_have_started(task, "ResourceInitializationError: ")
    assert "did not contain json key pasword" in task["stoppedReason"]


def test_the_credentials_of_the_registry_are_read_by_the_execution_role(tasks: Tasks) -> None:
    credentials = {"credentialsParameter": secret_arn(tasks, OTHER_SECRET)}
    task = tasks.run("true", definition=tasks.register(container={"repositoryCredentials": credentials}))
    must_not_have_started(task, "ResourceInitializationError: unable to pull secrets or registry auth: ")


def test_a_log_group_that_is_missing_stops_the_task(tasks: Tasks) -> None:
    options = {"awslogs-group": "/none", "awslogs-region": tasks.aws.region, "awslogs-stream-prefix": "run"}
    definition = tasks.register(
        executionRoleArn=role_for_logs(tasks),
        container={"logConfiguration": {"logDriver": "awslogs", "options": options}},
    )
    task = tasks.run("true", definition=definition)
    must_not_have_started(task, "ResourceInitializationError: failed to validate logger args: ")
    assert "ResourceNotFoundException: The specified log group does not exist" in task["stoppedReason"]


# --- with a switch ---


def test_the_image_cannot_be_pulled(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("cannot-pull-image", reason="403 Forbidden")
    must_not_have_started(tasks.run("true"), "CannotPullContainerError: ")
    assert tasks.run("true")["containers"][0]["exitCode"] == 0


def test_no_capacity_is_a_failure_in_the_answer(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("run-task-failure")
    answer = tasks.ecs.run_task(**tasks.request("true"))
    assert answer["tasks"] == []
    assert answer["failures"] == [{"reason": "Capacity is unavailable at this time"}]
    aws_endpoint.add_fault("run-task-failure", reason="RESOURCE:ENI", arn="arn:x", detail="none left")
    assert tasks.ecs.run_task(**tasks.request("true"))["failures"] == [
        {"reason": "RESOURCE:ENI", "arn": "arn:x", "detail": "none left"}
    ]


def test_the_secret_store_does_not_answer(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault(
        "api-error",
        action="secretsmanager:GetSecretValue",
        code="InternalServiceError",
        message="try later",
        role="taxiway-execution",
    )
    secrets = [{"name": "PASSWORD", "valueFrom": secret_arn(tasks, ALLOWED_SECRET)}]
    task = tasks.run("true", definition=tasks.register(container={"secrets": secrets}))
    must_not_have_started(task, "ResourceInitializationError: ")
    assert "InternalServiceError: try later" in task["stoppedReason"]


def test_the_next_calls_are_throttled(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    arn = tasks.start("true")
    aws_endpoint.add_fault("api-error", action="ecs:DescribeTasks", times=None)
    with pytest.raises(ClientError, match="Rate exceeded") as caught:
        tasks.describe(arn)
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"
    aws_endpoint.clear_faults()
    # The SDK tries more than twice by itself.
    aws_endpoint.add_fault("api-error", action="ecs:DescribeTasks", times=2)
    assert tasks.describe(arn)["taskArn"] == arn
    assert aws_endpoint.faults() == []


def test_the_task_is_not_seen_at_first(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    arn = tasks.start("true")
    aws_endpoint.add_fault("task-not-visible", times=2)
    for _ in range(2):
        answer = tasks.ecs.describe_tasks(cluster=tasks.account.cluster, tasks=[arn])
        assert (answer["tasks"], answer["failures"]) == ([], [{"arn": arn, "reason": "MISSING"}])
    assert tasks.describe(arn)["taskArn"] == arn


def test_a_task_ends_before_anybody_has_looked(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("shorter-than-a-poll")
    arn = tasks.start("echo short; exit 4")
    task = tasks.describe(arn)
    assert (task["lastStatus"], task["containers"][0]["exitCode"]) == ("STOPPED", 4)
    assert tasks.lines(arn) == ["short"]


def test_a_task_is_stuck_until_it_is_stopped(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("stuck-in-provisioning")
    arn = tasks.start("true")
    time.sleep(0.5)
    assert tasks.describe(arn)["lastStatus"] == "PROVISIONING"
    tasks.ecs.stop_task(cluster=tasks.account.cluster, task=arn, reason="enough")
    task = tasks.wait(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" not in task


def test_a_task_is_killed_for_memory(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("out-of-memory", after_lines=2)
    task = tasks.run("echo one; echo two; exec sleep 60")
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["exitCode"] == 137
    assert task["containers"][0]["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_the_host_of_a_task_fails_and_nobody_knows_the_exit_code(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("host-failure", after_lines=1)
    task = tasks.run("echo one; exec sleep 60")
    assert task["stopCode"] == "TerminationNotice"
    assert "exitCode" not in task["containers"][0]
    assert "startedAt" in task


def test_the_log_stream_is_deleted_in_the_middle(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("log-stream-deleted", after_lines=1)
    task = tasks.run("echo one; sleep 0.2; echo two; exit 3")
    assert task["containers"][0]["exitCode"] == 3
    with pytest.raises(tasks.logs.exceptions.ResourceNotFoundException):
        tasks.logs.get_log_events(
            logGroupName=tasks.account.log_group, logStreamName=tasks.account.log_stream(task["taskArn"])
        )


def test_the_last_lines_arrive_after_the_end(tasks: Tasks, aws_endpoint: AwsEndpoint) -> None:
    aws_endpoint.add_fault("log-delay", seconds=1)
    task = tasks.run("echo late")
    assert tasks.lines(task["taskArn"]) == []
    tasks.wait_for_line(task["taskArn"], "late")


def test_a_fault_that_does_not_exist_is_refused(aws_endpoint: AwsEndpoint) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        aws_endpoint.add_fault("moon")


# --- roles ---


def role_for_secrets(tasks: Tasks, name: str, secret: str) -> str:
    """An execution role that may read that secret and write the log."""
    statements = [
        f'{{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "{secret}"}}',
        '{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}',
    ]
    return make_role(tasks, name, ", ".join(statements))


def role_for_logs(tasks: Tasks) -> str:
    """An execution role that may write every log."""
    return make_role(tasks, "writes-logs", '{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}')


def make_role(tasks: Tasks, name: str, statements: str) -> str:
    iam = tasks.aws.client("iam")
    trust = iam.get_role(RoleName="taxiway-execution")["Role"]["AssumeRolePolicyDocument"]
    policy = f'{{"Version": "2012-10-17", "Statement": [{statements}]}}'
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=policy)
    arn: str = role["Role"]["Arn"]
    return arn
