"""The bytes of a script as text: character encodings by their Java names.

Terminology:

byte order mark
    U+FEFF at the start of a file. It tells UTF-16LE from UTF-16BE, and is no part of the text.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from taxiway import errors

# Java reads these as big-endian when no byte order mark says otherwise; Python would take the machine's order.
_BIG_ENDIAN_WITHOUT_BOM: Final = {
    "utf-16": ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16-be"),
    "utf-32": ((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "utf-32-be"),
}

# Names of Java that Python does not know, by what Python knows instead (Java SE, "Supported Encodings").
_JAVA_NAMES: Final = (
    (r"(?:x-)?(?:ibm|windows-|mswin-|ms|cp)-?0*([0-9]+)", r"cp\1"),
    (r"x-maccentraleurope", "mac_latin2"),
    (r"(?:x-)?mac([a-z]+)", r"mac_\1"),
    (r"(?:iso)?8859_([0-9]+)", r"iso8859-\1"),
    (r"x-ms950-hkscs.*|x-big5-hkscs.*", "big5hkscs"),
    (r"unicodebig|x-utf-16be.*|iso-10646-ucs-2", "utf-16-be"),
    (r"unicodelittle|x-utf-16le.*", "utf-16-le"),
    (r"x-utf-32([bl]e).*", r"utf-32-\1"),
    (r"x-(.+)", r"\1"),
)


def decode(data: bytes, encoding: str, *, path: str, detect: bool = False) -> str:
    """The text of a file that is in memory; see :func:`decode_chunks`."""
    return "".join(decode_chunks(lambda: [data], encoding, path=path, detect=detect))


def decode_chunks(
    read: Callable[[], Iterable[bytes]], encoding: str, *, path: str, detect: bool = False
) -> Iterator[str]:
    """The text of a file, chunk by chunk; a byte order mark stays. With ``detect``, the bytes decide.

    ``read`` yields the bytes; the first chunk is not shorter than a byte order mark, unless the file is. It is
    called again to find the encoding, and to find the line of an error.

    Raises:
        InvalidOption: There is no such encoding.
        UnreadableScript: The bytes are not text in that encoding.
    """
    decoding = _Decoding(read, encoding, detect=detect)
    try:
        for chunk in read():
            yield decoding.decode(chunk)
        decoding.finish()
    except UnicodeDecodeError as error:
        raise decoding.explain(error, path) from error


def encode_chunks(
    read: Callable[[], Iterable[bytes]], encoding: str, *, path: str, detect: bool = False
) -> Iterator[bytes]:
    """The text of a file in UTF-8, chunk by chunk: the file's own bytes, looked through, if it has that encoding.

    Raises:
        InvalidOption, UnreadableScript: As :func:`decode_chunks` does.
    """
    decoding = _Decoding(read, encoding, detect=detect)
    if decoding.codec != "utf-8":
        yield from (chunk.encode() for chunk in decode_chunks(read, encoding, path=path, detect=detect))
        return
    try:
        for chunk in read():
            decoding.look_through(chunk)
            yield chunk
        decoding.finish()
    except UnicodeDecodeError as error:
        raise decoding.explain(error, path) from error


class _Decoding:
    """Bytes of a file that become text. ``codec`` has its byte order when the first chunk is known."""

    def __init__(self, read: Callable[[], Iterable[bytes]], encoding: str, *, detect: bool) -> None:
        # Looked up even for an empty file, which any name would do for.
        self.codec = _codec(encoding)
        self._encoding = encoding
        if detect:
            self._encoding = self.codec = _detected(read())
        self._read = read
        self._decoder: codecs.IncrementalDecoder | None = None
        self._length = 0

    def decode(self, chunk: bytes) -> str:
        if self._decoder is None:
            self.codec = _with_byte_order(self.codec, chunk)
            self._decoder = codecs.getincrementaldecoder(self.codec)()
        self._length += len(chunk)
        return self._decoder.decode(chunk)

    def look_through(self, chunk: bytes) -> None:
        """Decode UTF-8 for nothing but its errors."""
        if chunk.isascii() and (self._decoder is None or not self._decoder.getstate()[0]):
            self._length += len(chunk)
        else:
            self.decode(chunk)

    def finish(self) -> None:
        if self._decoder is not None:
            self._decoder.decode(b"", final=True)

    def explain(self, error: UnicodeDecodeError, path: str) -> errors.UnreadableScript:
        """The same error with its place: the decoder was at the last bytes of all chunks."""
        offset = self._length - len(error.object) + error.start
        return errors.UnreadableScript(
            f"byte {offset} is not text in {self._encoding} ({error.reason}).",
            path=path,
            line=_line(self._read(), self.codec, offset),
            hint=f"Save the file in {self._encoding}, or set encoding to the one that it is written in.",
        )


def _line(chunks: Iterable[bytes], name: str, offset: int) -> int:
    """The 1-based line of a byte."""
    decoder = codecs.getincrementaldecoder(name)("replace")
    line, length = 1, 0
    for chunk in chunks:
        line += decoder.decode(chunk[: offset - length]).count("\n")
        length += len(chunk)
        if length >= offset:
            break
    return line


def _detected(chunks: Iterable[bytes]) -> str:
    """The encoding that the bytes look like (Flyway 13, ``detectEncoding``).

    Flyway takes every UTF-16 without a byte order mark for big-endian. Here the zero bytes tell: those of Latin
    letters are the second bytes in UTF-16LE, and the first ones in UTF-16BE.
    """
    head, length, zeros, is_utf8 = b"", 0, [0, 0], True
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in chunks:
        head = head or chunk
        for start in (0, 1):
            zeros[(length + start) % 2] += chunk[start::2].count(0)
        length += len(chunk)
        is_utf8 = is_utf8 and _is_text(decoder, chunk)
    if length % 2 == 0:
        for mark, name in ((codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le")):
            if head.startswith(mark):
                return name
        for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if zeros[start] > length // 4:
                return name
    return "utf-8" if is_utf8 and _is_text(decoder, b"", final=True) else "iso-8859-1"


def _is_text(decoder: codecs.IncrementalDecoder, data: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(data, final)
    except UnicodeDecodeError:
        return False
    return True


def _codec(encoding: str) -> str:
    codec = find_codec(encoding)
    if codec is None:
        raise errors.InvalidOption(
            f"encoding: there is no character encoding '{encoding}'.",
            hint="Use a name such as UTF-8, ISO-8859-1, windows-1252 or UTF-16.",
        )
    return codec


def _with_byte_order(codec: str, data: bytes) -> str:
    marks, name = _BIG_ENDIAN_WITHOUT_BOM.get(codec, ((), ""))
    return name if marks and not data.startswith(marks) else codec


@cache
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
    return [found.expand(name) for java, name in _JAVA_NAMES if (found := re.fullmatch(java, encoding))]
