r"""Text in the syntax of Java's properties files, as Flyway reads it: keys, values and the lines they stand on.

Both ``flyway.conf`` and the ``.conf`` file beside a script are such a text. Changes that Flyway 13 makes to the
syntax: lines are trimmed, and a backslash is a backslash. At the end of a line it joins the next one to it, unless
that is empty or looks like a setting: values such as ``C:\\scripts\\`` end with one.

Terminology:

logical line
    A line with those that continue it. Blanks at the start of a continuing line do not count.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
# What String.trim() of Java takes away
_TRIMMED: Final = "".join(map(chr, range(0x21)))
_BLANKS: Final = " \t\f"
# A key ends at the first "=" or ":", with blanks around it, or at the first blank.
_KEY: Final = re.compile(rf"([^=:{_BLANKS}]*)[{_BLANKS}]*[=:]?[{_BLANKS}]*", re.DOTALL)
_COMMENTS: Final = ("#", "!")
_SETTING: Final = "flyway."


@dataclass(frozen=True, slots=True)
class Property:
    """A key with its value, without blanks around them. ``line`` is that of the key, 1-based."""

    key: str
    value: str
    line: int


def parse_properties(text: str) -> list[Property]:
    """The properties in their order; a key may be there twice. Any text will do: there are no errors."""
    return [_property(logical, line) for line, logical in _logical_lines(text.removeprefix("\ufeff"))]


def _property(logical: str, line: int) -> Property:
    found = _KEY.match(logical)
    end = found.end() if found else 0
    return Property(found[1] if found else "", logical[end:], line)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    lines = [line.strip(_TRIMMED) for line in _LINE_ENDS.split(text)]
    pieces: list[str] = []
    for number, (line, following) in enumerate(pairwise([*lines, ""]), start=1):
        if not pieces and (not line or line.startswith(_COMMENTS)):
            continue
        is_continued = line.endswith("\\") and _continues(following)
        pieces.append(line[:-1] if is_continued else line)
        if not is_continued:
            yield number - len(pieces) + 1, "".join(pieces)
            pieces = []


def _continues(line: str) -> bool:
    return bool(line) and not (line.startswith(_SETTING) and "=" in line)
