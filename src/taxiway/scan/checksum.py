"""Flyway's number for the text of a script."""

import zlib
from typing import Final

_BOM: Final = "\ufeff"


def checksum(text: str) -> int:
    """CRC-32 of the text without line ends, as a signed number (Flyway 13, ``ChecksumCalculator``).

    A byte order mark at the start is left out, and only there; CR and LF are left out everywhere, and no other
    character is. An empty text has 0.
    """
    content = without_bom(text).replace("\r", "").replace("\n", "")
    # A lone surrogate, which only a placeholder value can bring, becomes "?" as in Java.
    crc = zlib.crc32(content.encode("utf-8", "replace"))
    return crc - (1 << 32) if crc >= 1 << 31 else crc


def without_bom(text: str) -> str:
    """The text without the one byte order mark that it may start with."""
    return text.removeprefix(_BOM)
