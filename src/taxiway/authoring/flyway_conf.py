"""From a ``flyway.conf`` to the settings of a ``taxiway.toml``, which lies in a repository."""

import re
from pathlib import Path
from typing import Final

from taxiway import errors
from taxiway.authoring.toml import quote
from taxiway.config.conf import parse_conf
from taxiway.config.confidential import is_confidential
from taxiway.config.files import FILE_NAME
from taxiway.config.layers import Given
from taxiway.config.merge import convert
from taxiway.config.option import Kind, Option
from taxiway.config.url import passwords_in

_CONF_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9_]+)\}", re.ASCII)
_BEHIND_DOLLAR: Final = re.compile(r"\$\$\{[A-Za-z0-9_]+\}", re.ASCII)
_UNFIT_IN_VARIABLE: Final = re.compile(r"[^A-Z0-9_]", re.ASCII)


def convert_conf(source: Path) -> dict[str, object]:
    """The settings of a flyway.conf by their places in our file. What has no meaning here is left out.

    Raises:
        ConfigFileUnreadable: It cannot be read.
        ConfigError: It has a setting that does not exist, cannot be had here, or has a wrong value.
    """
    text = _read_text(source)
    # Variables stand for themselves: what they are today does not belong into the new file.
    themselves = {name: f"${{{name}}}" for name in _CONF_VARIABLE.findall(text)}
    given = parse_conf(text, name=source.name, environ=themselves).layer().values()
    return {_place(one): _value(one, str(one.value)) for one in given}


def _place(given: Given) -> str:
    return f"{given.option.path}.{quote(given.entry)}" if given.entry else str(given.option.path)


def _value(given: Given, text: str) -> object:
    """As TOML has it. What is confidential cannot lie in a file of a repository: the environment will have it."""
    option = given.option
    if _is_confidential(given, text):
        only = _CONF_VARIABLE.fullmatch(text)
        return f"${{env:{only[1] if only and option.key != 'url' else _variable(given)}}}"
    if _CONF_VARIABLE.search(text):
        _refuse_unwritable(given, text)
        # A list too: what the variable holds may have commas.
        return _referring(text)
    value = convert(given, text)
    match option.kind:
        case Kind.BOOLEAN:
            return value
        case Kind.INTEGER:
            return int(text)
        case Kind.LIST:
            return [_literal(option, item.strip()) for item in text.split(",") if item.strip()]
        case _:
            return _literal(option, text)


def _is_confidential(given: Given, text: str) -> bool:
    return (
        given.option.kind is Kind.SECRET
        or is_confidential(given.entry)
        or (given.option.key == "url" and bool(passwords_in(text)))
    )


def _variable(given: Given) -> str:
    """The variable that sets it without any file; of an entry, the nearest name that a variable can have."""
    return f"{given.option.environment_variable}{_UNFIT_IN_VARIABLE.sub('_', given.entry.upper())}"


def _refuse_unwritable(given: Given, text: str) -> None:
    """Our file has no references in some settings, and none right behind a dollar sign."""
    if not given.option.resolved or _BEHIND_DOLLAR.search(text):
        raise errors.InvalidOption(
            f"{given.origin}: {FILE_NAME} cannot have a variable in this place.",
            hint="Write the value in the place of the variable, and run 'taxiway init' again.",
        )


def _referring(text: str) -> str:
    """The variables as references, and what only looks like one as it is."""
    end = 0
    parts: list[str] = []
    for found in _CONF_VARIABLE.finditer(text):
        parts += text[end : found.start()].replace("${", "$${"), f"${{env:{found[1]}}}"
        end = found.end()
    return "".join([*parts, text[end:].replace("${", "$${")])


def _literal(option: Option, text: str) -> str:
    return text.replace("${", "$${") if option.resolved else text


def _read_text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise errors.ConfigFileUnreadable(
            f"{source} cannot be read: {reason}.", hint="Name a flyway.conf that can be read (--from)."
        ) from error
