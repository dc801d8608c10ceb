"""Reading a stream while it grows: every line once, in order, from the first to the last.

The place in the stream is the token that CloudWatch Logs gives with each answer, never a time: several lines have
the same millisecond. The stream has been read to its present end when an answer has the token that was asked with
(GetLogEvents, API reference); an empty page alone says nothing.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from taxiway.model.run_report import RunReport
from taxiway.model.task import LogEnd, LogEvent, LogLoss, StaleToken
from taxiway.ops.seams import LogSource

_TAIL_LINES: Final = 20


class LogFollower:
    """One stream, and how far it was read. ``parse_report`` finds the result in a line of the log."""

    def __init__(
        self, logs: LogSource, group: str, stream: str, *, parse_report: Callable[[str], RunReport | None]
    ) -> None:
        """Nothing is read yet."""
        self._logs, self._group, self._stream, self._parse = logs, group, stream, parse_report
        self._token: str | None = None
        self._lines, self._skip = 0, 0
        self._was_there, self._is_gone = False, False
        self._report: RunReport | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)

    @property
    def report(self) -> RunReport | None:
        """The last result that was read."""
        return self._report

    @property
    def is_gone(self) -> bool:
        """The stream was there, and is not any more: nothing will come."""
        return self._is_gone

    def read(self, on_line: Callable[[LogEvent], None]) -> int:
        """Hand on every line that has come since the last time; how many these are.

        An interruption in the middle of it may let a page come twice, so that nobody may interrupt it: whoever
        wants to stop is asked between two readings.

        Raises:
            AwsError: AWS refused or could not be asked; nothing is lost, and the next reading goes on from there.
        """
        before = self._lines
        while self._read_page(on_line):
            pass
        return self._lines - before

    def end(self) -> LogEnd:
        """What the log has told so far."""
        loss = LogLoss.DELETED if self._is_gone else None if self._was_there else LogLoss.NEVER_APPEARED
        return LogEnd(report=self._report, lines=self._lines, loss=loss, tail=tuple(self._tail))

    def _read_page(self, on_line: Callable[[LogEvent], None]) -> bool:
        """Whether there may be more."""
        try:
            page = self._logs.read(self._group, self._stream, self._token)
        except StaleToken:
            # From the beginning, without what was handed on already.
            self._token, self._skip = None, self._lines
            return True
        if page is None:
            self._is_gone = self._was_there
            return False
        self._was_there = True
        skipped = min(self._skip, len(page.events))
        self._skip -= skipped
        for event in page.events[skipped:]:
            self._hand_on(event, on_line)
        is_at_its_end = page.token == self._token
        self._token = page.token
        return not is_at_its_end

    def _hand_on(self, event: LogEvent, on_line: Callable[[LogEvent], None]) -> None:
        self._lines += 1
        self._tail.append(event.message)
        self._report = self._parse(event.message) or self._report
        on_line(event)
