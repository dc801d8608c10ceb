"""Runs at the same time, stops in a statement, servers that fail, secrets: some of each."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from faults import runners, secrets, servers, stops
from faults.case import INDEXED, MIXED, SLOW, Case
from faults.place import Place

# Those that take long, or what a small machine may not have, are for the whole campaign.
QUICK = (
    "fast shutdown and restart, in a statement",
    "the session is ended by an administrator, in a statement",
    "the server is read-only from the start",
    "no connection is left for the database",
    "statement_timeout",
    "the right to write to the history is taken away, in a statement",
    "a statement wants more memory than there is",
)


@pytest.mark.parametrize(("case", "count"), [(SLOW, 2), (INDEXED, 5)], ids=lambda one: getattr(one, "name", one))
def test_one_of_several_runs_applies_and_the_others_find_nothing_to_do(
    case: Case, count: int, place: Place, folder: Callable[[Case], Path]
) -> None:
    trial = runners.play(case, place, folder(case), count=count)
    assert trial.problems == []
    assert trial.outcome.startswith(f"1 applied, {count - 1} had nothing to do")


def test_who_waits_says_for_whom(place: Place, folder: Callable[[Case], Path]) -> None:
    assert runners.find_unnamed(SLOW, place, folder(SLOW)).problems == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_in_a_long_statement_leaves_a_boundary(
    number: signal.Signals, place: Place, folder: Callable[[Case], Path]
) -> None:
    assert stops.play_in_statement(SLOW, place, folder(SLOW), number).problems == ()


def test_a_run_over_tls_may_be_killed_at_any_time(place: Place, folder: Callable[[Case], Path]) -> None:
    for seconds in stops.moments(3, longest=0.1, seed=1):
        trial = stops.play_kill_over_tls(MIXED, place, folder(MIXED), after_seconds=seconds)
        assert trial.problems == ()


def test_a_server_that_fails_is_told_of_and_the_next_run_finishes(tmp_path: Path) -> None:
    chosen = [fault for fault in servers.FAULTS if fault.name in QUICK]
    assert len(chosen) == len(QUICK)
    trials = list(servers.play_all(chosen, tmp_path))
    assert [(trial.what, trial.problems) for trial in trials if trial.problems] == []


def test_no_secret_is_where_it_does_not_belong(tmp_path: Path) -> None:
    trials = list(secrets.play_all(tmp_path))
    assert [(trial.what, trial.problems) for trial in trials if trial.problems] == []
