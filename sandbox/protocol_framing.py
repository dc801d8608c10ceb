"""Where messages begin and end in a conversation of PostgreSQL's protocol, version 3.

Bytes in, places out; no I/O. Source: the PostgreSQL manual, protocol-message-formats.html and protocol-flow.html.

Terminology:

untyped message
    What a client sends before the server knows its protocol: length and code, no type. Our names for them stand in
    ``_UNTYPED``.
answer
    The single byte with which a server answers a request for encryption.
opaque
    Of a conversation that was encrypted, or is not of this protocol: no messages are found in it any more.
"""

import struct
from enum import Enum
from typing import Final, NamedTuple

ANSWER: Final = "answer"

_ENCRYPTION_REQUESTS: Final = frozenset({"ssl-request", "gssenc-request"})
_UNTYPED: Final = {80877102: "cancel-request", 80877103: "ssl-request", 80877104: "gssenc-request"}
_STARTUP: Final = "startup"
_UNTYPED_HEADER: Final = struct.Struct("!II")
_TYPED_HEADER: Final = struct.Struct("!cI")
_READY: Final = "Z"


class Direction(Enum):
    """Which way a message goes."""

    TO_SERVER = "to server"
    TO_CLIENT = "to client"


class Frame(NamedTuple):
    """The place of one message in the stream of its direction.

    Attributes:
        type: The letter of the manual, or our name of an untyped message, or ``ANSWER``.
        begin: Offset of its first byte, counted from the beginning of the connection.
        end: Offset of the first byte behind it.
        startup: It is not later than the first ReadyForQuery: it belongs to startup and authentication.
    """

    type: str
    begin: int
    end: int
    startup: bool


class _Header(NamedTuple):
    type: str
    size: int


class _Stream:
    """One direction: how far it was read."""

    def __init__(self) -> None:
        self.offset = 0
        self.inside = 0
        self.kept = b""


class Conversation:
    """Both directions of one connection. They belong together: an answer decides what comes after it."""

    def __init__(self) -> None:
        self.is_opaque = False
        self._streams = {direction: _Stream() for direction in Direction}
        self._is_typed = False
        self._awaits_answer = False
        self._is_ready = False

    def feed(self, direction: Direction, data: bytes) -> tuple[int, bytes, list[Frame]]:
        """Offset and bytes of what may be passed on now, and the messages that begin in it.

        A header that has come in part is kept until the rest of it has come: fewer than eight bytes.
        """
        stream = self._streams[direction]
        data, stream.kept = stream.kept + data, b""
        frames: list[Frame] = []
        position = stream.inside
        while position < len(data) and not self.is_opaque:
            header = self._read_header(direction, data, position)
            if header is None:
                data, stream.kept = data[:position], data[position:]
                break
            begin = stream.offset + position
            frames.append(Frame(header.type, begin, begin + header.size, not self._is_ready))
            position += header.size
            self._note(direction, header.type)
        offset = stream.offset
        stream.inside = max(position - len(data), 0)
        stream.offset += len(data)
        return offset, data, frames

    def end(self, direction: Direction) -> bytes:
        """What is left of a header whose rest never came."""
        stream = self._streams[direction]
        data, stream.kept = stream.kept, b""
        return data

    def _read_header(self, direction: Direction, data: bytes, position: int) -> _Header | None:
        if direction is Direction.TO_SERVER and not self._is_typed:
            return self._read_untyped(data, position)
        if direction is Direction.TO_CLIENT and self._awaits_answer and data[position] in b"SGN":
            self._awaits_answer = False
            # "No" leaves the connection as it is; the client asks again, in another way.
            self.is_opaque = data[position] != ord("N")
            return _Header(ANSWER, 1)
        if len(data) - position < _TYPED_HEADER.size:
            return None
        letter, length = _TYPED_HEADER.unpack_from(data, position)
        return self._checked(letter.decode("latin-1"), length, 1 + length)

    def _read_untyped(self, data: bytes, position: int) -> _Header | None:
        if len(data) - position < _UNTYPED_HEADER.size:
            return None
        length, code = _UNTYPED_HEADER.unpack_from(data, position)
        # A TLS handshake without a request for it (sslnegotiation=direct) looks like a packet of many megabytes.
        if length > 10_000:
            length = 0
        return self._checked(_UNTYPED.get(code, _STARTUP), length, length)

    def _checked(self, type_: str, length: int, size: int) -> _Header:
        """The length includes its own four bytes: a smaller one is not of this protocol."""
        if length < 4:
            self.is_opaque = True
            return _Header("opaque", 0)
        return _Header(type_, size)

    def _note(self, direction: Direction, type_: str) -> None:
        if type_ == _STARTUP:
            self._is_typed = True
        elif type_ in _ENCRYPTION_REQUESTS:
            self._awaits_answer = True
        elif type_ == _READY and direction is Direction.TO_CLIENT:
            self._is_ready = True
