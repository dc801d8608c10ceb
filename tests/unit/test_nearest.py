"""The name that was probably meant."""

import pytest

from taxiway.nearest import hint_of_names


@pytest.mark.parametrize(
    ("word", "known", "shown", "hint"),
    [
        ("clutser", ["cluster", "other"], None, "Did you mean 'cluster'?"),
        ("xyz", ["b", "a"], None, "There are: a, b."),
        ("xyz", ["subnet-0a", "b"], ["b"], "There are: b."),
        ("subnet-0b", ["subnet-0a", "b"], ["b"], "Did you mean 'subnet-0a'?"),
        ("xyz", ["subnet-0a"], [], "Look elsewhere."),
        ("xyz", [], None, "Look elsewhere."),
    ],
)
def test_a_hint_is_the_nearest_name_or_those_that_there_are(
    word: str, known: list[str], shown: list[str] | None, hint: str
) -> None:
    assert hint_of_names(word, known, shown=shown, otherwise="Look elsewhere.") == hint


def test_a_hint_shows_ten_names_at_the_most() -> None:
    hint = hint_of_names("xyz", [f"name-{number}" for number in range(20)], otherwise="")
    assert hint.count("name-") == 10
