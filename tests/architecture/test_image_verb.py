"""``python -m image test --may-skip``: what was not tested cannot be overlooked."""

import subprocess
import sys

import pytest

from tests.support.markdown import ROOT

# Loaded before, because Python itself may lie where only root can read.
_AS_NOBODY = """
import os, sys
from image.__main__ import main
if os.geteuid() == 0:
    os.seteuid(65534)
sys.exit(main(sys.argv[1:]))
"""


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As somebody who is not root, for whom no image can be built."""
    command = [sys.executable, "-c", _AS_NOBODY, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [("build",), ("test",)])
def test_an_image_that_cannot_be_built_is_a_failure(arguments: tuple[str, ...]) -> None:
    ended = call(*arguments)
    assert ended.returncode == 1
    assert ended.stderr.startswith("image: not possible: ")


def test_where_it_may_be_skipped_that_is_said_in_a_frame() -> None:
    ended = call("test", "--may-skip")
    assert (ended.returncode, ended.stdout) == (0, "")
    frame, reason, lost, end = ended.stderr.splitlines()
    assert frame == end == "*" * 100
    assert reason.startswith("image: SKIPPED: ")
    assert "NOT built and NOT run" in lost
