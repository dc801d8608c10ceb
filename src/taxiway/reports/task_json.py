"""Tasks as JSON: shapes of our own, because Flyway has no tasks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from taxiway.model.run_report import RunReport
from taxiway.model.task import LogEvent, Task, TaskResult, TaskSummary

type Json = dict[str, Any]


def task_json(operation: str, task: Task, **more: object) -> Json:
    """What is known of a task. ``result`` is ``None`` as long as nobody can tell."""
    return {
        "operation": operation,
        "task": {
            "id": task.id,
            "arn": task.arn,
            "taskDefinition": task.definition,
            "status": task.status,
            "stopCode": task.stop_code,
            "stoppedReason": task.stopped_reason,
            "containerReason": task.container_reason,
            "exitCode": task.exit_code,
            "startedBy": task.started_by,
            "createdAt": _time(task.created_at),
            "startedAt": _time(task.started_at),
            "stoppedAt": _time(task.stopped_at),
        },
        "result": None,
        **more,
    }


def task_result_json(operation: str, result: TaskResult, **more: object) -> Json:
    """A task that has ended, with a result that is believed."""
    return task_json(operation, result.task, result=report_json(result.report), logLines=result.lines, **more)


def report_json(report: RunReport) -> Json:
    """The result itself."""
    return {
        "outcome": report.outcome.value,
        "code": report.code,
        "applied": report.applied,
        "schemaVersion": report.schema_version,
        "branch": report.branch,
        "commit": report.commit,
        "exitCode": report.exit_code,
        "runId": report.run_id,
    }


def task_list_json(rows: Sequence[TaskSummary]) -> Json:
    """The list, the newest first."""
    return {
        "operation": "task list",
        "tasks": [
            {
                "id": row.id,
                "status": row.status,
                "result": row.result,
                "actor": row.actor,
                "branch": row.branch,
                "commit": row.commit,
                "exitCode": row.exit_code,
                "startedAt": _time(row.started_at),
                "stoppedAt": _time(row.stopped_at),
                "durationSeconds": _seconds(row.started_at, row.stopped_at),
                "isRemembered": row.is_remembered,
            }
            for row in rows
        ],
    }


def task_logs_json(task_id: str, events: Sequence[LogEvent]) -> Json:
    """The lines of a log."""
    lines = [{"time": _time(event.moment), "message": event.message} for event in events]
    return {"operation": "task logs", "task": {"id": task_id}, "lines": lines}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None
