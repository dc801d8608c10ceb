"""Which entries info shows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from taxiway.model.info import MigrationState
from taxiway.model.rules import InfoFilter, Policy
from taxiway.model.version import MigrationVersion
from taxiway.planning.filter import filter_infos
from taxiway.planning.reconcile import reconcile
from tests.support.builders import NOON, applied, history, repeatable, resolved, states, undo

HOUR = timedelta(hours=1)
ROWS = history(
    applied("1"), replace(applied("2"), installed_on=NOON + HOUR), replace(applied(None, "a"), installed_on=NOON)
)
FILES = [resolved("1"), resolved("2"), resolved("3"), repeatable("a"), repeatable("b"), undo("1")]

ONE, TWO, A = "1 Success", "2 Success", "a Success"
THREE, B = "3 Pending", "b Pending"
UNDO = "U1 Available"

FILTERS = {
    "none": (InfoFilter(), [ONE, TWO, A, UNDO, THREE, B]),
    "since a date, which is excluded": (InfoFilter(since_date=NOON), [TWO, UNDO, THREE, B]),
    "until a date, which is excluded": (InfoFilter(until_date=NOON + HOUR), [ONE, A, UNDO]),
    "between dates": (InfoFilter(since_date=NOON - HOUR, until_date=NOON + HOUR), [ONE, A, UNDO]),
    "since a version": (InfoFilter(since_version=MigrationVersion("2")), [TWO, A, UNDO, THREE, B]),
    "until a version": (InfoFilter(until_version=MigrationVersion("2.0")), [ONE, TWO, UNDO]),
    "a state": (InfoFilter(states=frozenset({MigrationState.PENDING})), [UNDO, THREE, B]),
    "two states": (
        InfoFilter(states=frozenset({MigrationState.PENDING, MigrationState.SUCCESS})),
        [ONE, TWO, A, UNDO, THREE, B],
    ),
    "everything has to fit": (
        InfoFilter(states=frozenset({MigrationState.SUCCESS}), since_version=MigrationVersion("2")),
        [TWO, A, UNDO],
    ),
}


@pytest.mark.parametrize(("wanted", "expected"), FILTERS.values(), ids=FILTERS)
def test_what_passes(wanted: InfoFilter, expected: list[str]) -> None:
    infos = reconcile(FILES, ROWS, Policy())
    assert states(filter_infos(infos, wanted)) == expected
