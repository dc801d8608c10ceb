"""The container's command as a user starts it: a process with the task's environment and nothing else.

git and ssh are the real programs behind wrappers that write down how they were called.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.repository import Branch, make_repository

_WRAPPER = """#!/bin/sh
{{ printf '%s\\n' "$0" "$@"; env; echo; }} >> {record}
exec {program} "$@"
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Both streams."""
        return self.stdout + self.stderr


@dataclass(slots=True)
class Job:
    """A place to run ``taxiway run`` in. ``scratch`` is its HOME and TMPDIR, and must be empty afterwards."""

    directory: Path
    environment: dict[str, str]
    scratch: Path = field(init=False)
    children: Path = field(init=False)

    def __post_init__(self) -> None:
        self.scratch = self.directory / "scratch"
        self.scratch.mkdir()
        self.children = self.directory / "children"
        self.children.touch()
        self._wrap("git", "ssh")

    def run(self, *arguments: str, without: tuple[str, ...] = (), **variables: str) -> Outcome:
        """Run to the end. Variables are added to the environment, those in ``without`` are left out."""
        process = self.start(*arguments, without=without, **variables)
        stdout, stderr = process.communicate(timeout=60)
        return Outcome(process.returncode, stdout, stderr)

    def start(self, *arguments: str, without: tuple[str, ...] = (), **variables: str) -> subprocess.Popen[str]:
        """Start it and come back."""
        environment = {
            "PATH": f"{self._wrappers}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "HOME": str(self.scratch),
            "TMPDIR": str(self.scratch),
            **{name: text for name, text in self.environment.items() if name not in without},
            **variables,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "taxiway", "run", *arguments],
            env=environment,
            cwd=self.scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def left_behind(self) -> list[str]:
        """Files that a run did not remove."""
        return [str(path.relative_to(self.scratch)) for path in self.scratch.rglob("*")]

    @property
    def _wrappers(self) -> Path:
        return self.directory / "bin"

    def _wrap(self, *names: str) -> None:
        self._wrappers.mkdir()
        for name in names:
            wrapper = self._wrappers / name
            program = shutil.which(name)
            wrapper.write_text(_WRAPPER.format(record=self.children, program=program))
            wrapper.chmod(0o755)


def publish(root: Path, name: str, branches: Mapping[str, Mapping[str, str]], work: Path) -> None:
    """Make a repository with these files on these branches; each branch adds to the one before it."""
    made = []
    for branch, files in branches.items():
        added = work / branch
        for path, text in files.items():
            target = added / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        made.append(Branch(name=branch, message=f"Add {branch}", added=added))
    make_repository(root / f"{name}.git", made)
