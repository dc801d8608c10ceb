"""Faults at every message of a run: the connection is cut there, the process killed, the server restarted."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final, override

from faults.command import Ended, Run
from faults.job import Job
from faults.place import Place
from faults.trial import Part, Trial, give_up
from sandbox.protocol_framing import Direction
from sandbox.protocol_proxy import Action, Cut, FaultAt, Message, Moment, ProtocolProxy

type Strike = Callable[[Place], Callable[[], None]]
"""Something that happens to a server; it returns what takes the cause away."""

# What a run has to end in that was asked to stop
_SECONDS_TO_STOP: Final = 2.0
_STOP_CODES: Final = {signal.SIGTERM: 143, signal.SIGINT: 130}
# So that a run to which nobody answers ends soon
_IMPATIENT: Final = ("-silenceTimeout=1", "-connectRetriesInterval=1")
_CONNECT_TIMEOUT: Final = 2
# Twice silence and a question that is not answered; then, where migrations may be committed, six attempts to
# connect with a second between them; and what a busy machine needs.
_SECONDS_OF_SILENCE: Final = 2 * (1 + _CONNECT_TIMEOUT) + 6 * _CONNECT_TIMEOUT + 5 * 1 + 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is done at a message: a cut, a signal, or a strike at the server; or a cut and a signal.

    Attributes:
        for_ever: The cut is done to every connection from then on.
    """

    name: str
    part: Part
    cut: Cut | None = None
    number: signal.Signals | None = None
    strike: Strike | None = None
    for_ever: bool = False

    @property
    def is_silent(self) -> bool:
        """Nobody is told of it."""
        return self.cut is Cut.BLACK_HOLE


