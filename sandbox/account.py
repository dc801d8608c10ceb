"""What an AWS account has before the first migration task can run in it: network, cluster, roles, log, definition.

The roles may do what the task needs, on named resources only.
"""

import hashlib
import json
import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.aws import AwsEndpoint

NAME: Final = "taxiway"
CONTAINER: Final = "taxiway"
LOG_GROUP: Final = "/taxiway"
LOG_PREFIX: Final = "run"
EXECUTION_ROLE: Final = "taxiway-execution"
TASK_ROLE: Final = "taxiway-task"
IMAGE_REPOSITORY: Final = "registry.example/taxiway"

_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImage:
    """A real image: what it is called in the engine of :mod:`sandbox.image`, and its digest."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What was made, by the names that AWS gave. Each has the tag ``Name`` too, if it can have tags.

    Attributes:
        cluster: Name of the ECS cluster.
        family: Of the task definition.
        image: By digest.
    """

    cluster: str
    family: str
    container: str
    image: str
    log_group: str
    log_prefix: str
    execution_role: str
    task_role: str
    vpc: str
    subnets: tuple[str, ...]
    security_group: str

    @property
    def network(self) -> dict[str, Any]:
        """The ``networkConfiguration`` of RunTask."""
        return {
            "awsvpcConfiguration": {
                "subnets": [*self.subnets],
                "securityGroups": [self.security_group],
                "assignPublicIp": "DISABLED",
            }
        }

    def log_stream(self, task_arn: str) -> str:
        """Where the output of a task is."""
        return f"{self.log_prefix}/{self.container}/{task_arn.rpartition('/')[2]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is there before anybody builds something: a network, and an image by digest."""

    vpc: str
    subnets: tuple[str, ...]
    image: str


