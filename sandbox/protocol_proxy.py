"""A proxy between a PostgreSQL client and its server that delays, counts, and breaks at a chosen message.

It runs on a thread of this process. It understands where messages begin and end
(:mod:`sandbox.protocol_framing`) and looks at nothing inside of them. It does not take part in encryption: when
client and server agree on TLS, bytes pass as before, but no message is seen any more. For counts of messages and
for faults the client has to connect with ``sslmode=disable``.

Terminology:

round trip
    Server bytes that follow client bytes: the client may have waited for them. Establishing a TCP connection costs
    one more, which is not counted; ``connections`` tells how many those are.
policy
    What decides, for each message, whether something happens before or after it. It may be given by a test; the
    one that most need is :class:`FaultAt`.
cut
    The end of a connection by the proxy, in one of the ways in which networks fail.
"""

import asyncio
import fcntl
import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol, Self, cast

from sandbox.protocol_framing import Conversation, Direction, Frame

_HOST: Final = "127.0.0.1"

# How much of one direction may be on its way: bounds the memory, and with it the rate: 16 MiB per delay.
_ON_THE_WAY: Final = 16 << 20
_WRITE_BUFFER: Final = 1 << 20

# How long a reset waits until the other side's kernel has what was passed on before.
_SENT_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.001

# ioctl SIOCOUTQ, tcp(7): bytes that were written and not yet acknowledged.
_SIOCOUTQ: Final = 0x5411

_OPPOSITE: Final = {Direction.TO_SERVER: Direction.TO_CLIENT, Direction.TO_CLIENT: Direction.TO_SERVER}


class Cut(Enum):
    """How a connection ends. All three hold for both sides, at once.

    RESET: as when a process or a firewall drops it: TCP RST. What was passed on before has arrived.
    CLOSE: as when a program closes it: TCP FIN.
    BLACK_HOLE: as when packets are dropped: nothing is passed on any more, and nobody is told. The server keeps
    its session until the proxy ends or :meth:`ProtocolProxy.reset_connections` is called.
    """

    RESET = "reset"
    CLOSE = "close"
    BLACK_HOLE = "black hole"


class Moment(Enum):
    """On which side of a message something happens: nothing of it was passed on, or all of it."""

    BEFORE = "before"
    AFTER = "after"


class Message(NamedTuple):
    """A message that was seen.

    Attributes:
        connection: The number of its connection, from 1.
        type: The letter of the manual, or a name of :mod:`sandbox.protocol_framing` where there is no letter.
        size: In bytes, header included.
        startup: It belongs to startup and authentication.
    """

    connection: int
    direction: Direction
    type: str
    size: int
    startup: bool


type Action = Cut | Callable[[Message], Cut | None]


class Policy(Protocol):
    """Decides what happens at a message."""

    def find_action(self, message: Message, moment: Moment) -> Action | None:
        """A cut, or what is called at that moment and may return one; None for nothing.

        Asked once for each message and moment, on the proxy's thread. Everything waits while an action runs.
        """
        ...


