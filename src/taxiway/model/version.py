"""Versions of migrations: parse, order, show. Rules of Flyway 13 (``MigrationVersion``)."""

import re
from functools import total_ordering
from typing import Final, final

_VERSION: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)*")


@final
@total_ordering
class MigrationVersion:
    """A dotted number. ``1``, ``01`` and ``1.0`` are equal; the text they were written in is kept.

    ``text`` is the normalised form (underscores turned into dots): what is shown and stored.
    ``raw`` is the form in the file name.
    """

    __slots__ = ("_parts", "raw", "text")

    def __init__(self, raw: str) -> None:
        """Parse the version part of a file name.

        Raises:
            ValueError: It is not a version.
        """
        self.raw = raw
        self.text = raw.replace("_", ".")
        if not _VERSION.fullmatch(self.text):
            raise ValueError(f"'{raw}' is not a version: use digits, separated by dots or underscores")
        parts = [*map(int, self.text.split("."))]
        while len(parts) > 1 and parts[-1] == 0:
            parts.pop()
        self._parts = tuple(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MigrationVersion) and self._parts == other._parts

    def __lt__(self, other: "MigrationVersion") -> bool:
        # Missing parts count as zero. Trailing zeros are dropped and later parts are never negative, so the
        # order of tuples is that order.
        return self._parts < other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"MigrationVersion({self.text!r})"
