"""What is waited for in pieces, and what counts as an interruption."""

import signal
import threading
import time
from itertools import islice

import pytest

from taxiway.interruption import is_interruption, pieces, sleep


def test_a_wait_is_made_of_short_ones() -> None:
    waited = []
    for seconds in pieces(0.25):
        time.sleep(seconds)
        waited.append(seconds)
    assert waited[:2] == [0.1, 0.1]
    assert 0 < waited[2] <= 0.05
    assert all(seconds <= 0.01 for seconds in waited[3:])


def test_a_wait_without_an_end_has_none() -> None:
    assert list(islice(pieces(None), 1000)) == [0.1] * 1000


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_at_all_is_one_look(seconds: float) -> None:
    assert list(pieces(seconds)) == [0]


def test_a_signal_of_another_thread_ends_a_sleep() -> None:
    timer = threading.Timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    started = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        sleep(60)
    assert time.monotonic() - started < 30
    timer.join()


def test_an_interruption_may_be_behind_another_exception() -> None:
    assert is_interruption(KeyboardInterrupt())
    assert not is_interruption(None)
    assert not is_interruption(ValueError())
    wrapped = ValueError()
    wrapped.__context__ = KeyboardInterrupt()
    assert is_interruption(wrapped)
