"""The bytes of a script: encodings by name, detection, checksum.

Holds: text, or an error that names a line or the encoding; what is text in an encoding that Java has as well is
the same bytes again; the checksum is 32 bits and does not see line ends or a byte order mark at the start.
"""

from collections.abc import Iterator
from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, check_error, repeated
from taxiway.errors import InvalidOption, UnreadableScript
from taxiway.scan.checksum import checksum
from taxiway.scan.encoding import decode_chunks, find_codec

_NAMES: Final = (
    *("UTF-8", "ISO-8859-1", "UTF-16", "UTF-16LE", "UTF-32", "windows-1252", "Cp1252", "x-MacRoman", "UnicodeBig"),
    *("8859_2", "IBM037", "x-UTF-16LE-BOM", "GB18030", "Shift_JIS", "EUC-KR", "Big5", "UTF-7", "US-ASCII", ""),
)
_CHUNK_LENGTHS: Final = (4096, 1, 2, 3, 5)
_MARK_LENGTH: Final = 4
_EXACT: Final = ("UTF-8", "ISO-8859-1", "UTF-16LE", "GB18030")


def check(data: bytes) -> None:
    """See the top of this module."""
    draw = Draw(data)
    detect = draw.boolean()
    name = draw.choose(_NAMES)
    chunk_length = draw.choose(_CHUNK_LENGTHS)
    content = draw.rest()
    if not name:
        raw, _, content = content.partition(b"\n")
        name = raw.decode("utf-8", "surrogateescape")
        find_codec(name)
    try:
        chunks = list(decode_chunks(lambda: _cut(content, chunk_length), name, path="V1__x.sql", detect=detect))
    except UnreadableScript as error:
        check_error(error)
        assert error.line is not None
        assert 1 <= error.line <= len(content) + 1
        return
    except InvalidOption as error:
        check_error(error)
        return
    text = "".join(chunks)
    assert text == "".join(decode_chunks(lambda: [content], name, path="V1__x.sql", detect=detect))
    assert checksum(chunks) == checksum([text]), "the checksum sees where the text is cut"
    if name in _EXACT and not detect:
        assert text.encode(name) == content, "the text is not that of the bytes"
    _check_checksum(text)


def _cut(content: bytes, length: int) -> Iterator[bytes]:
    """Chunks, of which the first is long enough for a byte order mark."""
    yield content[:_MARK_LENGTH]
    yield from (content[start : start + length] for start in range(_MARK_LENGTH, len(content), length))


def _check_checksum(text: str) -> None:
    number = checksum([text])
    assert -(1 << 31) <= number < 1 << 31
    assert checksum([text.replace("\n", "\r\n")]) == number, "the checksum sees line ends"
    is_marked = text.startswith("\ufeff")
    assert is_marked or checksum([f"\ufeff{text}"]) == number, "the checksum sees a byte order mark"


TARGET: Final = Target(
    name="encoding",
    check=check,
    modules=("taxiway.scan.encoding", "taxiway.scan.checksum"),
    seeds=(
        *(bytes([0x30, number, number]) + "a\nä€".encode() for number in range(len(_NAMES))),
        *(bytes([0x31, 0, 1]) + "aé\n".encode(name) for name in ("utf-8", "utf-16", "utf-16-be", "latin-1")),
        *(
            b"0\x120" + name + b"\nselect 1"
            for name in (b"utf-8", b"base64", b"hex", b"rot13", b"idna", b"punycode")
        ),
        *(
            b"0\x120" + name + b"\n\xff\xfe"
            for name in (b"cp0437", b"x-mac-roman", b"x.y", b"..", b"undefined", b"mbcs")
        ),
        settings_and("\ufeffx", "000"),
    ),
    words=(
        *("utf", "-8", "16", "iso", "8859_", "windows-", "cp", "x-", "mac", "ibm", "unicode", "big5-hkscs", "ms"),
        *("\n", "\ufeff", "\0", "oem", "utf_8_sig", "raw_unicode_escape", "unicode_escape", "idna", "punycode"),
    ),
    shapes={
        "bytes of UTF-8": repeated("ä", settings="000"),
        "an error at the end": lambda times: b"000" + b"a\n" * times + b"\xff",
        "detected": repeated("a\0", settings="100"),
        "line ends": repeated("\r\n", settings="000"),
        "UTF-7": repeated("+AGE-", settings="0\x100"),
        "a long name": repeated("a", settings="0\x120"),
        "a long name of Java": repeated("0", settings="0\x120", before="cp"),
        "hyphens of a name": repeated("-", settings="0\x120", before="cp"),
        "underscores of a name": repeated("_.", settings="0\x120"),
    },
)
