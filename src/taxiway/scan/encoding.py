"""The bytes of a script as text: character encodings by their Java names.

Terminology:

byte order mark
    U+FEFF at the start of a file. It tells UTF-16LE from UTF-16BE, and is no part of the text.
"""

import codecs
import re
from typing import Final

from taxiway import errors

# Java reads these as big-endian when no byte order mark says otherwise; Python would take the machine's order.
_BIG_ENDIAN_WITHOUT_BOM: Final = {
    "utf-16": ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16-be"),
    "utf-32": ((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "utf-32-be"),
}

# Names of Java that Python does not know, by what Python knows instead (Java SE, "Supported Encodings").
_JAVA_NAMES: Final = (
    (re.compile(r"(?:x-)?(?:ibm|windows-|mswin-|ms|cp)-?0*([0-9]+)"), r"cp\1"),
    (re.compile(r"x-maccentraleurope"), "mac_latin2"),
    (re.compile(r"(?:x-)?mac([a-z]+)"), r"mac_\1"),
    (re.compile(r"(?:iso)?8859_([0-9]+)"), r"iso8859-\1"),
    (re.compile(r"x-ms950-hkscs.*|x-big5-hkscs.*"), "big5hkscs"),
    (re.compile(r"unicodebig|x-utf-16be.*|iso-10646-ucs-2"), "utf-16-be"),
    (re.compile(r"unicodelittle|x-utf-16le.*"), "utf-16-le"),
    (re.compile(r"x-utf-32([bl]e).*"), r"utf-32-\1"),
    (re.compile(r"x-(.+)"), r"\1"),
)


def decode(data: bytes, encoding: str, *, path: str, detect: bool = False) -> str:
    """The text of a file; a byte order mark stays. With ``detect``, the bytes decide and ``encoding`` does not.

    Raises:
        InvalidOption: There is no such encoding.
        UnreadableScript: The bytes are not text in that encoding.
    """
    name = _codec_name(encoding, data)
    if detect:
        encoding = name = _detected(data)
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        raise errors.UnreadableScript(
            f"byte {error.start} is not text in {encoding} ({error.reason}).",
            path=path,
            line=data[: error.start].decode(name, "replace").count("\n") + 1,
            hint=f"Save the file in {encoding}, or set encoding to the one that it is written in.",
        ) from error


def _detected(data: bytes) -> str:
    """The encoding that the bytes look like (Flyway 13, ``detectEncoding``).

    Flyway takes every UTF-16 without a byte order mark for big-endian. Here the zero bytes tell: those of Latin
    letters are the second bytes in UTF-16LE, and the first ones in UTF-16BE.
    """
    if len(data) % 2 == 0:
        for mark, name in ((codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le")):
            if data.startswith(mark):
                return name
        for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if data[start::2].count(0) > len(data) // 4:
                return name
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "iso-8859-1"
    return "utf-8"


def _codec_name(encoding: str, data: bytes) -> str:
    # Looked up even for an empty file, which Python would decode with any name.
    codec = find_codec(encoding)
    if codec is None:
        raise errors.InvalidOption(
            f"encoding: there is no character encoding '{encoding}'.",
            hint="Use a name such as UTF-8, ISO-8859-1, windows-1252 or UTF-16.",
        )
    marks, name = _BIG_ENDIAN_WITHOUT_BOM.get(codec, ((), ""))
    return name if marks and not data.startswith(marks) else codec


def find_codec(encoding: str) -> str | None:
    """Python's name of an encoding of that name, in Python or in Java."""
    for name in (encoding, *_python_names(encoding.lower())):
        try:
            codec = codecs.lookup(name)
            b" ".decode(name, "ignore")  # refuses codecs that do not make text, such as base64
        except (LookupError, ValueError):
            continue
        return codec.name
    return None


def _python_names(encoding: str) -> list[str]:
    return [found.expand(name) for java, name in _JAVA_NAMES if (found := java.fullmatch(encoding))]
