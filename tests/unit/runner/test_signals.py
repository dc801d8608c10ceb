"""SIGTERM ends the program once, even when Python swallows the exception that it raised."""

import signal
import subprocess
import sys
import time

import pytest

from taxiway.runner.signals import Terminated, Termination


class Swallows:
    """Gets SIGTERM in a place whose exceptions Python reports and forgets."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_is_an_exception() -> None:
    with pytest.raises(Terminated), Termination().listening():
        signal.raise_signal(signal.SIGTERM)


def test_a_swallowed_exception_is_raised_again_by_the_next_check(capsys: pytest.CaptureFixture[str]) -> None:
    termination = Termination()
    with termination.listening():
        termination.check()
        Swallows()
        with pytest.raises(Terminated):
            termination.check()
    assert capsys.readouterr().err == ""


def test_a_second_signal_is_heard_when_the_first_was_swallowed() -> None:
    with Termination().listening():
        Swallows()
        with pytest.raises(Terminated):
            signal.raise_signal(signal.SIGTERM)


def test_cleaning_up_is_not_interrupted_by_further_signals() -> None:
    cleaned_up = False

    def work() -> None:
        nonlocal cleaned_up
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            try:
                int("no number")
            except ValueError:
                signal.raise_signal(signal.SIGTERM)
            cleaned_up = True

    with Termination().listening(), pytest.raises(Terminated):
        work()
    assert cleaned_up


BOTH = (signal.SIGTERM, signal.SIGINT)


def check_version_is_said(program: str) -> None:
    """A Python program that prints the version ends with 0, and without another word."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("taxiway ")


@pytest.mark.parametrize("number", BOTH)
def test_what_is_certain_is_said_to_the_end_and_within_a_second(number: signal.Signals) -> None:
    termination = Termination()
    with termination.listening():
        termination.conclude()
        signal.raise_signal(number)
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= 1
        time.sleep(0.05)
        signal.raise_signal(number)
        assert signal.getitimer(signal.ITIMER_REAL)[0] < left - 0.04
        termination.check()
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_at_the_very_end_does_not_change_the_exit_code(number: signal.Signals) -> None:
    program = (
        "import signal, sys; from taxiway.cli.main import run; code = run(['--version'], ends_process=True); "
        f"signal.raise_signal({int(number)}); sys.exit(code)"
    )
    check_version_is_said(program)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_while_python_ends_does_not_change_the_exit_code_either(number: signal.Signals) -> None:
    # What sys holds goes last, when Python has given the signals back their default action.
    program = (
        "import os, sys\n"
        "class Last:\n"
        f"    def __del__(self, kill=os.kill, process=os.getpid()): kill(process, {int(number)})\n"
        "sys.last_of_all, sys.argv = Last(), ['taxiway', '--version']\n"
        "from taxiway.__main__ import main; main()"
    )
    check_version_is_said(program)


@pytest.mark.parametrize("number", BOTH)
def test_a_process_whose_output_nobody_reads_ends_all_the_same(number: signal.Signals) -> None:
    program = (
        "import sys; from taxiway.runner.signals import Termination; termination = Termination()\n"
        "with termination.listening(to_the_end=True): termination.conclude()\n"
        "print('certain', file=sys.stderr, flush=True); sys.stdout.buffer.write(bytes(1_000_000))"
    )
    # -E: with PYTHONUNBUFFERED, a signal ends such a write early.
    call = [sys.executable, "-E", "-c", program]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stderr
        child.stderr.readline()
        child.send_signal(number)
        assert child.wait(timeout=20) == -signal.SIGALRM


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        termination = Termination()
        with termination.listening():
            termination.conclude()
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(number) for number in BOTH]
    termination = Termination()
    with termination.listening():
        termination.conclude()
        assert all(signal.getsignal(number) not in before for number in BOTH)
    assert [signal.getsignal(number) for number in BOTH] == before
