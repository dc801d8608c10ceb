"""How a call answers: the options that every command has, as a table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from taxiway.cli.invocation import Invocation

_COLORS: Final = {"auto": None, "always": True, "never": False}


class CallOption(NamedTuple):
    """One row.

    Attributes:
        note: Takes the value in; every option is noted in each call, in the order of the table.
        default: Of one that is not given. A switch has ``False``.
        choices: The values that it may have; empty for any text.
        is_early: Noted before the others, wherever it stands.
    """

    flags: tuple[str, ...]
    note: Callable[[Invocation, Any], None]
    help: str
    default: str | bool | None = False
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    is_early: bool = False

    @property
    def is_switch(self) -> bool:
        """It has no value."""
        return self.default is False


def _note_output(invocation: Invocation, value: str | None) -> None:
    invocation.json = invocation.json or value == "json"


def _note_color(invocation: Invocation, value: str) -> None:
    """https://no-color.org; a flag wins over the variable."""
    invocation.color = False if value == "auto" and os.environ.get("NO_COLOR") else _COLORS[value]


def _copy_output(invocation: Invocation, path: str | None) -> None:
    if path is not None:
        from taxiway.cli.output import copy_output

        copy_output(path, result_only=invocation.json)


def _note_debug(invocation: Invocation, value: bool) -> None:
    invocation.debug = value


def _note_quiet(invocation: Invocation, value: bool) -> None:
    invocation.quiet = value


def _note_log(_invocation: Invocation, _value: str | None) -> None:
    """Nothing: it was noted before anything could be refused (``wants_json_log`` in :mod:`.flyway_args`)."""


def _note_logs(invocation: Invocation, value: bool) -> None:
    invocation.logs_in_json = value


CALL_OPTIONS: Final[Sequence[CallOption]] = (
    CallOption(
        ("--output", "-o"),
        _note_output,
        "Text for people, or JSON in Flyway's shape (-outputType=json).",
        default="text",
        choices=("text", "json"),
        is_early=True,
    ),
    CallOption(
        ("--log",),
        _note_log,
        "Text for people, or one JSON object per line on standard output: every event, every result, and how "
        "the call ended. Of 'run' and of the commands on a database. TAXIWAY_LOG=json is the same.",
        default=None,
        choices=("text", "json"),
        is_early=True,
    ),
    CallOption(
        ("--output-file",),
        _copy_output,
        "Write everything to this file as well.",
        default=None,
        metavar="FILE",
    ),
    CallOption(("--output-logs-in-json",), _note_logs, "Write the log as JSON lines, to standard error."),
    CallOption(
        ("--color",),
        _note_color,
        "Colours: on a terminal, always or never. NO_COLOR is heeded.",
        default="auto",
        choices=tuple(_COLORS),
    ),
    CallOption(("--debug", "-X"), _note_debug, "Show the configuration and every statement with its time."),
    CallOption(("--quiet", "-q"), _note_quiet, "Show only warnings, errors and what was asked to be shown."),
)
