"""The policy in the how-to page is enough for a tunnel, and nothing in it is too much."""

import json
from pathlib import Path

import pytest

from tests.e2e.tunnel.conftest import Shop
from tests.support.assumed_role import actions_in, assume
from tests.support.examples import blocks
from tests.support.markdown import read_page
from tests.support.rights import Rights
from tests.support.tunnels import TunnelUser

PAGE = "docs/how-to/open-a-tunnel.md"
ROLE = "tunnel-user"


def policy_of_the_page(shop: Shop, secret: str) -> str:
    """With the names of this account in place of those of the page."""
    [block] = [block for block in blocks(read_page(PAGE)) if block.language == "json"]
    account = shop.aws.client("sts").get_caller_identity()["Account"]
    names = {
        "111122223333": account,
        "eu-west-1": shop.aws.region,
        "i-0abc": shop.instance,
        # The name of the role session
        "${aws:username}": "test",
        "postgresql@shop@app": secret,
    }
    text = block.text
    for name, ours in names.items():
        assert name in text, name
        text = text.replace(name, ours)
    return text


@pytest.mark.long
def test_the_policy_is_enough_and_nothing_in_it_is_too_much(
    by_ssm: TunnelUser, shop: Shop, tmp_path: Path
) -> None:
    secret = f"rights-{tmp_path.name}"
    shop.aws.put_secret(secret, {"username": shop.user, "password": shop.password})
    policy = policy_of_the_page(shop, secret)
    by_ssm.environment = {**by_ssm.environment, **assume(shop.aws, ROLE, policy)}
    ran = by_ssm.call("--login-secret", secret, "--", "psql", "-XAtc", "SELECT 1")
    assert (ran.process.returncode, ran.stdout) == (0, "1\n"), ran.stderr
    with by_ssm.calling() as tunnel:
        tunnel.open()
        shop.aws.cut_sessions()
        tunnel.wait_for("open database connections go on")
        tunnel.end()
    rights = Rights(shop.aws)
    rights.note("tunnel", ROLE)
    rights.check()
    audit = shop.aws.audit(ROLE)
    assert {entry["decision"] for entry in audit} == {"allowed"}
    assert {entry["action"] for entry in audit} == actions_in(policy)


@pytest.mark.parametrize("action", ["ssm:StartSession", "rds:DescribeDBClusters", "ec2:DescribeInstances"])
def test_a_right_that_is_missing_is_named(by_ssm: TunnelUser, shop: Shop, tmp_path: Path, action: str) -> None:
    content = json.loads(policy_of_the_page(shop, "any"))
    denial = {"Effect": "Deny", "Action": action, "Resource": "*"}
    policy = json.dumps({**content, "Statement": [*content["Statement"], denial]})
    by_ssm.environment = {**by_ssm.environment, **assume(shop.aws, f"no-{action.replace(':', '-')}", policy)}
    ended = by_ssm.call()
    assert (ended.code, ended.process.returncode) == ("aws-access-denied", 2), ended.stderr
    [hint] = [line for line in ended.stderr.splitlines() if line.startswith("Hint: ")]
    assert f"{action} on " in hint
    assert "whoever runs this command" in hint


def test_a_shell_on_the_instance_stays_forbidden(by_ssm: TunnelUser, shop: Shop) -> None:
    import boto3
    from botocore.exceptions import ClientError

    environment = assume(shop.aws, "no-shell", policy_of_the_page(shop, "any"))
    client = boto3.client(
        "ssm",
        region_name=shop.aws.region,
        endpoint_url=shop.aws.url,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment["AWS_SESSION_TOKEN"],
    )
    with pytest.raises(ClientError, match="not authorized to perform: ssm:StartSession"):
        client.start_session(Target=shop.instance, DocumentName="AWS-StartInteractiveCommand")
