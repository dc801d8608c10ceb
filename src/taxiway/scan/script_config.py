"""Script configuration: the file ``V2__x.sql.conf`` says of the script ``V2__x.sql`` what settings say of all.

The rules are those of Flyway 13. The text is looked at twice: as it was written, which is what people are shown,
and with placeholders and ``${VARIABLES}`` replaced, which is what counts. So no secret value is in a message.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.model.migration import ScriptConfiguration
from taxiway.model.rules import Placeholders
from taxiway.nearest import find_nearest
from taxiway.scan.encoding import find_codec
from taxiway.scan.expression import evaluate
from taxiway.scan.properties import Property, parse_properties
from taxiway.sql.placeholders import replace

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


def parse_script_configuration(
    text: str, *, placeholders: Placeholders, environment: Mapping[str, str], path: str, filename: str
) -> ScriptConfiguration:
    """Read the configuration of the script that is called ``filename``.

    Placeholders are replaced first, and an unknown one is an error; then variables, where one that is not set
    becomes nothing.

    Raises:
        InvalidScriptConfiguration: There is an unknown key, or a value that its key cannot have.
        UnknownPlaceholder: A placeholder has no value.
    """
    replaced = replace(text, placeholders, path=path, filename=filename).text
    replaced = _VARIABLE.sub(lambda found: environment.get(found[1], ""), replaced)
    as_written = {one.key: one for one in parse_properties(text)}
    values = _Values({one.key: one for one in parse_properties(replaced)}, as_written, path)
    expression = as_written.get("shouldExecute")
    return ScriptConfiguration(
        execute_in_transaction=values.read("executeInTransaction", _parse_boolean),
        placeholder_replacement=values.read("placeholderReplacement", _parse_boolean),
        encoding=values.read("encoding", _parse_encoding),
        should_execute=values.read("shouldExecute", evaluate) is not False,
        should_execute_expression=expression.value if expression else None,
    )


_KEYS: Final = ("executeInTransaction", "placeholderReplacement", "encoding", "shouldExecute")


@dataclass(frozen=True, slots=True)
class _Values:
    """The properties with their values replaced, and as they were written."""

    replaced: Mapping[str, Property]
    as_written: Mapping[str, Property]
    path: str

    def __post_init__(self) -> None:
        for key in self.replaced:
            if key not in _KEYS:
                raise self._error(key, f"unknown key '{self._shown(key)}'.", hint=_which_key(key))

    def read[T](self, key: str, parse: Callable[[str], T]) -> T | None:
        """The value of a key, ``None`` if it is not there."""
        found = self.replaced.get(key)
        if found is None:
            return None
        try:
            return parse(found.value)
        except ValueError as error:
            written = self.as_written.get(key)
            # The reason quotes the value: it is told only if that is what anybody can read in the file.
            reason = f": {error}" if written and written.value == found.value else ""
            shown = f"'{written.value}'" if written else "its value"
            raise self._error(key, f"{key} cannot be {shown}{reason}.", hint=_HINTS[key]) from None

    def _shown(self, key: str) -> str:
        return key if key in self.as_written else "****"

    def _error(self, key: str, message: str, *, hint: str) -> errors.InvalidScriptConfiguration:
        place = self.as_written.get(key) or self.replaced[key]
        return errors.InvalidScriptConfiguration(message, path=self.path, line=place.line, hint=hint)


_TRUE_OR_FALSE: Final = "Write true or false."
_HINTS: Final = {
    "executeInTransaction": _TRUE_OR_FALSE,
    "placeholderReplacement": _TRUE_OR_FALSE,
    "encoding": "Use a name such as UTF-8, ISO-8859-1, windows-1252 or UTF-16.",
    "shouldExecute": "Write true, false, or a comparison such as ${name}==value, joined by && and ||.",
}


def _parse_boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("it is neither true nor false")
    return text.lower() == "true"


def _parse_encoding(text: str) -> str:
    if find_codec(text) is None:
        raise ValueError("there is no such character encoding")
    return text


def _which_key(key: str) -> str:
    nearest = find_nearest(key, _KEYS)
    return f"Did you mean '{nearest}'?" if nearest else f"Use one of {', '.join(_KEYS)}."
