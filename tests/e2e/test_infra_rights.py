"""The policies in the how-to page are enough for every command, and nothing in them is too much."""

import json
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
ROLE, BUILDER = "builder", "builder-of-everything"


TABLES = """
[infra.database]

[infra.bastion]

[infra.github]
repository = "acme/shop"

[infra.endpoints]
route_tables = ["{table}"]
s3_prefix_list = "{prefixes}"
"""


def policies_of_the_page(aws: AwsEndpoint, vpc: str) -> tuple[str, str]:
    """That of the least, and what all tables need besides; with the names of this account."""
    account = aws.client("sts").get_caller_identity()["Account"]

    def here(text: str) -> str:
        text = text.replace("111122223333", account).replace("eu-west-1", aws.region)
        return text.replace("vpc-0123456789abcdef0", vpc).replace("taxiway", "shop")

    least, besides = (here(block.text) for block in blocks(read_page(PAGE)) if block.language == "json")
    return least, besides


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_policy_is_enough_and_nothing_in_it_is_too_much(world: World, tmp_path: Path) -> None:
    policy, _ = policies_of_the_page(world.aws, world.account.vpc)
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


@pytest.mark.long
@pytest.mark.timeout(400)
def test_both_policies_are_enough_for_everything_that_a_stack_can_have(world: World, tmp_path: Path) -> None:
    least, besides = policies_of_the_page(world.aws, world.account.vpc)
    statements = [one for text in (least, besides) for one in json.loads(text)["Statement"]]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    operator = Operator(
        tmp_path, world.account, assume(world.aws, BUILDER, policy), file=everything(world), group="infra"
    )
    rights = Rights(world.aws)
    for arguments in (("deploy", "--yes"), ("destroy", "--yes", "--disable-deletion-protection")):
        ended = operator.call(*arguments)
        assert ended.exit_code == 0, ended.stdout + ended.stderr
        rights.note(f"infra {arguments[0]} with every table", BUILDER)
    rights.check()
    used = {entry["action"] for entry in world.aws.audit(BUILDER)}
    assert actions_in(besides) - used == set()


def everything(world: World) -> str:
    """All tables of ``[infra]``, and no database that is there already."""
    ec2 = world.aws.client("ec2")
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [world.account.vpc]}])
    lists = ec2.describe_managed_prefix_lists()["PrefixLists"]
    [prefixes] = [one["PrefixListId"] for one in lists if one["PrefixListName"].endswith(".s3")]
    file = infra_file(world, world.account)
    kept = [
        line for line in file.splitlines() if not line.startswith(("database_host", "database_security_group"))
    ]
    more = TABLES.format(table=tables["RouteTables"][0]["RouteTableId"], prefixes=prefixes)
    return "\n".join([*kept, more])
