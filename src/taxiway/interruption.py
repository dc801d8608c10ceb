"""Whether somebody wants the program to end, and waiting so that it is heard.

Ctrl-C raises a KeyboardInterrupt, and so does SIGTERM (:mod:`taxiway.runner.signals`). Python runs the handler of
a signal between two steps of its own: one that comes just before a wait in C begins does not end that wait. So no
wait is longer than a fraction of a second, and is taken up again.
"""

import time
from collections.abc import Iterator
from typing import Final

_LONGEST_WAIT_SECONDS: Final = 0.1


def is_interruption(handled: BaseException | None) -> bool:
    """Whether the exception that is being handled, or one behind it, already stops the program."""
    while handled is not None and not isinstance(handled, KeyboardInterrupt):
        handled = handled.__context__
    return handled is not None


def pieces(seconds: float | None) -> Iterator[float]:
    """The lengths in seconds of the waits that one of so many seconds is made of, or one without an end.

    There is at least one.
    """
    end = None if seconds is None else time.monotonic() + seconds
    left = seconds
    while True:
        yield _LONGEST_WAIT_SECONDS if left is None else max(min(left, _LONGEST_WAIT_SECONDS), 0)
        if end is not None:
            left = end - time.monotonic()
            if left <= 0:
                return


def sleep(seconds: float) -> None:
    """Wait; as :func:`time.sleep`."""
    for piece in pieces(seconds):
        time.sleep(piece)
