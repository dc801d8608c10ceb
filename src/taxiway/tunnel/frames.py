"""The frames in which several connections share one data channel: smux, version 1.

(github.com/xtaci/smux, ``frame.go``; both ends of Session Manager use it.) Eight bytes, little-endian: version,
command, length of the data (2), number of the stream (4). A stream has no window of its own, and no half-close: an
end from either side is the end of both directions.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct("<BBHI")
_VERSION: Final = 1
# A frame fills one message of the data channel.
MOST_DATA: Final = 1016


class Command(IntEnum):
    """What a frame says of its stream."""

    BEGIN = 0
    END = 1
    DATA = 2
    NOTHING = 3


class Frame(NamedTuple):
    """One frame; only ``DATA`` has some."""

    command: int
    stream: int
    data: bytes = b""


class FramesDamaged(ValueError):
    """Bytes that are no frames."""


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame."""
    return _HEADER.pack(_VERSION, frame.command, len(frame.data), frame.stream) + frame.data


class FrameReader:
    """Cuts bytes into frames; a frame may come in pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, content: bytes) -> Iterator[Frame]:
        """The frames that are whole with these bytes.

        Raises:
            FramesDamaged: They are of another version.
        """
        self._rest += content
        while len(self._rest) >= _HEADER.size:
            version, command, length, stream = _HEADER.unpack_from(self._rest)
            if version != _VERSION:
                raise FramesDamaged(f"version {version} of the multiplexer")
            if len(self._rest) < _HEADER.size + length:
                return
            data = bytes(self._rest[_HEADER.size : _HEADER.size + length])
            del self._rest[: _HEADER.size + length]
            yield Frame(command, stream, data)
