"""SIGTERM as an exception, so that every ``with`` and ``finally`` on the way out does its work."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM).

    A KeyboardInterrupt, because that is what libraries in the middle of a wait know how to make way for: psycopg
    cancels the running statement before it lets one pass.
    """


@contextmanager
def termination_raises() -> Iterator[None]:
    """Raise :class:`Terminated` on the first SIGTERM; ignore further ones, so that cleaning up ends.

    Must be entered in the main thread, where the exception is raised.
    """

    def on_terminate(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    before = signal.signal(signal.SIGTERM, on_terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
