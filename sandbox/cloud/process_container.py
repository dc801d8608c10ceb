"""A container as a process: the image's program with the container's environment and nothing else of ours.

It is not a container in what it can see: the file system, other processes and the network are this machine's.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sandbox.cloud.container import CannotStart
from sandbox.cloud.limits import ControlGroup


class ProcessContainer:
    """A running process that stands for a container."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        limits: ControlGroup | None,
    ) -> None:
        """Start it, in a session of its own and with a directory of its own as the place for files.

        Raises:
            CannotStart: There is no such program.
        """
        self._limits = limits
        directory.mkdir(parents=True)
        program = shutil.which(command[0], path=environment.get("PATH", os.defpath))
        try:
            self._popen = subprocess.Popen(
                [program or command[0], *command[1:]],
                env={"HOME": str(directory), "TMPDIR": str(directory), **environment},
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            self._remove_limits()
            raise CannotStart(f'exec: "{command[0]}": {error.strerror}') from error
        if limits:
            limits.add(self._popen.pid)

    @property
    def output(self) -> int:
        """The descriptor that both output streams are read from. It ends when the container has ended."""
        assert self._popen.stdout is not None
        return self._popen.stdout.fileno()

    def terminate(self) -> None:
        """SIGTERM to the first process. It alone gets it, as in a container."""
        self._popen.terminate()

    def kill(self) -> None:
        """SIGKILL to all processes; when the first has ended, not by its number, which others may have."""
        if self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
        if self._limits:
            self._limits.kill()

    def wait(self) -> int:
        """Wait for the end of the first process and end those it has left. The exit code as Docker tells it."""
        # Not reaped before the group is killed: until then nobody else gets the number.
        os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOWAIT)
        self.kill()
        code = self._popen.wait()
        return 128 - code if code < 0 else code

    def was_killed_for_memory(self) -> bool:
        """Whether the kernel has ended a process of it because of the memory limit."""
        return self._limits is not None and self._limits.has_killed()

    def close(self) -> None:
        """Give back what it holds. To be called when it has ended and its output was read."""
        assert self._popen.stdout is not None
        self._popen.stdout.close()
        self._remove_limits()

    def _remove_limits(self) -> None:
        if self._limits:
            self._limits.remove()
