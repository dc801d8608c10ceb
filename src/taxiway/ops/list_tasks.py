"""Which tasks there are and were: from ECS, and from the log of those that it has forgotten."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from taxiway import errors
from taxiway.model.run_report import RunReport
from taxiway.model.task import LogEnd, LogEvent, LogStream, Task, TaskSummary, TaskTarget
from taxiway.ops.judge_task import judge
from taxiway.ops.run_task import ACTOR, BRANCH, COMMIT
from taxiway.ops.seams import Aws

type ParseReport = Callable[[str], RunReport | None]

# The result is the last line; scripts' output that was still under way may come behind it.
_LINES_AT_THE_END: Final = 50
_SHOWN_CANDIDATES: Final = 10
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


def list_known(aws: Aws, target: TaskTarget) -> list[Task]:
    """The tasks of the family that ECS knows, the newest first."""
    arns = aws.tasks.list_tasks(target.cluster, target.definition.family)
    tasks = aws.tasks.describe_tasks(target.cluster, arns, target.container) if arns else []
    return sorted(tasks, key=lambda task: task.created_at or _EARLIEST, reverse=True)


def list_tasks(aws: Aws, target: TaskTarget, *, parse_report: ParseReport, forgotten: int) -> list[TaskSummary]:
    """A row for each task that ECS knows, then for up to ``forgotten`` that only the log has, the newest first.

    Raises:
        AwsError: AWS refused or could not be asked.
    """
    known = list_known(aws, target)
    rows = [summarize(task, read_end(aws, target, task.id, parse_report)) for task in known]
    streams = _forgotten_streams(aws, target, {task.id for task in known})[:forgotten] if forgotten else []
    return [*rows, *(_summarize_stream(aws, target, stream, parse_report) for stream in streams)]


def read_end(aws: Aws, target: TaskTarget, task_id: str, parse_report: ParseReport) -> LogEnd:
    """What the last lines of a task's log tell."""
    events = aws.logs.read_end(target.log.group, target.stream_of(task_id), _LINES_AT_THE_END)
    return _end_of(events, parse_report)


def summarize(task: Task, log: LogEnd) -> TaskSummary:
    """A task that ECS knows. The result of one that has ended is judged as if it had been watched."""
    report = log.report
    return TaskSummary(
        id=task.id,
        status=task.status,
        result=_result(task, log),
        actor=task.variable(ACTOR) or task.started_by,
        branch=(report.branch if report else None) or task.variable(BRANCH),
        commit=(report.commit if report else None) or task.variable(COMMIT),
        exit_code=task.exit_code,
        started_at=task.started_at or task.created_at,
        stopped_at=task.stopped_at,
    )


def find_task_id(wanted: str, aws: Aws, target: TaskTarget) -> str:
    """The id that begins so, of a task that ECS or the log group knows. An ARN is taken for its last part.

    Raises:
        TaskNotFound: There is none.
        TaskAmbiguous: There are several.
    """
    beginning = wanted.rpartition("/")[2].lower()
    known = [task.id for task in list_known(aws, target)]
    found = [one for one in known if one.startswith(beginning)]
    if not found:
        streams = aws.logs.list_streams(target.log.group, target.stream_of(beginning))
        found = [stream.name.rpartition("/")[2] for stream in streams]
    if len(found) == 1:
        return found[0]
    if found:
        raise errors.TaskAmbiguous(
            f"{len(found)} tasks begin with '{wanted}': {', '.join(sorted(found)[:_SHOWN_CANDIDATES])}.",
            candidates=sorted(found),
            hint="Give more of the id.",
        )
    raise errors.TaskNotFound(
        f"Neither ECS nor the log group {target.log.group} knows a task '{wanted}'.",
        task=wanted,
        hint="See 'taxiway task list --all'.",
    )


def find_running_id(aws: Aws, target: TaskTarget) -> str:
    """The id of the only task that has not ended.

    Raises:
        TaskNotFound: None is running.
        TaskAmbiguous: Several are.
    """
    running = [task.id for task in list_known(aws, target) if not task.is_stopped]
    if len(running) == 1:
        return running[0]
    if running:
        raise errors.TaskAmbiguous(
            f"{len(running)} tasks are running: {', '.join(running)}.",
            candidates=running,
            hint="Name one of them; its beginning is enough.",
        )
    raise errors.TaskNotFound(
        f"No task of {target.definition.family} is running.",
        hint="See 'taxiway task list' for those that have ended.",
    )


def _result(task: Task, log: LogEnd) -> str:
    if not task.is_stopped:
        return task.status
    try:
        return judge(task, log).report.words
    except errors.TaskError as error:
        return error.code


def _end_of(events: Sequence[LogEvent], parse_report: ParseReport) -> LogEnd:
    lines = tuple(event.message for event in events)
    reports = [report for report in map(parse_report, lines) if report]
    return LogEnd(report=reports[-1] if reports else None, lines=len(lines), tail=lines)


def _forgotten_streams(aws: Aws, target: TaskTarget, known: set[str]) -> list[LogStream]:
    streams = aws.logs.list_streams(target.log.group, target.stream_of(""))
    others = [one for one in streams if one.name.rpartition("/")[2] not in known]
    return sorted(others, key=lambda one: one.last_at or _EARLIEST, reverse=True)


def _summarize_stream(aws: Aws, target: TaskTarget, stream: LogStream, parse_report: ParseReport) -> TaskSummary:
    task_id = stream.name.rpartition("/")[2]
    events = aws.logs.read_end(target.log.group, stream.name, _LINES_AT_THE_END)
    report = _end_of(events, parse_report).report
    return TaskSummary(
        id=task_id,
        status="STOPPED",
        # ECS can no longer confirm it, so that it says whose word it is.
        result=f"{report.words}, as logged" if report else "unknown",
        actor=None,
        branch=report.branch if report else None,
        commit=report.commit if report else None,
        exit_code=report.exit_code if report else None,
        started_at=stream.first_at,
        stopped_at=max(_moments(stream, events), default=None),
        is_remembered=False,
    )


def _moments(stream: LogStream, events: Sequence[LogEvent]) -> Iterator[datetime]:
    # The stream's own time of its last line may be an hour late (DescribeLogStreams, API reference).
    yield from (event.moment for event in events[-1:])
    if stream.last_at is not None:
        yield stream.last_at
