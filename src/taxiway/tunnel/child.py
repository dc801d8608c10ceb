"""Programs that live as long as the tunnel, and never longer: also when this process is killed.

A shell stands guard over each. It waits for the end of its input, which comes when we close it or are no more, and
ends the program then. The program cannot see that input. (``PR_SET_PDEATHSIG`` is for Linux alone.)
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from taxiway.errors import TunnelProgramMissing

# SIGHUP and Ctrl-C are ours to answer. Its own output is closed: the end of the program is the end of the pipe.
_GUARD: Final = (
    'trap "" HUP INT; "$@" </dev/null & child=$!; exec >/dev/null 2>&1; read -r line; '
    'kill "$child" 2>/dev/null; wait "$child"'
)
_GRACE_SECONDS: Final = 3
_MOST_REMEMBERED: Final = 64 * 1024


def find_program(name: str) -> str:
    """The absolute path of a program.

    Raises:
        TunnelProgramMissing: It is not on the PATH.
    """
    if program := shutil.which(name):
        return program
    raise TunnelProgramMissing(
        f"The program '{name}' was not found on the PATH.",
        hint="Install an OpenSSH client, or use Systems Manager (--via ssm), which needs no program."
        if name.startswith("ssh")
        else f"Install {name}, or give its path.",
    )


class Child:
    """A program under guard, in a session of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.stderr = ""
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str]) -> "Child":
        """Start it, without input and output; its standard error is kept."""
        process = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", _GUARD, "taxiway-tunnel", *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
        )
        return cls(process)

    @property
    def has_ended(self) -> bool:
        """The program is over; its guard may be there for a moment longer."""
        return self._reader.done()

    async def wait(self) -> None:
        """Return when the program is over."""
        await asyncio.shield(self._reader)

    async def stop(self) -> None:
        """End it, and wait for its end."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE_SECONDS)
        except TimeoutError:
            # Nobody has waited for it, so that its number is still its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        self._reader.cancel()

    async def _read(self) -> None:
        if self._process.stderr is None:  # pragma: no cover - it was started with a pipe
            return
        while content := await self._process.stderr.read(4096):
            self.stderr = (self.stderr + content.decode(errors="replace"))[-_MOST_REMEMBERED:]
