"""The connections of clients within one session of Systems Manager."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from taxiway.tunnel.frames import MOST_DATA, Command, Frame, FrameReader, encode_frame

# A client that does not read what it has asked for holds up all others then: smux knows no windows.
_MOST_BUFFERED: Final = 4 * 1024 * 1024
# smux has odd numbers for the side that connects, from 3 on.
_FIRST_NUMBER: Final = 3

type Send = Callable[[bytes], Awaitable[None]]


class SsmStream:
    """One connection (:class:`taxiway.tunnel.link.Stream`)."""

    def __init__(self, number: int, send: Send) -> None:
        self._number, self._send = number, send
        self._buffer: deque[bytes] = deque()
        self._buffered = 0
        self._changed = asyncio.Event()
        self._is_ended = False
        self._has_sent_end = False

    async def read(self) -> bytes:
        """As :class:`taxiway.tunnel.link.Stream` has it."""
        while not self._buffer:
            if self._is_ended:
                return b""
            self._changed.clear()
            await self._changed.wait()
        content = b"".join(self._buffer)
        self._buffer.clear()
        self._buffered = 0
        self._changed.set()
        return content

    async def write(self, content: bytes) -> None:
        """As :class:`taxiway.tunnel.link.Stream` has it."""
        for start in range(0, len(content), MOST_DATA):
            if self._is_ended or self._has_sent_end:
                return
            frame = Frame(Command.DATA, self._number, content[start : start + MOST_DATA])
            await self._send(encode_frame(frame))

    async def end(self) -> None:
        """As :class:`taxiway.tunnel.link.Stream` has it."""
        if not self._has_sent_end:
            self._has_sent_end = True
            await self._send(encode_frame(Frame(Command.END, self._number)))

    def close(self) -> None:
        """Nothing more arrives."""
        self._is_ended = True
        self._changed.set()

    async def feed(self, content: bytes) -> None:
        """What has arrived; waits while too much of it is not read."""
        if self._is_ended:
            return
        self._buffer.append(content)
        self._buffered += len(content)
        self._changed.set()
        while self._buffered > _MOST_BUFFERED and not self._is_ended:
            self._changed.clear()
            await self._changed.wait()


class SsmStreams:
    """All connections of a session."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._reader = FrameReader()
        self._streams: dict[int, SsmStream] = {}
        self._next_number = _FIRST_NUMBER

    async def connect(self) -> SsmStream:
        """A new one."""
        number, self._next_number = self._next_number, self._next_number + 2
        stream = self._streams[number] = SsmStream(number, self._send)
        await self._send(encode_frame(Frame(Command.BEGIN, number)))
        return stream

    async def receive(self, content: bytes) -> None:
        """Bytes of the session.

        Raises:
            FramesDamaged: They are no frames.
        """
        for frame in self._reader.feed(content):
            stream = self._streams.get(frame.stream)
            if stream is None:
                continue
            if frame.command == Command.DATA:
                await stream.feed(frame.data)
            elif frame.command == Command.END:
                del self._streams[frame.stream]
                stream.close()

    def close(self) -> None:
        """The session is over."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
