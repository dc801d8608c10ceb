"""A container that is one: of an image that was built here, by podman and runc, held to what Fargate gives.

Its network is this machine's, so that the task finds what listens on 127.0.0.1.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Final

from sandbox.cloud.container import CannotStart
from sandbox.image import ContainerSpec, Engine

_POLL_SECONDS: Final = 0.01
# As whom a container shows that has been made and does not run its program yet.
_RUNTIME: Final = "runc:"


class ImageContainer:
    """A running container of an image."""

    def __init__(self, spec: ContainerSpec, *, directory: Path) -> None:
        """Start it, and return when its program runs. ``directory``: a new one, for what the engine notes of it.

        Raises:
            CannotStart: There is no such program in the image, or no such image.
        """
        directory.mkdir(parents=True)
        self._started = Engine().start(spec, stdout=PIPE, stderr=STDOUT, directory=directory)
        self._first_process = self._wait_for_start()

    def _wait_for_start(self) -> int | None:
        """A descriptor of the first process, which nobody else can get; None if it has ended already."""
        while (pid := self._started.find_pid()) is None:
            if self._started.process.poll() is not None:
                raise CannotStart(self._why_not())
            time.sleep(_POLL_SECONDS)
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return None
        with suppress(FileNotFoundError, ProcessLookupError):
            while Path(f"/proc/{pid}/comm").read_text().startswith(_RUNTIME):
                time.sleep(_POLL_SECONDS)
        return descriptor

    def _why_not(self) -> str:
        output, _ = self._started.process.communicate()
        return output.decode(errors="replace").strip().removeprefix("Error: ")

    @property
    def output(self) -> int:
        assert self._started.process.stdout is not None
        return self._started.process.stdout.fileno()

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """To the first process: the kernel ends all others of the container with it."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._first_process is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first_process, number)

    def wait(self) -> int:
        return self._started.process.wait()

    def was_killed_for_memory(self) -> bool:
        return self._started.ran_out_of_memory()

    def close(self) -> None:
        assert self._started.process.stdout is not None
        self._started.process.stdout.close()
        if self._first_process is not None:
            os.close(self._first_process)
            self._first_process = None
