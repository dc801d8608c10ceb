"""From the output of a container to events of a log stream, as Docker's driver ``awslogs`` does it."""

import os
import select
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event as ThreadEvent
from typing import Final, TypedDict

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html: a batch has at most
# 10,000 events and 1,048,576 bytes, counted as the UTF-8 text of the messages and 26 bytes for each.
_MOST_EVENTS: Final = 10_000
_MOST_BYTES: Final = 1_048_576
_EVENT_OVERHEAD: Final = 26
# Where the driver cuts a line: what was the largest event when it was written.
_LONGEST_LINE: Final = 262_144 - _EVENT_OVERHEAD
_CHUNK: Final = 2**16
_POLL_SECONDS: Final = 0.05


class Event(TypedDict):
    """One line of a log stream. ``timestamp`` in milliseconds since 1970."""

    timestamp: int
    message: str


@dataclass(frozen=True, slots=True)
class Milestone:
    """Something that is done as soon as so many lines were put."""

    lines: int
    action: Callable[[], None]


class LogDriver:
    """Reads output to its end and puts every line.

    A line is put as soon as it was read; while a batch is on its way, the next lines gather. Empty lines are left
    out: CloudWatch has no events without text.
    """

    def __init__(
        self,
        output: int,
        put: Callable[[Sequence[Event]], None],
        *,
        delay_seconds: float = 0,
        milestones: Sequence[Milestone] = (),
    ) -> None:
        """``delay_seconds``: how long every line is held back."""
        self._output, self._put, self._delay = output, put, delay_seconds
        self._milestones = sorted(milestones, key=lambda milestone: milestone.lines)
        self._rest = b""
        self._waiting: deque[tuple[float, Event]] = deque()
        self._count = 0
        self._has_ended = ThreadEvent()

    def container_has_ended(self) -> None:
        """From now on, output that is empty is at its end, even if a process that got away still holds it open."""
        self._has_ended.set()

    def run(self) -> None:
        """Until the end of the output, and until the last line was put."""
        self._pass_milestones()
        while self._read():
            self._deliver()
        self._take(self._rest)
        while self._waiting:
            time.sleep(max(0, self._waiting[-1][0] - time.monotonic()))
            self._deliver()

    def _read(self) -> bool:
        """Take what there is, or nothing after a moment. False at the end."""
        has_ended = self._has_ended.is_set()
        if not select.select([self._output], [], [], _POLL_SECONDS)[0]:
            return not has_ended
        chunk = os.read(self._output, _CHUNK)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._take(line)
        return chunk != b""

    def _take(self, line: bytes) -> None:
        now = time.time()
        for start in range(0, len(line), _LONGEST_LINE):
            message = line[start : start + _LONGEST_LINE].decode(errors="replace")
            event = Event(timestamp=int(now * 1000), message=message)
            self._waiting.append((time.monotonic() + self._delay, event))

    def _deliver(self) -> None:
        due = []
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            due.append(self._waiting.popleft()[1])
        while due:
            until_milestone = self._milestones[0].lines - self._count if self._milestones else len(due)
            for batch in batches(due[:until_milestone]):
                self._put(batch)
            self._count += len(due[:until_milestone])
            due = due[until_milestone:]
            self._pass_milestones()

    def _pass_milestones(self) -> None:
        while self._milestones and self._milestones[0].lines <= self._count:
            self._milestones.pop(0).action()


def batches(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Cut events into what PutLogEvents accepts at a time."""
    batch: list[Event] = []
    size = 0
    for event in events:
        added = len(event["message"].encode()) + _EVENT_OVERHEAD
        if batch and (len(batch) == _MOST_EVENTS or size + added > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += added
    if batch:
        yield batch
