"""A sample of the faults at messages: always the same one. ``make faults`` plays them all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from faults.campaign import RESTART, STALL, Series
from faults.case import BASELINE, CALLBACKS, GROUP, IDLE, MIXED, Case
from faults.place import Place
from faults.points import (
    CLOSE,
    ENDLESS_SILENCE,
    INTERRUPT,
    KILL,
    LASTING_RESET,
    RESET,
    SILENCE,
    TERMINATE,
    Point,
    PointTrial,
    learn,
)
from sandbox.protocol_framing import Direction
from sandbox.protocol_proxy import Moment

SEED = 1
# Small enough for a second or three each, so that workers can share them.
SAMPLE = (
    Series(MIXED, RESET, 4),
    Series(MIXED, KILL, 4),
    Series(MIXED, CLOSE, 2),
    Series(MIXED, LASTING_RESET, 1),
    Series(MIXED, TERMINATE, 3),
    Series(MIXED, INTERRUPT, 3),
    Series(MIXED, SILENCE, 1),
    Series(MIXED, RESTART, 1),
    Series(CALLBACKS, RESET, 2),
    Series(CALLBACKS, KILL, 2),
    Series(GROUP, RESET, 2),
    Series(GROUP, KILL, 2),
    Series(BASELINE, RESET, 2),
    Series(BASELINE, KILL, 2),
    Series(IDLE, STALL, 1),
)

# Startup messages have come and gone, and nothing is under way that may be committed.
EARLY = Point(Direction.TO_SERVER, 5, Moment.AFTER, "Q")


@pytest.fixture(scope="session")
def points(place: Place, folder: Callable[[Case], Path]) -> Callable[[Case], list[Point]]:
    """Those of a case, learnt once."""
    known: dict[str, list[Point]] = {}

    def learnt(case: Case) -> list[Point]:
        if case.name not in known:
            known[case.name] = learn(case, place, folder(case))
        return known[case.name]

    return learnt


@pytest.mark.parametrize("series", SAMPLE, ids=lambda one: f"{one.case.name}: {one.fault.name}")
def test_after_a_fault_at_any_message_everything_is_done_once_or_said(
    series: Series, place: Place, folder: Callable[[Case], Path], points: Callable[[Case], list[Point]]
) -> None:
    directory = folder(series.case)
    chosen = series.choose(points(series.case), seed=SEED, share=1)
    trials = [PointTrial(series.case, point, series.fault).play(place, directory) for point in chosen]
    assert [(trial.what, trial.problems) for trial in trials if trial.problems] == []


def test_a_network_that_swallows_everything_for_ever_ends_the_run_within_the_given_time(
    place: Place, folder: Callable[[Case], Path]
) -> None:
    trial = PointTrial(MIXED, EARLY, ENDLESS_SILENCE).play(place, folder(MIXED))
    assert trial.problems == ()
    assert trial.outcome == "exit 4, `connection-lost`"


def test_a_point_between_two_messages_from_one_side_is_there_once(
    points: Callable[[Case], list[Point]],
) -> None:
    found = points(MIXED)
    after = {(point.direction, point.number) for point in found if point.moment is Moment.AFTER}
    before = [point for point in found if point.moment is Moment.BEFORE]
    assert len(found) == len(set(found))
    # Every message has a point behind it; one before it only where the side that speaks changes.
    assert {point.number for point in found if point.direction is Direction.TO_SERVER} == set(
        range(1, 1 + max(number for direction, number in after if direction is Direction.TO_SERVER))
    )
    assert 2 < len(before) < len(after)
