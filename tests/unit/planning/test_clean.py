"""Schemas that the history says were created."""

from dataclasses import replace

import pytest

from taxiway.planning.clean import created_schemas
from taxiway.planning.history import schema_marker
from tests.support.builders import applied, schema_row, stored

LISTS = {
    '"a"': {"a"},
    '"a","B c"': {"a", "B c"},
    '"with ""quotes""","a,b"': {'with "quotes"', "a,b"},
    '...","b"': set(),
    '"a","b': set(),
    "a": set(),
    "": set(),
}


@pytest.mark.parametrize(("text", "names"), LISTS.items())
def test_a_list_is_read_as_it_is_written(text: str, names: set[str]) -> None:
    assert created_schemas([replace(schema_row(), script=text)]) == names


def test_the_lists_of_all_rows_count_and_no_other_row() -> None:
    rows = [
        stored(schema_marker(['My"S', "b"], 0, "me")),
        applied("1", '"x"'),
        stored(schema_marker(["c"], 3, "me")),
    ]
    assert created_schemas(rows) == {'My"S', "b", "c"}


def test_of_a_list_that_was_cut_nothing_is_known() -> None:
    long = [f"schema number {number}" for number in range(100)]
    assert created_schemas([stored(schema_marker(long, 0, "me"))]) == set()
