"""Watching: status and lines in the order in which they come, to the last one, for as long as it takes."""

import pytest

from taxiway import errors
from taxiway.model.run_report import RunReport
from taxiway.model.task import LogLoss, Task
from taxiway.ops.seams import Aws, LogSource, Wish
from taxiway.ops.watch_task import TaskWatch, TimeLimit, Watched
from taxiway.reports.result_line import parse_result_line, render_result_line
from tests.support.fake_aws import (
    DONE,
    RESULT,
    TARGET,
    THROTTLED,
    FakeClock,
    GrowingLog,
    Notes,
    ScriptedLogs,
    ScriptedTasks,
    ended,
    page,
    task,
)


def watch(
    tasks: ScriptedTasks,
    logs: LogSource,
    notes: Notes,
    *,
    clock: FakeClock | None = None,
    limit: TimeLimit | None = None,
    first: Task | None = None,
) -> Watched:
    return TaskWatch(
        aws=Aws(tasks, logs),
        target=TARGET,
        watcher=notes,
        clock=clock or FakeClock(),
        parse_report=parse_result_line,
        actor="alice",
        limit=limit,
    ).watch(first or task("PROVISIONING"))


def test_a_line_is_shown_before_the_task_has_ended() -> None:
    notes = Notes()
    tasks = ScriptedTasks([[task("RUNNING")], [task("RUNNING")], [ended(0)]])
    logs = ScriptedLogs(
        [None, page("a", "one"), page("a"), page("b", "two"), page("b"), page("c", RESULT), page("c")]
    )
    watched = watch(tasks, logs, notes)
    assert notes.seen == ["[PROVISIONING]", "[RUNNING]", "one", "two", "[STOPPED]", RESULT]
    assert watched.log.report == DONE


def test_lines_that_come_after_the_stop_are_waited_for() -> None:
    """What the log driver still has when ECS says that the task is over: the lines that say why."""
    notes, log = Notes(), GrowingLog()
    clock = FakeClock()

    def arrive() -> None:
        if clock.seconds == 12:
            log.lines += ["late", RESULT, "later"]

    clock.then = arrive
    watched = watch(ScriptedTasks([[ended(0)]]), log, notes, clock=clock)
    assert notes.seen[-3:] == ["late", RESULT, "later"]
    assert watched.log.report == DONE


def test_a_result_that_never_comes_is_not_waited_for_for_ever() -> None:
    clock = FakeClock()
    watched = watch(ScriptedTasks([[ended(1)]]), GrowingLog(["only this"]), Notes(), clock=clock)
    assert watched.log.report is None
    assert clock.seconds < 30


def test_a_task_that_is_shorter_than_one_look_is_shown_whole() -> None:
    notes = Notes()
    watched = watch(ScriptedTasks([[ended(0)]]), GrowingLog(["one", RESULT]), notes, first=ended(0))
    assert notes.seen == ["[STOPPED]", "one", RESULT]
    assert watched.log.report == DONE


def test_a_log_that_never_appears_is_a_loss() -> None:
    watched = watch(ScriptedTasks([[ended(None)]]), ScriptedLogs([None]), Notes())
    assert watched.log.loss is LogLoss.NEVER_APPEARED


def test_a_hundred_thousand_lines_come_whole() -> None:
    notes = Notes()
    log = GrowingLog([f"line {number}" for number in range(100_000)] + [RESULT])
    watched = watch(ScriptedTasks([[ended(0)]]), log, notes)
    assert watched.log.lines == 100_001
    assert notes.seen[1:100_001] == log.lines[:100_000]


def test_there_is_no_limit_of_time() -> None:
    clock = FakeClock()
    days = [[task("RUNNING")]] * 200_000
    watched = watch(ScriptedTasks([*days, [ended(0)]]), GrowingLog([RESULT]), Notes(), clock=clock)
    assert watched.task.is_stopped
    assert clock.seconds > 2 * 24 * 3600


def test_throttling_and_a_lost_network_do_not_end_the_watch() -> None:
    notes = Notes()
    lost = errors.AwsUnreachable("AWS did not answer.")
    tasks = ScriptedTasks([[task("RUNNING")], THROTTLED, lost, [ended(0)]])
    logs = ScriptedLogs([lost, page("a", "one"), THROTTLED, page("b", RESULT), page("b")])
    watched = watch(tasks, logs, notes)
    assert [line for line in notes.seen if not line.startswith("!")] == [
        "[PROVISIONING]",
        "[RUNNING]",
        "one",
        RESULT,
        "[STOPPED]",
    ]
    assert watched.log.report == DONE


def test_aws_that_stays_silent_ends_the_watch_after_a_while() -> None:
    clock = FakeClock()
    with pytest.raises(errors.AwsThrottled):
        watch(ScriptedTasks([THROTTLED]), ScriptedLogs([THROTTLED]), Notes(), clock=clock)
    assert 600 < clock.seconds < 700


def test_a_refusal_ends_the_watch_at_once() -> None:
    denied = errors.AwsAccessDenied("no", action="logs:GetLogEvents", resource="x")
    with pytest.raises(errors.AwsAccessDenied):
        watch(ScriptedTasks([[task()]]), ScriptedLogs([denied]), Notes())


