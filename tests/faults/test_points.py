"""A sample of the faults at messages: always the same one. ``make faults`` plays them all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from faults.campaign import RECOVERIES, RESTART, STALL, Series, play_alone
from faults.case import BASELINE, CALLBACKS, GROUP, IDLE, MIXED, Case
from faults.commands import BASELINE as BASELINE_COMMAND
from faults.commands import CLEAN, COMMANDS, REPAIR, UNDO, UNDO_LAST
from faults.job import Job, Migrate
from faults.place import Place
from faults.points import (
    CLOSE,
    ENDLESS_SILENCE,
    INTERRUPT,
    KILL,
    LASTING_RESET,
    RESET,
    SILENCE,
    SILENT_STOP,
    TERMINATE,
    Point,
    PointTrial,
    learn,
)
from faults.trial import Trial
from sandbox.protocol_framing import Direction
from sandbox.protocol_proxy import Moment

SEED = 1
# Small enough for a second or three each, so that workers can share them.
SAMPLE = (
    Series(Migrate(MIXED), RESET, 4),
    Series(Migrate(MIXED), KILL, 4),
    Series(Migrate(MIXED), CLOSE, 2),
    Series(Migrate(MIXED), LASTING_RESET, 1),
    Series(Migrate(MIXED), TERMINATE, 3),
    Series(Migrate(MIXED), INTERRUPT, 3),
    Series(Migrate(MIXED), SILENCE, 1),
    Series(Migrate(MIXED), SILENT_STOP, 2),
    Series(Migrate(CALLBACKS), SILENT_STOP, 1),
    Series(Migrate(MIXED), RESTART, 1),
    Series(Migrate(CALLBACKS), RESET, 2),
    Series(Migrate(CALLBACKS), KILL, 2),
    Series(Migrate(GROUP), RESET, 2),
    Series(Migrate(GROUP), KILL, 2),
    Series(Migrate(BASELINE), RESET, 2),
    Series(Migrate(BASELINE), KILL, 2),
    Series(Migrate(IDLE), STALL, 1),
    *(Series(command, RESET, 1) for command in COMMANDS),
    *(Series(command, KILL, 1) for command in COMMANDS if command is not UNDO_LAST),
    Series(REPAIR, TERMINATE, 1),
    *(Series(job, fault, 1) for job in RECOVERIES for fault in (RESET, KILL)),
)

# Startup messages have come and gone, and nothing is under way that may be committed.
EARLY = Point(Direction.TO_SERVER, 5, Moment.AFTER, "Q")
# Behind the startup message of the second connection
FIRST_QUESTION = Point(Direction.TO_SERVER, 2, Moment.BEFORE, "Q")


@pytest.fixture(scope="session")
def points(place: Place, folder: Callable[[Case], Path]) -> Callable[[Job], list[Point]]:
    """Those of a job, learnt once."""
    known: dict[str, list[Point]] = {}

    def learnt(job: Job) -> list[Point]:
        if job.name not in known:
            known[job.name] = learn(job, place, folder(job.case))
        return known[job.name]

    return learnt


@pytest.mark.parametrize("series", SAMPLE, ids=lambda one: f"{one.job.name}: {one.fault.name}")
def test_after_a_fault_at_any_message_everything_is_done_once_or_said(
    series: Series, place: Place, folder: Callable[[Case], Path], points: Callable[[Job], list[Point]]
) -> None:
    directory = folder(series.job.case)
    chosen = series.choose(points(series.job), seed=SEED, share=1)
    trials = [PointTrial(series.job, point, series.fault).play(place, directory) for point in chosen]
    assert [(trial.what, trial.problems) for trial in trials if trial.problems] == []


def test_a_network_that_swallows_everything_for_ever_ends_the_run_within_the_given_time(
    place: Place, folder: Callable[[Case], Path]
) -> None:
    trial = PointTrial(Migrate(MIXED), EARLY, ENDLESS_SILENCE).play(place, folder(MIXED))
    assert trial.problems == ()
    assert trial.outcome == "exit 4, `connection-lost`"


@pytest.mark.parametrize("job", RECOVERIES, ids=lambda job: job.name)
def test_a_stop_while_the_history_is_asked_leaves_open_what_was_committed(
    job: Job, place: Place, folder: Callable[[Case], Path]
) -> None:
    trial = PointTrial(job, FIRST_QUESTION, TERMINATE).play(place, folder(job.case))
    assert trial.problems == ()
    assert trial.outcome == "exit 143, `terminated`"


def test_a_trial_that_cannot_be_carried_out_is_a_problem_and_no_end(tmp_path: Path) -> None:
    def play(directory: Path) -> Trial:
        raise TimeoutError(f"nobody answers in {directory.name}")

    trial = play_alone(play, "failover", tmp_path / "failover")
    assert trial.what == "failover"
    assert trial.problems == ("the trial failed: TimeoutError: nobody answers in failover",)


def test_a_point_between_two_messages_from_one_side_is_there_once(
    points: Callable[[Job], list[Point]],
) -> None:
    found = points(Migrate(MIXED))
    after = {(point.direction, point.number) for point in found if point.moment is Moment.AFTER}
    before = [point for point in found if point.moment is Moment.BEFORE]
    assert len(found) == len(set(found))
    # Every message has a point behind it; one before it only where the side that speaks changes.
    assert {point.number for point in found if point.direction is Direction.TO_SERVER} == set(
        range(1, 1 + max(number for direction, number in after if direction is Direction.TO_SERVER))
    )
    assert 2 < len(before) < len(after)


def test_what_the_commands_may_leave_is_what_they_are_for(
    points: Callable[[Job], list[Point]],
) -> None:
    for command in COMMANDS:
        assert points(command)
    before, repaired = REPAIR.boundaries
    assert [row[0] for row in before.rows] == [1, 2, 3, 4, 5]
    assert [(row[0], row[3], row[-1]) for row in repaired.rows[3:]] == [(4, "SQL", True), (5, "DELETE", True)]
    assert [row[2] for row in before.rows[:3]] == ["other", "table", "other"]
    assert [row[2] for row in repaired.rows[:3]] == ["table"] * 3
    assert [one.relations[1:] for one in UNDO.boundaries] == [
        ("public.t1", "public.t2", "public.t3"),
        ("public.t1", "public.t2"),
        ("public.t1",),
    ]
    assert [one.relations[1:] for one in UNDO_LAST.boundaries] == [
        ("public.t1", "public.t2", "public.t3"),
        ("public.t1", "public.t2"),
    ]
    assert [[row[3] for row in one.rows] for one in BASELINE_COMMAND.boundaries] == [[], ["BASELINE", "SCHEMA"]]
    assert [one.relations[:2] for one in CLEAN.boundaries] == [
        ("extra.t4", "public.flyway_schema_history"),
        ("extra.t4",),
        (),
    ]


def test_a_command_that_stops_between_two_boundaries_is_found(
    points: Callable[[Job], list[Point]], place: Place, folder: Callable[[Case], Path]
) -> None:
    """A judge that finds nothing proves nothing."""
    assert points(REPAIR)
    REPAIR.prepare(place, folder(REPAIR.case))
    assert list(REPAIR.find_wrong_state(place)) == []
    place.run("DELETE FROM public.flyway_schema_history WHERE NOT success")
    [problem] = REPAIR.find_wrong_state(place)
    assert problem.startswith("at no boundary")
