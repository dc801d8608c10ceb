"""Flyway's number for the text of a script."""

import zlib
from collections.abc import Iterable
from typing import Final

_BOM: Final = "\ufeff"
_ENCODED_BOM: Final = _BOM.encode()


def checksum(chunks: Iterable[str]) -> int:
    """CRC-32 of a text without line ends, as a signed number (Flyway 13, ``ChecksumCalculator``).

    A byte order mark at the start is left out, and only there; CR and LF are left out everywhere, and no other
    character is. An empty text has 0. Where the text is cut into chunks makes no difference.
    """
    seen = Checksum()
    for chunk in chunks:
        seen.add(chunk)
    return seen.number


class Checksum:
    """The same number for a text that passes by."""

    __slots__ = ("_crc", "_has_begun")

    def __init__(self) -> None:
        self._crc, self._has_begun = 0, False

    def add(self, chunk: str) -> None:
        """Take the next chunk of the text into account."""
        # A lone surrogate, which only a placeholder value can bring, becomes "?" as in Java.
        self.add_encoded(chunk.encode("utf-8", "replace"))

    def add_encoded(self, chunk: bytes) -> None:
        """The same for a chunk in UTF-8, which may end in a character; the first one not in a byte order mark."""
        if not self._has_begun:
            self._has_begun = bool(chunk)
            chunk = chunk.removeprefix(_ENCODED_BOM)
        # Single bytes are searched for much faster than in a text, or than both at once.
        self._crc = zlib.crc32(chunk.replace(b"\n", b"").replace(b"\r", b""), self._crc)

    @property
    def number(self) -> int:
        """The checksum of what has passed by so far."""
        return self._crc - (1 << 32) if self._crc >= 1 << 31 else self._crc


def without_bom(text: str) -> str:
    """The text without the one byte order mark that it may start with."""
    return text.removeprefix(_BOM)