RESET: Final = Fault(name="reset (RST)", part=Part.CUT, cut=Cut.RESET)
CLOSE: Final = Fault(name="closed (FIN)", part=Part.CUT, cut=Cut.CLOSE)
LASTING_RESET: Final = Fault(
    name="reset (RST), and every later connection too", part=Part.CUT, cut=Cut.RESET, for_ever=True
)
SILENCE: Final = Fault(name="this connection", part=Part.SILENCE, cut=Cut.BLACK_HOLE)
ENDLESS_SILENCE: Final = Fault(
    name="this connection and every later one", part=Part.SILENCE, cut=Cut.BLACK_HOLE, for_ever=True
)
SILENT_STOP: Final = Fault(
    name="SIGTERM when nothing is passed on any more",
    part=Part.STOP,
    cut=Cut.BLACK_HOLE,
    number=signal.SIGTERM,
    for_ever=True,
)
KILL: Final = Fault(name="SIGKILL", part=Part.KILL, number=signal.SIGKILL)
TERMINATE: Final = Fault(name="SIGTERM", part=Part.STOP, number=signal.SIGTERM)
INTERRUPT: Final = Fault(name="SIGINT", part=Part.STOP, number=signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Point:
    """One side of a message.

    Attributes:
        number: Counts the messages of its direction, from 1.
        is_end: All is done; what comes is the end of the session.
    """

    direction: Direction
    number: int
    moment: Moment
    type: str
    is_end: bool = False

    def __str__(self) -> str:
        """In words."""
        return f"{self.moment.value} message {self.number} {self.direction.value} ({self.type})"


def learn(job: Job, place: Place, directory: Path) -> list[Point]:
    """Run it once without a fault; every point that differs from all others.

    Between two messages that come one behind the other from the same side there is one point and not two: the same
    has arrived at both sides when it is cut there.

    Raises:
        RuntimeError: The run did not end as it has to.
    """
    job.prepare(place, directory)
    policy = job.policy(place, None)
    with ProtocolProxy(place.server.host, place.server.port, policy=policy, recording=True) as proxy:
        ended = job.start(place.url_through(proxy), directory).wait()
        proxy.wait_until_closed()
        messages = proxy.messages()
    job.learn(ended, place, directory)
    return list(_points([one for one in messages if job.connection in {None, one.connection}]))


def _points(messages: Sequence[Message]) -> Iterator[Point]:
    end = max(index for index, message in enumerate(messages) if message.direction is Direction.TO_CLIENT)
    numbers = dict.fromkeys(Direction, 0)
    last: Direction | None = None
    for index, (_, direction, type_, _, _) in enumerate(messages):
        numbers[direction] += 1
        if direction is not last:
            yield Point(direction, numbers[direction], Moment.BEFORE, type_, is_end=index > end)
        yield Point(direction, numbers[direction], Moment.AFTER, type_, is_end=index >= end)
        last = direction


class _ForEver(FaultAt):
    """Acts at that message, and at all that come later, of whatever connection."""

    @override
    def find_action(self, message: Message, moment: Moment) -> Action | None:
        """The action, from the message on."""
        return self.action if self.hit else super().find_action(message, moment)


@dataclass(slots=True)
class _Broken:
    """A run with a fault, over. ``struck_at`` is when the fault happened."""

    ended: Ended
    is_hit: bool
    struck_at: float

    @property
    def seconds(self) -> float:
        """From the fault to the end of the run."""
        return self.ended.ended_at - self.struck_at


class PointTrial:
    """One fault at one point of a job."""

    def __init__(self, job: Job, point: Point, fault: Fault) -> None:
        self.job, self.point, self.fault = job, point, fault
        self._run: Future[Run] = Future()
        self._struck_at = 0.0

    def play(self, place: Place, directory: Path) -> Trial:
        """Do it, look at what is left, and let the next run finish."""
        self.job.prepare(place, directory)
        broken = self._break(place, directory)
        problems = [] if place.is_left_alone() else ["the session of the run is still there after it"]
        problems += self.job.find_wrong_state(place)
        problems += self._find_wrong_end(broken)
        if self.fault is not KILL:
            problems += self.job.find_lies(broken.ended, place)
        then, further = self.job.finish(place, directory)
        outcome = broken.ended.in_short if broken.is_hit else "the run was over before"
        return Trial(
            part=self.fault.part,
            group=self._group,
            what=self._what,
            outcome=outcome,
            then=then,
            problems=(*problems, *further),
        )

    def given_up(self, error: Exception) -> Trial:
        """What there is to tell when the trial itself could not be carried out."""
        return give_up(self.fault.part, self._group, self._what, error)

    @property
    def _group(self) -> str:
        return f"{self.job.name}: {self.fault.name}"

    @property
    def _what(self) -> str:
        return f"{self._group} {self.point}"

    def _break(self, place: Place, directory: Path) -> _Broken:
        def act(message: Message) -> Cut | None:
            return self._act(place, message)

        fault = (_ForEver if self.fault.for_ever else FaultAt)(
            direction=self.point.direction,
            number=self.point.number,
            moment=self.point.moment,
            action=act,
            with_startup=True,
            connection=self.job.connection,
        )
        options = _IMPATIENT if self.fault.is_silent or self.fault.for_ever else ()
        policy = self.job.policy(place, fault)
        with ProtocolProxy(place.server.host, place.server.port, policy=policy) as proxy:
            url = place.url_through(proxy)
            if self.fault.is_silent:
                url += f"&connect_timeout={_CONNECT_TIMEOUT}"
            run = self.job.start(url, directory, *options)
            self._run.set_result(run)
            ended = run.wait()
        return _Broken(ended, fault.hit is not None, self._struck_at)

    def _act(self, place: Place, _message: Message) -> Cut | None:
        run = self._run.result()
        if self._struck_at:
            return self.fault.cut
        self._struck_at = time.monotonic()
        if self.fault.strike:
            self.fault.strike(place)()
        if self.fault.number:
            run.process.send_signal(self.fault.number)
        if self.fault is KILL:
            run.process.wait()
            # What was written before still arrives; killed before a message, that one is lost and all behind it.
            return Cut.CLOSE if self.point.moment is Moment.BEFORE else None
        return self.fault.cut

    def _find_wrong_end(self, broken: _Broken) -> Iterator[str]:
        if not broken.is_hit or self.fault is KILL:
            return
        if self.fault.number:
            yield from _find_wrong_stop(broken, self.fault.number, may_be_done=self.point.is_end)
            return
        yield from self.job.find_wrong_loss(broken.ended, can_ask=not self.fault.for_ever)
        if self.fault.is_silent and broken.seconds > _SECONDS_OF_SILENCE:
            yield f"it took {broken.seconds:.1f} s to give up"


def _find_wrong_stop(broken: _Broken, number: signal.Signals, *, may_be_done: bool) -> Iterator[str]:
    ended = broken.ended
    if broken.seconds > _SECONDS_TO_STOP:
        yield f"it took {broken.seconds:.1f} s to stop"
    if ended.exit_code != _STOP_CODES[number] and not (may_be_done and ended.exit_code == 0):
        yield f"exit {ended.exit_code} after {number.name}: {ended.message} {ended.stderr[-500:]}"
