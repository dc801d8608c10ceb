"""The compatibility page."""

import pytest

from conformance.page import PAGE, Row, read_rows, render, render_current
from conformance.scenario import Difference, Scenario, Step

_STRICTER = Difference(group="stricter", taxiway="an error", flyway="skipped", why="a mistake", restore="off")


def _scenario(name: str, *, differs: Difference | None = None) -> Scenario:
    return Scenario(name=name, title=f"About {name}", topic="SQL", steps=(Step(command="info"),), differs=differs)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render_current(), "run: python -m conformance.page"


def test_a_scenario_in_which_the_tools_agree_stands_below_its_topic() -> None:
    page = render([_scenario("copy")], [], version="13.1")

    assert "### SQL\n\n- About copy (`copy`)\n" in page


def test_a_scenario_that_differs_is_a_row_with_its_reason_and_its_name() -> None:
    scenarios = [_scenario("copy", differs=_STRICTER)]

    page = render(scenarios, read_rows(scenarios), version="13.1")

    assert "| an error | skipped | a mistake | off | `copy` |" in page
    assert "- About copy" not in page


def test_a_difference_that_no_scenario_shows_says_so() -> None:
    page = render([], [Row(_STRICTER)], version="13.1")

    assert "| an error | skipped | a mistake | off | none |" in page


def test_a_difference_has_to_belong_to_a_section() -> None:
    unknown = Difference(group="odd", taxiway="", flyway="", why="")

    with pytest.raises(ValueError, match="odd"):
        render([], [Row(unknown)], version="13.1")
