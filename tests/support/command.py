"""The command as a process of its own, and what its errors have in common."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SECONDS: Final = 60


def run_command(
    *arguments: str, directory: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``taxiway`` to its end. Nothing of the developer's environment reaches it."""
    with running_command(*arguments, directory=directory, environment=environment) as child:
        output, error = child.communicate(timeout=_SECONDS)
    return subprocess.CompletedProcess(child.args, child.returncode, output, error)


@contextmanager
def running_command(
    *arguments: str, directory: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """``taxiway`` while it runs. Killed on the way out."""
    basic = {"PATH": os.defpath, "HOME": str(directory), "TZ": "UTC"}
    child = subprocess.Popen(
        [sys.executable, "-m", "taxiway", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
        env=basic | dict(environment or {}),
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def complaint(result: subprocess.CompletedProcess[str], exit_code: int, code: str) -> str:
    """What an error says: on standard error, with a hint and a code at its end, and without a traceback."""
    assert result.returncode == exit_code, result.stderr
    *_, hint, last = result.stderr.splitlines()
    assert hint.startswith("Hint: ")
    assert last == f"Code: {code}"
    assert result.stderr.startswith("ERROR: ")
    assert "Traceback" not in result.stderr
    return result.stderr
