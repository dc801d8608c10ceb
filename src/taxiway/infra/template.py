"""The whole template, from settings. The same settings give the same text, so that a plan shows changes only."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from taxiway.infra.check import check_settings
from taxiway.infra.database import make_database, master_secret
from taxiway.infra.doors import make_bastion, make_endpoints, make_github
from taxiway.infra.names import (
    BASTION,
    BASTION_ROLE,
    CLUSTER,
    CONTAINER,
    DATABASE,
    EXECUTION_ROLE,
    GITHUB_ROLE,
    LOG_GROUP,
    TASK_DEFINITION,
    TASK_GROUP,
    TASK_ROLE,
)
from taxiway.infra.network import make_task_network
from taxiway.infra.resource import Ending, Json, Resource, Role, Statement, as_tags, attribute, ref, sub, sub_all
from taxiway.infra.statements import make_roles
from taxiway.infra.task import make_task
from taxiway.model.infra import InfraSettings

_VERSION: Final = "2010-09-09"
_POLICY_VERSION: Final = "2012-10-17"
NAME_TAG: Final = "Name"

type Template = Mapping[str, Any]


def build_template(settings: InfraSettings) -> Template:
    """The template of the stack.

    Raises:
        ConfigError: No stack can be made of these settings.
    """
    check_settings(settings)
    return {
        "AWSTemplateFormatVersion": _VERSION,
        "Description": "Taxiway: SQL migrations as tasks on Fargate",
        "Resources": {one.logical_id: _rendered(one, settings.tags) for one in make_resources(settings)},
        "Outputs": {name: {"Description": words, "Value": value} for name, words, value in _outputs(settings)},
    }


def make_resources(settings: InfraSettings) -> tuple[Resource, ...]:
    """Every resource of the stack. The settings are checked."""
    return tuple(_resources(settings))


def _resources(settings: InfraSettings) -> Iterator[Resource]:
    yield from map(_role, make_roles(settings))
    yield from make_task(settings)
    yield from make_task_network(settings)
    if settings.database is not None:
        yield from make_database(settings, settings.database)
    if settings.bastion is not None:
        yield from make_bastion(settings, settings.bastion)
    if settings.github is not None:
        yield from make_github(settings.github)
    if settings.endpoints is not None:
        yield from make_endpoints(settings, settings.endpoints)


def _role(role: Role) -> Resource:
    """A role with its policy in it: the two are made and go together."""
    properties: dict[str, Json] = {
        "Description": role.description,
        "AssumeRolePolicyDocument": {"Version": _POLICY_VERSION, "Statement": [sub_all(role.trust)]},
    }
    if role.statements:
        document = {"Version": _POLICY_VERSION, "Statement": [*map(render_statement, role.statements)]}
        properties["Policies"] = [{"PolicyName": role.logical_id, "PolicyDocument": document}]
    return Resource(logical_id=role.logical_id, type="AWS::IAM::Role", properties=properties, is_tagged=True)


def render_statement(statement: Statement) -> Json:
    """A statement as CloudFormation has it."""
    rendered: dict[str, Json] = {
        "Sid": statement.sid,
        "Effect": "Allow",
        "Action": [*statement.actions],
        "Resource": sub_all([*statement.resources]) if statement.why_everything is None else "*",
    }
    if statement.conditions:
        rendered["Condition"] = sub_all(statement.conditions)
    return rendered


def _rendered(resource: Resource, tags: Mapping[str, str]) -> Json:
    rendered: dict[str, Json] = {"Type": resource.type}
    if resource.depends_on:
        rendered["DependsOn"] = [*resource.depends_on]
    if resource.ending is not Ending.DELETED:
        rendered["DeletionPolicy"] = resource.ending.value
        # "RetainExceptOnCreate" is about deletions only.
        kept = "Retain" if resource.ending is Ending.KEPT else resource.ending.value
        rendered["UpdateReplacePolicy"] = kept
    name = {NAME_TAG: sub(f"${{AWS::StackName}}-{resource.logical_id}")}
    tagged = {"Tags": as_tags({**name, **tags})} if resource.is_tagged else {}
    properties = {**resource.properties, **tagged}
    return {**rendered, "Properties": properties} if properties else rendered


def _outputs(settings: InfraSettings) -> Iterator[tuple[str, str, Json]]:
    """The first six are what ``taxiway task`` reads (taxiway.ops.resolve_target)."""
    yield "ClusterName", "Where tasks run", settings.cluster or ref(CLUSTER)
    yield "TaskDefinitionArn", "What a task is made of", ref(TASK_DEFINITION)
    yield "ContainerName", "The container that runs Taxiway", CONTAINER
    yield "SubnetIds", "The subnets of tasks", ",".join(settings.subnets)
    yield "SecurityGroupIds", "The security groups of tasks", attribute(TASK_GROUP, "GroupId")
    yield "AssignPublicIp", "Whether tasks get a public address", _enabled(settings.assign_public_ip)
    yield "LogGroupName", "Where tasks write", ref(LOG_GROUP)
    yield "ExecutionRoleArn", "The role of ECS", attribute(EXECUTION_ROLE, "Arn")
    yield "TaskRoleArn", "The role of tasks", attribute(TASK_ROLE, "Arn")
    if settings.database is not None:
        yield "DatabaseClusterId", "The database cluster", ref(DATABASE)
        yield "DatabaseWriterEndpoint", "Its writer", attribute(DATABASE, "Endpoint.Address")
        yield "DatabaseReaderEndpoint", "Its readers", attribute(DATABASE, "ReadEndpoint.Address")
        yield "DatabaseMasterSecretArn", "The secret of its first user", master_secret(settings.database)
    if settings.bastion is not None:
        yield "BastionInstanceId", "The bastion", ref(BASTION)
        yield "BastionRoleArn", "The role of the bastion", attribute(BASTION_ROLE, "Arn")
    if settings.github is not None:
        yield "GithubRoleArn", "The role of workflows", attribute(GITHUB_ROLE, "Arn")


def _enabled(value: bool) -> str:
    return "ENABLED" if value else "DISABLED"
