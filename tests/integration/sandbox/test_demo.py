"""``make demo`` that is stopped from outside takes its world down."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.directory import REPOSITORY_ROOT, temporary_directory


def processes_below(directory: Path) -> list[bytes]:
    """Command lines that name the directory, where the system shows them."""
    shown = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            # It has ended meanwhile.
            continue
        if os.fsencode(directory) in line:
            shown.append(line)
    return shown


@pytest.mark.parametrize("moment", ["Building a throw-away world", "$ taxiway run"])
def test_sigterm_ends_every_part_and_removes_the_directory(moment: str) -> None:
    with temporary_directory() as directory:
        demo = subprocess.Popen(
            [sys.executable, "-m", "sandbox.demo"],
            cwd=REPOSITORY_ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with demo:
            assert demo.stdout
            while moment not in demo.stdout.readline():
                assert demo.poll() is None
            demo.send_signal(signal.SIGTERM)
            _, error = demo.communicate(timeout=60)
        assert (demo.returncode, error.strip()) == (143, "Terminated; the world was taken down.")
        assert processes_below(directory) == []
        assert list(directory.iterdir()) == []
