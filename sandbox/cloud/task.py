"""One task: what is known of it from RunTask to an hour after its end, and how it shows in the API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from threading import Condition
from typing import Any, Final
from uuid import uuid4

from sandbox.cloud.definition import Definition
from sandbox.cloud.faults import Settings

PLATFORM_VERSION: Final = "1.4.0"


class Status(StrEnum):
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html."""

    PROVISIONING = "PROVISIONING"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    DEPROVISIONING = "DEPROVISIONING"
    STOPPED = "STOPPED"


class StopCode(StrEnum):
    """Why a task was stopped: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html."""

    TASK_FAILED_TO_START = "TaskFailedToStart"
    ESSENTIAL_CONTAINER_EXITED = "EssentialContainerExited"
    USER_INITIATED = "UserInitiated"
    TERMINATION_NOTICE = "TerminationNotice"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a task ends.

    Attributes:
        reason: Of the task.
        container_reason: Of the container, where it has one of its own.
    """

    code: StopCode
    reason: str
    container_reason: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """A task. ``changed`` is held by whoever changes it, and notified of every new status.

    Attributes:
        faults: What shall go wrong with it, by the name of the fault.
        stop: Why it ends, as soon as that is decided; whoever is first decides.
        exit_code: None as long as no process has ended by itself or by a signal that we know of.
    """

    definition: Definition
    cluster: str
    region: str
    started_by: str | None
    group: str
    tags: list[dict[str, str]]
    overrides: dict[str, Any]
    network: dict[str, Any]
    faults: Mapping[str, Settings]
    id: str = field(default_factory=lambda: uuid4().hex)
    changed: Condition = field(default_factory=Condition, repr=False)
    status: Status = Status.PROVISIONING
    desired_status: Status = Status.RUNNING
    stop: Stop | None = None
    exit_code: int | None = None
    image_digest: str | None = None
    times: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.times["createdAt"] = datetime.now(UTC)

    @property
    def arn(self) -> str:
        """The long form, which is the only one for new accounts."""
        return f"{self.cluster.replace(':cluster/', ':task/')}/{self.id}"

    def enter(self, status: Status, *times: str) -> None:
        """Go on to the next status, and note that these things happened now."""
        with self.changed:
            self.status = status
            self.times |= dict.fromkeys(times, datetime.now(UTC))
            self.changed.notify_all()

    def must_stop(self, stop: Stop) -> bool:
        """Decide that the task ends, and why. False when that was decided before."""
        with self.changed:
            if self.stop is not None:
                return False
            self.stop = stop
            self.desired_status = Status.STOPPED
            self.times["stoppingAt"] = datetime.now(UTC)
            self.changed.notify_all()
            return True

    def wait_for_stop(self, seconds: float | None = None) -> bool:
        """Whether the end was decided within so many seconds."""
        with self.changed:
            return self.changed.wait_for(lambda: self.stop is not None, seconds)

    def wait_until_stopped(self) -> None:
        """Return when it is STOPPED."""
        with self.changed:
            self.changed.wait_for(lambda: self.status is Status.STOPPED)

    def container_overrides(self) -> Mapping[str, Any]:
        """What RunTask said about our container."""
        overrides: list[dict[str, Any]] = self.overrides.get("containerOverrides") or []
        return next((item for item in overrides if item["name"] == self.definition.container), {})

    def describe(self, *, with_tags: bool = True) -> dict[str, Any]:
        """As in the answers of RunTask, DescribeTasks and StopTask. What is None is left out."""
        with self.changed:
            described: dict[str, Any] = {
                "taskArn": self.arn,
                "clusterArn": self.cluster,
                "taskDefinitionArn": self.definition.arn,
                "launchType": "FARGATE",
                "platformVersion": PLATFORM_VERSION,
                "platformFamily": "Linux",
                "cpu": str(self.definition.cpu),
                "memory": str(self.definition.memory),
                "group": self.group,
                "startedBy": self.started_by,
                "overrides": {"containerOverrides": [], **self.overrides},
                "attachments": [self._attachment()],
                "connectivity": "CONNECTED" if "startedAt" in self.times else None,
                "containers": [self._container()],
                "lastStatus": self.status.value,
                "desiredStatus": self.desired_status.value,
                "stopCode": self.stop and self.stop.code.value,
                "stoppedReason": self.stop and self.stop.reason,
                "tags": self.tags if with_tags else [],
                **self.times,
            }
        return {key: value for key, value in described.items() if value is not None}

    def _container(self) -> dict[str, Any]:
        started = {Status.PROVISIONING: "PENDING", Status.STOPPED: "STOPPED"}
        described: dict[str, Any] = {
            "containerArn": f"{self.arn.replace(':task/', ':container/')}/{self.id[:12]}",
            "taskArn": self.arn,
            "name": self.definition.container,
            "image": self.definition.image,
            "imageDigest": self.image_digest,
            "lastStatus": started.get(self.status, "RUNNING" if self._is_running() else "PENDING"),
            "exitCode": self.exit_code,
            "reason": self.stop.container_reason if self.stop and self.status is Status.STOPPED else None,
            "networkInterfaces": [],
        }
        return {key: value for key, value in described.items() if value is not None}

    def _is_running(self) -> bool:
        return "startedAt" in self.times and "executionStoppedAt" not in self.times

    def _attachment(self) -> dict[str, Any]:
        is_gone = self.status is Status.STOPPED
        return {
            "id": self.id[:8],
            "type": "ElasticNetworkInterface",
            "status": "DELETED" if is_gone else "ATTACHED",
            "details": [{"name": "subnetId", "value": self.network["subnets"][0]}],
        }