@dataclass(kw_only=True)
class FaultAt:
    """Acts once, at the n-th message of one direction.

    Attributes:
        number: Which message, from 1.
        with_startup: Count from the very beginning of a connection, not from behind its authentication.
        connection: Count in this connection only; None counts through all, as ``ProtocolProxy.messages`` does.
        hit: The message that it happened at; None as long as it has not.
    """

    direction: Direction
    number: int
    moment: Moment
    action: Action
    with_startup: bool = False
    connection: int | None = None
    hit: Message | None = field(default=None, init=False)
    _seen: int = field(default=0, init=False)

    def find_action(self, message: Message, moment: Moment) -> Action | None:
        """Ours when this is the message."""
        if moment is not self.moment or not self.counts(message):
            return None
        self._seen += 1
        if self._seen != self.number:
            return None
        self.hit = message
        return self.action

    def counts(self, message: Message) -> bool:
        """Whether this is one of the messages that are numbered."""
        return (
            message.direction is self.direction
            and (self.with_startup or not message.startup)
            and self.connection in {None, message.connection}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What has passed so far.

    ``bytes`` and ``round_trips`` are counted as they are received, ``messages`` as they are passed on.
    """

    connections: int
    round_trips: int
    bytes: Mapping[Direction, int]
    messages: Mapping[Direction, Mapping[str, int]]


class ProtocolProxy:
    """``with ProtocolProxy(host, port) as proxy``: clients connect to ``proxy.host`` and ``proxy.port``.

    Memory is bounded: who sends faster than the other side reads is made to wait.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        delay_ms: float = 0,
        policy: Policy | None = None,
        recording: bool = False,
    ) -> None:
        """A proxy for the server at this address.

        ``delay_ms`` is added in each direction, to the establishment of the connection as well, without limiting
        the rate. ``recording`` keeps every message for :meth:`messages`; memory then grows with their number.
        """
        self.host, self.port = _HOST, 0
        self.target = (host, port)
        self.delay = delay_ms / 1000
        self.policy = policy
        self.recorded: list[Message] | None = [] if recording else None
        self.tally = _Tally()
        self.links: dict[int, _Link] = {}
        self._numbers = 0
        self._errors: list[BaseException] = []

    def __enter__(self) -> Self:
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._keep_error)
        self._thread = threading.Thread(target=self.loop.run_forever, name="protocol-proxy", daemon=True)
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End all connections. An error of the policy is raised here, unless there is another one already."""
        self._run(self._shut_down())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        if self._errors and kind is None:
            raise self._errors[0]

    def counts(self) -> Counts:
        """What has passed so far."""
        return self._run(self._count())

    def messages(self) -> tuple[Message, ...]:
        """Every message so far, in the order in which they were passed on; empty without ``recording``."""
        return self._run(self._copy_messages())

    def wait_until_closed(self, *, seconds: float = 10) -> None:
        """Return when no connection is open: the counts of a process that has ended are then complete.

        Raises:
            TimeoutError: There still is one after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while self.links:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.links)} connection(s) still open after {seconds} s")
            time.sleep(_POLL_SECONDS)

    def reset_connections(self) -> None:
        """Reset all that are open now, those in a black hole too, and wait for their end."""
        self._run(self._reset_all())

    def _run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def _keep_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._errors.append(context.get("exception") or RuntimeError(context["message"]))

    async def _listen(self) -> None:
        self._server = await self.loop.create_server(self._accept, _HOST, 0, backlog=100)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def _accept(self) -> "_Flow":
        self._numbers += 1
        link = self.links[self._numbers] = _Link(self, self._numbers)
        self.tally.connections += 1
        return link.flows[Direction.TO_SERVER]

    async def _shut_down(self) -> None:
        self._server.close()
        await self._reset_all()

    async def _reset_all(self) -> None:
        links = list(self.links.values())
        for link in links:
            link.abort()
        for link in links:
            await link.gone.wait()

    async def _count(self) -> Counts:
        return Counts(
            connections=self.tally.connections,
            round_trips=self.tally.round_trips,
            bytes=dict(self.tally.bytes),
            messages={direction: dict(types) for direction, types in self.tally.messages.items()},
        )

    async def _copy_messages(self) -> tuple[Message, ...]:
        return tuple(self.recorded or ())


class _Tally:
    """The counts while they grow."""

    def __init__(self) -> None:
        self.connections = 0
        self.round_trips = 0
        self.bytes = dict.fromkeys(Direction, 0)
        self.messages: dict[Direction, Counter[str]] = {direction: Counter() for direction in Direction}


class _End(Enum):
    """What can be at the end of a delay line: the sender has closed, or its connection broke."""

    CLOSED = "closed"
    BROKEN = "broken"


