"""What a cold start costs: ``python -m bench.cold_start`` prints a Markdown table.

Each command is started several times as a process of its own; user and system CPU seconds (children included)
and the peak resident memory of its largest process are what the kernel tells when it has ended. Medians.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sandbox.world import World

_RUNS: Final = 7

# Starts its arguments as a command without output and prints exit code, CPU seconds and peak memory.
_LAUNCHER: Final = """
import os, sys
null = os.open(os.devnull, os.O_WRONLY)
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""

type Sample = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Medians over the runs. Memory is in MiB."""

    label: str
    cpu_seconds: float
    wall_seconds: float
    peak_mib: float

    def row(self) -> str:
        """A row of the table."""
        return f"| {self.label} | {self.cpu_seconds:.2f} | {self.wall_seconds:.2f} | {self.peak_mib:.0f} |"


def measure(label: str, command: Sequence[str], environment: Mapping[str, str]) -> Measurement:
    """Run the command once to warm the file cache, then several times."""
    samples = [_sample(command, environment) for _ in range(_RUNS + 1)][1:]
    cpu, wall, peak = (statistics.median(column) for column in zip(*samples, strict=True))
    return Measurement(label, cpu, wall, peak)


def _sample(command: Sequence[str], environment: Mapping[str, str]) -> Sample:
    """Start the command from a small process: a child is charged for the memory of the one that started it."""
    started = time.monotonic()
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    output = subprocess.run(
        launcher, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, check=True, text=True
    ).stdout
    exit_code, cpu_seconds, peak = output.split()
    if int(exit_code) != 0:
        raise SystemExit(f"{' '.join(command)} ended with {exit_code}")
    # Linux counts in KiB, macOS in bytes.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return float(cpu_seconds), time.monotonic() - started, int(peak) / unit


def main() -> None:
    """Build a world, bring its database up to date, measure, print."""
    python, taxiway = sys.executable, [sys.executable, "-m", "taxiway"]
    with World() as world:
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(world.directory),
            "TMPDIR": str(world.directory),
            **world.task_environment(),
        }
        subprocess.run([*taxiway, "run"], env=environment, check=True, stdout=subprocess.DEVNULL)
        rows = [
            measure("`python -c pass`", [python, "-c", "pass"], environment),
            measure("`python -c 'import taxiway'`", [python, "-c", "import taxiway"], environment),
            measure("`taxiway --version`", [*taxiway, "--version"], environment),
            measure("`taxiway --help`", [*taxiway, "--help"], environment),
            measure("`taxiway run`, nothing pending", [*taxiway, "run"], environment),
        ]
    print("| command | CPU s | wall s | peak memory MiB |\n| --- | ---: | ---: | ---: |")
    print("\n".join(row.row() for row in rows))


if __name__ == "__main__":
    main()
