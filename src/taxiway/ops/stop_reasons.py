"""Why a task did not start, or stopped: from what ECS says to what a person can do about it.

ECS tells it in up to four places: ``failures`` of the call, and for a task its stop code, its stopped reason and
the reason of its container. "Essential container in task exited" alone helps nobody. All places are searched, the
container's first, because the task's often only repeats that something has happened to the container.

The sentences are those of "Amazon ECS stopped tasks error messages" and "Viewing Amazon ECS stopped task errors"
(ECS manual), and of "API failures messages" for those of the call. They are compared by their beginnings and their
error codes, which the manual lists; a sentence that we do not know is shown as it is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from taxiway.model.task import Task


class StopCause(Enum):
    """What a stop comes down to; the value is its name in JSON."""

    IMAGE = "image"
    REGISTRY_CREDENTIALS = "registry-credentials"
    SECRET = "secret"  # noqa: S105 - a word, no secret
    LOG = "log"
    ROLE = "role"
    NO_CAPACITY = "no-capacity"
    NETWORK = "network"
    OUT_OF_MEMORY = "out-of-memory"
    ENTRY_POINT = "entry-point"
    DISK = "disk"
    STOPPED_BY_USER = "stopped-by-user"
    HOST = "host"
    SPOT = "spot"
    KILLED = "killed"
    OTHER_CONTAINER = "other-container"
    EXITED = "exited"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened, in ECS's words after ours, and what to do about it."""

    cause: StopCause
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Known:
    """One way to stop."""

    cause: StopCause
    pattern: str
    message: str
    hint: str

    def matches(self, text: str) -> bool:
        return re.search(self.pattern, text, re.IGNORECASE | re.DOTALL) is not None

    def explain(self, words: str) -> Explanation:
        return Explanation(self.cause, f"{self.message}: {words}", self.hint)


# The first that matches wins: what is special stands above what is general.
_KNOWN: Final = (
    _Known(
        StopCause.NETWORK,
        r"InvalidSubnetI[Dd]|subnet ID .* does not exist|InvalidGroup|security group .* does not exist",
        "The network of the task is not there",
        "Correct subnets and security_groups of [task] in taxiway.toml; they belong to one VPC.",
    ),
    _Known(
        StopCause.NO_CAPACITY,
        r"InsufficientFreeAddresses|^RESOURCE:ENI",
        "The subnets have no free address",
        "Name another subnet, or free addresses in this one, then run it again.",
    ),
    _Known(
        StopCause.NO_CAPACITY,
        r"Capacity is unavailable|insufficient capacity|^RESOURCE:|concurrent tasks"
        r"|limit on the number of (?:tasks|vCPU)",
        "Fargate has no room for the task now",
        "Try again later, name subnets in further availability zones, or have the quota for Fargate raised.",
    ),
    # Above what lacks a right: the sentences begin alike, and end with what AWS has answered, if it has.
    _Known(
        StopCause.NETWORK,
        r"ResourceInitializationError(?!.*(?:AccessDenied|not authorized|ResourceNotFound)).*"
        r"(?:connection issue between the task|dial tcp|i/o timeout|deadline exceeded|send request failed)",
        "The task did not reach a service that it needs to start",
        "Give its subnets a way to that service: a NAT gateway, a VPC endpoint whose security group lets TCP 443 "
        "in, or assign_public_ip in a public subnet. 'taxiway doctor' looks at the network.",
    ),
    _Known(
        StopCause.SECRET,
        r"ResourceInitializationError.*(?:secretsmanager|retrieve secret|\basm\b|\bssm\b|GetParameters)",
        "A secret that the task definition names could not be read",
        "Let the execution role do secretsmanager:GetSecretValue on that secret (and kms:Decrypt on its key), and "
        "check that the subnets lead to Secrets Manager.",
    ),
    _Known(
        StopCause.REGISTRY_CREDENTIALS,
        r"(?:unable to (?:retrieve|pull) .*registry auth|repositoryCredentials|unable to get registry auth"
        r"|ecr:GetAuthorizationToken|pull access denied|authorization (?:token|failed)|401 Unauthorized"
        r"|CannotPull.*(?:denied|unauthorized|forbidden|no basic auth))",
        "The image registry does not let the task in",
        "Check the secret that repositoryCredentials names, and that the execution role may read it (for ECR: "
        "ecr:GetAuthorizationToken and the image's repository).",
    ),
    _Known(
        StopCause.IMAGE,
        r"CannotPull.*(?:matching platform|match for platform)",
        "The image was built for another processor",
        "Build the image for the cpuArchitecture of runtimePlatform in the task definition, or change that.",
    ),
    _Known(
        StopCause.IMAGE,
        r"CannotPull.*(?:not found|manifest unknown|does not exist|repository.*unknown)",
        "The image of the task definition does not exist",
        "Push the image, or correct its name and tag in the task definition.",
    ),
    _Known(
        StopCause.IMAGE,
        r"CannotPull.*(?:toomanyrequests|rate limit)",
        "The registry limits how often the image may be pulled",
        "Try again later, log in to the registry with repositoryCredentials, or copy it to ECR.",
    ),
    _Known(
        StopCause.IMAGE,
        r"CannotPull.*no space left",
        "The image is too large for the disk of the task",
        "Raise ephemeralStorage in the task definition.",
    ),
    _Known(
        StopCause.IMAGE,
        r"CannotPull",
        "The image could not be pulled",
        "Check that the subnets lead to the registry (NAT gateway, VPC endpoints, or assign_public_ip in a public "
        "subnet) and that the security group lets TCP 443 out.",
    ),
    _Known(
        StopCause.LOG,
        r"ResourceInitializationError.*(?:logg|log group|log stream)|failed to initialize logging driver",
        "The log of the task could not be opened",
        "Make the log group of awslogs-group, and let the execution role do logs:CreateLogStream and "
        "logs:PutLogEvents on it.",
    ),
    _Known(
        StopCause.ROLE,
        r"unable to assume the role|iam:PassRole|invalid 'executionRoleArn'|Role is not valid",
        "ECS cannot use a role of the task definition",
        "Let ecs-tasks.amazonaws.com assume the role, and let whoever starts the task do iam:PassRole on it.",
    ),
    _Known(
        StopCause.OUT_OF_MEMORY,
        r"OutOfMemory|Container killed due to memory usage",
        "The container was killed because it used more memory than it has",
        "Raise memory in the task definition (512 is enough for most), then run it again: what was not committed "
        "is rolled back.",
    ),
    _Known(
        StopCause.ENTRY_POINT,
        r"CannotStartContainer|CannotCreateContainer|exec format error|exec: .*(?:not found|no such file)",
        "The container could not be started",
        "Check entryPoint, command, user and cpuArchitecture of the task definition against the image.",
    ),
    _Known(
        StopCause.DISK,
        r"CannotCreateVolume|EphemeralStorage|no space left on device",
        "The disk of the task could not be used",
        "Check volumes and ephemeralStorage in the task definition.",
    ),
    _Known(
        StopCause.NETWORK,
        r"network interface provisioning|Unexpected EC2 error",
        "The network interface of the task could not be made",
        "Run it again; if it comes back, check subnets, security groups and the service-linked role of ECS.",
    ),
    _Known(
        StopCause.ENTRY_POINT,
        r"Override for container named .* is not a container|TaskDefinition.*(?:inactive|not found)",
        "The task definition has no such container",
        "Correct container and task_definition of [task] in taxiway.toml.",
    ),
    _Known(
        StopCause.SPOT,
        r"Spot (?:Task|interruption)",
        "AWS took the task away: it ran on spare capacity",
        "Run it on Fargate instead of Fargate Spot; migrations should not be interrupted.",
    ),
    _Known(
        StopCause.HOST,
        r"underlying infrastructure|host .*(?:terminated|failure)|InternalError"
        r"|ContainerRuntime(?:Timeout)?Error|DockerTimeoutError|^AGENT\b",
        "AWS ended the task, for reasons of its own",
        "Look at 'taxiway info' and run it again.",
    ),
)
_BY_STOP_CODE: Final = {
    "SpotInterruption": StopCause.SPOT,
    "TerminationNotice": StopCause.HOST,
}
_KILLED: Final = 137  # 128 + SIGKILL


