"""A run that is asked to stop in the middle of a long statement, or killed there; over TLS too."""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from faults.case import Case
from faults.command import start
from faults.finish import finish
from faults.place import Place
from faults.trial import Part, Trial
from faults.truth import find_lies, find_wrong_state

_SECONDS_TO_STOP: Final = 2.0
_SECONDS_TO_FIND_OUT: Final = 8.0
_CODES: Final = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}


def play_in_statement(case: Case, place: Place, directory: Path, number: signal.Signals) -> Trial:
    """Send a signal while the server is at a statement of a minute."""
    place.reset(case.setup)
    place.set_pace(60)
    run = start("migrate", case, place.url(), directory)
    place.wait_for_sleep()
    sent_at = time.monotonic()
    run.process.send_signal(number)
    ended = run.wait()
    seconds = ended.ended_at - sent_at
    problems = [*_find_wrong_stop(ended.exit_code, number, seconds)]
    # Nobody is left to cancel the statement of a killed run: the server has to find out.
    if not place.is_left_alone(seconds=_SECONDS_TO_FIND_OUT if number is signal.SIGKILL else _SECONDS_TO_STOP):
        problems.append("the session of the run is still there")
    state = place.look()
    problems += find_wrong_state(case, state)
    if number is not signal.SIGKILL:
        problems += find_lies(case, ended, state)
    place.set_pace(0)
    then, further = finish(case, place, state, directory)
    return Trial(
        part=Part.KILL if number is signal.SIGKILL else Part.STOP,
        group=f"in a long statement, {number.name}",
        what=f"{case.name}: {number.name} in a statement of a minute",
        outcome=ended.in_short if number is signal.SIGKILL else f"{ended.in_short}, within 2 s",
        then=then,
        problems=(*problems, *further),
    )


def _find_wrong_stop(exit_code: int, number: signal.Signals, seconds: float) -> Iterator[str]:
    if exit_code != _CODES[number]:
        yield f"exit {exit_code} instead of {_CODES[number]}"
    if seconds > _SECONDS_TO_STOP:
        yield f"it took {seconds:.1f} s to stop"


def play_kill_over_tls(case: Case, place: Place, directory: Path, *, after_seconds: float) -> Trial:
    """Kill a run that speaks TLS, so many seconds after its session began: no proxy can see its messages."""
    place.reset(case.setup)
    run = start("migrate", case, place.url(), directory)
    deadline = time.monotonic() + 10
    while not place.sessions() and run.process.poll() is None and time.monotonic() < deadline:
        pass
    time.sleep(after_seconds)
    run.process.kill()
    ended = run.wait()
    problems = [] if place.is_left_alone() else ["the session of the run is still there after it"]
    state = place.look()
    problems += find_wrong_state(case, state)
    then, further = finish(case, place, state, directory)
    return Trial(
        part=Part.KILL,
        group=f"{case.name}, over TLS, at any time",
        what=f"{case.name}: SIGKILL {after_seconds * 1000:.1f} ms after its session began, over TLS",
        outcome=ended.in_short,
        then=then,
        problems=(*problems, *further),
    )


def moments(count: int, *, longest: float, seed: int) -> list[float]:
    """So many times up to the longest."""
    generator = random.Random(seed)
    return [generator.uniform(0, longest) for _ in range(count)]
