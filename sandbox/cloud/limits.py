"""A process held to memory and CPU of its task, with control groups of version 1 where they are ours to write."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_PERIOD_MICROSECONDS: Final = 100_000
_MEBIBYTE: Final = 2**20
_REMOVAL_SECONDS: Final = 5


def can_limit() -> bool:
    """Whether this machine lets us limit a process."""
    files = ("memory/memory.limit_in_bytes", "cpu/cpu.cfs_quota_us")
    return os.geteuid() == 0 and all(os.access(_ROOT / file, os.W_OK) for file in files)


class ControlGroup:
    """The limits of one task, from its beginning to :meth:`remove`."""

    def __init__(self, name: str, *, memory_mebibytes: int, cpu_share: float | None) -> None:
        """``cpu_share`` None: no limit."""
        self._directories = [_ROOT / "memory" / f"taxiway-sandbox-{name}"]
        if cpu_share is not None:
            self._directories.append(_ROOT / "cpu" / f"taxiway-sandbox-{name}")
        for directory in self._directories:
            directory.mkdir()
        limit = str(memory_mebibytes * _MEBIBYTE)
        self._memory.joinpath("memory.limit_in_bytes").write_text(limit)
        # Memory and swap together; a kernel that does not count swap does not have it.
        with suppress(FileNotFoundError):
            self._memory.joinpath("memory.memsw.limit_in_bytes").write_text(limit)
        if cpu_share is not None:
            self._directories[1].joinpath("cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
            quota = str(round(cpu_share * _PERIOD_MICROSECONDS))
            self._directories[1].joinpath("cpu.cfs_quota_us").write_text(quota)

    @property
    def _memory(self) -> Path:
        return self._directories[0]

    def add(self, pid: int) -> None:
        """From now on the process and its future children are limited. One that has ended already is not."""
        for directory in self._directories:
            with suppress(ProcessLookupError):
                directory.joinpath("cgroup.procs").write_text(str(pid))

    def kill(self) -> None:
        """SIGKILL to everybody in here, also to those that have left their process group."""
        for pid in self._memory.joinpath("cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def has_killed(self) -> bool:
        """Whether the kernel has ended a process in here, because it wanted more memory than there is."""
        lines = self._memory.joinpath("memory.oom_control").read_text().splitlines()
        return any(line.split()[0] == "oom_kill" and line.split()[1] != "0" for line in lines)

    def remove(self) -> None:
        """When every process has ended. The kernel may need a moment to notice that."""
        deadline = time.monotonic() + _REMOVAL_SECONDS
        for directory in self._directories:
            while directory.exists():
                try:
                    directory.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)
