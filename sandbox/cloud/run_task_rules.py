"""What RunTask refuses before it starts anything. The emulator is kinder than AWS; a test must not rely on that.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
"""

import json
import re
from typing import Any, Final

from moto.ec2.models import ec2_backends
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.iam.models import iam_backends

from sandbox.cloud.call import Call
from sandbox.cloud.definition import Definition
from sandbox.cloud.iam import trusts

_MOST_TASKS: Final = 10
_STARTED_BY: Final = re.compile(r"[A-Za-z0-9_/-]{0,128}")
_CLIENT_TOKEN: Final = re.compile(r"[!-~]{1,64}")
_MOST_OVERRIDES: Final = 8192
_FARGATE: Final = {"FARGATE", "FARGATE_SPOT"}


def check(call: Call, definition: Definition, *, is_active: bool) -> None:
    """Check a request for tasks of that definition.

    Raises:
        EcsClientException: The definition is not active, or a role of it cannot be assumed.
        InvalidParameterException: A parameter is not what AWS accepts.
    """
    if not is_active:
        raise EcsClientException("TaskDefinition is inactive")
    _check_parameters(call)
    _check_overrides(call, definition)
    _check_network(call)
    for role in (definition.task_role, definition.execution_role):
        if role:
            _check_role(call, role)


def _check_parameters(call: Call) -> None:
    strategy = [item["capacityProvider"] for item in call.get("capacityProviderStrategy", ())]
    if call.get("launchType", "EC2" if not strategy else "FARGATE") != "FARGATE" or not set(strategy) <= _FARGATE:
        raise InvalidParameterException("No Container Instances were found in your cluster.")
    if not 1 <= call.get("count", 1) <= _MOST_TASKS:
        raise InvalidParameterException(f"Count must be between 1 and {_MOST_TASKS}.")
    if not _STARTED_BY.fullmatch(call.get("startedBy", "")):
        raise InvalidParameterException("startedBy: at most 128 letters, numbers, hyphens, slashes, underscores.")
    token = call.get("clientToken")
    if token is not None and not _CLIENT_TOKEN.fullmatch(token):
        raise InvalidParameterException("clientToken: 1 to 64 printable ASCII characters.")


def _check_overrides(call: Call, definition: Definition) -> None:
    overrides = call.get("overrides", {})
    if len(json.dumps(overrides)) > _MOST_OVERRIDES:
        raise InvalidParameterException(f"Overrides have at most {_MOST_OVERRIDES} characters.")
    for container in overrides.get("containerOverrides", ()):
        if container["name"] != definition.container:
            raise InvalidParameterException(
                f"Override for container named {container['name']} is not a container in the TaskDefinition."
            )


def _check_network(call: Call) -> None:
    network: dict[str, Any] = call.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    if not network:
        raise InvalidParameterException(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    vpc = ec2_backends[call.account][call.region]
    subnets = {subnet.id for zone in vpc.subnets.values() for subnet in zone.values()}
    for subnet in network["subnets"]:
        if subnet not in subnets:
            raise InvalidParameterException(
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not exist "
                "(ErrorCode: InvalidSubnetID.NotFound)"
            )
    for group in network.get("securityGroups", ()):
        if vpc.get_security_group_from_id(group) is None:
            raise InvalidParameterException(
                f"Error retrieving security group information for [{group}]: The security group '{group}' does "
                "not exist (ErrorCode: InvalidGroup.NotFound)"
            )


def _check_role(call: Call, arn: str) -> None:
    roles = (role for role in iam_backends[call.account]["aws"].get_roles() if role.arn == arn)
    role = next(roles, None)
    # "Confused deputy prevention" (ECS manual): what a request of ECS says of who has asked for it
    context = {"aws:SourceAccount": call.account, "aws:SourceArn": call.arn("*", service="ecs")}
    if role is None or not trusts(role.assume_role_policy_document, "ecs-tasks.amazonaws.com", context):
        raise EcsClientException(
            f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the "
            "role being passed has the proper trust relationship and permissions and that your IAM user has "
            "permissions to pass this role."
        )
