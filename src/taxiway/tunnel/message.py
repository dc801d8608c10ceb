"""The messages of Session Manager's data channel.

There is no description of it but the source of its two ends: ``src/message`` of
github.com/aws/session-manager-plugin and ``agent/session/contracts`` of github.com/aws/amazon-ssm-agent. This is
what both say:

==========  =====  ===================================================================
bytes              big-endian
==========  =====  ===================================================================
0           4      length of the header without this last field of it: 116
4           32     type, padded
36          4      version of the format: 1
40          8      when it was made, in milliseconds since 1970
48          8      sequence number, from 0 on, of either direction
56          8      flags: 1 the first, 2 the last of a sequence
64          16     UUID, its second half first
80          32     SHA-256 of the payload
112         4      type of the payload
116         4      length of the payload, which follows
==========  =====  ===================================================================
"""

import hashlib
import json
import struct
import time
import uuid
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

INPUT: Final = "input_stream_data"
OUTPUT: Final = "output_stream_data"
ACKNOWLEDGE: Final = "acknowledge"
CLOSED: Final = "channel_closed"

# The most that either end puts into one message (StreamDataPayloadSize).
MOST_PAYLOAD: Final = 1024

_HEADER: Final = struct.Struct(">I32sIQqQ16s32sII")
_LENGTH_FIELD: Final = 4
_HEADER_LENGTH: Final = _HEADER.size - _LENGTH_FIELD
_VERSION: Final = 1
_FIRST_AND_LAST: Final = 3
_HALF: Final = 8


class Payload(IntEnum):
    """What a payload is. There are others, which shells need."""

    NONE = 0
    DATA = 1
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    FLAG = 10


class Flag(IntEnum):
    """A payload of the kind ``FLAG``: four bytes. There are others, which the agent does not send."""

    CONNECT_TO_PORT_ERROR = 3


class MessageDamaged(ValueError):
    """Bytes that are no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``payload_type`` may be one that :class:`Payload` does not have."""

    type: str
    sequence: int
    payload_type: int
    payload: bytes
    id: uuid.UUID
    flags: int = 0


def make_message(
    message_type: str, payload: bytes, payload_type: int, *, sequence: int, flags: int = 0
) -> Message:
    """A new message, with an id of its own."""
    return Message(
        type=message_type,
        sequence=sequence,
        payload_type=payload_type,
        payload=payload,
        id=uuid.uuid4(),
        flags=flags,
    )


def encode(message: Message) -> bytes:
    """The bytes of a message, made now."""
    header = _HEADER.pack(
        _HEADER_LENGTH,
        message.type.encode().ljust(32),
        _VERSION,
        int(time.time() * 1000),
        message.sequence,
        message.flags,
        message.id.bytes[_HALF:] + message.id.bytes[:_HALF],
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
        len(message.payload),
    )
    return header + message.payload


def decode(data: bytes) -> Message:
    """The message of these bytes.

    Raises:
        MessageDamaged: They are none, or the payload is not the one that was sent.
    """
    if len(data) < _HEADER.size:
        raise MessageDamaged(f"{len(data)} bytes are too few")
    length, kind, _, _, sequence, flags, number, digest, payload_type, size = _HEADER.unpack_from(data)
    start = length + _LENGTH_FIELD
    payload = data[start : start + size]
    if length < _HEADER_LENGTH or len(payload) != size:
        raise MessageDamaged("the lengths do not fit")
    # The service's own messages (start_publication) have no digest.
    if size and digest != hashlib.sha256(payload).digest() and any(digest):
        raise MessageDamaged("the digest does not fit")
    return Message(
        type=kind.strip(b" \0").decode("utf-8", "replace"),
        sequence=sequence,
        payload_type=payload_type,
        payload=payload,
        id=uuid.UUID(bytes=number[_HALF:] + number[:_HALF]),
        flags=flags,
    )


def acknowledgement(of: Message) -> Message:
    """What tells the other end that a message has arrived."""
    content = {
        "AcknowledgedMessageType": of.type,
        "AcknowledgedMessageId": str(of.id),
        "AcknowledgedMessageSequenceNumber": of.sequence,
        "IsSequentialMessage": True,
    }
    payload = json.dumps(content).encode()
    return make_message(ACKNOWLEDGE, payload, Payload.NONE, sequence=0, flags=_FIRST_AND_LAST)


def read_flag(payload: bytes) -> int | None:
    """The flag of a payload; ``None`` if it is none."""
    return int.from_bytes(payload) if len(payload) == struct.calcsize(">I") else None
