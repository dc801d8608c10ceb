"""Children are watched while they start, and ended by who they are and not only by their number."""

import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.process import ChildProcess, StartFailed, end_kept

_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def start(directory: Path, program: str) -> ChildProcess:
    return ChildProcess("child", [sys.executable, "-c", program], environment={}, log=directory / "log")


def start_stubborn(directory: Path) -> ChildProcess:
    child = start(directory, _STUBBORN)
    child.wait_until(lambda: "ready" in child.log.read_text())
    return child


def test_a_child_that_ends_too_early_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    child = start(tmp_path, "raise SystemExit('no luck')")
    with pytest.raises(StartFailed, match=r"child ended with 1:\nno luck"):
        child.wait_until(lambda: False)


def test_a_child_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    child = start(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(StartFailed, match=r"not ready after 0\.2 s"):
        child.wait_until(lambda: False, seconds=0.2)
    assert child._popen.returncode == -signal.SIGTERM


def test_a_child_that_ignores_the_first_signal_gets_the_next(tmp_path: Path) -> None:
    child = start_stubborn(tmp_path)
    child.stop(seconds=0.2)
    assert child._popen.returncode == -signal.SIGKILL


def test_a_child_knows_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOBODYS_BUSINESS", "1")
    child = start(tmp_path, "import os; print('NOBODYS_BUSINESS' in os.environ)")
    child.wait_until(lambda: "False" in child.log.read_text())
    child.stop()


def test_a_kept_process_is_ended_from_its_record(tmp_path: Path) -> None:
    child = start_stubborn(tmp_path)
    end_kept(child.record(), seconds=0.2)
    assert child._popen.wait(5) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="start times are read from /proc")
def test_a_stranger_with_the_same_id_is_left_alone(tmp_path: Path) -> None:
    child = start_stubborn(tmp_path)
    end_kept(replace(child.record(), started="1"))
    assert child._popen.poll() is None
    child.stop(seconds=0.1)


def test_ending_what_has_ended_is_harmless(tmp_path: Path) -> None:
    child = start_stubborn(tmp_path)
    record = child.record()
    child.stop(seconds=0.1)
    child.stop()
    end_kept(record)
