"""Security groups: tasks reach the database on its port, AWS and the Git host, and nobody reaches a task."""

from collections.abc import Iterator
from typing import Final

from taxiway.infra.names import (
    BASTION_GROUP,
    BASTION_TO_DATABASE,
    BASTION_TO_ENDPOINTS,
    DATABASE_FROM_BASTION,
    DATABASE_FROM_TASK,
    DATABASE_GROUP,
    ENDPOINT_GROUP,
    ENDPOINTS_FROM_BASTION,
    ENDPOINTS_FROM_TASK,
    TASK_GROUP,
    TASK_TO_DATABASE,
    TASK_TO_ENDPOINTS,
    TASK_TO_S3,
)
from taxiway.infra.resource import Json, Resource, attribute, sub
from taxiway.model.infra import EndpointsWish, InfraSettings

_HTTPS: Final = 443
_EVERYWHERE: Final = "0.0.0.0/0"
# A group without a rule for what goes out gets one for everything; this one lets nothing out
# ("SecurityGroupEgress", AWS::EC2::SecurityGroup).
_NOTHING_OUT: Final = [
    {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32", "Description": "Nothing"}
]


def make_task_network(settings: InfraSettings) -> Iterator[Resource]:
    """The group of tasks, and the one way to the database."""
    yield _group(settings, TASK_GROUP, "Migration tasks", _task_rules(settings))
    yield from _one_way(
        (TASK_TO_DATABASE, DATABASE_FROM_TASK),
        source=attribute(TASK_GROUP, "GroupId"),
        target=database_group(settings),
        port=settings.database_port,
        words=("Tasks to the database", "The database from tasks"),
    )


def make_database_group(settings: InfraSettings) -> Resource:
    """The group of a database of the stack's own: nothing goes out, and what comes in is ruled elsewhere."""
    return _group(settings, DATABASE_GROUP, "The database", _NOTHING_OUT)


def make_bastion_network(settings: InfraSettings) -> Iterator[Resource]:
    """The group of the bastion: no way in, and out to Systems Manager and the database only."""
    out = [] if settings.endpoints else [_out(_HTTPS, _EVERYWHERE, "Systems Manager")]
    yield _group(settings, BASTION_GROUP, "The bastion", out or _NOTHING_OUT)
    yield from _one_way(
        (BASTION_TO_DATABASE, DATABASE_FROM_BASTION),
        source=attribute(BASTION_GROUP, "GroupId"),
        target=database_group(settings),
        port=settings.database_port,
        words=("The bastion to the database", "The database from the bastion"),
    )


def make_endpoint_network(settings: InfraSettings, wish: EndpointsWish) -> Iterator[Resource]:
    """The group of the VPC endpoints, and the ways to them."""
    yield _group(settings, ENDPOINT_GROUP, "VPC endpoints", _NOTHING_OUT)
    yield from _one_way(
        (TASK_TO_ENDPOINTS, ENDPOINTS_FROM_TASK),
        source=attribute(TASK_GROUP, "GroupId"),
        target=attribute(ENDPOINT_GROUP, "GroupId"),
        port=_HTTPS,
        words=("Tasks to AWS", "AWS from tasks"),
    )
    yield Resource(
        logical_id=TASK_TO_S3,
        type="AWS::EC2::SecurityGroupEgress",
        properties={
            "GroupId": attribute(TASK_GROUP, "GroupId"),
            "Description": "Tasks to the layers of images",
            "DestinationPrefixListId": wish.s3_prefix_list,
            **_ports(_HTTPS),
        },
    )
    if settings.bastion:
        yield from _one_way(
            (BASTION_TO_ENDPOINTS, ENDPOINTS_FROM_BASTION),
            source=attribute(BASTION_GROUP, "GroupId"),
            target=attribute(ENDPOINT_GROUP, "GroupId"),
            port=_HTTPS,
            words=("The bastion to AWS", "AWS from the bastion"),
        )


def database_group(settings: InfraSettings) -> Json:
    """The id of the database's group."""
    return attribute(DATABASE_GROUP, "GroupId") if settings.database else settings.database_security_group


def _task_rules(settings: InfraSettings) -> list[Json]:
    git = [_out(settings.git_port, cidr, "The Git host") for cidr in settings.git_cidrs]
    if settings.endpoints:
        return git
    aws = _out(_HTTPS, _EVERYWHERE, "AWS and the registry of the image")
    return [aws, *(rule for rule in git if rule["FromPort"] != _HTTPS or rule["CidrIp"] != _EVERYWHERE)]


def _group(settings: InfraSettings, logical_id: str, what: str, out: list[Json]) -> Resource:
    return Resource(
        logical_id=logical_id,
        type="AWS::EC2::SecurityGroup",
        properties={
            "GroupDescription": sub(f"{what} of ${{AWS::StackName}}"),
            "VpcId": settings.vpc,
            "SecurityGroupEgress": out,
        },
        is_tagged=True,
    )


def _one_way(
    logical_ids: tuple[str, str], *, source: Json, target: Json, port: int, words: tuple[str, str]
) -> Iterator[Resource]:
    """The two rules that let one group reach another on one port; in the groups they would be a circle."""
    yield Resource(
        logical_id=logical_ids[0],
        type="AWS::EC2::SecurityGroupEgress",
        properties={
            "GroupId": source,
            "Description": words[0],
            "DestinationSecurityGroupId": target,
            **_ports(port),
        },
    )
    yield Resource(
        logical_id=logical_ids[1],
        type="AWS::EC2::SecurityGroupIngress",
        properties={"GroupId": target, "Description": words[1], "SourceSecurityGroupId": source, **_ports(port)},
    )


def _out(port: int, cidr: str, what: str) -> Json:
    return {"Description": what, "CidrIp": cidr, **_ports(port)}


def _ports(port: int) -> Json:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
