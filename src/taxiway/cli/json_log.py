"""Writing the log that is JSON: lines of :mod:`taxiway.reports.json_log`, with the time, on standard output."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from taxiway import errors, exit_codes
from taxiway.cli.output import print_json_line
from taxiway.reports import json_log

if TYPE_CHECKING:
    from taxiway.cli.invocation import Invocation
    from taxiway.model.event import Event
    from taxiway.reports.log import LogLine

_OUTCOMES = {
    exit_codes.SUCCESS: "SUCCESS",
    exit_codes.INTERRUPTED: "INTERRUPTED",
    exit_codes.TERMINATED: "TERMINATED",
}


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


def write_ending(invocation: "Invocation", exit_code: int) -> None:
    """The last line."""
    print_json_line(json_log.ending_line(ending_of(invocation, exit_code), _now()))


def ending_of(invocation: "Invocation", exit_code: int) -> json_log.Ending:
    """How the call has ended, as far as its events have told."""
    progress, origin = invocation.progress, invocation.origin
    return json_log.Ending(
        outcome=_OUTCOMES.get(exit_code, "FAILED"),
        exit_code=exit_code,
        applied=len(progress.applied),
        schema_version=progress.schema_version,
        branch=origin.get("branch"),
        commit=origin.get("commit"),
        run_id=origin.get("runId"),
    )


def _now() -> datetime:
    return datetime.now().astimezone()
