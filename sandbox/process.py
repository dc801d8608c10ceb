"""Child processes that outlive a call: start them, wait until they are ready, end them by their id.

Terminology:

part
    One program of the sandbox with what belongs to it: PostgreSQL, the Git host, the AWS endpoint.
kept process
    One that was left running by a process that has ended, and is ended later from its record.
"""

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sandbox.directory import REPOSITORY_ROOT, Account, run_as

_POLL_SECONDS: Final = 0.01
_LOG_TAIL: Final = 4000


class StartFailed(RuntimeError):
    """A part did not start; the message has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """What it takes to end a process later, from another process.

    Attributes:
        started: When it started, in the kernel's words: another process that got the same id has another time.
        signals: What ends it, the gentlest first.
    """

    name: str
    pid: int
    started: str
    signals: tuple[str, ...]


class ChildProcess:
    """A running child in a session of its own, so that Ctrl-C in a terminal reaches us and not it."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        log: Path,
        account: Account | None = None,
        signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGKILL),
    ) -> None:
        """Start it. Output goes to the end of ``log``; nothing is inherited but what ``environment`` says."""
        self.name, self.log, self._signals = name, log, tuple(signals)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [*arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                cwd=log.parent,
                start_new_session=True,
                **run_as(account),
            )

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._popen.pid

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float = 30) -> None:
        """Return as soon as ``is_ready()``. Ends the process when it does not come to that.

        Raises:
            StartFailed: The process ended first, or the time is over.
        """
        try:
            self._watch(is_ready, seconds)
        except BaseException:
            self.stop()
            raise

    def _watch(self, is_ready: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self._popen.poll() is not None:
                raise StartFailed(f"{self.name} ended with {self._popen.returncode}:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} was not ready after {seconds} s:\n{self._log_tail()}")
            time.sleep(_POLL_SECONDS)

    def stop(self, *, seconds: float = 10) -> None:
        """End it and wait for its end. Each signal gets so many seconds. Harmless when it has ended."""
        for number in self._signals:
            self._popen.send_signal(number)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return

    def record(self) -> ProcessRecord:
        """How to end it from another process."""
        names = tuple(number.name for number in self._signals)
        return ProcessRecord(name=self.name, pid=self.pid, started=_start_time(self.pid) or "", signals=names)

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-_LOG_TAIL:]


class Part(ABC):
    """One part of the sandbox: ``with Part(directory) as part``. Making one starts nothing yet.

    Attributes:
        directory: Everything of the part lies below it.
        port: Where it listens on 127.0.0.1, once it was started.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._process: ChildProcess | None = None

    @abstractmethod
    def start(self) -> Self:
        """Start it and return when it is ready.

        Raises:
            StartFailed: It did not start.
        """

    def stop(self) -> None:
        """End it. Harmless when it does not run."""
        if self._process:
            self._process.stop()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def process(self) -> ChildProcess:
        """The running program.

        Raises:
            RuntimeError: It is not running.
        """
        if self._process is None:
            raise RuntimeError(f"{type(self).__name__} is not running")
        return self._process


def start_module(module: str, arguments: Sequence[str | Path], *, directory: Path) -> ChildProcess:
    """Start a module of this package in a fresh interpreter with a clean environment, and wait until it is ready.

    The module gets ``--ready FILE`` and says that it is ready by writing that file (:func:`report_ready`).
    """
    ready = directory / "ready"
    ready.unlink(missing_ok=True)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "PYTHONPATH": str(REPOSITORY_ROOT),
    }
    command = [sys.executable, "-m", module, "--ready", ready, *arguments]
    child = ChildProcess(module, command, environment=environment, log=directory / "log")
    child.wait_until(ready.exists)
    return child


def report_ready(ready: Path, port: int) -> None:
    """In the started module: say on which port it listens. The file appears whole or not at all."""
    draft = ready.with_suffix(".draft")
    draft.write_text(f"{port}\n")
    draft.rename(ready)


def end_kept(record: ProcessRecord, *, seconds: float = 10) -> None:
    """End a kept process and wait for its end. Leaves alone a stranger that has got the same id since."""
    for name in record.signals:
        if not _is_alive(record):
            return
        os.kill(record.pid, signal.Signals[name])
        deadline = time.monotonic() + seconds
        while _is_alive(record) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _is_alive(record: ProcessRecord) -> bool:
    return _start_time(record.pid) == record.started


def _start_time(pid: int) -> str | None:
    """When a process started; None when there is none, or only its exit status is left.

    proc_pid_stat(5): the state is the first field behind the name in parentheses, the start time the twentieth.
    Without /proc every living process answers the empty text.
    """
    if not Path("/proc/self/stat").exists():
        return "" if _exists(pid) else None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
