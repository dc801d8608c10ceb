"""Migrations and callbacks that are programs."""

from collections.abc import Callable, Mapping

from taxiway.engine.ports import EventSink, Programs
from taxiway.model.callback import Callback
from taxiway.model.event import ProgramPrinted
from taxiway.model.migration import ResolvedMigration
from taxiway.model.rules import Placeholders
from taxiway.secret import Secret


class ProgramFailed(Exception):
    """A program ended with another status than 0. ``status`` is negative when a signal ended it."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        if self.status < 0:
            return f"the program was ended by signal {-self.status}"
        return f"the program ended with status {self.status}"


def run_program(
    file: ResolvedMigration | Callback,
    *,
    programs: Programs,
    environment: Mapping[str, str | Secret],
    placeholders: Placeholders,
    on_event: EventSink,
    redact: Callable[[str], str],
) -> None:
    """Run a program to its end; does nothing if the file is none. What it prints are events.

    Raises:
        ProgramFailed: It ended with a failure.
        ProgramUnavailable: It could not be started.
    """
    if file.program is None:
        return

    def tell(line: str) -> None:
        on_event(ProgramPrinted(script=file.script, line=redact(line)))

    filename = file.script.rpartition("/")[2]
    variables = {**environment, **placeholder_variables(placeholders, filename)}
    status = programs.run(file.program, variables, on_line=tell)
    if status != 0:
        raise ProgramFailed(status)


def placeholder_variables(placeholders: Placeholders, filename: str) -> dict[str, str | Secret]:
    """Every placeholder as a variable, such as ``FP__flyway_table__``; empty ones are left out (Flyway 13)."""
    known = {
        **placeholders.built_in,
        f"flyway{placeholders.separator}filename": filename,
        **placeholders.values,
    }
    prefix, suffix = placeholders.script_prefix, placeholders.script_suffix
    return {f"{prefix}{name.replace(':', '_')}{suffix}": value for name, value in known.items() if value}
