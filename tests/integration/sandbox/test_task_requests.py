"""What RunTask, DescribeTasks and ListTasks accept and answer, and what they refuse."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.tasks import Tasks

type Change = Callable[[dict[str, Any]], object]


def network(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = request["networkConfiguration"]["awsvpcConfiguration"]
    return found


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda r: r.update(cluster="none"), "ClusterNotFoundException", "Cluster not found"),
        (lambda r: r.update(taskDefinition="none"), "ClientException", "Unable to describe task definition"),
        (lambda r: r.pop("networkConfiguration"), "InvalidParameterException", "Network Configuration must be"),
        (lambda r: r.pop("launchType"), "InvalidParameterException", "No Container Instances were found"),
        (lambda r: r.update(count=11), "InvalidParameterException", "Count"),
        (lambda r: r.update(startedBy="me@example"), "InvalidParameterException", "startedBy"),
        (lambda r: r.update(clientToken="x" * 65), "InvalidParameterException", "clientToken"),
        (
            lambda r: r["overrides"]["containerOverrides"][0].update(name="other"),
            "InvalidParameterException",
            "Override for container named other is not a container in the TaskDefinition",
        ),
        (
            lambda r: r["overrides"]["containerOverrides"][0].update(command=["x" * 8192]),
            "InvalidParameterException",
            "8192",
        ),
        (
            lambda r: network(r).update(subnets=["subnet-0"]),
            "InvalidParameterException",
            "'subnet-0' does not exist",
        ),
        (
            lambda r: network(r).update(securityGroups=["sg-0"]),
            "InvalidParameterException",
            "'sg-0' does not exist",
        ),
    ],
)
def test_a_request_that_aws_refuses_is_refused(tasks: Tasks, change: Change, code: str, message: str) -> None:
    request = tasks.request("true")
    change(request)
    with pytest.raises(ClientError, match=message) as caught:
        tasks.ecs.run_task(**request)
    assert caught.value.response["Error"]["Code"] == code


def test_security_groups_may_be_left_out(tasks: Tasks) -> None:
    request = tasks.request("true")
    del network(request)["securityGroups"]
    assert tasks.wait(tasks.ecs.run_task(**request)["tasks"][0]["taskArn"])["containers"][0]["exitCode"] == 0


def test_a_definition_that_was_deregistered_cannot_be_run(tasks: Tasks) -> None:
    definition = tasks.register()
    tasks.ecs.deregister_task_definition(taskDefinition=definition)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        tasks.start("true", definition=definition)


def test_a_role_that_does_not_trust_tasks_cannot_be_passed(tasks: Tasks) -> None:
    iam = tasks.aws.client("iam")
    trust = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}'
    role = iam.create_role(RoleName="for-ec2", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    with pytest.raises(ClientError, match="ECS was unable to assume the role"):
        tasks.start("true", definition=tasks.register(taskRoleArn=role))


def test_the_same_client_token_is_the_same_task(tasks: Tasks) -> None:
    definition = tasks.register()
    first = tasks.start("echo once", definition=definition, clientToken="token-1")
    assert tasks.start("echo once", definition=definition, clientToken="token-1") == first
    assert tasks.start("echo once", definition=definition, clientToken="token-2") != first
    with pytest.raises(ClientError) as caught:
        tasks.start("echo twice", definition=definition, clientToken="token-1")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    tasks.wait(first)
    assert tasks.lines(first) == ["once"]


def test_tasks_are_listed_by_family_by_who_has_started_them_and_by_status(tasks: Tasks) -> None:
    family = tasks.register().rpartition("/")[2].partition(":")[0]
    running = tasks.start("exec sleep 60", definition=family, startedBy="runner")
    stopped = tasks.run("true", definition=family, startedBy="stopper")["taskArn"]

    def listed(**filters: Any) -> list[str]:
        arns: list[str] = tasks.ecs.list_tasks(cluster=tasks.account.cluster, **filters)["taskArns"]
        return arns

    assert listed(family=family) == [running]
    assert listed(family=family, desiredStatus="STOPPED") == [stopped]
    assert listed(startedBy="runner") == [running]
    assert listed(startedBy="stopper", desiredStatus="STOPPED") == [stopped]
    assert listed(family="none") == []
    with pytest.raises(ClientError, match="startedBy must be the only filter"):
        listed(startedBy="runner", family=family)


def test_a_long_list_has_pages(tasks: Tasks) -> None:
    family = tasks.register().rpartition("/")[2].partition(":")[0]
    for number in range(3):
        tasks.run(f"exit {number}", definition=family)
    pages = tasks.ecs.get_paginator("list_tasks").paginate(
        cluster=tasks.account.cluster, family=family, desiredStatus="STOPPED", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["taskArns"]) for page in pages] == [2, 1]


def test_tags_are_told_on_request_only(tasks: Tasks) -> None:
    arn = tasks.start("true", tags=[{"key": "branch", "value": "main"}])
    assert tasks.describe(arn)["tags"] == []
    assert tasks.describe(arn, include=["TAGS"])["tags"] == [{"key": "branch", "value": "main"}]


def test_a_task_that_does_not_exist_is_missing(tasks: Tasks) -> None:
    answer = tasks.ecs.describe_tasks(cluster=tasks.account.cluster, tasks=["0" * 32])
    assert answer["tasks"] == []
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]


def test_a_task_is_found_by_its_id_too(tasks: Tasks) -> None:
    arn = tasks.start("true")
    assert tasks.describe(arn.rpartition("/")[2])["taskArn"] == arn
