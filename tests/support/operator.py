"""Whoever starts tasks: the installed command with a taxiway.toml and AWS credentials, and nothing of the job."""

import json
import os
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.account import Account

_COMMAND: Final = Path(sysconfig.get_path("scripts")) / "taxiway"
_SECONDS: Final = 90

# By Name tag and group name, as people write them.
_FILE: Final = """
[task]
cluster = "{cluster}"
task_definition = "{family}"
subnets = ["taxiway-private-a", "taxiway-private-b"]
security_groups = ["taxiway-task"]
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What is on standard output."""
        return json.loads(self.stdout)

    @property
    def code(self) -> str | None:
        """That of the error, if there was one."""
        last = self.stderr.splitlines()[-1] if self.stderr else ""
        return last.removeprefix("Code: ") if last.startswith("Code: ") else None


def run_to_end(
    command: Sequence[str | Path], *, directory: Path, environment: Mapping[str, str], stdin: str, seconds: float
) -> Ended:
    """Run a command, in that environment and no other."""
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        cwd=directory,
        env=environment,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@dataclass(slots=True)
class Operator:
    """Calls ``taxiway task``, or another group of commands. ``outputs`` has all that was ever printed.

    ``file`` is the text of ``taxiway.toml``; without it, it names everything of the account.
    """

    directory: Path
    account: Account
    environment: Mapping[str, str]
    actor: str = "alice"
    file: str | None = None
    group: str = "task"
    outputs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write(self.file or _FILE.format(cluster=self.account.cluster, family=self.account.family))

    def write(self, text: str) -> None:
        """Another ``taxiway.toml``."""
        (self.directory / "taxiway.toml").write_text(text)

    def call(self, *arguments: str, **variables: str) -> Ended:
        """Run ``taxiway task …`` to its end."""
        with self.calling(*arguments, **variables) as process:
            return self.finish(process)

    def finish(self, process: subprocess.Popen[str], *, before: str = "") -> Ended:
        """Wait for the end. ``before`` is what was read of its output already."""
        stdout, stderr = process.communicate(timeout=_SECONDS)
        ended = Ended(process.returncode, before + stdout, stderr)
        self.outputs.append(ended.stdout + ended.stderr)
        return ended

    @contextmanager
    def calling(self, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
        """``taxiway task …`` while it runs. Killed on the way out."""
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.directory),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "TAXIWAY_ACTOR": self.actor,
            **self.environment,
            **variables,
        }
        process = subprocess.Popen(
            [_COMMAND, self.group, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env=environment,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What a process prints up to the first line that has the words."""
    assert process.stdout
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    raise AssertionError(f"{words!r} was never printed:\n{read}\n{process.stderr and process.stderr.read()}")