class _Link:
    """One connection of a client, with the one to the server that belongs to it."""

    def __init__(self, proxy: ProtocolProxy, number: int) -> None:
        self.proxy, self.number = proxy, number
        self.conversation = Conversation()
        self.flows = {direction: _Flow(self, direction) for direction in Direction}
        self.is_severed = False
        self.gone = asyncio.Event()
        self._last: Direction | None = None
        self._task: asyncio.Task[None] | None = None

    def opened(self, flow: "_Flow") -> None:
        """A client has come: go on to the server."""
        if flow.direction is Direction.TO_SERVER:
            # A real connect answers after a round trip, and only then does the client send.
            flow.hold_until = self.proxy.loop.time() + 3 * self.proxy.delay
            self._task = self.proxy.loop.create_task(self._connect())
        else:
            self.flows[Direction.TO_SERVER].advance()

    def received(self, direction: Direction, size: int) -> None:
        """Count what came in."""
        tally = self.proxy.tally
        tally.bytes[direction] += size
        tally.round_trips += direction is Direction.TO_CLIENT and self._last is Direction.TO_SERVER
        self._last = direction

    def cut(self, how: Cut) -> None:
        """End the connection this way: from now on nothing is passed on."""
        self.is_severed = True
        for flow in self.flows.values():
            flow.discard()
        if how is Cut.RESET:
            self._task = self.proxy.loop.create_task(self._reset_when_sent())
        elif how is Cut.CLOSE:
            for flow in self.flows.values():
                flow.finish()

    def abort(self) -> None:
        """Reset both sides now."""
        self.is_severed = True
        if self._task:
            self._task.cancel()
        for flow in self.flows.values():
            flow.abort()
        self.closed()

    def closed(self) -> None:
        """Forget the link when both of its sockets are closed."""
        if all(flow.transport is None for flow in self.flows.values()):
            self.proxy.links.pop(self.number, None)
            self.gone.set()

    async def _connect(self) -> None:
        host, port = self.proxy.target
        try:
            await self.proxy.loop.create_connection(lambda: self.flows[Direction.TO_CLIENT], host, port)
        except OSError:
            self.abort()

    async def _reset_when_sent(self) -> None:
        """A reset throws away what is still in our buffers, and "after a message" means that it has arrived."""
        deadline = self.proxy.loop.time() + _SENT_SECONDS
        while self._has_unsent() and self.proxy.loop.time() < deadline:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(_POLL_SECONDS)
        self._task = None
        self.abort()

    def _has_unsent(self) -> bool:
        return any(flow.has_unsent for flow in self.flows.values())