class AccountBuilder:
    """Makes everything of an :class:`Account` in an endpoint."""

    def __init__(self, aws: AwsEndpoint) -> None:
        self._aws = aws

    def build_ground(self, environment: Mapping[str, str]) -> Ground:
        """A VPC with two subnets behind a NAT gateway, and the image, with these variables besides its own."""
        vpc = self._make_vpc()
        subnets = self._make_subnets(vpc)
        self._make_way_out(vpc, subnets[0])
        return Ground(vpc=vpc, subnets=subnets, image=self._push_image(None, environment))

    def build(
        self,
        *,
        environment: Mapping[str, str],
        secrets: Iterable[str],
        registry_secret: str | None = None,
        image: BuiltImage | None = None,
    ) -> Account:
        """``environment``: of the container; ``secrets``: the names of those that the task may read.

        ``registry_secret``: the name of the one with user name and password of the registry, if it wants them.
        ``image``: what tasks run; without it, this working tree as a process.
        """
        secret_arns = [self._secret_arn(name) for name in secrets]
        registry_arn = self._secret_arn(registry_secret) if registry_secret else None
        vpc = self._make_vpc()
        self._aws.client("ecs").create_cluster(clusterName=NAME)
        self._aws.client("logs").create_log_group(logGroupName=LOG_GROUP)
        account = Account(
            cluster=NAME,
            family=NAME,
            container=CONTAINER,
            image=self._push_image(image),
            log_group=LOG_GROUP,
            log_prefix=LOG_PREFIX,
            execution_role=self._make_role(
                EXECUTION_ROLE, [*_reading([registry_arn] if registry_arn else []), self._writing_the_log()]
            ),
            task_role=self._make_role(TASK_ROLE, _reading(secret_arns)),
            vpc=vpc,
            subnets=self._make_subnets(vpc),
            security_group=self._make_security_group(vpc),
        )
        definition = task_definition(account, environment, region=self._aws.region, registry_secret=registry_arn)
        self._aws.client("ecs").register_task_definition(**definition)
        return account

    def _secret_arn(self, name: str) -> str:
        arn: str = self._aws.client("secretsmanager").describe_secret(SecretId=name)["ARN"]
        return arn

    # --- network ---

    def _make_vpc(self) -> str:
        vpc = self._aws.client("ec2").create_vpc(
            CidrBlock="10.0.0.0/16", TagSpecifications=_named("vpc", f"{NAME}-vpc")
        )
        vpc_id: str = vpc["Vpc"]["VpcId"]
        return vpc_id

    def _make_subnets(self, vpc: str) -> tuple[str, ...]:
        return tuple(self._make_subnet(vpc, zone, number) for number, zone in enumerate("ab"))

    def _make_subnet(self, vpc: str, zone: str, number: int) -> str:
        subnet = self._aws.client("ec2").create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=f"{self._aws.region}{zone}",
            TagSpecifications=_named("subnet", f"{NAME}-private-{zone}"),
        )
        subnet_id: str = subnet["Subnet"]["SubnetId"]
        return subnet_id

    def _make_way_out(self, vpc: str, subnet: str) -> None:
        ec2 = self._aws.client("ec2")
        tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
        ec2.create_route(
            RouteTableId=tables[0]["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway
        )

    def _make_security_group(self, vpc: str) -> str:
        group = self._aws.client("ec2").create_security_group(
            VpcId=vpc,
            GroupName=f"{NAME}-task",
            Description="The migration task",
            TagSpecifications=_named("security-group", f"{NAME}-task"),
        )
        group_id: str = group["GroupId"]
        return group_id

    # --- roles ---

    def _make_role(self, name: str, statements: list[dict[str, Any]]) -> str:
        iam = self._aws.client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
        # A policy without statements is malformed.
        if statements:
            policy = {"Version": "2012-10-17", "Statement": statements}
            iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
        arn: str = role["Role"]["Arn"]
        return arn

    def _writing_the_log(self) -> dict[str, Any]:
        account = self._aws.client("sts").get_caller_identity()["Account"]
        group = f"arn:aws:logs:{self._aws.region}:{account}:log-group:{LOG_GROUP}"
        return {
            "Sid": "WriteTheLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{group}:log-stream:{LOG_PREFIX}/*",
        }

    # --- image ---

    def _push_image(self, image: BuiltImage | None, environment: Mapping[str, str] | None = None) -> str:
        """That image, or one whose program is this working tree: what is tested is what runs."""
        if image:
            reference = f"{IMAGE_REPOSITORY}@{image.digest}"
            self._aws.push_image(reference, digest=image.digest, container=image.name)
            return reference
        digest = f"sha256:{hashlib.sha256(IMAGE_REPOSITORY.encode()).hexdigest()}"
        reference = f"{IMAGE_REPOSITORY}@{digest}"
        self._aws.push_image(
            reference,
            digest=digest,
            entry_point=[sys.executable, "-m", "taxiway", "run"],
            environment={
                "PATH": f"{self._programs()}:{os.environ['PATH']}",
                "LANG": "C.UTF-8",
                "TZ": "UTC",
                "PYTHONUNBUFFERED": "1",
                **(environment or {}),
            },
        )
        return reference

    def _programs(self) -> Path:
        """What a task definition with an entry point of its own finds in the image."""
        folder = self._aws.directory / "image" / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        _write_program(folder / "taxiway", f'exec {shlex.quote(sys.executable)} -m taxiway "$@"')
        # It only has to be a program that runs another one: our children end when they are told to.
        _write_program(folder / "tini", '[ "$1" = -- ] && shift; exec "$@"')
        return folder


def _write_program(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def task_definition(
    account: Account, environment: Mapping[str, str], *, region: str, registry_secret: str | None
) -> dict[str, Any]:
    """The arguments of RegisterTaskDefinition."""
    container: dict[str, Any] = {
        "name": account.container,
        "image": account.image,
        "essential": True,
        "user": "10001:10001",
        "readonlyRootFilesystem": True,
        "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp"}],
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": account.log_group,
                "awslogs-region": region,
                "awslogs-stream-prefix": account.log_prefix,
            },
        },
    }
    if registry_secret:
        container["repositoryCredentials"] = {"credentialsParameter": registry_secret}
    return {
        "family": account.family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": account.execution_role,
        "taskRoleArn": account.task_role,
        "containerDefinitions": [container],
        "volumes": [{"name": "tmp"}],
    }


def _reading(secrets: list[str]) -> list[dict[str, Any]]:
    action = "secretsmanager:GetSecretValue"
    statement = {"Sid": "ReadSecrets", "Effect": "Allow", "Action": action, "Resource": secrets}
    return [statement] if secrets else []


def _named(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]
