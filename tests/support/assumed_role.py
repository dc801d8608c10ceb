"""Somebody who may do what a policy says and nothing else."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.aws import AwsEndpoint


def assume(aws: AwsEndpoint, name: str, policy: str) -> Mapping[str, str]:
    """The environment of that somebody."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=policy)
    keys = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return {
        **aws.environment,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


def actions_in(policy: str) -> set[str]:
    """Every action that a policy allows."""
    statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
    named = (statement["Action"] for statement in statements)
    return {action for one in named for action in ([one] if isinstance(one, str) else one)}
