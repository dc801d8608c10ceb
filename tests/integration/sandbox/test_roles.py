"""Whoever has assumed a role may do what its policies say, and everything is written down."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.account import Account
from sandbox.aws import AwsEndpoint
from tests.support.tasks import ALLOWED_SECRET, OTHER_SECRET, Tasks

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def statement(actions: str | list[str], resources: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


class Person:
    """Somebody who has assumed a role with these statements."""

    def __init__(self, aws: AwsEndpoint, name: str, *statements: dict[str, Any]) -> None:
        iam = aws.client("iam")
        self.role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": [*statements]})
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy)
        given = aws.client("sts").assume_role(RoleArn=self.role, RoleSessionName="alice")["Credentials"]
        self._session = boto3.Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name=aws.region,
        )
        self._aws = aws

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._aws.url)


def refusal(caught: "pytest.ExceptionInfo[ClientError]") -> tuple[str, str]:
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_policy_is_about_the_whole_name_of_a_secret(aws_endpoint: AwsEndpoint, account: Account) -> None:
    arn = aws_endpoint.client("secretsmanager").describe_secret(SecretId=ALLOWED_SECRET)["ARN"]
    person = Person(aws_endpoint, "one-secret", statement("secretsmanager:GetSecretValue", arn[:-6] + "??????"))
    secrets = person.client("secretsmanager")
    assert secrets.get_secret_value(SecretId=ALLOWED_SECRET)["ARN"] == arn
    assert secrets.get_secret_value(SecretId=arn)["Name"] == ALLOWED_SECRET
    with pytest.raises(ClientError) as caught:
        secrets.get_secret_value(SecretId=OTHER_SECRET)
    assert refusal(caught)[0] == "AccessDeniedException"
    with pytest.raises(ClientError) as caught:
        secrets.put_secret_value(SecretId=ALLOWED_SECRET, SecretString="x")
    assert refusal(caught)[0] == "AccessDeniedException"


def test_a_denial_names_who_what_and_why(aws_endpoint: AwsEndpoint, account: Account) -> None:
    denied = {"Effect": "Deny", "Action": "ecs:ListClusters", "Resource": "*"}
    person = Person(aws_endpoint, "denied", denied, statement("ecs:*"))
    with pytest.raises(ClientError) as caught:
        person.client("ecs").list_clusters()
    code, message = refusal(caught)
    assert code == "AccessDeniedException"
    assert message == (
        "User: arn:aws:sts::123456789012:assumed-role/denied/alice is not authorized to perform: ecs:ListClusters "
        "on resource: * with an explicit deny in an identity-based policy"
    )
    assert [entry["decision"] for entry in aws_endpoint.audit("denied")] == ["explicitDeny"]


def test_each_service_says_denied_in_its_own_way(aws_endpoint: AwsEndpoint, account: Account) -> None:
    person = Person(aws_endpoint, "nothing", statement("s3:GetObject"))
    with pytest.raises(ClientError) as caught:
        person.client("ec2").describe_vpcs()
    assert refusal(caught)[0] == "UnauthorizedOperation"
    with pytest.raises(ClientError) as caught:
        person.client("sts").assume_role(RoleArn=account.task_role, RoleSessionName="again")
    assert refusal(caught)[0] == "AccessDenied"
    # The one call that nobody can be denied.
    assert person.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/nothing/alice")


def test_who_starts_a_task_passes_its_roles(aws_endpoint: AwsEndpoint, account: Account, tasks: Tasks) -> None:
    request = tasks.request("true", definition=tasks.register())
    run = statement("ecs:RunTask", "arn:aws:ecs:*:*:task-definition/shell-*")
    only_run = Person(aws_endpoint, "only-run", run)
    with pytest.raises(ClientError) as caught:
        only_run.client("ecs").run_task(**request)
    assert "iam:PassRole on resource: arn:aws:iam::123456789012:role/taxiway-task" in refusal(caught)[1]
    passing = statement(
        "iam:PassRole",
        [account.task_role, account.execution_role],
        Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    )
    both = Person(aws_endpoint, "run-and-pass", run, passing)
    started = both.client("ecs").run_task(**request)["tasks"][0]["taskArn"]
    assert tasks.wait(started)["containers"][0]["exitCode"] == 0


def test_tasks_can_be_allowed_by_their_cluster(aws_endpoint: AwsEndpoint, account: Account, tasks: Tasks) -> None:
    arn = tasks.start("true")
    cluster = tasks.describe(arn)["clusterArn"]
    here, elsewhere = (
        Person(
            aws_endpoint, name, statement("ecs:DescribeTasks", Condition={"ArnEquals": {"ecs:cluster": value}})
        ).client("ecs")
        for name, value in (("here", cluster), ("elsewhere", f"{cluster}x"))
    )
    assert here.describe_tasks(cluster=account.cluster, tasks=[arn])["tasks"]
    with pytest.raises(ClientError, match="AccessDeniedException"):
        elsewhere.describe_tasks(cluster=account.cluster, tasks=[arn])


def test_an_action_that_is_not_known_is_neither_allowed_nor_denied(
    aws_endpoint: AwsEndpoint, account: Account
) -> None:
    person = Person(aws_endpoint, "everything", statement("*"))
    with pytest.raises(ClientError) as caught:
        person.client("ecs").list_services()
    assert refusal(caught)[0] == "SandboxActionUnknown"


def test_a_policy_that_is_not_understood_is_an_error(aws_endpoint: AwsEndpoint, account: Account) -> None:
    by_date = statement("*", Condition={"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})
    person = Person(aws_endpoint, "by-date", by_date)
    with pytest.raises(ClientError) as caught:
        person.client("ecs").list_clusters()
    assert refusal(caught)[0] == "SandboxPolicyNotUnderstood"


def test_managed_policies_count_too(aws_endpoint: AwsEndpoint, account: Account) -> None:
    person = Person(aws_endpoint, "managed", statement("s3:GetObject"))
    iam = aws_endpoint.client("iam")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement("ecs:ListClusters")]})
    arn = iam.create_policy(PolicyName="list", PolicyDocument=policy)["Policy"]["Arn"]
    with pytest.raises(ClientError):
        person.client("ecs").list_clusters()
    iam.attach_role_policy(RoleName="managed", PolicyArn=arn)
    assert person.client("ecs").list_clusters()["clusterArns"]
