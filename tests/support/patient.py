"""A project whose way is checked: an account with everything, a real server, a real Git host; healthy at first."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sandbox.account import task_definition
from sandbox.repository import SAMPLE_PROJECT
from sandbox.world import REGISTRY_SECRET, World
from tests.support.operator import Ended, Operator

CLUSTER: Final = "patient"
_FILE: Final = """
[task]
cluster = "{cluster}"
task_definition = "{family}"
subnets = [{subnets}]
security_groups = ["{group}"]
database = "{database}"
assign_public_ip = false

[secrets]
registry_secret = "{registry}"
"""

type _Content = dict[str, Any]


class Patient:
    """``taxiway doctor`` in the directory of a project. What a test injects it takes back itself."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world, self.aws, self.account = world, world.aws, world.account
        shutil.copytree(SAMPLE_PROJECT, directory, dirs_exist_ok=True)
        self._project = (directory / "taxiway.toml").read_text()
        self._make_way_out()
        self.database_group = self._make_database()
        self.operator = Operator(directory, self.account, world.operator_environment(), group="doctor")
        self.write()

    def write(self, **changes: str) -> None:
        """The ``taxiway.toml``, with other values."""
        values = {
            "cluster": self.account.cluster,
            "family": self.account.family,
            "subnets": ", ".join(f'"{one}"' for one in self.account.subnets),
            "group": self.account.security_group,
            "database": CLUSTER,
            "registry": REGISTRY_SECRET,
            **changes,
        }
        self.operator.write(self._project + _FILE.format(**values))

    def examine(self, *arguments: str, **variables: str) -> Ended:
        """Call it, for JSON."""
        return self.operator.call("--output", "json", *arguments, **variables)

    def codes(self, *arguments: str, **variables: str) -> set[str]:
        """The codes of the findings; each has a fix, and the exit code fits."""
        ended = self.examine(*arguments, **variables)
        assert ended.exit_code in {0, 4}, ended.stderr
        findings = ended.json["findings"]
        assert ended.exit_code == (4 if findings else 0)
        assert all(one["fix"] and one["message"] for one in findings)
        return {one["code"] for one in findings}

    # --- what is changed for a while

    @contextmanager
    def definition(
        self, variables: Mapping[str, str] | None = None, container: _Content | None = None, **changes: Any
    ) -> Iterator[None]:
        """Another task definition in ``taxiway.toml``; ``None`` takes a part away."""
        registry = self.aws.client("secretsmanager").describe_secret(SecretId=REGISTRY_SECRET)["ARN"]
        environment = {**self.world.job_environment(), **(variables or {})}
        made = task_definition(self.account, environment, region=self.aws.region, registry_secret=registry)
        made["containerDefinitions"][0] |= container or {}
        made |= {"family": "ill", **changes}
        for part in (made, made["containerDefinitions"][0]):
            for name in [name for name, value in part.items() if value is None]:
                del part[name]
        ecs = self.aws.client("ecs")
        arn = ecs.register_task_definition(**made)["taskDefinition"]["taskDefinitionArn"]
        self.write(family=arn)
        try:
            yield
        finally:
            self.write()
            ecs.deregister_task_definition(taskDefinition=arn)

    @contextmanager
    def secret(self, name: str, text: str | _Content) -> Iterator[None]:
        """Another value of a secret."""
        secrets = self.aws.client("secretsmanager")
        before = secrets.get_secret_value(SecretId=name)["SecretString"]
        secrets.put_secret_value(SecretId=name, SecretString=text if isinstance(text, str) else json.dumps(text))
        try:
            yield
        finally:
            secrets.put_secret_value(SecretId=name, SecretString=before)

    @contextmanager
    def policy(self, role: str, statements: list[_Content]) -> Iterator[None]:
        """Further statements for a role of the task."""
        iam = self.aws.client("iam")
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=role, PolicyName="injected", PolicyDocument=document)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="injected")

    @contextmanager
    def trust(self, role: str, service: str) -> Iterator[None]:
        """Another service that may assume a role."""
        iam = self.aws.client("iam")
        before = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))
        try:
            yield
        finally:
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(before))

    # --- what makes it healthy

    def _make_way_out(self) -> None:
        ec2 = self.aws.client("ec2")
        tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.account.vpc]}])
        self.table = tables["RouteTables"][0]["RouteTableId"]
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        gateway = ec2.create_nat_gateway(SubnetId=self.account.subnets[0], AllocationId=address)
        self.gateway = gateway["NatGateway"]["NatGatewayId"]
        self.open_way()

    def open_way(self) -> None:
        """The route to the internet."""
        self.aws.client("ec2").create_route(
            RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=self.gateway
        )

    def close_way(self) -> None:
        """Without it."""
        self.aws.client("ec2").delete_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0")

    @property
    def rule(self) -> _Content:
        """What lets the task into the database."""
        pair = {"GroupId": self.account.security_group}
        permission = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [pair]}
        return {"GroupId": self.database_group, "IpPermissions": [permission]}

    def _make_database(self) -> str:
        ec2, rds = self.aws.client("ec2"), self.aws.client("rds")
        group: str = ec2.create_security_group(
            VpcId=self.account.vpc, GroupName="database", Description="The database"
        )["GroupId"]
        self.database_group = group
        ec2.authorize_security_group_ingress(**self.rule)
        rds.create_db_cluster(
            DBClusterIdentifier=CLUSTER,
            Engine="aurora-postgresql",
            EngineVersion="16.4",
            MasterUsername="sqladmin",
            MasterUserPassword="never-used-here",
            VpcSecurityGroupIds=[group],
        )
        return group
