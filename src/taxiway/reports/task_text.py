"""Tasks as text for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from taxiway.model.task import Task, TaskResult, TaskSummary
from taxiway.reports.table import escape_controls, render_table

_HEADER: Final = ("Task", "Who", "Branch", "Commit", "Result", "Started", "Duration")
_ID_LENGTH: Final = 12
_COMMIT_LENGTH: Final = 12


def short_id(task_id: str) -> str:
    """The beginning of an id, enough to name the task by."""
    return task_id[:_ID_LENGTH]


def render_log_line(message: str) -> str:
    """A line of the container, without what could move the cursor or colour the terminal; tabs stay."""
    return "\t".join(escape_controls(part) for part in message.rstrip("\r\n").split("\t"))


def render_status(task: Task) -> str:
    """Where a task is."""
    return f"Task {short_id(task.id)}: {task.status}"


def render_task_result(result: TaskResult) -> str:
    """How a task has ended, once that is believed."""
    took = _duration(result.task.started_at, result.task.stopped_at)
    after = f" after {took}" if took else ""
    return (
        f"Task {short_id(result.task.id)}: {result.report.words}, exit code "
        f"{result.report.exit_code}{after}; log, exit code and stop reason agree."
    )


def render_task_list(rows: Sequence[TaskSummary], now: datetime) -> str:
    """A table, the newest first."""
    cells = [
        (
            short_id(row.id),
            row.actor or "",
            row.branch or "",
            (row.commit or "")[:_COMMIT_LENGTH],
            row.result,
            f"{row.started_at.astimezone(now.tzinfo):%Y-%m-%d %H:%M:%S}" if row.started_at else "",
            _duration(row.started_at, row.stopped_at or (now if row.is_remembered else None)),
        )
        for row in rows
    ]
    return render_table(_HEADER, cells, empty="No tasks")


def _duration(start: datetime | None, end: datetime | None) -> str:
    if start is None or end is None:
        return ""
    minutes, seconds = divmod(max(0, round((end - start).total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
