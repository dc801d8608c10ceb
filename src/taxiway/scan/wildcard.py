"""Wildcards in the paths of locations, matched folder by folder so that a search can leave out what cannot match.

Terminology:

segment
    What stands between two slashes. ``**`` stands for any number of folders, none included; in other segments
    ``*`` stands for one or more characters, ``?`` for exactly one.
state
    How far a path has got: the numbers of segments that it may have used up.

A pattern names folders, and everything below them is meant. If its last segment has a dot, it may name files too.
Flyway 13 takes such a pattern for files alone, and ``db/**`` for nothing at all; here ``db/release1.*`` finds
folders, as Flyway's documentation says, and ``db/**`` is all that ``db`` has.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

ANY_FOLDERS: Final = "**"
_STARS: Final = re.compile(r"\*+")

type State = frozenset[int]


def has_wildcard(segment: str) -> bool:
    """Whether a segment stands for more than itself."""
    return "*" in segment or "?" in segment


def split_pattern(path: str) -> tuple[str, str]:
    """The folder to start from, which may be empty or ``/``, and the pattern for what is below it."""
    segments = path.split("/")
    first = next((index for index, segment in enumerate(segments) if has_wildcard(segment)), len(segments))
    root = "/".join(segments[:first]) or ("/" if path.startswith("/") else "")
    return root, "/".join(segments[first:])


@final
@dataclass(frozen=True)
class Wildcard:
    """A pattern of paths below some folder. The empty one matches the folder itself."""

    pattern: str

    @property
    def start(self) -> State:
        """The state of the folder itself."""
        return self._with_skipped({0})

    def enter(self, state: State, name: str) -> State:
        """The state of a folder in a folder; it is empty if nothing below can match.

        As in a shell, only a segment that begins with a dot matches a name that does.
        """
        hidden = name.startswith(".")
        entered = set()
        for index in state - {len(self._segments)}:
            text, expression = self._segments[index]
            if text == ANY_FOLDERS:
                entered |= set() if hidden else {index}
            elif expression.fullmatch(name) and (text.startswith(".") or not hidden):
                entered.add(index + 1)
        return self._with_skipped(entered)

    def matches_folder(self, state: State) -> bool:
        """Whether a folder in this state is meant, with all that is below it."""
        return len(self._segments) in state

    def matches_file(self, state: State, name: str) -> bool:
        """Whether a file in a folder in this state is meant by name."""
        if len(self._segments) - 1 not in state:
            return False
        text, expression = self._segments[-1]
        return "." in text and expression.fullmatch(name) is not None

    @cached_property
    def _segments(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        """The segments with what they match, other than ``**``."""
        texts = self.pattern.split("/") if self.pattern else []
        return tuple((text, _compile(text)) for text in texts)

    def _with_skipped(self, indexes: set[int]) -> State:
        """These and those that follow when ``**`` stands for no folder."""
        reached = set(indexes)
        for index, (text, _) in enumerate(self._segments):
            if index in reached and text == ANY_FOLDERS:
                reached.add(index + 1)
        return frozenset(reached)


def _compile(segment: str) -> re.Pattern[str]:
    first, *rest = ("".join(map(_one, piece)) for piece in _STARS.split(segment))
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    # The leftmost place of a piece leaves the most room for the next one, so none is tried twice (atomic groups).
    between = "".join(f"(?>.+?{piece})" for piece in middle)
    return re.compile(f"{first}{between}.+{last}", re.DOTALL)


def _one(character: str) -> str:
    return "." if character == "?" else re.escape(character)
