"""Every scenario, with Taxiway alone, against what the real Flyway did when it was recorded."""

import pytest

from conformance.database import Playground
from conformance.expected import read_expected
from conformance.play import find_differences, play
from conformance.scenario import SCENARIOS, Scenario, read_scenarios
from conformance.tools import Taxiway

_SCENARIOS = read_scenarios()


@pytest.mark.parametrize("scenario", _SCENARIOS, ids=[one.name for one in _SCENARIOS])
def test_taxiway_does_what_was_recorded(scenario: Scenario, playground: Playground) -> None:
    expected = read_expected(SCENARIOS / scenario.name)

    ours = play(scenario, Taxiway(), playground)

    assert find_differences(expected.of("taxiway"), ours) == []


@pytest.mark.parametrize("scenario", _SCENARIOS, ids=[one.name for one in _SCENARIOS])
def test_what_is_recorded_of_taxiway_differs_only_where_that_is_known(scenario: Scenario) -> None:
    expected = read_expected(SCENARIOS / scenario.name)

    assert (expected.taxiway is not None) == (scenario.differs is not None)
    assert expected.taxiway != expected.flyway


def test_there_are_enough_scenarios() -> None:
    assert len(_SCENARIOS) >= 60
