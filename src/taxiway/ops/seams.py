"""What the operator's side asks of AWS and of the terminal; real ones are in ``aws`` and ``cli``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from taxiway.model.deploy_key import Registration
from taxiway.model.infra import ChangeSet, Drift, Stack, StackEvent, StackResource
from taxiway.model.snapshot import (
    Configuration,
    Database,
    DatabaseKind,
    Instance,
    InstanceConfiguration,
    Snapshot,
)
from taxiway.model.stored_secret import CURRENT, NewSecret, StoredSecret
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
from taxiway.model.tunnel import DatabaseServer
from taxiway.secret import Secret


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

    def find_subnets(self, names: Sequence[str], beside: Sequence[str]) -> dict[str, str]:
        """The id of each subnet by its name; of several, that in the VPC of these security groups."""
        ...

    def find_security_groups(self, names: Sequence[str], beside: Sequence[str]) -> dict[str, str]:
        """The id of each security group by its name; of several, that in the VPC of these subnets."""
        ...


class Stacks(Protocol):
    """Stacks (:class:`taxiway.aws.cloudformation.CloudFormation`)."""

    def get_stack(self, stack: str) -> Stack:
        """The stack of that name."""
        ...


class Infrastructure(Protocol):
    """Stacks, and changing them (:class:`taxiway.aws.cloudformation.CloudFormation`)."""

    @property
    def region(self) -> str:
        """Where they are."""
        ...

    def find_stack(self, stack: str) -> Stack | None:
        """The stack of that name or id."""
        ...

    def list_resources(self, stack: str) -> tuple[StackResource, ...]:
        """Those that there are."""
        ...

    def get_template(self, stack: str) -> Mapping[str, object]:
        """As it was deployed."""
        ...

    def list_events(self, stack: str, after: str | None) -> tuple[StackEvent, ...]:
        """What has happened after that event, the oldest first."""
        ...

    def create_change_set(
        self, stack: str, name: str, template: Mapping[str, object], *, is_new: bool, tags: Mapping[str, str]
    ) -> str:
        """Have the changes worked out; the id."""
        ...

    def find_change_set(self, change_set: str, stack: str) -> ChangeSet | None:
        """``None`` while they are being worked out."""
        ...

    def delete_change_set(self, change_set: str, stack: str) -> None:
        """Forget them."""
        ...

    def execute_change_set(self, change_set: str, stack: str, token: str) -> None:
        """Make them."""
        ...

    def delete_stack(self, stack: str, token: str) -> None:
        """Delete it with all that is in it."""
        ...

    def start_drift_detection(self, stack: str) -> str:
        """Have the resources compared with the template; the id."""
        ...

    def is_drift_detected(self, detection: str) -> bool:
        """Whether that has ended."""
        ...

    def list_drifts(self, stack: str) -> tuple[Drift, ...]:
        """What it has found."""
        ...


class InfraWatcher(Protocol):
    """Who sees what becomes of a stack."""

    def on_event(self, event: StackEvent) -> None:
        """Something has happened to a resource."""
        ...

    def on_trouble(self, message: str) -> None:
        """Something to know that is not the stack's own."""
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

    def wish(self, *, is_over: bool = False) -> Wish:
        """What is wanted now; asked between two looks. ``STOP`` is wanted once, and not of a task that is over."""
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


class DatabaseServers(Protocol):
    """Clusters and instances (:class:`taxiway.aws.rds_endpoints.RdsEndpoints`)."""

    def get_server(self, name: str) -> DatabaseServer:
        """The one of that identifier."""
        ...


class Secrets(Protocol):
    """Secrets (:class:`taxiway.aws.secret_store.SecretStore`)."""

    def find(self, secret_id: str) -> StoredSecret | None:
        """What is known of one besides its value."""
        ...

    def read(self, secret_id: str) -> Secret:
        """The text of its current version."""
        ...

    def create(self, secret: NewSecret, *, version: str) -> str:
        """Make one; its ARN."""
        ...

    def put(self, secret_id: str, text: Secret, *, version: str, stage: str = CURRENT) -> None:
        """Give it another value."""
        ...

    def take_stage(self, secret_id: str, stage: str, version: str) -> None:
        """Take a stage away from a version."""
        ...


class DeployKeys(Protocol):
    """The deploy keys of one repository at its host (:class:`taxiway.sources.github_keys.GithubKeys`)."""

    def find(self, public: str) -> Registration | None:
        """The registration of a public half, if there is one."""
        ...

    def add(self, public: str, title: str) -> Registration:
        """Register a public half, for reading only."""
        ...

    def remove(self, registration: Registration) -> None:
        """Take a registration back."""
        ...


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
