"""What plays the agent of Systems Manager on an instance: the other end of a session's data channel.

It speaks what ``agent/session`` of github.com/aws/amazon-ssm-agent speaks, over real web sockets, and forwards to
real ports. Like that agent it is deaf until it is ready, repeats what was not acknowledged, and keeps a session
while its client has no connection. It shares no code with the product: a mistake there is no mistake here.
"""

import asyncio
import hashlib
import json
import struct
import threading
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_HOST: Final = "127.0.0.1"
_HEADER: Final = struct.Struct(">I32sIQqQ16s32sII")
_MUX: Final = struct.Struct("<BBHI")
_REPEAT_SECONDS: Final = 0.3
_CHUNK: Final = 1024
_DEAF_MESSAGES: Final = 2
_BEGIN, _END, _DATA = 0, 1, 2
_CONNECT_TO_PORT_ERROR: Final = struct.pack(">I", 3)

type Address = tuple[str, int]


@dataclass(kw_only=True)
class Session:
    """One session, with or without a connection.

    Attributes:
        find: Where a host of the private network is; None where there is no such host.
        is_lossy: Messages get lost and come out of order.
    """

    id: str
    host: str
    port: int
    find: Callable[[str, int], Address | None]
    agent_version: str
    is_lossy: bool = False
    connection: ServerConnection | None = None
    sequence: int = 0
    expected: int = 0
    received: int = 0
    unacknowledged: dict[int, tuple[float, bytes]] = field(default_factory=dict)
    kept: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    rest: bytes = b""
    streams: dict[int, asyncio.StreamWriter] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def attach(self, connection: ServerConnection) -> None:
        """Serve a connection until it ends."""
        if self.connection:
            self.connection.transport.abort()
        self.connection = connection
        if self.sequence == 0:
            await self._send(5, json.dumps(self._handshake()).encode())
        for _, content in list(self.unacknowledged.values()):
            await self._write(content)
        repeating = self._spawn(self._repeat())
        try:
            async for message in connection:
                if isinstance(message, bytes):
                    await self._receive(message)
        except ConnectionClosed:
            pass
        finally:
            repeating.cancel()
            if self.connection is connection:
                self.connection = None

    async def end(self, words: str) -> None:
        """The session is over, and its client is told why."""
        for writer in self.streams.values():
            writer.close()
        for task in self.tasks:
            task.cancel()
        if self.connection:
            content = {"MessageType": "channel_closed", "SessionId": self.id, "Output": words}
            await self._write(_message("channel_closed", json.dumps(content).encode(), 0, 0))
            await self.connection.close()

    def _handshake(self) -> dict[str, Any]:
        properties = {"host": self.host, "portNumber": str(self.port), "type": "LocalPortForwarding"}
        parameters = {"SessionType": "Port", "Properties": properties}
        action = {"ActionType": "SessionType", "ActionParameters": parameters}
        return {"AgentVersion": self.agent_version, "RequestedClientActions": [action]}

    # --- messages ---

    async def _receive(self, data: bytes) -> None:
        _, kind, _, _, sequence, _, number, digest, payload_type, size = _HEADER.unpack_from(data)
        payload = data[_HEADER.size : _HEADER.size + size]
        assert hashlib.sha256(payload).digest() == digest, "the digest does not fit"
        if kind.strip() == b"acknowledge":
            self.unacknowledged.pop(json.loads(payload)["AcknowledgedMessageSequenceNumber"], None)
            return
        assert kind.strip() == b"input_stream_data", kind
        assert size <= _CHUNK, f"{size} bytes are more than any client sends"
        self.received += 1
        is_deaf = payload_type == 1 and self.received <= 1 + _DEAF_MESSAGES
        if is_deaf or (self.is_lossy and self.received % 7 == 0):
            return
        await self._acknowledge(sequence, number)
        if sequence >= self.expected:
            self.kept[sequence] = (payload_type, payload)
        while self.expected in self.kept:
            payload_type, payload = self.kept.pop(self.expected)
            self.expected += 1
            await self._process(payload_type, payload)

    async def _acknowledge(self, sequence: int, number: bytes) -> None:
        content = {
            "AcknowledgedMessageType": "input_stream_data",
            "AcknowledgedMessageId": str(uuid.UUID(bytes=number[8:] + number[:8])),
            "AcknowledgedMessageSequenceNumber": sequence,
            "IsSequentialMessage": True,
        }
        await self._write(_message("acknowledge", json.dumps(content).encode(), 0, 0, flags=3))

    async def _process(self, payload_type: int, payload: bytes) -> None:
        if payload_type == 6:
            answer = json.loads(payload)
            assert answer["ProcessedClientActions"][0]["ActionStatus"] == 1, answer
            assert answer["ClientVersion"] >= "1.1.70", answer
            complete = {"HandshakeTimeToComplete": 1, "CustomerMessage": ""}
            await self._send(7, json.dumps(complete).encode())
        elif payload_type == 1:
            self.rest += payload
            await self._read_frames()

    async def _send(self, payload_type: int, payload: bytes) -> None:
        content = _message("output_stream_data", payload, payload_type, self.sequence)
        self.unacknowledged[self.sequence] = (time.monotonic(), content)
        self.sequence += 1
        if not (self.is_lossy and self.sequence % 5 == 0):
            await self._write(content)

    async def _write(self, content: bytes) -> None:
        if self.connection:
            with suppress(ConnectionClosed):
                await self.connection.send(content)

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(_REPEAT_SECONDS)
            now = time.monotonic()
            for sequence, (sent, content) in list(self.unacknowledged.items()):
                if now - sent > _REPEAT_SECONDS:
                    self.unacknowledged[sequence] = (now, content)
                    await self._write(content)

    # --- connections to the database ---

    async def _read_frames(self) -> None:
        while len(self.rest) >= _MUX.size:
            version, command, length, stream = _MUX.unpack_from(self.rest)
            assert version == 1, version
            if len(self.rest) < _MUX.size + length:
                return
            data = self.rest[_MUX.size : _MUX.size + length]
            self.rest = self.rest[_MUX.size + length :]
            await self._process_frame(command, stream, data)

    async def _process_frame(self, command: int, stream: int, data: bytes) -> None:
        if command == _BEGIN:
            await self._connect(stream)
        elif command == _DATA and stream in self.streams:
            self.streams[stream].write(data)
            await self.streams[stream].drain()
        elif command == _END and stream in self.streams:
            self.streams.pop(stream).close()

    async def _connect(self, stream: int) -> None:
        address = self.find(self.host, self.port)
        try:
            if address is None:
                raise ConnectionRefusedError
            reader, writer = await asyncio.open_connection(*address)
        except OSError:
            await self._send(10, _CONNECT_TO_PORT_ERROR)
            await self._send(1, _MUX.pack(1, _END, 0, stream))
            return
        self.streams[stream] = writer
        self._spawn(self._pump(stream, reader))

    async def _pump(self, stream: int, reader: asyncio.StreamReader) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK - _MUX.size):
                while len(self.unacknowledged) > 1000:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
                await self._send(1, _MUX.pack(1, _DATA, len(data), stream) + data)
        if writer := self.streams.pop(stream, None):
            writer.close()
        await self._send(1, _MUX.pack(1, _END, 0, stream))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


