"""Framed tables for people, whatever is in their cells.

Terminology:

width
    How many columns of a terminal a text takes: two for each wide character (Unicode Standard Annex 11), none for
    a mark on the character before it.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

# Controls, lone surrogates, and what ends a line in some programs: none of them has a place in a line.
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# What turns the direction of writing would turn that of the frame, too (Unicode Standard Annex 9).
_TURNING: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_MARKS: Final = frozenset({"Mn", "Me", "Cf"})
_WIDE: Final = frozenset({"W", "F"})


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str | None = None) -> str:
    """A framed table; with ``empty``, that text in a frame when there are no rows."""
    if not rows and empty is not None:
        rule = f"+-{'-' * len(empty)}-+"
        return "\n".join((rule, f"| {empty} |", rule))
    cells = [[escape_controls(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    first, *others = (
        "| " + " | ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    )
    return "\n".join((rule, first, rule, *others, *([rule] if rows else [])))


def escape_controls(text: str) -> str:
    r"""The text on one line, its line breaks, tabs and other controls written as ``\n``, ``\t``, ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(_escape(char) if _is_control(char) else char for char in text)


def width_of(text: str) -> int:
    """How many columns of a terminal a text without controls takes."""
    return len(text) if text.isascii() else sum(map(_width_of_character, text))


def _padded(cell: str, width: int) -> str:
    return cell.ljust(width) if cell.isascii() else cell + " " * (width - width_of(cell))


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in _UNPRINTABLE or unicodedata.bidirectional(char) in _TURNING


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _width_of_character(char: str) -> int:
    if unicodedata.category(char) in _MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1