class _Flow(asyncio.Protocol):
    """One direction of a link: what its socket receives, on its way to the socket of the other direction."""

    def __init__(self, link: _Link, direction: Direction) -> None:
        self.link, self.direction = link, direction
        self.transport: asyncio.Transport | None = None
        self.hold_until = 0.0
        self.is_finished = False
        self._loop = link.proxy.loop
        self._line: deque[tuple[float, bytes | _End]] = deque()
        self._on_the_way = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_receiver_full = False
        self._unfinished: tuple[int, Message] | None = None

    # --- the socket that this direction comes from ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(_WRITE_BUFFER)
        if self.link.is_severed:
            self.abort()
        else:
            self.link.opened(self)

    def data_received(self, data: bytes) -> None:
        if self.link.is_severed:
            return
        self.link.received(self.direction, len(data))
        self._on_the_way += len(data)
        self._push(data)

    def eof_received(self) -> bool:
        """Stay open for the other direction, unless there is nothing left to say."""
        self._push(_End.CLOSED)
        return not (self.link.is_severed and self.is_finished)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if exc:
            self._push(_End.BROKEN)
        self.link.closed()

    # The socket of this direction is the one that the other direction is written to.
    def pause_writing(self) -> None:
        self._opposite.set_receiver_full(True)

    def resume_writing(self) -> None:
        self._opposite.set_receiver_full(False)

    @property
    def _opposite(self) -> "_Flow":
        return self.link.flows[_OPPOSITE[self.direction]]

    @property
    def has_unsent(self) -> bool:
        """Whether anything that was written to this socket has not arrived yet."""
        if self.transport is None or self.transport.is_closing():
            return False
        return self.transport.get_write_buffer_size() > 0 or _unacknowledged(self.transport) > 0

    def abort(self) -> None:
        """Reset the socket."""
        self.discard()
        if self.transport:
            reset_on_close = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_on_close)
            self.transport.abort()

    def finish(self) -> None:
        """Tell this socket that nothing more will come."""
        self.is_finished = True
        if self.transport and not self.transport.is_closing():
            self.transport.resume_reading()
            # The connection may have broken a moment ago: that is reported by itself.
            with suppress(OSError):
                self.transport.write_eof()

    # --- the delay line ---

    def _push(self, item: bytes | _End) -> None:
        if self.link.is_severed:
            return
        due = self._loop.time() + self.link.proxy.delay
        self._line.append((max(due, self.hold_until), item))
        self.advance()

    def discard(self) -> None:
        """Forget everything on the way."""
        self._line.clear()
        self._on_the_way = 0
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def set_receiver_full(self, is_full: bool) -> None:
        """Wait with passing on, or go on."""
        self._is_receiver_full = is_full
        self.advance()

    def advance(self) -> None:
        """Pass on what is due, and come back when the next is."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._line and self._opposite.transport and not self._is_receiver_full:
            due, item = self._line[0]
            if due > self._loop.time():
                self._timer = self._loop.call_at(due, self.advance)
                break
            self._line.popleft()
            self._pass_on(item)
        self._throttle()

    def _throttle(self) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self._on_the_way > _ON_THE_WAY:
            self.transport.pause_reading()
        elif self._on_the_way <= _ON_THE_WAY // 2:
            self.transport.resume_reading()

    def _pass_on(self, item: bytes | _End) -> None:
        if isinstance(item, bytes):
            self._on_the_way -= len(item)
            self._pass_messages(item)
            return
        self._write(self.link.conversation.end(self.direction))
        if item is _End.BROKEN:
            self.link.abort()
        else:
            self._opposite.finish()
            self._close_when_done()

    def _close_when_done(self) -> None:
        """Both directions have ended: close both sockets, after what is still to be written."""
        if all(flow.is_finished for flow in self.link.flows.values()):
            for flow in self.link.flows.values():
                if flow.transport:
                    flow.transport.close()

    # --- messages ---

    def _pass_messages(self, data: bytes) -> None:
        proxy, written = self.link.proxy, 0
        offset, data, frames = self.link.conversation.feed(self.direction, data)
        proxy.tally.messages[self.direction].update(frame.type for frame in frames)
        if proxy.policy is None and proxy.recorded is None:
            self._write(data)
            return
        for place, moment, message in self._moments(frames, until=offset + len(data)):
            action = proxy.policy.find_action(message, moment) if proxy.policy else None
            if action:
                self._write(data[written : place - offset])
                written = place - offset
                how = action if isinstance(action, Cut) else action(message)
                if how:
                    self.link.cut(how)
                    return
        self._write(data[written:])

    def _moments(self, frames: list[Frame], *, until: int) -> Iterator[tuple[int, Moment, Message]]:
        """The places up to ``until`` where messages begin and end, in their order; the messages are recorded."""
        if self._unfinished and self._unfinished[0] <= until:
            place, message = self._unfinished
            self._unfinished = None
            yield place, Moment.AFTER, message
        for frame in frames:
            message = self._record(frame)
            yield frame.begin, Moment.BEFORE, message
            if frame.end <= until:
                yield frame.end, Moment.AFTER, message
            else:
                self._unfinished = (frame.end, message)

    def _record(self, frame: Frame) -> Message:
        size = frame.end - frame.begin
        message = Message(self.link.number, self.direction, frame.type, size, frame.startup)
        if self.link.proxy.recorded is not None:
            self.link.proxy.recorded.append(message)
        return message

    def _write(self, data: bytes) -> None:
        receiver = self._opposite.transport
        if data and receiver and not receiver.is_closing():
            receiver.write(data)


def _unacknowledged(transport: asyncio.Transport) -> int:
    """How many bytes the other side's kernel does not have yet; 0 where the kernel does not tell."""
    if sys.platform != "linux":
        return 0
    descriptor = transport.get_extra_info("socket").fileno()
    return int(struct.unpack("i", fcntl.ioctl(descriptor, _SIOCOUTQ, b"\0" * 4))[0])
