"""What a target is, and what all targets hold of errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from taxiway.errors import ScriptError, TaxiwayError

SECRET: Final = "Geheim-7Kq2"
"""Stands for all secrets of an input, and resembles nothing else."""


def without_secret(text: str) -> str:
    """The text where nobody has written the secret: what is in a file may be shown."""
    while SECRET in text:
        text = text.replace(SECRET, "")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A part of Taxiway, and how to see that it keeps what it promises.

    Attributes:
        check: Takes an input; raises anything, such as AssertionError, when something does not hold.
        modules: Those that the target is about, for the figure of how much of them is reached.
        seeds: Inputs to begin with.
        words: Pieces of text to put into inputs.
        shapes: By name, from a number to an input that is about so many times as long.
    """

    name: str
    check: Callable[[bytes], None]
    modules: tuple[str, ...]
    seeds: tuple[bytes, ...]
    words: tuple[str, ...]
    shapes: Mapping[str, Callable[[int], bytes]] = field(default_factory=dict)


def check_error(error: TaxiwayError, source: str | None = None) -> None:
    """An error says something, no secret, and if it is about a script, a place in it."""
    said = f"{error}\n{error.hint}"
    assert error.message.strip(), "an error without a message"
    assert error.code, "an error without a code"
    assert SECRET not in said, f"an error with a secret: {said}"
    if isinstance(error, ScriptError) and source is not None:
        _check_place(error, source)


def _check_place(error: ScriptError, source: str) -> None:
    if error.line is None:
        return
    lines = source.split("\n")
    assert 1 <= error.line <= len(lines), f"line {error.line} of {len(lines)}"
    if error.column is not None:
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1, "a column behind the end of its line"


def repeated(piece: str, *, settings: str = "", before: str = "", after: str = "") -> Callable[[int], bytes]:
    """The shape of a piece of text that is repeated."""
    return lambda times: (settings + before + piece * times + after).encode("utf-8", "surrogateescape")
