"""Replace ``${name}`` in scripts as Flyway 13 does: blindly, everywhere, before anything else is looked at.

Terminology:

placeholder
    A prefix, a name and a suffix (``${name}``). Everything between prefix and suffix is the name, blanks included.
built-in placeholder
    One that Flyway sets itself (``${flyway:table}``). It wins over a value of the user.

Comments, strings and COPY data are no exception: a name that nobody knows is an error there too. Values are not
looked at again. There is no way to escape a prefix, only the accident described at :func:`_find_prefix`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from taxiway.errors import UnknownPlaceholder
from taxiway.model.rules import Placeholders
from taxiway.model.script import Position, ReplacedText, Replacement, Start, locate
from taxiway.secret import Secret, reveal

_WAYS_OUT: Final = (
    "Set placeholders.NAME (--placeholder NAME=VALUE, FLYWAY_PLACEHOLDERS_NAME, or [flyway.placeholders] in "
    "taxiway.toml), switch replacement off with placeholderReplacement=false, or choose another placeholderPrefix."
)
_LONGEST_EXCERPT: Final = 40
_OF_THE_FILE: Final = Start()


def replace(
    source: str,
    placeholders: Placeholders,
    *,
    path: str,
    filename: str | None = None,
    start: Start = _OF_THE_FILE,
) -> ReplacedText:
    """The text with every placeholder replaced, and the way back to the source.

    A text may be a part of a file, which begins at ``start`` and was cut by :mod:`taxiway.sql.pieces`.
    ``filename`` is what ``${flyway:filename}`` stands for; without it that placeholder does not exist.
    Prefix and suffix must not be empty. A byte order mark is text like any other here, because the checksum of a
    repeatable migration counts it; :func:`taxiway.sql.pieces.replace_pieces` drops it.

    Raises:
        UnknownPlaceholder: No placeholder has that name, or a prefix is not followed by a suffix.
    """
    # A single character is looked for much faster than two.
    is_there = placeholders.prefix[0] in source and placeholders.prefix in source
    if not placeholders.enabled or not is_there:
        return ReplacedText(source, source, start=start)
    values = _Values(placeholders, filename)
    pieces: list[str] = []
    replacements: list[Replacement] = []
    copied = length = 0
    for begin, end in _find_placeholders(source, placeholders, path, start):
        name = source[begin + len(placeholders.prefix) : end - len(placeholders.suffix)]
        value = values.find(name)
        if value is None:
            hint = values.did_you_mean(name) + _WAYS_OUT
            raise _error(values.unknown(name), locate(source, begin, start), path=path, hint=hint)
        pieces += source[copied:begin], value
        length += begin - copied
        replacements.append(Replacement(begin, end, length, length + len(value)))
        length += len(value)
        copied = end
    return ReplacedText(source, "".join([*pieces, source[copied:]]), tuple(replacements), start)


class _Values:
    """What is known of a script's placeholders."""

    def __init__(self, placeholders: Placeholders, filename: str | None) -> None:
        own = {} if filename is None else {f"flyway{placeholders.separator}filename": filename}
        known = {**placeholders.values, **placeholders.built_in, **own}
        self._values: Mapping[str, str | Secret] = {name.lower(): value for name, value in known.items()}
        self._spellings = {name.lower(): name for name in known}
        self._placeholders = placeholders

    def find(self, name: str) -> str | None:
        value = self._values.get(name.lower())
        return None if value is None else reveal(value)

    def unknown(self, name: str) -> str:
        is_built_in = name.lower().startswith(f"flyway{self._placeholders.separator}")
        reason = "is not one of the built-in ones" if is_built_in else "has no value"
        return f"Placeholder '{self._shown(_excerpt(name))}' {reason}."

    def did_you_mean(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name.strip().lower(), self._spellings, n=1)
        return f"Did you mean '{self._shown(self._spellings[near[0]])}'? " if near else ""

    def _shown(self, name: str) -> str:
        return f"{self._placeholders.prefix}{name}{self._placeholders.suffix}"


def _find_placeholders(
    source: str, placeholders: Placeholders, path: str, start: Start
) -> Iterator[tuple[int, int]]:
    prefix, suffix = placeholders.prefix, placeholders.suffix
    position = 0
    while (begin := _find_prefix(source, prefix, position)) >= 0:
        closing = source.find(suffix, begin + len(prefix))
        if closing < 0:
            shown = _excerpt(source[begin:])
            message = f"Placeholder '{shown}' is not closed: there is no '{suffix}' behind it."
            hint = f"Close it with '{suffix}'. {_WAYS_OUT}"
            raise _error(message, locate(source, begin, start), path=path, hint=hint)
        position = closing + len(suffix)
        yield begin, position


def _find_prefix(source: str, prefix: str, position: int) -> int:
    """The next prefix that Flyway sees, -1 if there is none.

    Flyway reads ahead while what it has read may still become the prefix. When it does not, everything read,
    the character that did not fit included, is passed on unseen. So ``$${a}`` is not replaced, and ``$$${a}``
    is: of an unbroken run of ``$``, each second one is hidden behind the one before it.
    """
    while (start := source.find(prefix[0], position)) >= 0:
        fitting = _fitting_length(source, prefix, start)
        if fitting == len(prefix):
            return start
        position = start + fitting + 1
    return -1


def _fitting_length(source: str, prefix: str, start: int) -> int:
    ahead = source[start : start + len(prefix)]
    while not prefix.startswith(ahead):
        ahead = ahead[:-1]
    return len(ahead)


def _excerpt(text: str) -> str:
    """What fits into a message: the first line, and not much of it."""
    line = text[:_LONGEST_EXCERPT].partition("\n")[0].rstrip("\r")
    return line if line == text else f"{line}…"


def _error(message: str, place: Position, *, path: str, hint: str) -> UnknownPlaceholder:
    return UnknownPlaceholder(message, path=path, line=place.line, column=place.column, hint=hint)
