"""Scripts in pieces: what is replaced, cut and joined is what a whole script would be."""

from collections.abc import Mapping

from hypothesis import example, given
from hypothesis import strategies as st

from taxiway.errors import UnknownPlaceholder
from taxiway.model.rules import Placeholders
from taxiway.model.script import Position, ReplacedText
from taxiway.sql.pieces import replace_pieces

VALUES = {"a": "1", "empty": "", "long": "<\n>"}
SOURCE = [
    "\ufeff",
    "${a}",
    "$\ufeff{a}",
    "${a\ufeff}",
    "${empty}",
    "${long}",
    "$",
    "$$",
    "${",
    "}",
    "x",
    "\n",
    "\r\n",
]


def pieces(*chunks: str, values: Mapping[str, str] = VALUES) -> list[ReplacedText]:
    return list(replace_pieces(chunks, Placeholders(values=values), path="x", filename="x"))


def replaced(source: str, *, values: Mapping[str, str] = VALUES) -> ReplacedText:
    [whole] = pieces(source, values=values)
    return whole


def in_chunks(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]


def places(part: ReplacedText, offset: int = 0) -> list[tuple[str, int, int]]:
    """Each character of the text with the line and column of where it comes from."""
    found: list[Position] = [part.locate(one) for one in range(offset, len(part.text))]
    return [
        (character, place.line, place.column) for character, place in zip(part.text[offset:], found, strict=True)
    ]


@given(st.lists(st.sampled_from(SOURCE), max_size=15).map("".join), st.sampled_from([1, 2, 3, 7]))
@example("$${\n${a}", 1)
@example("$\n${a}${", 2)
@example("${\nx\n}\n", 1)
def test_pieces_are_replaced_like_the_whole(source: str, size: int) -> None:
    assert outcome([source]) == outcome(in_chunks(source, size))


def outcome(chunks: list[str]) -> object:
    """The text with its places, or the error."""
    try:
        found = pieces(*chunks)
    except UnknownPlaceholder as error:
        return str(error), error.line, error.column, error.hint
    joined = ReplacedText.joined(found)
    assert places(joined) == [place for piece in found for place in places(piece)]
    return joined.source, places(joined)


@given(st.lists(st.sampled_from(["\ufeff", "${a}", "${empty}", "${long}", "x", "\n"]), max_size=15), st.data())
def test_what_is_left_behind_an_offset_knows_where_it_comes_from(source: list[str], data: st.DataObject) -> None:
    whole = replaced("".join(source))
    offset = data.draw(st.integers(0, len(whole.text)))
    left = whole.behind(offset)
    assert left.text == whole.text[offset:]
    assert places(left) == places(whole, offset)
    again = data.draw(st.integers(0, len(left.text)))
    assert places(left.behind(again)) == places(whole, offset + again)


def test_what_is_left_keeps_its_line_for_excerpts() -> None:
    left = replaced("select 1;\nselect 2; selec 3;\n").behind(len("select 1;\nselect 2;"))
    place = left.locate(left.text.index("selec"))
    assert (place.line, place.column, place.offset_in_line) == (2, 11, 10)
    assert place.line_text == "select 2; selec 3;"


def test_what_is_left_does_not_keep_a_line_without_end() -> None:
    left = replaced("x" * 10_000 + "; selec 3").behind(10_002)
    place = left.locate(0)
    assert (place.line, place.column) == (1, 10_003)
    assert place.line_text[place.offset_in_line :] == "selec 3"
    assert len(left.source) < 1000


def test_a_prefix_with_a_line_end_is_found_wherever_chunks_end() -> None:
    placeholders = Placeholders(values={"a": "1"}, prefix="\n$", suffix="\n")
    found = replace_pieces("x\n$a\ny", placeholders, path="x", filename="x")
    assert "".join(piece.text for piece in found) == "x1y"


def test_a_text_without_placeholders_is_cut_where_its_chunks_end() -> None:
    assert [piece.text for piece in pieces("select ", "1; ", "select 2")] == ["select ", "1; ", "select 2"]


def test_byte_order_marks_are_dropped_wherever_they_are() -> None:
    assert replaced("\ufeffselect 1;\n\ufeffa\n\ufeff\ufeff-- end\ufeff").text == "select 1;\na\n-- end"


def test_a_byte_order_mark_does_not_split_a_placeholder() -> None:
    assert replaced("select '$\ufeff{\ufeffa}'", values={"a": "1"}).text == "select '1'"


def test_a_byte_order_mark_in_a_value_stays() -> None:
    assert replaced("\ufeffselect '${a}'", values={"a": "\ufeff"}).text == "select '\ufeff'"


@given(
    st.lists(
        st.sampled_from(
            ["\ufeff", "\ufeff", "${a}", "$\ufeff{a}", "${a\ufeff}", "${empty}", "${long}", "x", "\n"]
        ),
        max_size=15,
    )
)
def test_every_offset_leads_back_past_byte_order_marks(pieces: list[str]) -> None:
    source = "-- \n" + "".join(pieces).replace("$$", "$ $")
    whole = replaced(source, values=VALUES)
    assert whole.source == source
    values = {offset for r in whole.replacements for offset in range(r.start, r.end)}
    for offset, character in enumerate(whole.text):
        found = source[whole.source_offset(offset)]
        assert found == ("$" if offset in values else character)
    assert [r.source_start for r in whole.replacements] == sorted(r.source_start for r in whole.replacements)
    assert [r.start for r in whole.replacements] == sorted(r.start for r in whole.replacements)
