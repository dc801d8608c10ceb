"""Identity policies are judged as IAM judges them, and what is not understood is an error."""

import json
from typing import Any

import pytest

from sandbox.cloud.iam import Decision, PolicyNotUnderstood, Request, decide, trusts

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db@master-AbCdEf"


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    given = {"Effect": effect, **elements}
    if not {"Action", "NotAction"} & given.keys():
        given["Action"] = "secretsmanager:GetSecretValue"
    if not {"Resource", "NotResource"} & given.keys():
        given["Resource"] = SECRET
    return given


def judge(*statements: dict[str, Any], action: str = "secretsmanager:GetSecretValue", **context: str) -> Decision:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    request = Request(action, SECRET, {key.replace("_", ":"): value for key, value in context.items()})
    return decide([policy], request)


def test_what_nobody_allows_is_denied() -> None:
    assert judge() == Decision.IMPLICIT_DENY
    assert decide([], Request("s3:GetObject")) == Decision.IMPLICIT_DENY


def test_an_explicit_deny_wins_over_any_number_of_allows() -> None:
    assert judge(statement(), statement("Deny"), statement()) == Decision.EXPLICIT_DENY


def test_a_deny_about_something_else_does_not_matter() -> None:
    assert judge(statement(), statement("Deny", Resource=f"{SECRET}x")) == Decision.ALLOWED


@pytest.mark.parametrize(
    ("pattern", "decision"),
    [
        ("secretsmanager:GetSecretValue", Decision.ALLOWED),
        ("secretsManager:getsecretvalue", Decision.ALLOWED),
        ("secretsmanager:Get*", Decision.ALLOWED),
        ("*", Decision.ALLOWED),
        ("secretsmanager:GetSecretValu?", Decision.ALLOWED),
        ("secretsmanager:GetSecret", Decision.IMPLICIT_DENY),
        ("secretsmanager.GetSecretValue", Decision.IMPLICIT_DENY),
        (["ecs:RunTask", "secretsmanager:GetSecretValue"], Decision.ALLOWED),
    ],
)
def test_actions_have_wildcards_and_no_case(pattern: str | list[str], decision: Decision) -> None:
    assert judge(statement(Action=pattern)) == decision


@pytest.mark.parametrize(
    ("pattern", "decision"),
    [
        (SECRET, Decision.ALLOWED),
        ("*", Decision.ALLOWED),
        (SECRET[:-6] + "??????", Decision.ALLOWED),
        (SECRET[:-6] + "?????", Decision.IMPLICIT_DENY),
        (SECRET.upper(), Decision.IMPLICIT_DENY),
        ("arn:aws:secretsmanager:*", Decision.ALLOWED),
        ("arn:aws:secretsmanager:us-*:secret:*", Decision.IMPLICIT_DENY),
    ],
)
def test_resources_have_wildcards_and_case(pattern: str, decision: Decision) -> None:
    assert judge(statement(Resource=pattern)) == decision


def test_not_action_and_not_resource_are_about_everything_else() -> None:
    assert judge(statement(NotAction="iam:*")) == Decision.ALLOWED
    assert judge(statement(NotAction="secretsmanager:*")) == Decision.IMPLICIT_DENY
    assert judge(statement(NotResource="arn:aws:s3:::*")) == Decision.ALLOWED
    assert judge(statement(NotResource=["arn:aws:s3:::*", SECRET])) == Decision.IMPLICIT_DENY


CLUSTER = "arn:aws:ecs:eu-central-1:123456789012:cluster/taxiway"


@pytest.mark.parametrize(
    ("operator", "wanted", "is_allowed"),
    [
        ("StringEquals", CLUSTER, True),
        ("StringEquals", CLUSTER.upper(), False),
        ("StringEquals", ["other", CLUSTER], True),
        ("StringNotEquals", ["other", CLUSTER], False),
        ("StringNotEquals", ["other", "another"], True),
        ("StringEqualsIgnoreCase", CLUSTER.upper(), True),
        ("StringNotEqualsIgnoreCase", CLUSTER.upper(), False),
        ("StringLike", "arn:*", True),
        ("StringNotLike", "arn:*", False),
        ("ArnEquals", "arn:aws:ecs:*:*:cluster/*", True),
        ("ArnLike", "arn:aws:ecs:*:cluster/*", False),
        ("ArnNotEquals", "arn:aws:ecs:*:*:cluster/*", False),
        ("ArnNotLike", "arn:aws:ecs:*:*:cluster/other", True),
        ("Null", "false", True),
        ("Null", "true", False),
        ("Null", False, True),
    ],
)
def test_conditions(operator: str, wanted: object, *, is_allowed: bool) -> None:
    decision = judge(statement(Condition={operator: {"ECS:Cluster": wanted}}), ecs_cluster=CLUSTER)
    assert decision == (Decision.ALLOWED if is_allowed else Decision.IMPLICIT_DENY)


@pytest.mark.parametrize(
    ("operator", "is_allowed"),
    [
        ("StringEquals", False),
        ("StringEqualsIfExists", True),
        ("StringNotEquals", True),
        ("ArnLike", False),
        ("ArnLikeIfExists", True),
        ("Bool", False),
    ],
)
def test_a_key_that_is_not_there_satisfies_what_negates_and_what_may_be_absent(
    operator: str, *, is_allowed: bool
) -> None:
    decision = judge(statement(Condition={operator: {"aws:SecureTransport": "true"}}))
    assert decision == (Decision.ALLOWED if is_allowed else Decision.IMPLICIT_DENY)


def test_every_condition_has_to_hold() -> None:
    both = statement(Condition={"Bool": {"aws:a": "true"}, "StringEquals": {"aws:b": "x", "aws:c": "y"}})
    assert judge(both, aws_a="true", aws_b="x", aws_c="y") == Decision.ALLOWED
    assert judge(both, aws_a="true", aws_b="x", aws_c="z") == Decision.IMPLICIT_DENY


@pytest.mark.parametrize(
    "odd",
    [
        statement(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}),
        statement(Condition={"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}),
        statement(Condition={"StringEquals": {"aws:a": "${aws:username}"}}),
        statement(Resource="arn:aws:s3:::home/${aws:username}"),
        statement(Principal="*"),
        statement(NotAction="iam:*", Action="iam:*"),
        statement("Permit"),
        {"Effect": "Allow", "Action": "*"},
        statement(Action=[1]),
    ],
)
def test_what_is_not_understood_is_an_error_even_where_it_would_not_matter(odd: dict[str, Any]) -> None:
    with pytest.raises(PolicyNotUnderstood):
        judge(statement(), odd, action="ec2:DescribeVpcs")


def test_a_role_is_assumed_by_whom_it_trusts() -> None:
    policy = json.dumps(
        {
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        }
    )
    assert trusts(policy, "ecs-tasks.amazonaws.com", {})
    assert not trusts(policy, "ec2.amazonaws.com", {})
