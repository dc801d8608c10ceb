"""SIGTERM as an exception, so that every ``with`` and ``finally`` on the way out does its work.

An exception alone is not enough, because it can get lost. A signal handler runs between any two steps of the
main thread; when these belong to a ``__del__``, to the callback of a weak reference (imports have some) or to a
callback from C (a notice of the server), Python reports the exception and goes on as if nothing had happened. So
the request is remembered too, and whoever is about to do something that matters asks :meth:`Termination.check`.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from taxiway.interruption import is_interruption

# How long the last words may take once somebody wants an end: a reader of the output may have stopped reading.
_LAST_WORDS_SECONDS: Final = 1.0


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM).

    A KeyboardInterrupt, because that is what everything in the middle of a wait knows how to make way for, our own
    session included: it cancels the running statement before it lets one pass.
    """


class Termination:
    """Whether this process was asked to end."""

    def __init__(self) -> None:
        self._is_requested = False
        self._is_limited = False

    def check(self) -> None:
        """Go no further if SIGTERM has come and the exception that it raised was lost.

        Raises:
            Terminated: It has.
        """
        if self._is_requested:
            raise Terminated

    def conclude(self) -> None:
        """It is certain how the process ends: a signal that comes now does not change that, nor cut it off unsaid.

        It limits how long saying it may take: a process whose output nobody reads ends by SIGALRM.

        Raises:
            KeyboardInterrupt: A signal has come just before.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            # One that is ignored, by a shell for what runs in the background, stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._limit_last_words)

    @contextmanager
    def listening(self, *, to_the_end: bool = False) -> Iterator[None]:
        """Raise :class:`Terminated` on SIGTERM, but not during the clean-up that an earlier one has set off.

        Must be entered in the main thread, where the exception is raised. ``to_the_end``: the process ends behind
        it, so that what :meth:`conclude` has said of signals goes on to hold.
        """
        interrupt = signal.getsignal(signal.SIGINT)
        handler = signal.signal(signal.SIGTERM, self._on_terminate)
        report = sys.unraisablehook

        def report_others(lost: "sys.UnraisableHookArgs") -> None:
            # A lost Terminated is found by check(); a traceback in the log would only frighten.
            if not isinstance(lost.exc_value, Terminated):
                report(lost)

        sys.unraisablehook = report_others
        try:
            yield
        finally:
            sys.unraisablehook = report
            if not to_the_end:
                signal.signal(signal.SIGTERM, handler)
                signal.signal(signal.SIGINT, interrupt)
                if self._is_limited:
                    signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_terminate(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_requested = True
        if not is_interruption(sys.exception()):
            raise Terminated

    def _limit_last_words(self, _signal: int, _frame: FrameType | None) -> None:
        """From the first signal on: further ones give no more time."""
        if not self._is_limited:
            self._is_limited = True
            signal.setitimer(signal.ITIMER_REAL, _LAST_WORDS_SECONDS)


def ignore_signals() -> None:
    """All is said and written, and the process ends: a signal that comes now is too late to change its exit code.

    Python gives signals back their default action when it ends, which a handler of ours could not prevent.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)
