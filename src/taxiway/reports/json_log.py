"""The log as JSON, one object per line: ``--log json``. The shape is a promise (docs/reference/json-log.md).

Every line has ``v``, ``time``, ``level``, ``event`` and ``message``, which is the text of the ordinary log. What
else it has depends on ``event``. New fields and events may come at any time; when one goes, ``v`` grows.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from taxiway import errors
from taxiway.model.callback import Callback
from taxiway.model.event import ChangeBegun, ResultTable, RoleChanged
from taxiway.model.migration import AppliedMigration, ResolvedMigration
from taxiway.reports.log import Level, LogLine, describe
from taxiway.reports.result_line import RESULT_EVENT, render_result_line
from taxiway.reports.task_json import report_json

if TYPE_CHECKING:
    from taxiway.model.event import Event
    from taxiway.model.run_report import RunReport

VERSION: Final = 1

type Json = dict[str, Any]

_LEVELS: Final = {Level.DEBUG: "debug", Level.INFO: "info", Level.OUTPUT: "notice", Level.WARNING: "warning"}
_WORD: Final = re.compile("[A-Z][a-z]*")


def event_line(event: Event, moment: datetime) -> Json:
    """What the engine tells. The fields are those of the event."""
    line = describe(event)
    return _line(moment, _LEVELS[line.level], event_name(event), line.text, _fields(event))


def event_name(event: Event) -> str:
    """The kind of an event in words joined by hyphens: ``migration-finished``."""
    return "-".join(_WORD.findall(type(event).__name__)).lower()


def step_line(line: LogLine, moment: datetime, **fields: str) -> Json:
    """What the command itself tells: a step of the job, a remark about the configuration."""
    return _line(moment, _LEVELS[line.level], "step", line.text, fields)


def command_line(result: Json, text: str, moment: datetime, *, command: str) -> Json:
    """The result of one command, in the shape that ``--output json`` has."""
    return _line(moment, "info", "command-result", text, {"command": command, "result": result})


def error_line(error: errors.TaxiwayError, moment: datetime) -> Json:
    """What ended the call. ``place`` says where in a script, if that is known."""
    return _line(
        moment, "error", "error", error.message, {"code": error.code, "hint": error.hint, "place": _place(error)}
    )


def stop_line(message: str, moment: datetime, *, code: str) -> Json:
    """A signal, or a bug of ours."""
    return _line(moment, "error", "error", message, {"code": code, "hint": None, "place": None})


def ending_line(report: RunReport, moment: datetime) -> Json:
    """The last line of every call that was not killed."""
    level = "info" if report.is_success else "error"
    return _line(moment, level, RESULT_EVENT, render_result_line(report), report_json(report))


def _line(moment: datetime, level: str, event: str, message: str, fields: Json) -> Json:
    time = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = {"v": VERSION, "time": time, "level": level, "event": event, "message": message}
    # The event's own message is the plain one, without what the log adds to it.
    return head | fields


def _fields(event: Event) -> Json:
    match event:
        case ChangeBegun():
            return {"outcome": [event_name(one) for one in event.outcome]}
        case RoleChanged():
            from taxiway.reports.roles import change_json  # most projects declare none

            return {"change": change_json(event.change)}
        case _:
            return {_camel(name): _value(value) for name, value in event._asdict().items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _value(value: object) -> object:
    match value:
        case ResolvedMigration():
            return _migration(value) | {"path": value.path}
        case AppliedMigration():
            return _migration(value) | {"installedRank": value.installed_rank}
        case Callback():
            return {"event": value.event.value, "script": value.script, "path": value.path}
        case ResultTable():
            return {"columns": list(value.columns), "rows": [list(row) for row in value.rows]}
        case _:
            return value


def _migration(one: ResolvedMigration | AppliedMigration) -> Json:
    return {
        "version": one.version.text if one.version is not None else None,
        "description": one.description,
        "type": one.type.value,
        "script": one.script,
        "checksum": one.checksum,
    }


def _place(error: errors.TaxiwayError) -> Json | None:
    if isinstance(error, errors.MigrationFailed | errors.CallbackFailed):
        return {
            "script": error.script,
            "path": error.path,
            "line": error.line,
            "column": error.column,
            "excerpt": error.excerpt,
            "sqlState": error.sqlstate,
        }
    return None
