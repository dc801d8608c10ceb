"""Flyway's own command lines, translated: ``-url=… -outOfOrder=true migrate`` (Flyway 13, command line arguments).

Both styles may be mixed in one call. What is in Flyway's style is taken out here, before click sees the rest:
click would read ``-url=x`` as the flags ``-u``, ``-r`` and ``-l``.

Terminology:

word
    An argument that is neither a flag nor the value of one: a command, or what a command is about.
parameter
    A setting of one command only, such as ``-add.type=undo``, or ``-type=undo`` in a call of ``add``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from taxiway import errors
from taxiway.cli.names import ALIASES, DATABASE_COMMANDS, ELSEWHERE, explain_word
from taxiway.config.keys import FlatKey
from taxiway.config.option import Kind
from taxiway.config.options import BY_KEY, OPTIONS
from taxiway.nearest import find_nearest

if TYPE_CHECKING:
    import click

_SETTING: Final = re.compile(r"-(?P<key>[A-Za-z][^=]+)=(?P<value>.*)", re.DOTALL)
_LONG_FLAG: Final = re.compile(r"-[A-Za-z]\w+")
_OUTPUT_FLAG: Final = re.compile(r"-o(?:text|json)")

# Flags without a value. What decides nothing here is accepted and left out: there is no update check, no edition.
FLAGS: Final[Mapping[str, str]] = {
    "-X": "--debug",
    "-q": "--quiet",
    "-v": "--version",
    "-?": "--help",
    "-migrationIds": "--migration-ids",
    "-outputLogsInJson": "--output-logs-in-json",
}
IGNORED_FLAGS: Final = frozenset(
    {"-skipCheckForUpdate", "-communityFallback", "-community", "-teams", "-enterprise", "-n"}
)
# How a call answers; these are no settings.
CALL_OPTIONS: Final[Mapping[str, str]] = {
    "outputType": "--output",
    "outputFile": "--output-file",
    "outputLogsInJson": "--output-logs-in-json",
    "color": "--color",
}
PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "add": {
        "type": "--type",
        "description": "--description",
        "version": "--version",
        "location": "--location",
        "timestamp": "--timestamp",
        "nameOnly": "--name-only",
        "force": "--force",
    },
    "init": {
        "projectName": "--project-name",
        "databaseType": "--database-type",
        "fileName": "--file-name",
        "from": "--from",
        "fromType": "--from-type",
    },
}
_TASK: Final = "task"
_WITH_LOG: Final = DATABASE_COMMANDS | {"run", "why", "roles"}
_SWITCHES: Final = frozenset({"--output-logs-in-json", "--name-only", "--force"})
_VALUE_FLAGS: Final = frozenset(
    {
        *(option.flag for option in OPTIONS if option.flag and option.kind is not Kind.BOOLEAN),
        *CALL_OPTIONS.values(),
        *(flag for parameters in PARAMETERS.values() for flag in parameters.values()),
        "-o",
        "--log",
        "--config",
    }
    - _SWITCHES
)


class CommandLine(NamedTuple):
    """A command line, taken apart.

    Attributes:
        settings: What was given in Flyway's style, by key of the option: texts, and maps of texts.
        rest: The other arguments in our style, for click; the first word, if there is one, comes first.
    """

    settings: Mapping[str, object]
    rest: tuple[str, ...]


def wants_json(arguments: Sequence[str]) -> bool:
    """JSON is asked for: to be known before anything is refused, so that a refusal is JSON too."""
    arguments, _ = split_at_dashes(arguments)
    at_once = {"--output=json", "-ojson", "-outputtype=json"}
    return any(argument.lower() in at_once for argument in arguments) or any(
        pair in {("--output", "json"), ("-o", "json")} for pair in pairwise(arguments)
    )


def split_at_dashes(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What stands before ``--``, and the rest from there on, which is for somebody else."""
    place = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:place], arguments[place:]


def wants_json_log(arguments: Sequence[str], variable: str | None) -> bool:
    """The log is to be JSON, for a command that has one. Known early for the same reason. A flag wins.

    ``variable`` is ``TAXIWAY_LOG``; an empty one counts as not set.

    Raises:
        InvalidOption: The variable is neither ``text`` nor ``json``.
    """
    first = next((argument for argument in arguments if not argument.startswith("-")), None)
    # 'task run' shows the log of the task, and has none of its own.
    if first == _TASK or not any(ALIASES.get(argument, argument) in _WITH_LOG for argument in arguments):
        return False
    given = [after for before, after in pairwise(arguments) if before == "--log"]
    given += [argument.removeprefix("--log=") for argument in arguments if argument.startswith("--log=")]
    if not given and variable not in {None, "", "text", "json"}:
        raise errors.InvalidOption(
            f"TAXIWAY_LOG is '{variable}'.", hint="Set TAXIWAY_LOG to text or to json, or remove it."
        )
    return (given[-1] if given else variable) == "json"


