"""A link through Systems Manager: no open port anywhere, and no program beside this one.

The session outlives its connections. One that breaks is taken up again (ResumeSession), and clients do not notice;
only where that is refused is the link lost.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from taxiway.errors import (
    AwsThrottled,
    AwsUnreachable,
    TaxiwayError,
    TunnelAgentTooOld,
    TunnelDatabaseUnreachable,
    TunnelError,
    TunnelSessionFailed,
    TunnelUnreachable,
)
from taxiway.model.tunnel import LinkLost, LinkRestored, LinkStillLost, SsmSession, TunnelEvent
from taxiway.tunnel.background import call_beside
from taxiway.tunnel.channel import Channel, Closed, ConnectRefused, Data, Ready
from taxiway.tunnel.frames import FramesDamaged
from taxiway.tunnel.message import MessageDamaged
from taxiway.tunnel.ssm_streams import SsmStream, SsmStreams

_OPEN_SECONDS: Final = 15
_HANDSHAKE_SECONDS: Final = 20
# How often it is looked for messages that have to be repeated.
_TICK_SECONDS: Final = 0.1
# A connection that takes messages and brings no answer for so long is dead: a laptop has slept, a router forgot.
_SILENCE_SECONDS: Final = 20
_PING_SECONDS: Final = 60
_RESUME_SECONDS: Final = 60
_RESUME_PAUSES: Final = (0.2, 1, 2, 4, 8)
_FAREWELL_SECONDS: Final = 5
# "TCPMultiplexingSupportedAfterThisAgentVersion" of the plugin
_FIRST_MULTIPLEXING: Final = (3, 0, 196, 0)
# What does not answer now may do so later.
_TRANSIENT: Final = (AwsUnreachable, AwsThrottled, TunnelUnreachable)


class Sessions(Protocol):
    """Systems Manager, for one target and one destination. Each call waits for AWS."""

    def start(self) -> SsmSession:
        """Begin a session."""
        ...

    def resume(self, session: SsmSession) -> SsmSession | None:
        """The same with a new token; ``None`` when it is over."""
        ...

    def terminate(self, session: SsmSession) -> None:
        """End it."""
        ...


class SsmLink:
    """One session after another (:class:`taxiway.tunnel.link.Link`)."""

    def __init__(self, sessions: Sessions, *, destination: str, on_event: Callable[[TunnelEvent], None]) -> None:
        """``destination`` is what messages call the other end."""
        self._sessions, self._destination, self._on_event = sessions, destination, on_event
        self._session: SsmSession | None = None
        self._task: asyncio.Task[str] | None = None
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._is_refused = False
        self._begin()

    def _begin(self) -> None:
        self._channel = Channel(time.monotonic)
        self._streams = SsmStreams(self._send)
        self._ready: asyncio.Future[None] | None = None
        self._ended: str | None = None

    # --- Link ---

    async def open(self) -> None:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        self._begin()
        self._session = await call_beside(self._sessions.start)
        self._ready = asyncio.get_running_loop().create_future()
        socket = await self._open_socket(self._session)
        self._task = asyncio.create_task(self._run(socket))
        await asyncio.wait(
            [self._task, asyncio.ensure_future(asyncio.wait([self._ready]))],
            timeout=_HANDSHAKE_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self._ready.done() and self._ready.exception() is None:
            return
        reason = self._task.result() if self._task.done() else f"no answer within {_HANDSHAKE_SECONDS} s"
        await self.close()
        if self._ready.done():
            self._ready.result()
        raise TunnelSessionFailed(
            f"The agent on the instance did not begin the session: {reason}.",
            hint="Look at the agent on the instance (amazon-ssm-agent), and try again.",
        )

    async def connect(self) -> SsmStream:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        if self._task is None or self._task.done():
            raise ConnectionError
        self._is_refused = False
        return await self._streams.connect()

    async def lost(self) -> str:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        if self._task is None:
            return "it was never made"
        return await asyncio.shield(self._task)

    async def find_refusal(self) -> TunnelError | None:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        if not self._is_refused:
            return None
        return TunnelDatabaseUnreachable(
            f"The instance cannot connect to {self._destination}.",
            hint="Let the security group of the database admit that of the instance on this port, and check that "
            "the instance can resolve the name.",
        )

    async def close(self) -> None:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        session, self._session = self._session, None
        if self._task and not self._task.done():
            self._task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._task
        self._streams.close()
        if session is not None:
            with suppress(TaxiwayError, TimeoutError):
                await asyncio.wait_for(call_beside(lambda: self._sessions.terminate(session)), _FAREWELL_SECONDS)

    # --- the session ---

    async def _run(self, socket: ClientConnection) -> str:
        """Keep the session alive; return why it is over."""
        try:
            while True:
                reason = await self._carry(socket)
                if self._ended is not None:
                    return self._reason()
                self._on_event(LinkLost(reason))
                resumed = await self._resume()
                if resumed is None:
                    return self._reason()
                socket = resumed
                self._on_event(LinkRestored(is_same=True))
        finally:
            self._streams.close()

    def _reason(self) -> str:
        return self._ended or "Systems Manager has ended the session"

    async def _carry(self, socket: ClientConnection) -> str:
        """Move messages until the connection or the session ends; return why."""
        tasks = {asyncio.create_task(self._receive(socket)), asyncio.create_task(self._transmit(socket))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            socket.transport.abort()

    async def _receive(self, socket: ClientConnection) -> str:
        try:
            async for data in socket:
                if isinstance(data, bytes) and await self._take_in(data):
                    break
        except (WebSocketException, OSError) as error:
            return str(error) or type(error).__name__
        except (MessageDamaged, FramesDamaged) as error:
            self._ended = f"what arrived is damaged: {error}"
            return self._ended
        return f"closed by the service ({socket.close_code})"

    async def _take_in(self, data: bytes) -> bool:
        """Whether the session is over with this message."""
        for event in self._channel.receive(data):
            match event:
                case Data(content):
                    self._wake.set()
                    await self._streams.receive(content)
                case Ready(version):
                    self._note_ready(version)
                case ConnectRefused():
                    self._is_refused = True
                case Closed(reason):
                    self._ended = reason
        self._wake.set()
        if not self._channel.is_full:
            self._room.set()
        return self._ended is not None

    async def _transmit(self, socket: ClientConnection) -> str:
        try:
            while self._channel.overdue_seconds < _SILENCE_SECONDS:
                for content in self._channel.take_outgoing():
                    await socket.send(content)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _TICK_SECONDS)
                self._wake.clear()
        except (WebSocketException, OSError) as error:
            return str(error) or type(error).__name__
        return f"no answer for {_SILENCE_SECONDS} s"

    async def _send(self, content: bytes) -> None:
        """Bytes of the multiplexer; waits while too much is on its way."""
        while self._channel.is_full and self._task and not self._task.done():
            self._room.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), 1)
        self._channel.send_data(content)
        self._wake.set()

    def _note_ready(self, version: str) -> None:
        if self._ready is None or self._ready.done():
            return
        if _is_too_old(version):
            self._ready.set_exception(
                TunnelAgentTooOld(
                    f"The agent on the instance has version {version}, which carries one connection at a time.",
                    hint="Update amazon-ssm-agent on the instance: aws ssm send-command --document-name "
                    "AWS-UpdateSSMAgent.",
                )
            )
        else:
            self._ready.set_result(None)

    async def _resume(self) -> ClientConnection | None:
        """Another connection to the same session; ``None`` if it is over, or does not come back in time."""
        deadline = time.monotonic() + _RESUME_SECONDS
        pauses = iter(_RESUME_PAUSES)
        while (session := self._session) is not None:
            await asyncio.sleep(pause := next(pauses, _RESUME_PAUSES[-1]))
            try:
                resumed = await call_beside(lambda session=session: self._sessions.resume(session))  # type: ignore[misc]
                return await self._open_socket(resumed) if resumed else None
            except _TRANSIENT as error:
                if time.monotonic() > deadline:
                    self._ended = error.message
                    return None
                self._on_event(LinkStillLost(error.message, pause))
            except TaxiwayError as error:
                self._ended = error.message
                return None
        return None

    async def _open_socket(self, session: SsmSession) -> ClientConnection:
        """A connection to the data channel, with the token shown.

        Raises:
            TunnelUnreachable: It does not answer.
        """
        try:
            socket = await connect(
                session.url,
                max_size=None,
                compression=None,
                open_timeout=_OPEN_SECONDS,
                close_timeout=1,
                # The service need not answer pings; they keep routers from forgetting the connection.
                ping_interval=_PING_SECONDS,
                ping_timeout=None,
                user_agent_header=None,
            )
            await socket.send(self._channel.opening(session.token))
        except (WebSocketException, OSError, ValueError) as error:
            raise TunnelUnreachable(
                f"The data channel of Systems Manager did not answer: {str(error) or type(error).__name__}.",
                hint="Let this machine reach ssmmessages.REGION.amazonaws.com on port 443, through HTTPS_PROXY if "
                "there is a proxy.",
            ) from None  # the address has the session's id, the cause may have more
        return socket


def _is_too_old(version: str) -> bool:
    try:
        return tuple(int(part) for part in version.split(".")) <= _FIRST_MULTIPLEXING
    except ValueError:
        return False
