"""Plain calls, read without click: ``taxiway info``, ``taxiway migrate info --url … --target 3 -q``.

To load click and to make a command with its eighty options is an eighth of what ``info`` takes. So what is without
doubt one of the commands on a database is read here, by the same tables. All else is left to click, which explains
what is wrong, shows help and completes words: it reads the plain calls in the same way (a test compares).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from taxiway.cli.call_options import CALL_OPTIONS, CallOption
from taxiway.cli.names import ALIASES, DATABASE_COMMANDS
from taxiway.cli.settings import SETTINGS
from taxiway.config.option import Kind, Option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from taxiway.cli.invocation import Invocation

_FLAGS: Final[Mapping[str, Option | CallOption]] = {
    **{str(option.flag): option for option in SETTINGS.values()},
    **{flag: option for option in CALL_OPTIONS for flag in option.flags},
}
_NEGATIVE: Final = "--no-"


class Call(NamedTuple):
    """A call that was read: its commands, the settings by identifier, and what was said of the answer."""

    commands: tuple[str, ...]
    settings: Mapping[str, object]
    answer: Mapping[CallOption, str | bool]

    def note(self, invocation: Invocation) -> None:
        """Note how to answer."""
        for option in CALL_OPTIONS:
            option.note(invocation, self.answer.get(option, option.default))


class _NotPlain(Exception):
    """It takes click to read this."""


def read_call(arguments: Sequence[str]) -> Call | None:
    """The call, if it is a plain one. A word that is no value of an option is a command."""
    commands: list[str] = []
    settings: dict[str, object] = {}
    answer: dict[CallOption, str | bool] = {}
    try:
        for option, value in _parts(iter(arguments)):
            if option is None:
                commands.append(_command(value))
            elif isinstance(option, CallOption):
                answer[option] = _answer(option, value)
            else:
                _add(settings, option, value)
    except _NotPlain:
        return None
    return Call(tuple(commands), settings, answer) if commands else None


def _parts(arguments: Iterator[str]) -> Iterator[tuple[Option | CallOption | None, str]]:
    """Each option with its value, which is empty for a switch; words with none."""
    for argument in arguments:
        if not argument.startswith("-"):
            yield None, argument
            continue
        flag, equals, value = argument.partition("=")
        option, is_switch = _find(flag)
        if is_switch:
            if equals:
                raise _NotPlain
            yield option, "" if flag.startswith(_NEGATIVE) else "true"
        elif equals:
            yield option, value
        else:
            yield option, _following(arguments)


def _find(flag: str) -> tuple[Option | CallOption, bool]:
    """The option, and whether it has no value."""
    if option := _FLAGS.get(flag):
        return option, option.is_switch if isinstance(option, CallOption) else option.kind is Kind.BOOLEAN
    option = _FLAGS.get(f"--{flag.removeprefix(_NEGATIVE)}") if flag.startswith(_NEGATIVE) else None
    if isinstance(option, Option) and option.kind is Kind.BOOLEAN:
        return option, True
    raise _NotPlain


def _following(arguments: Iterator[str]) -> str:
    value = next(arguments, "-")
    if value.startswith("-"):
        raise _NotPlain
    return value


def _command(word: str) -> str:
    name = ALIASES.get(word, word)
    if name not in DATABASE_COMMANDS:
        raise _NotPlain
    return name


def _answer(option: CallOption, value: str) -> str | bool:
    if option.is_switch:
        return True
    if option.choices and value not in option.choices:
        raise _NotPlain
    return value


def _add(settings: dict[str, object], option: Option, value: str) -> None:
    if option.kind is Kind.BOOLEAN:
        settings[option.identifier] = bool(value)
    elif option.kind is Kind.MAP:
        name, equals, text = value.partition("=")
        if not (name and equals):
            raise _NotPlain
        entries = settings.setdefault(option.identifier, {})
        if isinstance(entries, dict):
            entries[name] = text
    else:
        settings[option.identifier] = value
