"""A tunnel: a local port, a link behind it, and another link when that one is lost."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from taxiway.errors import (
    AwsThrottled,
    AwsUnreachable,
    BastionFailed,
    BastionUnreachable,
    TaxiwayError,
    TunnelPortInUse,
    TunnelSessionFailed,
    TunnelTargetNotConnected,
    TunnelUnreachable,
)
from taxiway.model.tunnel import LinkLost, LinkRestored, LinkStillLost, TunnelEvent, TunnelOpened
from taxiway.tunnel.link import Link, Stream
from taxiway.tunnel.probe import probe_database

_LOCAL: Final = "127.0.0.1"
_CHUNK_BYTES: Final = 64 * 1024
_PAUSES: Final = (0.5, 1, 2, 4, 8, 15)
# A tunnel that has been away for so long is given up.
_MOST_ATTEMPTS: Final = 60
# What does not work now may work later: anything else ends the tunnel.
_TRANSIENT: Final = (
    AwsThrottled,
    AwsUnreachable,
    BastionFailed,
    BastionUnreachable,
    TunnelSessionFailed,
    TunnelTargetNotConnected,
    TunnelUnreachable,
)


class Tunnel:
    """One tunnel to one database."""

    def __init__(self, link: Link, *, destination: str, on_event: Callable[[TunnelEvent], None]) -> None:
        """``destination`` is what messages call the other end."""
        self._link, self._destination, self._on_event = link, destination, on_event
        self._is_up = asyncio.Event()
        self._clients: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def open(self, port: int | None) -> AsyncIterator["asyncio.Task[None]"]:
        """The tunnel, until the block ends; gives a task that fails when the tunnel cannot be kept.

        ``port`` is the local one; ``None`` takes a free one.

        Raises:
            TunnelPortInUse: Somebody else has it.
            TaxiwayError: There is no way to the database.
        """
        server = await self._listen(port)
        keeper: asyncio.Task[None] | None = None
        try:
            await self._link.open()
            await probe_database(self._link, self._destination, self._on_event)
            self._is_up.set()
            keeper = asyncio.create_task(self._keep())
            await server.start_serving()
            self._on_event(TunnelOpened(server.sockets[0].getsockname()[1]))
            yield keeper
        finally:
            server.close()
            tasks = [*self._clients, *((keeper,) if keeper is not None else ())]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._link.close()

    async def _listen(self, port: int | None) -> asyncio.Server:
        """Taken before anything is begun: a port that is in use costs nobody a session."""
        try:
            return await asyncio.start_server(self._accept, _LOCAL, port or 0, start_serving=False)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                message = f"Port {port} of this machine is in use, perhaps by another tunnel."
            else:
                message = f"Port {port} of this machine cannot be used: {error.strerror or error}."
            raise TunnelPortInUse(
                message, hint="Give another --port, or none: a free one is taken then."
            ) from error

    async def _keep(self) -> None:
        """Make another link whenever one is lost.

        Raises:
            TaxiwayError: It cannot be made, and trying again would not help.
        """
        while True:
            reason = await self._link.lost()
            self._is_up.clear()
            self._on_event(LinkLost(reason))
            await self._make_again()
            self._is_up.set()
            self._on_event(LinkRestored(is_same=False))

    async def _make_again(self) -> None:
        for attempt in range(_MOST_ATTEMPTS):
            pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
            await asyncio.sleep(pause)
            try:
                await self._link.open()
            except _TRANSIENT as error:
                if attempt == _MOST_ATTEMPTS - 1:
                    raise
                following = _PAUSES[min(attempt + 1, len(_PAUSES) - 1)]
                self._on_event(LinkStillLost(error.message.splitlines()[0], following))
            else:
                return

    # --- clients ---

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:  # pragma: no cover - asyncio makes one for each client
            return
        self._clients.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            self._clients.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = await self._connect()
        sending = asyncio.create_task(_send(reader, stream))
        try:
            while content := await stream.read():
                writer.write(content)
                await writer.drain()
        except OSError:
            pass
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError):
                await sending
            stream.close()

    async def _connect(self) -> Stream:
        """A stream of the present link, or of the next one."""
        while True:
            await self._is_up.wait()
            try:
                return await self._link.connect()
            except ConnectionError:
                # The keeper is about to notice.
                await asyncio.sleep(_PAUSES[0])


async def _send(reader: asyncio.StreamReader, stream: Stream) -> None:
    with suppress(OSError, TaxiwayError):
        while content := await reader.read(_CHUNK_BYTES):
            await stream.write(content)
    await stream.end()
