"""What starting costs, and what is imported for it."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.measure import Command, Sample, take_sample
from bench.tools import Taxiway
from sandbox.world import World

_LIMIT_SECONDS: Final = 60.0
_LINE: Final = re.compile(r"import time:\s*(?P<own>\d+) \|\s*\d+ \|\s*(?P<module>\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCost:
    """A package with everything below it. Time is that of ``-X importtime``, which adds some of its own."""

    package: str
    modules: int
    milliseconds: float


def measure_starts(*, runs: int) -> dict[str, list[Sample]]:
    """Samples by command, in turns, the first of each thrown away; the last is the container's job.

    That job has everything: AWS, git over SSH, TLS, three commands. Nothing is pending for it.
    """
    python = sys.executable
    lines: dict[str, Sequence[str | Path]] = {
        "python -c pass": [python, "-c", "pass"],
        "python -c 'import taxiway'": [python, "-c", "import taxiway"],
        "taxiway --version": [Taxiway.program, "--version"],
        "taxiway --help": [Taxiway.program, "--help"],
        "taxiway run, nothing pending": [Taxiway.program, "run"],
    }
    with World() as world:
        commands = {title: _in_world(arguments, world) for title, arguments in lines.items()}
        samples: dict[str, list[Sample]] = {title: [] for title in commands}
        for _ in range(runs + 1):
            for title, command in commands.items():
                samples[title].append(take_sample(command, limit_seconds=_LIMIT_SECONDS))
    return {title: taken[1:] for title, taken in samples.items()}


def _in_world(arguments: Sequence[str | Path], world: World) -> Command:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(world.directory),
        "TMPDIR": str(world.directory),
        **world.task_environment(),
    }
    return Command(arguments=arguments, environment=environment, directory=world.directory)


def profile_imports(command: Command) -> tuple[ImportCost, ...]:
    """What a command of ours imports, by package, the dearest first."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", *command.arguments],
        env=dict(command.environment),
        cwd=command.directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        text=True,
    )
    return parse_import_times(ended.stderr)


def parse_import_times(text: str) -> tuple[ImportCost, ...]:
    """The table that ``-X importtime`` writes, summed up by package."""
    own: dict[str, list[int]] = defaultdict(list)
    for found in _LINE.finditer(text):
        own[found["module"].partition(".")[0]].append(int(found["own"]))
    costs = (
        ImportCost(package=package, modules=len(times), milliseconds=sum(times) / 1000)
        for package, times in own.items()
    )
    return tuple(sorted(costs, key=lambda cost: (-cost.milliseconds, cost.package)))
