"""What one run of a command costs, as the kernel tells when it has ended."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Joins control groups, starts its arguments, kills their process group when the time is over or it is interrupted,
# and prints exit code, wall and CPU seconds, and peak memory of the largest process. Small, because a child is
# charged for the memory of the process that started it: no figure is below that of this one.
_LAUNCHER: Final = """
import os, signal, sys, time
limit, groups, log, *command = sys.argv[1:]
for group in filter(None, groups.split(":")):
    with open(group, "w") as file:
        file.write(str(os.getpid()))
null = os.open(os.devnull, os.O_WRONLY)
errors = os.open(log, os.O_WRONLY)
outputs = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
started = time.monotonic()
pid = os.posix_spawnp(command[0], command, os.environ, setpgroup=0, file_actions=outputs)
for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: os.killpg(pid, signal.SIGKILL))
signal.setitimer(signal.ITIMER_REAL, float(limit))
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - started
print(os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""

_LOG_TAIL: Final = 2000
_KILLED: Final = -9


class CommandFailed(Exception):
    """The command ended with an error, or was ended because it took too long. ``log`` is the end of its errors."""

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(reason)
        self.log = log


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run. Memory is in MiB, of the largest process."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program with its arguments, in an environment that has nothing else, and the folder it runs in."""

    arguments: Sequence[str | Path]
    environment: Mapping[str, str]
    directory: Path


def take_sample(command: Command, *, limit_seconds: float, groups: Sequence[Path] = ()) -> Sample:
    """Run it once. ``groups`` are the ``cgroup.procs`` files of control groups that it joins.

    Raises:
        CommandFailed: It ended with anything but 0, or took longer than the limit.
    """
    with tempfile.NamedTemporaryFile(mode="r", errors="replace") as log:
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(limit_seconds)]
        output = subprocess.run(
            [*launcher, ":".join(map(str, groups)), log.name, *command.arguments],
            env=dict(command.environment),
            cwd=command.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        exit_code, wall, cpu, peak = (float(word) for word in output.split())
        if exit_code == _KILLED and wall >= limit_seconds:
            raise CommandFailed(f"not done after {limit_seconds:.0f} s", log.read()[-_LOG_TAIL:])
        if exit_code:
            raise CommandFailed(f"fails (exit {exit_code:.0f})", log.read()[-_LOG_TAIL:])
    # Linux counts in KiB, macOS in bytes.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Sample(wall_seconds=wall, cpu_seconds=cpu, peak_mib=peak / unit)


def add_samples(samples: Sequence[Sample]) -> Sample:
    """Processes one after the other as one sample."""
    return Sample(
        wall_seconds=sum(one.wall_seconds for one in samples),
        cpu_seconds=sum(one.cpu_seconds for one in samples),
        peak_mib=max(one.peak_mib for one in samples),
    )
