"""From names to what they stand for, before anything is started: a wrong name costs nothing.

A setting wins over the output of the stack.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from taxiway import errors
from taxiway.model.task import ContainerDefinition, TaskDefinition, TaskSettings, TaskTarget
from taxiway.nearest import find_nearest
from taxiway.ops.seams import Names, Network, Stacks
from taxiway.ops.stack_state import read_outputs

# The outputs of a stack that are looked at, by key of the setting; lists are separated by commas.
OUTPUTS: Final[Mapping[str, str]] = {
    "cluster": "ClusterName",
    "task_definition": "TaskDefinitionArn",
    "container": "ContainerName",
    "subnets": "SubnetIds",
    "security_groups": "SecurityGroupIds",
    "assign_public_ip": "AssignPublicIp",
    "database": "DatabaseClusterId",
}
_TRUE: Final = frozenset({"true", "enabled", "yes"})


def with_stack(settings: TaskSettings, stacks: Stacks) -> TaskSettings:
    """The settings, with the outputs of their stack where they say nothing; AWS is asked only if they name one.

    Raises:
        StackNotReady: Its resources are not there.
        AwsError: There is no such stack, or it may not be looked at.
    """
    if settings.stack is None:
        return settings
    outputs = read_outputs(settings.stack, stacks)
    public = outputs.get(OUTPUTS["assign_public_ip"])
    return replace(
        settings,
        cluster=settings.cluster or outputs.get(OUTPUTS["cluster"]),
        task_definition=settings.task_definition or outputs.get(OUTPUTS["task_definition"]),
        container=settings.container or outputs.get(OUTPUTS["container"]),
        database=settings.database or outputs.get(OUTPUTS["database"]),
        subnets=settings.subnets or _items(outputs, OUTPUTS["subnets"]),
        security_groups=settings.security_groups or _items(outputs, OUTPUTS["security_groups"]),
        assign_public_ip=settings.assign_public_ip
        if settings.assign_public_ip is not None or public is None
        else public.lower() in _TRUE,
    )


def resolve_database(settings: TaskSettings) -> str:
    """The identifier of the database that snapshots are made of; RDS keeps it in small letters.

    Raises:
        MissingOption: Neither a setting nor the stack names one.
    """
    return _given(settings.database, settings, "database").lower()


def resolve_target(settings: TaskSettings, names: Names) -> TaskTarget:
    """Cluster, task definition, container and log; what watching a task needs.

    Raises:
        MissingOption: Something is named neither by a setting nor by the stack.
        InvalidOption: The container's output does not go where it can be read.
        AwsError: There is nothing of that name, or it may not be looked at.
    """
    cluster = names.get_cluster(require_cluster(settings))
    definition, container = resolve_container(settings, names)
    if container.log is None:
        raise errors.InvalidOption(
            f"{_short(definition)}: the output of container '{container.name}' does not go to CloudWatch Logs, so "
            "that nobody could tell how a task has ended.",
            hint="Give it a logConfiguration: awslogs, with awslogs-group and awslogs-stream-prefix.",
        )
    return TaskTarget(cluster=cluster, definition=definition, container=container.name, log=container.log)


def resolve_container(settings: TaskSettings, names: Names) -> tuple[TaskDefinition, ContainerDefinition]:
    """The task definition, and that of its containers which runs Taxiway. Raises as :func:`resolve_target`."""
    definition = names.get_definition(_given(settings.task_definition, settings, "task_definition"))
    return definition, _find_container(definition, settings.container)


def resolve_network(target: TaskTarget, settings: TaskSettings, network: Network) -> TaskTarget:
    """The target with the network as well; what starting a task needs on top. Raises as :func:`resolve_target`."""
    subnets, groups = resolve_addresses(settings, network)
    return replace(
        target, subnets=subnets, security_groups=groups, assign_public_ip=bool(settings.assign_public_ip)
    )


def resolve_addresses(settings: TaskSettings, network: Network) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids of subnets and security groups, of which there may be none. Raises as :func:`resolve_target`."""
    if not settings.subnets:
        raise _missing(settings, "subnets")
    found = network.find_subnets(settings.subnets, settings.security_groups)
    subnets = tuple(found[name] for name in settings.subnets)
    if not settings.security_groups:
        return subnets, ()
    groups = network.find_security_groups(settings.security_groups, subnets)
    return subnets, tuple(groups[name] for name in settings.security_groups)


def require_cluster(settings: TaskSettings) -> str:
    """The cluster as it is called.

    Raises:
        MissingOption: Neither a setting nor the stack names one.
    """
    return _given(settings.cluster, settings, "cluster")


def _items(outputs: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in outputs.get(key, "").split(",") if item.strip())


def _given(value: str | None, settings: TaskSettings, key: str) -> str:
    if value is None:
        raise _missing(settings, key)
    return value


def _missing(settings: TaskSettings, key: str) -> errors.MissingOption:
    flag = {"subnets": "--subnet"}.get(key, f"--{key.replace('_', '-')}")
    stack = f", and the stack '{settings.stack}' has no output {OUTPUTS[key]}" if settings.stack else ""
    return errors.MissingOption(
        f"'{key}' of the task is not set{stack}.", hint=f"Set {key} in [task] of taxiway.toml, or give {flag}."
    )


def _find_container(definition: TaskDefinition, name: str | None) -> ContainerDefinition:
    containers = {one.name: one for one in definition.containers}
    if name is not None:
        if name in containers:
            return containers[name]
        near = find_nearest(name, containers)
        raise errors.InvalidOption(
            f"{_short(definition)} has no container '{name}'; it has {', '.join(containers)}.",
            hint=f"Did you mean '{near}'?" if near else "Name one that it has.",
        )
    essential = [one for one in definition.containers if one.is_essential]
    if len(essential) == 1:
        return essential[0]
    raise errors.MissingOption(
        f"{_short(definition)} has several containers: {', '.join(containers)}.",
        hint="Name the one that runs Taxiway: container in [task] of taxiway.toml, or --container.",
    )


def _short(definition: TaskDefinition) -> str:
    return f"Task definition {definition.arn.rpartition('/')[2]}"
