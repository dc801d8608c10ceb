"""A tunnel from its beginning to its end: until Ctrl-C, or as long as a program runs through it."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from taxiway.model.tunnel import TunnelEvent, TunnelOpened
from taxiway.tunnel.child import find_program
from taxiway.tunnel.forward import Tunnel
from taxiway.tunnel.link import Link

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BY_SIGNAL: Final = 128


@dataclass(frozen=True, slots=True)
class Program:
    """What is run through the tunnel. ``environment`` is made of the local port."""

    command: Sequence[str]
    environment: Callable[[int], Mapping[str, str]]


@dataclass(slots=True)
class TunnelRun:
    """One call. ``link`` is made in the event loop.

    Attributes:
        destination: What messages call the other end.
        port: The local one; ``None`` takes a free one.
        program: What is run through the tunnel; without one, it stays until a signal.
    """

    link: Callable[[], Link]
    destination: str
    on_event: Callable[[TunnelEvent], None]
    port: int | None = None
    program: Program | None = None
    _port: int = field(default=0, init=False)
    _child: asyncio.subprocess.Process | None = field(default=None, init=False)

    def run(self) -> int:
        """The signal that has ended it, negative; or the exit code of the program.

        Raises:
            TaxiwayError: There is no tunnel, or it could not be kept.
        """
        if self.program:
            find_program(self.program.command[0])
        return asyncio.run(self._run())

    async def _run(self) -> int:
        loop = asyncio.get_running_loop()
        stop: asyncio.Future[int] = loop.create_future()

        def on_signal(number: int) -> None:
            # The terminal sends Ctrl-C to the program as well, and it is for the program to say what that means.
            if self._child and number == signal.SIGINT:
                return
            if not stop.done():
                stop.set_result(-number)

        for number in _ENDING:
            loop.add_signal_handler(number, on_signal, number)
        work = asyncio.ensure_future(self._work())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            return stop.result()
        finally:
            for number in _ENDING:
                loop.remove_signal_handler(number)

    async def _work(self) -> int:
        tunnel = Tunnel(self.link(), destination=self.destination, on_event=self._note)
        async with tunnel.open(self.port) as keeper:
            if self.program is None:
                await keeper
                return 0
            running = asyncio.ensure_future(self._run_program(self.program))
            try:
                await asyncio.wait({keeper, running}, return_when=asyncio.FIRST_COMPLETED)
                if not running.done():
                    keeper.result()
                return running.result()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    def _note(self, event: TunnelEvent) -> None:
        if isinstance(event, TunnelOpened):
            self._port = event.port
        self.on_event(event)

    async def _run_program(self, program: Program) -> int:
        """The exit code of the program, with our input and output; 128 and the signal that ended it."""
        environment = {**os.environ, **program.environment(self._port)}
        self._child = await asyncio.create_subprocess_exec(
            find_program(program.command[0]), *program.command[1:], env=environment
        )
        try:
            code = await self._child.wait()
        except asyncio.CancelledError:
            self._child.terminate()
            await self._child.wait()
            raise
        return code if code >= 0 else _BY_SIGNAL - code
