"""Writing the log that is JSON: lines of :mod:`taxiway.reports.json_log`, with the time, on standard output."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from taxiway import errors
from taxiway.cli.output import print_json_line
from taxiway.reports import json_log

if TYPE_CHECKING:
    from taxiway.model.event import Event
    from taxiway.model.run_report import RunReport
    from taxiway.reports.log import LogLine


def write_event(event: "Event") -> None:
    """What the engine tells."""
    print_json_line(json_log.event_line(event, _now()))


def write_step(line: "LogLine", **fields: str) -> None:
    """What the command itself tells."""
    print_json_line(json_log.step_line(line, _now(), **fields))


def write_result(result: dict[str, Any], text: str, *, command: str) -> None:
    """What a command came to, as ``--output json`` has it and in words."""
    print_json_line(json_log.command_line(result, text, _now(), command=command))


def write_error(error: errors.TaxiwayError) -> None:
    """What ended the call."""
    print_json_line(json_log.error_line(error, _now()))


def write_stop(message: str, *, code: str) -> None:
    """A signal or a bug that ended the call."""
    print_json_line(json_log.stop_line(message, _now(), code=code))


def write_ending(report: "RunReport") -> None:
    """The last line."""
    print_json_line(json_log.ending_line(report, _now()))


def _now() -> datetime:
    return datetime.now().astimezone()
