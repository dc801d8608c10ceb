"""What the operator's side asks of AWS and of the terminal; real ones are in ``aws`` and ``cli``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from taxiway.model.snapshot import (
    Configuration,
    Database,
    DatabaseKind,
    Instance,
    InstanceConfiguration,
    Snapshot,
)
from taxiway.model.task import (
    LogEvent,
    LogPage,
    LogStream,
    Refusal,
    Task,
    TaskDefinition,
    TaskRequest,
    TaskTarget,
)


class Names(Protocol):
    """Names of ECS to what they stand for (:class:`taxiway.aws.ecs.Ecs`)."""

    def get_cluster(self, name: str) -> str:
        """The ARN of a cluster."""
        ...

    def get_definition(self, name: str) -> TaskDefinition:
        """The newest revision of a family, or a certain one."""
        ...


class Network(Protocol):
    """Names in the network to ids (:class:`taxiway.aws.ec2.Ec2`)."""

    def find_subnets(self, names: Sequence[str]) -> dict[str, str]:
        """The id of each subnet by its name."""
        ...

    def find_security_groups(self, names: Sequence[str]) -> dict[str, str]:
        """The id of each security group by its name."""
        ...


class Stacks(Protocol):
    """Stacks (:class:`taxiway.aws.cloudformation.CloudFormation`)."""

    def get_outputs(self, stack: str) -> dict[str, str]:
        """The outputs by key."""
        ...


class Tasks(Protocol):
    """Tasks (:class:`taxiway.aws.ecs.Ecs`)."""

    def run_task(self, target: TaskTarget, request: TaskRequest) -> Task | Refusal:
        """Start one."""
        ...

    def describe_tasks(self, cluster: str, tasks: Sequence[str], container: str) -> list[Task]:
        """Those that ECS knows."""
        ...

    def list_tasks(self, cluster: str, family: str) -> list[str]:
        """The ARNs of a family's tasks that ECS knows."""
        ...

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        """Ask for the end of one."""
        ...


class LogSource(Protocol):
    """Streams (:class:`taxiway.aws.logs.Logs`)."""

    def read(self, group: str, stream: str, token: str | None) -> LogPage | None:
        """What comes behind the token; ``None`` while there is no such stream."""
        ...

    def read_end(self, group: str, stream: str, count: int) -> tuple[LogEvent, ...]:
        """The last lines."""
        ...

    def list_streams(self, group: str, prefix: str) -> list[LogStream]:
        """The streams whose names begin so."""
        ...


class Wish(Enum):
    """What whoever watches wants to become of the watching."""

    GO_ON = "go on"
    DETACH = "detach"
    STOP = "stop"


class Watcher(Protocol):
    """Who sees the task, and may want it to end."""

    def on_status(self, task: Task) -> None:
        """Its status has changed."""
        ...

    def on_line(self, event: LogEvent) -> None:
        """It has printed a line."""
        ...

    def on_trouble(self, message: str) -> None:
        """Something to know that is not the task's own."""
        ...

    def wish(self) -> Wish:
        """What is wanted now; asked between two looks. ``STOP`` is wanted once."""
        ...


class Clock(Protocol):
    """Time, so that tests own it."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; may come back early when there is something to be asked of the watcher."""
        ...


@dataclass(frozen=True, slots=True)
class Aws:
    """The two services that watching needs."""

    tasks: Tasks
    logs: LogSource


class Databases(Protocol):
    """Databases and their snapshots (:class:`taxiway.aws.rds.Rds`)."""

    @property
    def region(self) -> str:
        """Where they are."""
        ...

    def list_databases(self) -> list[Database]:
        """All of the account in the region."""
        ...

    def list_snapshots(self, kind: DatabaseKind, database: str) -> list[Snapshot]:
        """Those of a database."""
        ...

    def create_snapshot(self, database: Database, name: str, tags: Mapping[str, str]) -> None:
        """Begin one."""
        ...

    def restore(self, snapshot: Snapshot, name: str, wanted: Configuration, tags: Mapping[str, str]) -> None:
        """Begin a database of a snapshot."""
        ...

    def create_instance(
        self, cluster: str, name: str, wanted: InstanceConfiguration, tags: Mapping[str, str]
    ) -> None:
        """Begin an instance of a cluster."""
        ...

    def change(self, target: Database | Instance, wanted: Configuration | InstanceConfiguration) -> None:
        """Set what differs."""
        ...

    def rename(self, target: Database | Instance, name: str) -> None:
        """Begin to give it another name."""
        ...

    def unprotect(self, target: Database) -> None:
        """Allow its deletion."""
        ...

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags."""
        ...

    def remove_tags(self, arn: str, keys: list[str]) -> None:
        """Remove tags."""
        ...

    def delete_instance(self, target: Instance) -> None:
        """Begin to delete an instance of a cluster."""
        ...

    def delete(self, target: Database, snapshot: str) -> None:
        """Begin to delete a database, with a last snapshot."""
        ...


class Progress(Protocol):
    """Who sees what a snapshot or a restore does."""

    def on_step(self, words: str) -> None:
        """It is asked for now."""
        ...

    def on_wait(self, words: str, seconds: float) -> None:
        """RDS is at it, for so long now."""
        ...

    def on_trouble(self, message: str) -> None:
        """Something to know, that does not end it."""
        ...
