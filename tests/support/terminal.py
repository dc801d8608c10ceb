"""A command as somebody at a keyboard has it; the terminal is a real one (a pseudo-terminal)."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

# A session of its own, whose terminal this is: so that Ctrl-C reaches it as a signal.
_TAKE_TERMINAL: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A program and its terminal. ``shown`` is all that was to be seen there."""

    def __init__(self, command: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=directory,
            env=environment,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""
        self._is_closed = False

    def wait_for(self, words: str, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._read(), self.shown

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(60)

    def hang_up(self) -> int:
        """Close its window; how the program ended."""
        os.close(self._ours)
        self._is_closed = True
        return self.process.wait(60)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if not self._is_closed:
            os.close(self._ours)

    def _read(self) -> bool:
        try:
            content = os.read(self._ours, 4096)
        except OSError:  # the other side is closed
            return False
        self.shown += content.decode(errors="replace")
        return bool(content)
