"""The real Terraform and CloudFormation make the same of the same wishes: roles, their policies, and the container.

Both are made in one emulated account. What AWS has named is replaced by what it is; then nothing differs.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox.account import AccountBuilder
from sandbox.aws import AwsEndpoint
from sandbox.directory import temporary_directory
from tests.support.infra import DIGEST
from tests.support.operator import Operator
from tests.support.terraform_program import Terraform, call_module, find_reason_without

_REASON: Final = find_reason_without()
pytestmark = pytest.mark.skipif(_REASON is not None, reason=_REASON or "")
_ROLES: Final = ("execution_role_arn", "task_role_arn", "bastion_role_arn", "github_role_arn")


@pytest.mark.timeout(900)
def test_roles_policies_and_container_are_the_same(tmp_path: Path) -> None:
    with temporary_directory() as place, AwsEndpoint(place / "aws") as aws:
        wishes, tables = wish(aws)
        by_stack = deploy(aws, tmp_path, wishes, tables)
        tables["github"]["provider"] = find_provider(aws)
        by_terraform = apply(aws, tmp_path / "ground", {**wishes, **tables})
        for role in _ROLES:
            ours = policies(aws, by_stack, role)
            # A stack is what the role reads where there is one.
            ours["statements"].pop("ReadTheStack", None)
            assert policies(aws, by_terraform, role) == ours, role
        assert container(aws, by_terraform) == container(aws, by_stack)


def wish(aws: AwsEndpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keys of ``[infra]``, and its tables: everything that a role depends on."""
    ground = AccountBuilder(aws).build_ground({})
    ec2 = aws.client("ec2")
    route_tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [ground.vpc]}])["RouteTables"]
    lists = ec2.describe_managed_prefix_lists()["PrefixLists"]
    [prefixes] = [one["PrefixListId"] for one in lists if one["PrefixListName"].endswith(".s3")]
    wishes = {
        "vpc": ground.vpc,
        "subnets": [*ground.subnets],
        "image": f"111122223333.dkr.ecr.{aws.region}.amazonaws.com/team/taxiway@{DIGEST}",
        "registry_secret": "registry@pull",
        "repository_owner": "acme",
        "repository_path": "shop",
        "deploy_key_secret": "keys@shop",
        "secrets": ["users@reader", f"arn:aws:secretsmanager:{aws.region}:123456789012:secret:other-abcdef"],
        "rotated_secrets": ["users@app"],
        "kms_key": f"arn:aws:kms:{aws.region}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "database_name": "shop",
        "database_users": ["migrator"],
        "environment": {"STAGE": "test"},
    }
    tables: dict[str, Any] = {
        "database": {"deletion_protection": False},
        "bastion": {},
        "github": {"environment": "live"},
        "endpoints": {"route_tables": [route_tables[0]["RouteTableId"]], "s3_prefix_list": prefixes},
    }
    return wishes, tables


def deploy(
    aws: AwsEndpoint, directory: Path, wishes: Mapping[str, Any], tables: Mapping[str, Any]
) -> dict[str, str]:
    """The outputs of ``taxiway infra deploy``, by their names in Terraform."""
    lines = ["[task]", 'stack = "shop"', "[infra]", *_keys(wishes)]
    lines += [line for name, table in tables.items() for line in (f"[infra.{name}]", *_keys(table))]
    lines += ["[infra.environment]", *_keys(wishes["environment"])]
    file = "\n".join(line for line in lines if not line.startswith("environment = {"))
    account = AccountBuilder(aws).build(environment={}, secrets=())
    ended = Operator(directory, account, aws.environment, file=file, group="infra").call(
        "deploy", "--yes", "--output", "json"
    )
    assert ended.exit_code == 0, ended.stdout + ended.stderr
    return {_snake(name): value for name, value in ended.json["outputs"].items()}


def apply(aws: AwsEndpoint, directory: Path, values: Mapping[str, Any]) -> dict[str, str]:
    """The outputs of ``terraform apply``."""
    directory.mkdir()
    call_module(directory, {"name": "shop", **values}, region=aws.region, outputs=True)
    terraform = Terraform(directory, aws.environment)
    terraform.init()
    terraform.apply()
    told: dict[str, Any] = json.loads(terraform.run("output", "-json", "taxiway"))
    return {name: value for name, value in told.items() if isinstance(value, str)}


def find_provider(aws: AwsEndpoint) -> str:
    """An account has at most one for GitHub."""
    [provider] = aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    arn: str = provider["Arn"]
    return arn


def policies(aws: AwsEndpoint, outputs: Mapping[str, str], role: str) -> dict[str, Any]:
    """Who may take on a role, and its statements by their names."""
    iam, name = aws.client("iam"), outputs[role].rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    statements: list[Any] = []
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        statements += iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]["Statement"]
    plain = json.loads(_without_names(aws, outputs, {"trust": trust, "statements": statements}))
    return {
        "trust": [_normal(one) for one in plain["trust"]],
        "statements": {one["Sid"]: _normal(one) for one in plain["statements"]},
    }


def container(aws: AwsEndpoint, outputs: Mapping[str, str]) -> dict[str, Any]:
    """The definition of the container, with its variables by name."""
    definition = aws.client("ecs").describe_task_definition(taskDefinition=outputs["task_definition_arn"])
    [found] = definition["taskDefinition"]["containerDefinitions"]
    plain: dict[str, Any] = json.loads(_without_names(aws, outputs, found))
    return {**plain, "environment": {one["name"]: one["value"] for one in plain["environment"]}}


def _without_names(aws: AwsEndpoint, outputs: Mapping[str, str], content: object) -> str:
    """As JSON; what AWS has named is called by its output."""
    cluster = aws.client("rds").describe_db_clusters(DBClusterIdentifier=outputs["database_cluster_id"])
    names = {**outputs, "database_resource_id": cluster["DBClusters"][0]["DbClusterResourceId"]}
    text = json.dumps(content)
    for name, value in sorted(names.items(), key=lambda item: -len(item[1])):
        if len(value) > len("taxiway"):
            text = text.replace(value, f"<{name}>")
    return text


def _normal(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Without what means the same: the order of a list, one in the place of a list, an effect that is usual."""
    listed = {
        key: sorted([value] if isinstance(value, str) else value)
        for key, value in statement.items()
        if key in {"Action", "Resource"}
    }
    conditions = {
        operator: {key: [value] if isinstance(value, str) else value for key, value in keys.items()}
        for operator, keys in statement.get("Condition", {}).items()
    }
    rest = {key: value for key, value in statement.items() if key in {"Effect", "Principal"}}
    return {**rest, **listed, "Condition": conditions}


def _keys(values: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in values.items()]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
