"""Tasks of ECS as values: what is to be started, what is known of one, and how it ended.

Terminology:

task
    One run of the container on Fargate. Its id is the last part of its ARN.
task definition
    What a task is made of; ``family:revision`` names one.
container
    The one of the task that runs Taxiway.
stream
    What the container prints, in CloudWatch Logs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from taxiway.model.run_report import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSettings:
    """What is configured of a task. ``None`` and empty: not given, so that the stack or a default tells."""

    cluster: str | None = None
    task_definition: str | None = None
    container: str | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool | None = None
    stack: str | None = None
    database: str | None = None
    region: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTarget:
    """Where a container's output goes: the options of the ``awslogs`` driver.

    Attributes:
        region: ``None`` is that of the cluster.
        may_drop: The driver may drop lines when they come too fast (``mode`` is ``non-blocking``).
    """

    group: str
    prefix: str
    region: str | None = None
    may_drop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerDefinition:
    """A container of a task definition.

    Attributes:
        log: ``None`` when its output cannot be read from CloudWatch.
        command: The arguments of its entry point; empty leaves those of the image.
    """

    name: str
    is_essential: bool
    log: LogTarget | None
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """A revision of a task definition."""

    arn: str
    family: str
    containers: tuple[ContainerDefinition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTarget:
    """Where tasks run and write, with every name resolved."""

    cluster: str
    definition: TaskDefinition
    container: str
    log: LogTarget
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        """What the container runs when nobody says otherwise."""
        return next(one.command for one in self.definition.containers if one.name == self.container)

    def stream_of(self, task_id: str) -> str:
        """The stream that a task of this definition writes (``awslogs-stream-prefix``, ECS manual)."""
        return f"{self.log.prefix}/{self.container}/{task_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRequest:
    """A task to be started.

    Attributes:
        command: Arguments for the container's entry point; empty leaves those of the task definition.
        environment: Variables over those of the task definition.
        client_token: Makes starting it twice impossible, however often the call is repeated.
    """

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    started_by: str
    tags: tuple[tuple[str, str], ...]
    client_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What ECS tells of a task.

    Attributes:
        status: ``PROVISIONING``, ``PENDING``, ``RUNNING``, …, ``STOPPED``.
        stop_code: Why it stopped, in a word of ECS: ``EssentialContainerExited``, ``UserInitiated``, …
        stopped_reason, container_reason: The same in sentences, of the task and of our container.
        exit_code: Of our container; ``None`` if it never ran, or ECS does not know.
        others: Exit codes and reasons of further containers of the task, by name.
    """

    arn: str
    status: str
    definition: str = ""
    stop_code: str | None = None
    stopped_reason: str | None = None
    container_reason: str | None = None
    exit_code: int | None = None
    others: tuple[tuple[str, str], ...] = ()
    created_at: datetime | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    started_by: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def is_stopped(self) -> bool:
        """It is over, and nothing of it will change any more."""
        return self.status == "STOPPED"

    def variable(self, name: str) -> str | None:
        """A variable that it was started with."""
        return dict(self.environment).get(name) or None


@dataclass(frozen=True, slots=True)
class Refusal:
    """ECS does not start a task: its word or sentence for that, and what it adds, if it does."""

    reason: str
    detail: str = ""


class LogLoss(Enum):
    """Why a log is not all that a task has printed; the value completes "The log …"."""

    NEVER_APPEARED = "never appeared"
    DELETED = "was deleted while it was read"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEnd:
    """What a log has told once it was read to its end. ``lines`` counts all, ``tail`` has the last of them."""

    report: RunReport | None
    lines: int = 0
    loss: LogLoss | None = None
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One line of a stream. ``moment`` is when the container printed it."""

    moment: datetime
    message: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """A part of a stream. It ends at the stream's present end when ``token`` is the one that was asked with."""

    events: tuple[LogEvent, ...]
    token: str


class StaleToken(Exception):
    """CloudWatch Logs does not take a token any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStream:
    """A stream of a group; the moments are those of its first and last line, and absent when it has none."""

    name: str
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """A task that has ended, and whose log, exit code and stop reason agree about how."""

    task: Task
    report: RunReport
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSummary:
    """A row of the list: what is known of a task from ECS, or from its log once ECS has forgotten it.

    Attributes:
        result: ``SUCCESS``, ``FAILED (migration-failed)``, the code of an error (``task-disagrees``), or the
            status of a task that has not ended.
        is_remembered: ECS still knows it. It forgets a task about an hour after its end.
    """

    id: str
    status: str
    result: str
    actor: str | None
    branch: str | None
    commit: str | None
    exit_code: int | None
    started_at: datetime | None
    stopped_at: datetime | None
    is_remembered: bool = True