def _message(kind: str, payload: bytes, payload_type: int, sequence: int, *, flags: int = 0) -> bytes:
    number = uuid.uuid4().bytes
    digest = hashlib.sha256(payload).digest()
    now = int(time.time() * 1000)
    header = (116, kind.encode().ljust(32), 1, now, sequence, flags, number[8:] + number[:8], digest)
    return _HEADER.pack(*header, payload_type, len(payload)) + payload


class Agents:
    """The instances that are connected to Systems Manager, and whom they can reach."""

    def __init__(self) -> None:
        self._agents: dict[str, Mapping[str, Any]] = {}

    def connect(self, description: Mapping[str, Any]) -> None:
        """``target``; ``hosts``, as ``[name, port, address, port there]``; ``version`` and ``is_lossy``."""
        self._agents[description["target"]] = description

    def disconnect_all(self) -> None:
        """Nobody is connected any more."""
        self._agents.clear()

    def find(self, target: str) -> Mapping[str, Any] | None:
        """The agent of a target, if it is connected."""
        return self._agents.get(target)


class SessionService:
    """The data channels of all sessions, on a port of their own. Methods may be called in any thread."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._tokens: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self.port = 0
        threading.Thread(target=self._serve, args=[started], daemon=True).start()
        started.wait()

    def begin(self, session: Session) -> str:
        """A session, and a token that opens one connection to it."""
        self._sessions[session.id] = session
        return self.renew(session.id) or ""

    def renew(self, session_id: str) -> str | None:
        """Another token; None if the session is over."""
        if session_id not in self._sessions:
            return None
        token = uuid.uuid4().hex
        self._tokens[token] = session_id
        return token

    def end(self, session_id: str, words: str = "") -> bool:
        """End a session; whether there was one."""
        session = self._sessions.pop(session_id, None)
        if session:
            self._call(session.end(words))
        return session is not None

    def cut(self) -> int:
        """Break every connection, as the service does about once an hour; how many there were."""

        async def cut() -> int:
            connections = [one.connection for one in self._sessions.values() if one.connection]
            for connection in connections:
                connection.transport.abort()
            return len(connections)

        return self._call(cut())

    @property
    def open_sessions(self) -> list[str]:
        """Those that have not been ended."""
        return list(self._sessions)

    def _call[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def _serve(self, started: threading.Event) -> None:
        async def main() -> None:
            async with serve(self._accept, _HOST, 0, max_size=None, ping_interval=None) as server:
                self.port = next(iter(server.sockets)).getsockname()[1]
                started.set()
                await asyncio.Future()

        self._loop.run_until_complete(main())

    async def _accept(self, connection: ServerConnection) -> None:
        opening = json.loads(await connection.recv())
        session = self._sessions.get(self._tokens.pop(opening["TokenValue"], ""))
        wanted = connection.request.path.partition("?")[0].rpartition("/")[2] if connection.request else ""
        if session is None or session.id != wanted or opening["MessageSchemaVersion"] != "1.0":
            await connection.close(1008, "the token is not valid")
            return
        await session.attach(connection)
