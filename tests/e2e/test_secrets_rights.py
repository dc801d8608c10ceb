"""The policies in the how-to page are enough for every command, and nothing in them is too much."""

import json
from pathlib import Path
from typing import Final

import pytest

from sandbox.aws import AwsEndpoint
from tests.support.assumed_role import actions_in, assume
from tests.support.examples import blocks
from tests.support.keeper import Keeper
from tests.support.markdown import read_page
from tests.support.rights import Rights

PAGE: Final = "docs/how-to/make-keys-and-secrets.md"
ROLE: Final = "keeper"
KEY: Final = "github@deploy-key@migrations"
USER: Final = "postgresql@app@reporting"
FILE: Final = f"""
[secrets]
deploy_key_secret = "{KEY}"
tags = {{team = "data"}}

[roles.reporting]
secret = "{USER}"
"""
CALLS: Final = (
    ("deploy-key", "create"),
    ("deploy-key", "create"),
    ("deploy-key", "show"),
    ("deploy-key", "create", "--replace", "--yes"),
    ("secrets", "put", USER, "--generate"),
    ("secrets", "put", USER, "--generate", "--replace", "--yes"),
    ("secrets", "list"),
    ("secrets", "check"),
    ("secrets", "rotate", USER, "--yes"),
    ("secrets", "rotate", USER, "--cancel", "--yes"),
)


def policy_of_the_page(aws: AwsEndpoint) -> str:
    policy = next(block for block in blocks(read_page(PAGE)) if block.language == "json")
    account = aws.client("sts").get_caller_identity()["Account"]
    return policy.text.replace("111122223333", account).replace("eu-west-1", aws.region)


@pytest.fixture
def keeper(aws_endpoint: AwsEndpoint, tmp_path: Path) -> Keeper:
    made = Keeper(tmp_path, aws_endpoint)
    made.write(FILE)
    for name in (KEY, USER):
        aws_endpoint.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    return made


@pytest.mark.long
def test_the_policy_is_enough_and_nothing_in_it_is_too_much(keeper: Keeper) -> None:
    policy = policy_of_the_page(keeper.aws)
    keeper.environment |= assume(keeper.aws, ROLE, policy)
    rights = Rights(keeper.aws)
    for arguments in CALLS:
        ended = keeper.call(*arguments)
        assert ended.exit_code == 0, ended.stderr
        flags = [word for word in arguments if word in {"--cancel", "--replace"}]
        rights.note(" ".join((*arguments[:2], *flags)), ROLE)
    rights.check()
    audit = keeper.aws.audit(ROLE)
    assert {entry["decision"] for entry in audit} == {"allowed"}
    assert {entry["action"] for entry in audit} == actions_in(policy)


@pytest.mark.parametrize("action", ["DescribeSecret", "CreateSecret", "TagResource"])
def test_a_right_that_is_missing_is_named_and_nothing_is_made(keeper: Keeper, action: str) -> None:
    content = json.loads(policy_of_the_page(keeper.aws))
    denial = {"Effect": "Deny", "Action": f"secretsmanager:{action}", "Resource": "*"}
    policy = json.dumps({**content, "Statement": [*content["Statement"], denial]})
    keeper.environment |= assume(keeper.aws, f"keeper-without-{action}", policy)
    ended = keeper.call("secrets", "put", USER, "--generate")
    assert (ended.exit_code, ended.code) == (2, "aws-access-denied"), ended.stderr
    assert f"not authorized to perform: secretsmanager:{action}" in ended.stderr
    assert "whoever runs this command" in ended.stderr
    secrets = keeper.aws.client("secretsmanager")
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.describe_secret(SecretId=USER)
