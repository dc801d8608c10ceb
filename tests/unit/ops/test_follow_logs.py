"""A stream is read once, from its first line to its last, whatever the service does."""

from hypothesis import given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.model.task import LogLoss, StaleToken
from taxiway.ops.follow_logs import LogFollower
from taxiway.ops.seams import LogSource
from taxiway.reports.result_line import parse_result_line
from tests.support.fake_aws import DONE, RESULT, THROTTLED, GrowingLog, Notes, ScriptedLogs, page


def follow(logs: LogSource) -> tuple[LogFollower, Notes]:
    return LogFollower(logs, "/taxiway", "run/taxiway/1", parse_report=parse_result_line), Notes()


def test_all_pages_are_read_until_the_token_comes_back() -> None:
    logs = ScriptedLogs([page("a", "1", "2"), page("b", "3"), page("b")])
    follower, notes = follow(logs)
    assert follower.read(notes.on_line) == 3
    assert notes.seen == ["1", "2", "3"]
    assert logs.tokens == [None, "a", "b"]


def test_an_empty_page_with_another_token_is_not_the_end() -> None:
    logs = ScriptedLogs([page("a"), page("b"), page("c", "late"), page("c")])
    follower, notes = follow(logs)
    follower.read(notes.on_line)
    assert notes.seen == ["late"]


def test_the_next_reading_goes_on_where_the_last_one_ended() -> None:
    logs = ScriptedLogs([page("a", "1"), page("a"), page("b", "2"), page("b")])
    follower, notes = follow(logs)
    assert follower.read(notes.on_line) == 1
    assert follower.read(notes.on_line) == 1
    assert logs.tokens == [None, "a", "a", "b"]
    assert notes.seen == ["1", "2"]


def test_two_equal_lines_of_the_same_millisecond_are_two_lines() -> None:
    follower, notes = follow(ScriptedLogs([page("a", "same", "same"), page("a")]))
    follower.read(notes.on_line)
    assert notes.seen == ["same", "same"]


def test_a_stream_that_is_not_there_yet_is_waited_for() -> None:
    follower, notes = follow(ScriptedLogs([None, page("a", "1"), page("a")]))
    assert follower.read(notes.on_line) == 0
    assert follower.end().loss is LogLoss.NEVER_APPEARED
    assert follower.read(notes.on_line) == 1
    assert follower.end().loss is None


def test_a_stream_that_vanishes_is_a_loss_for_good() -> None:
    follower, notes = follow(ScriptedLogs([page("a", "1"), page("a"), None, page("x"), page("x")]))
    for _ in range(3):
        follower.read(notes.on_line)
    assert follower.end().loss is LogLoss.DELETED


def test_a_token_that_became_too_old_costs_no_line_and_doubles_none() -> None:
    logs = ScriptedLogs(
        [page("a", "1", "2"), page("a"), StaleToken(), page("b", "1", "2", "3"), page("c", "4"), page("c")]
    )
    follower, notes = follow(logs)
    follower.read(notes.on_line)
    follower.read(notes.on_line)
    assert notes.seen == ["1", "2", "3", "4"]


def test_an_error_between_two_pages_loses_nothing() -> None:
    logs = ScriptedLogs([page("a", "1"), THROTTLED, page("b", "2"), page("b")])
    follower, notes = follow(logs)
    try:
        follower.read(notes.on_line)
    except errors.AwsThrottled:
        follower.read(notes.on_line)
    assert notes.seen == ["1", "2"]
    assert logs.tokens == [None, "a", "a", "b"]


def test_the_last_result_counts_and_lines_behind_it_do_not_hide_it() -> None:
    forged = "Result: SUCCESS, 9 applied, exit code 0"
    follower, notes = follow(ScriptedLogs([page("a", forged, RESULT, "behind it"), page("a")]))
    follower.read(notes.on_line)
    assert follower.end().report == DONE
    assert follower.end().tail[-1] == "behind it"


@given(st.lists(st.integers(0, 7)))
def test_however_a_log_grows_every_line_comes_once_and_in_order(growth: list[int]) -> None:
    log = GrowingLog()
    follower, notes = follow(log)
    for count in growth:
        log.lines += [str(len(log.lines) + number) for number in range(count)]
        follower.read(notes.on_line)
        assert notes.seen == log.lines