def parse_command_line(arguments: Sequence[str]) -> CommandLine:
    """Take Flyway's settings out of the arguments, and put the command first.

    Blank arguments are left out, as Flyway does: scripts have variables that are empty. Not so behind ``task``,
    where the next argument would become the value of a flag, or the only running task the one that is stopped.
    What stands behind ``--`` stays as it is.

    Raises:
        click.UsageError: A flag that neither Flyway nor we have, or a setting without ``=``.
        UnknownOption: A key that is no setting, and looks like what is none either, such as ``outputType``.
    """
    arguments, for_others = split_at_dashes(arguments)
    filled = _without_blanks(arguments)
    plain = [FLAGS.get(argument, argument) for argument in filled if argument not in IGNORED_FLAGS]
    command = next((plain[index] for index in _words(plain)), None)
    if command is not None and command in ELSEWHERE:
        raise _refusal(explain_word(command, ()))
    settings: dict[str, object] = {}
    rest: list[str] = []
    for argument in plain:
        if found := _SETTING.fullmatch(argument):
            rest += _taken(settings, found["key"], found["value"], command)
        else:
            _refuse_unknown_flag(argument, command)
            rest.append(argument)
    return CommandLine(settings, (*_command_first(rest), *for_others))


def _without_blanks(arguments: Sequence[str]) -> Sequence[str]:
    filled = [argument for argument in arguments if argument.strip()]
    if next((filled[index] for index in _words(filled)), None) != _TASK:
        return filled
    place = arguments.index(_TASK)
    return [*(argument for argument in arguments[:place] if argument.strip()), *arguments[place:]]


def _refusal(message: str) -> "click.UsageError":
    import click

    return click.UsageError(message)


def _taken(settings: dict[str, object], key: str, value: str, command: str | None) -> Iterable[str]:
    """Put a setting where it belongs; arguments in our style if it is none."""
    if key in CALL_OPTIONS:
        return _in_our_style(CALL_OPTIONS[key], value.lower() if key in {"outputType", "color"} else value)
    namespace, dot, name = key.partition(".")
    if namespace in PARAMETERS and dot:
        # For another command than that of this call it means nothing, and does no harm.
        return _parameter(namespace, name, value) if namespace == command else ()
    if command is not None and key in PARAMETERS.get(command, ()):
        return _parameter(command, key, value)
    _refuse_misspelt_parameter(key, command)
    option = BY_KEY.get(namespace)
    if dot and option and option.kind is Kind.MAP:
        entries = settings.setdefault(namespace, {})
        if isinstance(entries, dict):
            entries[name] = value
    else:
        settings[key] = value
    return ()


def _parameter(command: str, name: str, value: str) -> Iterable[str]:
    parameters = PARAMETERS[command]
    if name not in parameters:
        raise _refusal(f"'{command}' has no parameter '{name}'.{_suggestion(name, parameters)}")
    return _in_our_style(parameters[name], value)


def _in_our_style(flag: str, value: str) -> Iterable[str]:
    if not value:
        return ()
    if flag not in _SWITCHES:
        return flag, value
    if value.lower() not in {"true", "false"}:
        raise _refusal(f"{flag}: expected true or false, found '{value}'.")
    return (flag,) if value.lower() == "true" else ()


def _refuse_misspelt_parameter(key: str, command: str | None) -> None:
    """What is no setting and looks like another thing that a call may have; all else is left to the settings."""
    flat = FlatKey.parse(key)
    if flat.find_option() or flat.find_foreign():
        return
    others = _others(command)
    near = find_nearest(key, [*others, *BY_KEY])
    if near in others:
        raise errors.UnknownOption(key, origin="arguments", nearest=near)


def _others(command: str | None) -> Mapping[str, str]:
    """What stands in a call like a setting and is none, with our flags."""
    return {**CALL_OPTIONS, **PARAMETERS.get(command or "", {})}


def _refuse_unknown_flag(argument: str, command: str | None) -> None:
    """Otherwise click would speak of ``-u`` where somebody wrote ``-url``."""
    if not _LONG_FLAG.fullmatch(argument) or _OUTPUT_FLAG.fullmatch(argument):
        return
    key = argument.removeprefix("-")
    flags = {**{option.key: option.flag for option in OPTIONS}, **_others(command)}
    if key in flags:
        value = "true" if flags[key] in _SWITCHES else "VALUE"
        ours = f", or {flags[key]} in our style" if flags[key] else ""
        raise _refusal(f"'{argument}' has no value. Write {argument}={value} without blanks{ours}.")
    # Of two with the same letters the later one is told: Flyway's, where somebody wrote in its style.
    known = [*(f"-{name}=" for name in flags), *FLAGS.values(), *FLAGS, *IGNORED_FLAGS]
    raise _refusal(f"There is no flag '{argument}'.{_suggestion(argument, known)}")


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = find_nearest(name, known)
    return f" Did you mean '{near}'?" if near else ""


def _words(arguments: Sequence[str]) -> Iterator[int]:
    """The places of the words."""
    before = ""
    for index, argument in enumerate(arguments):
        if not argument.startswith("-") and before not in _VALUE_FLAGS:
            yield index
        before = argument


def _command_first(arguments: Sequence[str]) -> list[str]:
    """Where click wants the command. ``help`` and ``--version`` are answered whatever else is there.

    Behind ``run`` a word is a branch, and every word may be one: ``help`` too. So may one be among the options of
    ``task run``: a call that shows help instead of running something is no success.
    """
    places = list(_words(arguments))
    words = [arguments[index] for index in places]
    if words[:1] == [_TASK] and words[1:2] != ["help"]:
        return [_TASK, *arguments[: places[0]], *arguments[places[0] + 1 :]]
    if "help" in words and words[0] != "run":
        return [*[ALIASES.get(word, word) for word in words if word != "help"][:1], "--help"]
    if "--version" in arguments and "add" not in words:
        return ["--version"]
    if not words:
        return list(arguments)
    first = places[0]
    return [ALIASES.get(words[0], words[0]), *arguments[:first], *arguments[first + 1 :]]
