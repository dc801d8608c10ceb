"""The policy in the how-to page is enough for every command on a stack with an existing database."""

from pathlib import Path

import pytest

from sandbox.aws import AwsEndpoint
from sandbox.world import World
from tests.support.assumed_role import actions_in, assume
from tests.support.examples import blocks
from tests.support.infra import infra_file
from tests.support.markdown import read_page
from tests.support.operator import Operator
from tests.support.rights import Rights

PAGE = "docs/how-to/build-the-infrastructure.md"
ROLE = "builder"


def policy_of_the_page(aws: AwsEndpoint, vpc: str) -> str:
    """With the names of this account in place of those of the page."""
    [block] = [block for block in blocks(read_page(PAGE)) if block.language == "json"]
    account = aws.client("sts").get_caller_identity()["Account"]
    text = block.text.replace("111122223333", account).replace("eu-west-1", aws.region)
    return text.replace("vpc-0123456789abcdef0", vpc).replace("taxiway", "shop")


@pytest.mark.timeout(400)
def test_the_policy_is_enough_and_nothing_in_it_is_too_much(world: World, tmp_path: Path) -> None:
    policy = policy_of_the_page(world.aws, world.account.vpc)
    file = infra_file(world, world.account)
    operator = Operator(tmp_path, world.account, assume(world.aws, ROLE, policy), file=file, group="infra")
    rights = Rights(world.aws)
    for arguments in (
        ("template",),
        ("plan",),
        ("deploy", "--yes"),
        ("status",),
        ("status", "--drift"),
        ("deploy", "--yes"),
        ("destroy", "--yes"),
    ):
        ended = operator.call(*arguments)
        assert ended.exit_code == 0, ended.stderr
        rights.note(" ".join(("infra", *arguments)).removesuffix(" --yes"), ROLE)
    rights.check()
    audit = world.aws.audit(ROLE)
    assert {entry["decision"] for entry in audit} == {"allowed"}
    assert {entry["action"] for entry in audit} == actions_in(policy)