def test_a_task_that_ecs_does_not_know_yet_is_waited_for() -> None:
    watched = watch(ScriptedTasks([[], [], [task("PENDING")], [ended(0)]]), GrowingLog([RESULT]), Notes())
    assert watched.task.is_stopped


def test_a_task_that_ecs_has_forgotten_is_an_error() -> None:
    with pytest.raises(errors.TaskNotFound, match="does not know task"):
        watch(ScriptedTasks([[]]), GrowingLog(), Notes())


def test_whoever_detaches_leaves_the_task_alone() -> None:
    tasks = ScriptedTasks([[task("RUNNING")]])
    watched = watch(tasks, GrowingLog(), Notes(wishes=[Wish.GO_ON, Wish.DETACH]))
    assert watched.is_detached
    assert tasks.stops == []


def test_whoever_stops_the_task_sees_its_end() -> None:
    notes, log = Notes(wishes=[Wish.STOP]), GrowingLog()
    tasks = ScriptedTasks([[task("DEACTIVATING")], [ended(143, stop_code="UserInitiated")]])
    tasks.when_stopped = lambda: log.lines.append("Terminated before anything was changed.")
    watched = watch(tasks, log, notes)
    assert tasks.stops == ["Stopped by alice"]
    assert "Terminated before anything was changed." in notes.seen
    assert not watched.is_detached


def test_a_task_that_takes_too_long_is_stopped_once_and_watched_to_its_end() -> None:
    running = [[task("RUNNING")]] * 70
    tasks = ScriptedTasks([*running, [ended(143, stop_code="UserInitiated")]])
    limit = TimeLimit(deadline=60, stops=True, words="1m")
    watched = watch(tasks, GrowingLog(), Notes(), limit=limit)
    assert tasks.stops == ["Timeout of 1m passed (alice)"]
    assert watched.is_timed_out
    assert watched.task.is_stopped


@pytest.mark.parametrize("limit", [TimeLimit(deadline=0, stops=True, words="1m"), None])
def test_a_stop_that_is_throttled_is_asked_for_again(limit: TimeLimit | None) -> None:
    notes = Notes(wishes=[] if limit else [Wish.STOP])
    tasks = ScriptedTasks([*[[task("RUNNING")]] * 5, [ended(143, stop_code="UserInitiated")]])
    tasks.stop_answers = [THROTTLED, errors.AwsUnreachable("AWS did not answer."), None]
    watched = watch(tasks, GrowingLog(), notes, limit=limit)
    assert tasks.stops == ["Timeout of 1m passed (alice)" if limit else "Stopped by alice"]
    assert watched.task.is_stopped


def test_whoever_does_not_wait_for_the_end_of_the_log_does_not_know_the_result() -> None:
    """Without it the task would be said to contradict itself."""
    log = GrowingLog(["this, and more to come"])
    watched = watch(ScriptedTasks([[ended(0)]]), log, Notes(wishes=[Wish.GO_ON, Wish.DETACH]))
    assert (watched.is_detached, watched.task.is_stopped) == (True, True)


def test_with_the_result_there_is_nothing_left_to_detach_from() -> None:
    clock, log = FakeClock(), GrowingLog(["up"])
    clock.then = lambda: log.lines.append(RESULT) if RESULT not in log.lines else None
    watched = watch(ScriptedTasks([[ended(0)]]), log, Notes(wishes=[Wish.GO_ON, Wish.DETACH]), clock=clock)
    assert (watched.is_detached, watched.log.report) == (False, DONE)


@pytest.mark.parametrize("exit_code", [130, 143])
def test_the_last_word_of_a_task_that_was_stopped_is_waited_for(exit_code: int) -> None:
    clock, log = FakeClock(), GrowingLog(["up"])
    report = RunReport(exit_code=exit_code, applied=0)

    def arrive() -> None:
        if clock.seconds == 12:
            log.lines.append(render_result_line(report))

    clock.then = arrive
    stopped = ended(exit_code, stop_code="UserInitiated")
    watched = watch(ScriptedTasks([[stopped]]), log, Notes(), clock=clock)
    assert watched.log.report == report


def test_a_task_that_takes_too_long_may_go_on_unwatched() -> None:
    tasks = ScriptedTasks([[task("RUNNING")]])
    watched = watch(tasks, GrowingLog(), Notes(), limit=TimeLimit(deadline=60, stops=False, words="1m"))
    assert (watched.is_detached, watched.is_timed_out, tasks.stops) == (True, True, [])


@pytest.mark.parametrize("stops", [False, True])
def test_a_time_limit_does_not_hide_the_log(*, stops: bool) -> None:
    notes = Notes()
    tasks = ScriptedTasks([*[[task("RUNNING")]] * 70, [ended(143, stop_code="UserInitiated")]])
    limit = TimeLimit(deadline=60, stops=stops, words="1m")
    watch(tasks, GrowingLog(["one", "two"]), notes, limit=limit)
    assert [line for line in notes.seen if line in {"one", "two"}] == ["one", "two"]


def test_a_log_that_was_deleted_is_not_waited_for() -> None:
    clock = FakeClock()
    watched = watch(
        ScriptedTasks([[ended(0)]]), ScriptedLogs([page("a", "one"), page("a"), None]), Notes(), clock=clock
    )
    assert watched.log.loss is LogLoss.DELETED
    assert clock.seconds <= 1
