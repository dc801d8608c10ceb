"""What programs are told, and how their end is worded."""

import pytest

from taxiway.engine.programs import ProgramFailed, placeholder_variables
from taxiway.model.rules import Placeholders
from taxiway.secret import Secret


def test_every_placeholder_is_a_variable_and_empty_ones_are_left_out() -> None:
    placeholders = Placeholders(
        values={"Color": "red", "a:b": "c", "none": "", "pw": Secret("s"), "no": Secret("")},
        built_in={"flyway:table": "history"},
    )
    assert placeholder_variables(placeholders, "V1__x.sh") == {
        "FP__flyway_table__": "history",
        "FP__flyway_filename__": "V1__x.sh",
        "FP__Color__": "red",
        "FP__a_b__": "c",
        "FP__pw__": Secret("s"),
    }


def test_prefix_suffix_and_separator_are_settings() -> None:
    placeholders = Placeholders(
        built_in={"flyway.table": "history"}, separator=".", script_prefix="P_", script_suffix=""
    )
    assert placeholder_variables(placeholders, "x") == {"P_flyway.table": "history", "P_flyway.filename": "x"}


@pytest.mark.parametrize(
    ("status", "words"), [(3, "the program ended with status 3"), (-15, "the program was ended by signal 15")]
)
def test_the_end_of_a_program_in_words(status: int, words: str) -> None:
    assert str(ProgramFailed(status)) == words
