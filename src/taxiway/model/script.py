"""An SQL script, ready to run: the text after placeholder replacement, its statements, and the way back.

Terminology:

source text
    The script as it lies in its location. Line and column numbers that we show count in it.
replaced text
    The source text with every placeholder replaced by its value. What is sent to the server; may hold secrets.
offset
    0-based number of characters from the start of a text.
part
    What of a script is in memory at once. That of a small script is all of it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

# The width of two screens: excerpts show less.
_MOST_OF_LINE_KEPT: Final = 400


class StatementKind(Enum):
    """How a statement has to be sent."""

    TRANSACTIONAL = "transactional"
    NON_TRANSACTIONAL = "non-transactional"
    COPY_FROM_STDIN = "copy-from-stdin"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: 1-based line and column, and the line itself.

    ``offset_in_line`` is that of the place in ``line_text``: one less than the column, unless the line is so long
    that it began in an earlier part.
    """

    line: int
    column: int
    line_text: str
    offset_in_line: int


@dataclass(frozen=True, slots=True)
class Start:
    """Where a text begins in its file: 1-based line and column."""

    line: int = 1
    column: int = 1

    def after(self, text: str, end: int | None = None) -> "Start":
        """Where the text behind this one begins, or behind the first ``end`` characters of it."""
        end = len(text) if end is None else end
        lines = text.count("\n", 0, end)
        if lines == 0:
            return Start(self.line, self.column + end)
        return Start(self.line + lines, end - text.rfind("\n", 0, end))


_OF_THE_FILE: Final = Start()


def locate(text: str, offset: int, start: Start = _OF_THE_FILE) -> Position:
    """The line and column of an offset. Lines end at LF, as Flyway and PostgreSQL count them."""
    offset = max(0, min(offset, len(text)))
    line_start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line_text = text[line_start : end if end >= 0 else len(text)].rstrip("\r")
    place = start.after(text, offset)
    return Position(place.line, place.column, line_text, offset - line_start)


@dataclass(frozen=True, slots=True)
class Replacement:
    """One placeholder that was replaced: where it stood in the source, and where its value stands now."""

    source_start: int
    source_end: int
    start: int
    end: int

    def moved(self, in_source: int, in_text: int) -> "Replacement":
        """The same one when both texts begin elsewhere."""
        return Replacement(
            self.source_start + in_source, self.source_end + in_source, self.start + in_text, self.end + in_text
        )


@dataclass(frozen=True, slots=True)
class ReplacedText:
    """A part of a script after placeholder replacement, with the way back to the source.

    ``start`` is where the source of this part begins.
    """

    source: str = field(repr=False)
    text: str = field(repr=False)
    replacements: Sequence[Replacement] = ()
    start: Start = _OF_THE_FILE

    def source_offset(self, offset: int) -> int:
        """From an offset in the replaced text to the source; inside a value: the placeholder's start."""
        index = self._last_replacement(offset)
        if index < 0:
            return offset
        replacement = self.replacements[index]
        if offset < replacement.end:
            return replacement.source_start
        return replacement.source_end + (offset - replacement.end)

    def locate(self, offset: int) -> Position:
        """The place in the source of an offset in the replaced text."""
        return locate(self.source, self.source_offset(offset), self.start)

    def behind(self, offset: int) -> "ReplacedText":
        """What is left from an offset on.

        The source keeps the line from its beginning, for excerpts, unless that is far away.
        """
        cut = self.source_offset(offset)
        begin = max(self.source.rfind("\n", 0, cut) + 1, cut - _MOST_OF_LINE_KEPT)
        # What is kept for excerpts was replaced by nothing, as it were.
        kept = [Replacement(0, cut - begin, 0, 0)] if begin < cut else []
        index = self._last_replacement(offset)
        following = index if index >= 0 and offset < self.replacements[index].end else index + 1
        text = self.text[offset:]
        is_plain = self.source is self.text and begin == cut
        return ReplacedText(
            text if is_plain else self.source[begin:],
            text,
            (*kept, *(one.moved(-begin, -offset) for one in self.replacements[following:])),
            self.start.after(self.source, begin),
        )

    @classmethod
    def joined(cls, parts: Sequence["ReplacedText"]) -> "ReplacedText":
        """One part of several that follow one another; at least one."""
        source = "".join(part.source for part in parts)
        is_plain = all(part.source is part.text for part in parts)
        replacements: list[Replacement] = []
        source_length = length = 0
        for part in parts:
            replacements += (one.moved(source_length, length) for one in part.replacements)
            source_length, length = source_length + len(part.source), length + len(part.text)
        text = source if is_plain else "".join(part.text for part in parts)
        return cls(source, text, tuple(replacements), parts[0].start)

    def _last_replacement(self, offset: int) -> int:
        """The index of the last one that begins at the offset or before it; -1 if there is none."""
        return bisect_right(self.replacements, offset, key=lambda r: r.start) - 1


_NO_TEXT: Final = ReplacedText("", "")


@dataclass(frozen=True, slots=True)
class Statement:
    r"""One statement of the replaced text, without its closing semicolon.

    Attributes:
        text: The statement, trimmed. Comments before its first token are part of it, as with Flyway.
        offset: Of ``text`` in the text of ``part``.
        first_token: Offset of the first token that is not a comment, in the text of ``part``.
        kind: How it has to be sent.
        copy_data: The lines after ``COPY … FROM STDIN``, without the closing ``\.``, piece by piece. Those of a
            large script can be taken once, and before the next statement is asked for.
        part: What its offsets count in.
    """

    text: str = field(repr=False)
    offset: int
    first_token: int
    kind: StatementKind = StatementKind.TRANSACTIONAL
    copy_data: Iterable[str] = field(default=(), repr=False)
    part: ReplacedText = field(default=_NO_TEXT, repr=False, compare=False)


class LineCounter:
    """Line numbers of statements in the order of a script: each character is looked at once."""

    __slots__ = ("_line", "_offset", "_part")

    def __init__(self) -> None:
        self._part, self._offset, self._line = _NO_TEXT, 0, 1

    def line(self, statement: Statement) -> int:
        """The 1-based line in which a statement begins that is not before the one asked for last."""
        part = statement.part
        if part is not self._part:
            self._part, self._offset, self._line = part, 0, part.start.line
        offset = part.source_offset(statement.first_token)
        self._line += part.source.count("\n", self._offset, offset)
        self._offset = offset
        return self._line


@dataclass(frozen=True, slots=True)
class Script:
    """A script with its statements, and how it runs.

    Attributes:
        statements: Can be gone through again and again. Those of a small script are a tuple; those of a large one
            are read anew each time, and what is wrong with the file by then is raised while they are.
        transactional: It runs in one transaction.
        can_be_sent_ahead: None of its statements needs to see what came of the one before: it is transactional,
            copies no data, and changes neither the state of its transaction nor ``client_encoding``.
        may_choose_snapshot: A statement may set how its transaction sees the database, which has to come before
            any query in it (PostgreSQL manual, SET TRANSACTION).
        length: In characters; 0 for one that is read anew each time.
    """

    statements: Iterable[Statement]
    transactional: bool
    can_be_sent_ahead: bool = False
    may_choose_snapshot: bool = True
    length: int = 0
