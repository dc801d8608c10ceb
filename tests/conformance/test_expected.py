"""Reading and writing what was observed."""

from pathlib import Path

import pytest

from conformance.answer import Answer, Outcome
from conformance.database import Contents
from conformance.expected import Expected, read_expected, render, write_expected
from conformance.play import Observation, Play, find_differences
from conformance.scenario import read_scenario
from conformance.tools import to_arguments


def _play(*contents: Contents) -> Play:
    answer = Answer(Outcome.OK, ("1|a|SQL|Success|7",))
    return Play(tuple(Observation("info", answer, one) for one in contents), ("CREATE TABLE a ();",))


_EMPTY = Contents((), (), ())
_ONE = Contents(((1, "1", "a", "SQL", "V1__a.sql", -7, "me", True),), ("relation r public.a",), ("a (1)",))


@pytest.mark.parametrize(
    "play", [_play(_EMPTY), _play(_ONE), _play(_EMPTY, _ONE, _ONE, _EMPTY), Play((), ())], ids=str
)
def test_what_is_written_is_read_again(play: Play, tmp_path: Path) -> None:
    expected = Expected(flyway_version="13.1", flyway=play, taxiway=_play(_ONE))

    write_expected(tmp_path, expected)

    assert read_expected(tmp_path) == expected


def test_taxiway_has_to_do_what_flyway_did_unless_something_else_was_recorded() -> None:
    same = Expected(flyway_version="13.1", flyway=_play(_ONE))
    other = Expected(flyway_version="13.1", flyway=_play(_ONE), taxiway=_play(_EMPTY))

    assert same.of("taxiway") is same.flyway
    assert other.of("taxiway") is other.taxiway
    assert other.of("flyway") is other.flyway


def test_a_history_row_is_one_line_of_json() -> None:
    assert render({"history": [[1, None, True]], "rows": []}) == (
        '{\n "history": [\n  [1, null, true]\n ],\n "rows": []\n}'
    )


def test_plays_that_are_equal_have_no_differences() -> None:
    assert find_differences(_play(_ONE), _play(_ONE)) == []


def test_a_difference_names_the_step_and_the_items() -> None:
    (history, objects, rows) = find_differences(_play(_EMPTY, _ONE), _play(_EMPTY, _EMPTY))

    assert history.startswith("step 2 (info), the history:\n  only Flyway   (1, '1', 'a'")
    assert "relation r public.a" in objects
    assert "a (1)" in rows


def test_items_in_another_order_are_a_difference() -> None:
    theirs, ours = (Contents((), lines, ()) for lines in (("a", "b"), ("b", "a")))

    (difference,) = find_differences(_play(theirs), _play(ours))

    assert difference == "step 1 (info), the objects:\n  item 1: Flyway a, Taxiway b"


def test_a_step_with_an_unknown_key_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_text('title = "x"\ntopic = "y"\n[[step]]\ncommand = "info"\nfile = "v1"\n')

    with pytest.raises(ValueError, match="a step has no file"):
        read_scenario(tmp_path)


def test_options_by_flyways_names_become_arguments() -> None:
    options = {"outOfOrder": "true", "placeholders.A_b": "1", "placeholders.c": "2"}

    assert to_arguments(options) == {"out_of_order": "true", "placeholders": {"A_b": "1", "c": "2"}}
