"""AWS as a script: what each look shows. Time stands still unless somebody waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from taxiway import errors
from taxiway.model.run_report import RunReport
from taxiway.model.task import (
    ContainerDefinition,
    LogEvent,
    LogPage,
    LogStream,
    LogTarget,
    Refusal,
    Task,
    TaskDefinition,
    TaskRequest,
    TaskTarget,
)
from taxiway.ops.seams import Wish
from taxiway.reports.result_line import render_result_line

MOMENT = datetime(2026, 1, 2, 12, tzinfo=UTC)
ARN = "arn:aws:ecs:eu-central-1:123456789012:task/cluster/"
ID = "0123456789abcdef0123456789abcdef"
LOG = LogTarget(group="/taxiway", prefix="run")
DEFINITION = TaskDefinition(
    arn="arn:aws:ecs:eu-central-1:123456789012:task-definition/taxiway:3",
    family="taxiway",
    containers=(ContainerDefinition(name="taxiway", is_essential=True, log=LOG),),
)
TARGET = TaskTarget(cluster="cluster", definition=DEFINITION, container="taxiway", log=LOG)
DONE = RunReport(exit_code=0, applied=1, schema_version="1", branch="main", commit="0123456789ab")
RESULT = render_result_line(DONE)


def event(message: str) -> LogEvent:
    return LogEvent(moment=MOMENT, message=message)


def page(token: str, *messages: str) -> LogPage:
    return LogPage(tuple(map(event, messages)), token)


def task(status: str = "RUNNING", **fields: object) -> Task:
    return replace(Task(arn=f"{ARN}{ID}", status=status, created_at=MOMENT), **fields)  # type: ignore[arg-type]


def ended(exit_code: int | None = 0, **fields: object) -> Task:
    """By itself, unless told otherwise."""
    usual = {"stop_code": "EssentialContainerExited", "stopped_reason": "Essential container in task exited"}
    return task("STOPPED", exit_code=exit_code, **{**usual, **fields})


type Answer[T] = T | BaseException


def _next[T](answers: list[Answer[T]]) -> T:
    """The next answer; the last one again and again."""
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer


@dataclass
class ScriptedLogs:
    """Answers in turn, and writes down with which tokens they were asked for."""

    pages: list[Answer[LogPage | None]]
    tokens: list[str | None] = field(default_factory=list)
    streams: list[LogStream] = field(default_factory=list)
    ends: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, group: str, stream: str, token: str | None) -> LogPage | None:
        self.tokens.append(token)
        return _next(self.pages)

    def read_end(self, group: str, stream: str, count: int) -> tuple[LogEvent, ...]:
        return tuple(map(event, self.ends.get(stream, ())))[-count:]

    def list_streams(self, group: str, prefix: str) -> list[LogStream]:
        return [one for one in self.streams if one.name.startswith(prefix)]


@dataclass
class GrowingLog:
    """A stream that lines are added to; a token is a place in it. Pages have three lines at most."""

    lines: list[str] = field(default_factory=list)
    exists: bool = True

    def read(self, group: str, stream: str, token: str | None) -> LogPage | None:
        if not self.exists:
            return None
        start = int(token or 0)
        some = self.lines[start : start + 3]
        return page(str(start + len(some)), *some)

    def read_end(self, group: str, stream: str, count: int) -> tuple[LogEvent, ...]:
        return tuple(map(event, self.lines[-count:]))

    def list_streams(self, group: str, prefix: str) -> list[LogStream]:
        return []


@dataclass
class ScriptedTasks:
    """Shows these tasks in turn."""

    looks: list[Answer[list[Task]]]
    answer: Task | Refusal | None = None
    requests: list[TaskRequest] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    when_stopped: Callable[[], None] = lambda: None

    def run_task(self, target: TaskTarget, request: TaskRequest) -> Task | Refusal:
        self.requests.append(request)
        assert self.answer
        return self.answer

    def describe_tasks(self, cluster: str, tasks: Sequence[str], container: str) -> list[Task]:
        return _next(self.looks)

    def list_tasks(self, cluster: str, family: str) -> list[str]:
        return [one.arn for one in _next(self.looks)]

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        self.stops.append(reason)
        self.when_stopped()


@dataclass
class FakeClock:
    """Moves when somebody waits; ``then`` happens in each wait."""

    seconds: float = 0.0
    then: Callable[[], None] = lambda: None

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.then()


@dataclass
class Notes:
    """Writes down everything in the order in which it came."""

    wishes: list[Wish] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def on_status(self, task: Task) -> None:
        self.seen.append(f"[{task.status}]")

    def on_line(self, event: LogEvent) -> None:
        self.seen.append(event.message)

    def on_trouble(self, message: str) -> None:
        self.seen.append(f"! {message}")

    def wish(self) -> Wish:
        return self.wishes.pop(0) if self.wishes else Wish.GO_ON


THROTTLED = errors.AwsThrottled("AWS is throttling.")
