"""The bytes of a script as text, and Flyway's number for that text."""

import codecs
import zlib
from typing import Final

from taxiway import errors

_BOM: Final = "\ufeff"
# Java reads these as big-endian when no byte order mark says otherwise; Python would take the machine's order.
_BIG_ENDIAN_WITHOUT_BOM: Final = {
    "utf-16": ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16-be"),
    "utf-32": ((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "utf-32-be"),
}


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


def decode(data: bytes, encoding: str, *, path: str) -> str:
    """The text of a script; a byte order mark stays.

    Raises:
        InvalidOption: There is no such encoding.
        UnreadableScript: The bytes are not text in that encoding.
    """
    try:
        return data.decode(_codec_name(encoding, data))
    except UnicodeDecodeError as error:
        raise errors.UnreadableScript(
            f"byte {error.start} is not text in {encoding} ({error.reason}).",
            path=path,
            hint=f"Save the file in {encoding}, or set encoding to the one that it is written in.",
        ) from error


def _codec_name(encoding: str, data: bytes) -> str:
    # Looked up even for an empty file, which Python would decode with any name.
    try:
        codec = codecs.lookup(encoding)
        b" ".decode(encoding, "ignore")  # refuses codecs that do not make text, such as base64
    except (LookupError, ValueError) as error:
        raise errors.InvalidOption(
            f"encoding: there is no character encoding '{encoding}'.",
            hint="Use a name such as UTF-8, ISO-8859-1, windows-1252 or UTF-16.",
        ) from error
    marks, name = _BIG_ENDIAN_WITHOUT_BOM.get(codec.name, ((), ""))
    return name if marks and not data.startswith(marks) else codec.name
