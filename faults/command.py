"""The real command line as a child process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from faults.case import Case

_PROGRAM: Final = Path(sys.executable).parent / "taxiway"
_PATIENCE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that is over. ``exit_code`` is negative when a signal of the kernel's ended it."""

    exit_code: int
    stdout: str
    stderr: str
    ended_at: float

    @property
    def answer(self) -> Mapping[str, Any]:
        """The JSON that it has written; empty if it has written none."""
        try:
            found = json.loads(self.stdout)
        except json.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def error(self) -> Mapping[str, Any]:
        """What the JSON says of a failure."""
        found: Mapping[str, Any] = self.answer.get("error") or {}
        return found

    @property
    def code(self) -> str:
        """Of the error; empty without one."""
        return str(self.error.get("taxiwayCode", ""))

    @property
    def message(self) -> str:
        """Of the error, with its hint."""
        told = f"{self.error.get('message', '')} {self.error.get('hint') or ''}".strip()
        # A stop that comes when the result is out is told on standard error.
        return told or (self.stderr.strip() if self.exit_code > 0 else "")

    @property
    def applied(self) -> list[str]:
        """The scripts that it says to have applied."""
        return [Path(one["filepath"]).name for one in self.answer.get("migrations") or ()]

    @property
    def in_short(self) -> str:
        """How it ended, in a few words."""
        if self.exit_code < 0:
            return "killed"
        return f"exit {self.exit_code}" + (f", `{self.code}`" if self.code else "")


def hear_interruptions() -> None:
    """Hear SIGINT where a shell in the background has us ignore it: every run would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Run:
    """A run that is under way."""

    def __init__(self, arguments: Sequence[str | Path], directory: Path, variables: Mapping[str, str]) -> None:
        environment = {"PATH": os.defpath, "HOME": str(directory), "LANG": "C.UTF-8", "TZ": "UTC", **variables}
        self.process = subprocess.Popen(
            [_PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=directory,
        )

    def wait(self, *, seconds: float = _PATIENCE_SECONDS) -> Ended:
        """Its end. A run that hangs is killed, and has the exit code of that."""
        try:
            stdout, stderr = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            stderr += f"\nHUNG: it had not ended after {seconds:g} seconds"
        return Ended(exit_code=self.process.returncode, stdout=stdout, stderr=stderr, ended_at=time.monotonic())


def start(
    command: str,
    case: Case,
    url: str,
    directory: Path,
    *options: str,
    as_text: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Run:
    """Start ``taxiway COMMAND`` on the scripts of a case, which lie in ``directory``."""
    arguments = [
        command,
        f"-url={url}",
        f"-locations=filesystem:{directory}",
        *([] if as_text else ["-outputType=json"]),
        *case.options,
        *options,
    ]
    return Run(arguments, directory, variables or {})
