"""The text of a script with its placeholders replaced, piece by piece.

Terminology:

chunk
    What is read at once. It may end anywhere.
piece
    A part of the text that can be replaced on its own: no placeholder reaches beyond it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

from taxiway.model.rules import Placeholders
from taxiway.model.script import ReplacedText, Replacement, Start
from taxiway.sql.placeholders import replace

_BYTE_ORDER_MARK: Final = "\ufeff"


def replace_pieces(
    chunks: Iterable[str], placeholders: Placeholders, *, path: str, filename: str | None
) -> Iterator[ReplacedText]:
    """The text of a script, piece by piece, with every placeholder replaced.

    Byte order marks are dropped wherever they stand (Flyway 13): files that were joined have some in the middle.

    Raises:
        UnknownPlaceholder: A placeholder has no value, or is not closed.
    """
    for piece, start in cut_between_placeholders(chunks, placeholders):
        yield _replace(piece, placeholders, path=path, filename=filename, start=start)


def cut_between_placeholders(chunks: Iterable[str], placeholders: Placeholders) -> Iterator[tuple[str, Start]]:
    """The pieces of a text, each with where it begins. A text of one chunk is one piece.

    What cannot be cut yet waits until there is twice as much of it, so that it is not looked at too often.
    """
    start = Start()
    waiting: list[str] = []
    length = enough = 0
    for chunk in chunks:
        if waiting and length >= enough:
            text = "".join(waiting)
            cut = _find_cut(text, placeholders)
            if cut:
                piece = text[:cut]
                yield piece, start
                start = start.after(piece)
            waiting = [text[cut:]]
            length = len(text) - cut
            enough = 0 if cut else 2 * length
        waiting.append(chunk)
        length += len(chunk)
    yield "".join(waiting), start


def _find_cut(text: str, placeholders: Placeholders) -> int:
    """Up to where the text can be replaced on its own, whatever is behind it; 0 for nowhere.

    That is behind a line end: a prefix that is being looked for ends there. Not if it may have one itself, or if
    it has been found and there is no suffix yet.
    """
    prefix, suffix = placeholders.prefix, placeholders.suffix
    if not placeholders.enabled or prefix[0] not in text:
        return len(text)
    if "\n" in prefix:
        return 0
    cut = text.rfind("\n") + 1
    before = text[:cut].replace(_BYTE_ORDER_MARK, "")
    opening = before.rfind(prefix)
    is_open = opening >= 0 and before.find(suffix, opening + len(prefix)) < 0
    return 0 if is_open else cut


def _replace(
    source: str, placeholders: Placeholders, *, path: str, filename: str | None, start: Start
) -> ReplacedText:
    text = source.replace(_BYTE_ORDER_MARK, "")
    replaced = replace(text, placeholders, path=path, filename=filename, start=start)
    return replaced if len(text) == len(source) else _with_byte_order_marks(source, replaced)


def _with_byte_order_marks(source: str, replaced: ReplacedText) -> ReplacedText:
    """The same text, traced back to the source with its marks: each of them was replaced by nothing."""
    marks = [match.start() for match in re.finditer(_BYTE_ORDER_MARK, source)]
    # Where they stood, counted in the text that has none
    gaps = [mark - index for index, mark in enumerate(marks)]

    def in_source(offset: int) -> int:
        return offset + bisect_right(gaps, offset)

    placeholders = [
        Replacement(in_source(r.source_start), in_source(r.source_end - 1) + 1, r.start, r.end)
        for r in replaced.replacements
    ]
    dropped = [
        Replacement(mark, mark + 1, start, start)
        for mark, gap in zip(marks, gaps, strict=True)
        if (start := _offset_in_text(replaced, gap)) is not None
    ]
    both = sorted(placeholders + dropped, key=lambda r: r.source_start)
    return ReplacedText(source, replaced.text, tuple(both), replaced.start)


def _offset_in_text(replaced: ReplacedText, source_offset: int) -> int | None:
    """From an offset in the source to the replaced text; None inside a placeholder."""
    index = bisect_right(replaced.replacements, source_offset, key=lambda r: r.source_start) - 1
    if index < 0:
        return source_offset
    before = replaced.replacements[index]
    if source_offset == before.source_start:
        return before.start
    return before.end + source_offset - before.source_end if source_offset >= before.source_end else None
