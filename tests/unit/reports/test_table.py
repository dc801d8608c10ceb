"""Tables keep their frame, whatever is in their cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.reports.table import escape_controls, render_table, width_of


def test_the_table_is_as_wide_as_its_longest_cells() -> None:
    assert render_table(("A", "Bee"), [("long", "x"), ("", "")]) == (
        "+------+-----+\n| A    | Bee |\n+------+-----+\n| long | x   |\n|      |     |\n+------+-----+"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("add users", "add users"),
        ("Größe 表 🚀", "Größe 表 🚀"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31mred\x7f", "\\x1b[31mred\\x7f"),
        ("a\u2028b\x85c", "a\\u2028b\\x85c"),
        ("\u202etxet", "\\u202etxet"),
        ("\udcff", "\\udcff"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("a\N{NO-BREAK SPACE}b", "a\N{NO-BREAK SPACE}b"),
    ],
)
def test_only_what_would_break_a_line_is_escaped(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("Größe", 5),
        ("表", 2),
        ("ﾊﾝｶｸ", 4),
        ("🚀", 2),
        ("e\N{COMBINING ACUTE ACCENT}", 1),
        ("한글", 4),
    ],
)
def test_a_text_is_as_wide_as_a_terminal_shows_it(text: str, columns: int) -> None:
    assert width_of(text) == columns


def test_wide_characters_and_controls_keep_the_frame() -> None:
    assert render_table(("A", "B"), [("表表", "x"), ("a\nb", "y")]) == (
        "+------+---+\n| A    | B |\n+------+---+\n| 表表 | x |\n| a\\nb | y |\n+------+---+"
    )


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_every_line_of_a_table_has_the_same_width(rows: list[tuple[str, str]]) -> None:
    lines = render_table(("A", "B"), rows).split("\n")
    assert len(lines) == len(rows) + 4
    assert {width_of(line) for line in lines} == {len(lines[0])}
