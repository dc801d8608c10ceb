"""An SQL script, ready to run: the text after placeholder replacement, its statements, and the way back.

Terminology:

source text
    The script as it lies in its location. Line and column numbers that we show count in it.
replaced text
    The source text with every placeholder replaced by its value. What is sent to the server; may hold secrets.
offset
    0-based number of characters from the start of a text.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class StatementKind(Enum):
    """How a statement has to be sent."""

    TRANSACTIONAL = "transactional"
    NON_TRANSACTIONAL = "non-transactional"
    COPY_FROM_STDIN = "copy-from-stdin"


@dataclass(frozen=True, slots=True)
class Statement:
    r"""One statement of the replaced text, without its closing semicolon.

    Attributes:
        text: The statement, trimmed. Comments before its first token are part of it, as with Flyway.
        offset: Of ``text`` in the replaced text.
        first_token: Offset of the first token that is not a comment, in the replaced text.
        kind: How it has to be sent.
        copy_data: The lines after ``COPY … FROM STDIN``, without the closing ``\.``.
    """

    text: str = field(repr=False)
    offset: int
    first_token: int
    kind: StatementKind = StatementKind.TRANSACTIONAL
    copy_data: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: 1-based line and column, and the line itself."""

    line: int
    column: int
    line_text: str


def locate(text: str, offset: int) -> Position:
    """The line and column of an offset. Lines end at LF, as Flyway and PostgreSQL count them."""
    offset = max(0, min(offset, len(text)))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line_text = text[start : end if end >= 0 else len(text)].rstrip("\r")
    return Position(text.count("\n", 0, start) + 1, offset - start + 1, line_text)


class LineCounter:
    """Line numbers of offsets that only grow: each character is looked at once, however many are asked for."""

    __slots__ = ("_line", "_offset", "_text")

    def __init__(self, text: str) -> None:
        self._text, self._offset, self._line = text, 0, 1

    def line(self, offset: int) -> int:
        """The 1-based line of an offset that is not before the one asked for last."""
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line


@dataclass(frozen=True, slots=True)
class Replacement:
    """One placeholder that was replaced: where it stood in the source, and where its value stands now."""

    source_start: int
    source_end: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReplacedText:
    """The result of placeholder replacement, with the way back to the source."""

    source: str = field(repr=False)
    text: str = field(repr=False)
    replacements: Sequence[Replacement] = ()

    def source_offset(self, offset: int) -> int:
        """From an offset in the replaced text to the source; inside a value: the placeholder's start."""
        index = bisect_right(self.replacements, offset, key=lambda r: r.start) - 1
        if index < 0:
            return offset
        replacement = self.replacements[index]
        if offset < replacement.end:
            return replacement.source_start
        return replacement.source_end + (offset - replacement.end)

    def locate(self, offset: int) -> Position:
        """The place in the source of an offset in the replaced text."""
        return locate(self.source, self.source_offset(offset))


@dataclass(frozen=True, slots=True)
class Script:
    """A script with its statements, and whether it runs in one transaction."""

    replaced: ReplacedText
    statements: Sequence[Statement]
    transactional: bool
