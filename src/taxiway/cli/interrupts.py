"""Ctrl-C while a task is watched: a question, not an end. The task belongs to nobody's terminal.

The signal only leaves a note, which is looked at between two requests: a request that is cut in two could lose or
double lines of the log. A second Ctrl-C before the note was looked at, or while the question is open, is meant: it
is a KeyboardInterrupt, and the command detaches at once.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from taxiway.cli.output import print_aside
from taxiway.ops.seams import Wish

_QUESTION: Final = (
    "The task goes on running. Type 's' to stop it, 'c' to go on watching, or 'd' (or Ctrl-C again) to detach [d]:"
)
_DEFAULT: Final = "d"
_ANSWERS: Final = {
    "s": Wish.STOP,
    "stop": Wish.STOP,
    "c": Wish.GO_ON,
    "continue": Wish.GO_ON,
    "d": Wish.DETACH,
    "detach": Wish.DETACH,
}


class Interrupts:
    """What Ctrl-C has asked for. Without a terminal nobody can be asked: it detaches then."""

    def __init__(self, *, may_ask: bool) -> None:
        self._may_ask = may_ask
        self._is_noted = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note Ctrl-C instead of raising it. Must be entered in the main thread."""
        handler = signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)

    def wish(self, *, is_over: bool = False) -> Wish:
        """What is wanted since the last time. There is nothing to ask about a task that is over.

        Raises:
            KeyboardInterrupt: Ctrl-C came again while the question was open.
        """
        if not self._is_noted:
            return Wish.GO_ON
        wish = self._ask() if self._may_ask and not is_over else Wish.DETACH
        self._is_noted = False
        return wish

    def _ask(self) -> Wish:
        """Until there is an answer. A typing error must not end anything, and who has gone detaches."""
        while True:
            print_aside(_QUESTION)
            line = sys.stdin.readline()
            if not line:
                return Wish.DETACH
            word = line.strip().lower() or _DEFAULT
            if word in _ANSWERS:
                return _ANSWERS[word]
            print_aside(f"'{word}' is no answer to that.")

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        if self._is_noted:
            raise KeyboardInterrupt
        self._is_noted = True


def has_terminal() -> bool:
    """Whether somebody sits there who can be asked: a question needs eyes and hands."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