def explain_refusal(reason: str, detail: str = "") -> Explanation:
    """Why ECS did not start a task: the reason in ``failures[]``, or the message of an error of RunTask."""
    words = f"{reason} ({detail})" if detail else reason
    if known := _find(words):
        return known.explain(words)
    return Explanation(
        StopCause.REFUSED,
        f"ECS does not start the task: {words}",
        "Correct what it says, in [task] of taxiway.toml or in the task definition.",
    )


def explain_stop(task: Task) -> Explanation:
    """Why a task has stopped. That its container ended by itself is :attr:`StopCause.EXITED`."""
    words = " / ".join(_words(task)) or "ECS gives no reason"
    if task.stop_code == "UserInitiated":
        return _stopped_by_user(task)
    for text in (task.container_reason, task.stopped_reason):
        if text and (known := _find(text)):
            return known.explain(words)
    if cause := _BY_STOP_CODE.get(task.stop_code or ""):
        return next(known for known in _KNOWN if known.cause is cause).explain(words)
    return _explain_by_exit(task, words)


def _explain_by_exit(task: Task, words: str) -> Explanation:
    if task.exit_code == _KILLED:
        return Explanation(
            StopCause.KILLED,
            f"The container was killed (exit code {_KILLED}): {words}",
            "Raise memory in the task definition if it was for memory, or stopTimeout if it was stopped and had "
            "no time to end.",
        )
    if task.exit_code is None and task.others:
        names = ", ".join(f"{name}: {what}" for name, what in task.others)
        return Explanation(
            StopCause.OTHER_CONTAINER,
            f"Another container of the task ended ({names}): {words}",
            "Look at that container's log.",
        )
    if task.exit_code is not None:
        return Explanation(StopCause.EXITED, words, "Look at the log: taxiway task logs " + task.id)
    return Explanation(
        StopCause.UNKNOWN,
        f"The task has stopped, and its container has no exit code: {words}",
        f"Look at it in the console, or with 'aws ecs describe-tasks --tasks {task.id}'.",
    )


def _stopped_by_user(task: Task) -> Explanation:
    reason = task.stopped_reason or "no reason given"
    return Explanation(
        StopCause.STOPPED_BY_USER,
        f"The task was stopped from outside: {reason}",
        "Run it again when whoever has stopped it agrees; what was not committed is rolled back.",
    )


def _find(text: str) -> _Known | None:
    return next((known for known in _KNOWN if known.matches(text)), None)


def _words(task: Task) -> Iterator[str]:
    """What ECS says, each sentence once."""
    seen = dict.fromkeys(text.strip() for text in (task.container_reason, task.stopped_reason) if text)
    yield from seen
