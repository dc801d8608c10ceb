"""SIGTERM ends the program once, even when Python swallows the exception that it raised."""

import signal

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


def test_the_handler_of_before_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Termination().listening():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
