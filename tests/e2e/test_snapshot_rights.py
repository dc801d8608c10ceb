"""The policy in the how-to page is enough for every command, and no action in it is too much."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.aws import AwsEndpoint
from sandbox.directory import temporary_directory
from tests.support.assumed_role import actions_in, assume
from tests.support.examples import blocks
from tests.support.markdown import read_page
from tests.support.rights import Rights
from tests.support.snapshots import Shop

PAGE = "docs/how-to/restore-a-snapshot.md"
ROLE = "snapshots"
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def account() -> Iterator[AwsEndpoint]:
    """An account whose databases are real."""
    with temporary_directory() as directory, AwsEndpoint(directory / "aws", has_databases=True) as aws:
        yield aws


def policy_of_the_page(aws: AwsEndpoint) -> str:
    """In the account and region of the sandbox; the names are those of the page."""
    [block] = [block for block in blocks(read_page(PAGE)) if block.language == "json"]
    number = aws.client("sts").get_caller_identity()["Account"]
    return block.text.replace("111122223333", number).replace("eu-west-1", aws.region)


def test_the_policy_is_enough_and_nothing_in_it_is_too_much(account: AwsEndpoint, tmp_path: Path) -> None:
    policy = policy_of_the_page(account)
    shop = Shop(account, tmp_path, name="shop", environment=assume(account, ROLE, policy)).create()
    rights = Rights(account)
    for command in ("create", "list", "restore --yes", "revert --yes", "restore --yes", "confirm --yes"):
        ended = shop.call(*command.split())
        assert ended.exit_code == 0, ended.stderr
        rights.note(f"snapshot {command.removesuffix(' --yes')}", ROLE)
    rights.check()
    audit = account.audit(ROLE)
    assert {entry["decision"] for entry in audit} == {"allowed"}
    assert {entry["action"] for entry in audit} == actions_in(policy)
    for number, action in enumerate(("rds:CreateDBClusterSnapshot", "rds:RestoreDBClusterFromSnapshot")):
        check_denied(shop, policy, action, f"without-{number}")


def check_denied(shop: Shop, policy: str, action: str, role: str) -> None:
    """A right that is missing is named, and nothing was made or renamed."""
    content = json.loads(policy)
    denial = {"Effect": "Deny", "Action": action, "Resource": "*"}
    content["Statement"].append(denial)
    denied = Shop(shop.aws, shop.directory, name="shop", environment=assume(shop.aws, role, json.dumps(content)))
    command = ("create",) if "Create" in action else ("restore", "--yes")
    ended = denied.call(*command)
    assert (ended.code, ended.exit_code) == ("aws-access-denied", 2), ended.stderr
    assert f"not authorized to perform: {action}" in ended.stderr
    assert shop.names() == {"shop"}
