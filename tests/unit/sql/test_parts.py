"""Scripts that are split while they are read: the same statements, data, places and errors as in one piece."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from taxiway.errors import ScriptError, UnterminatedText
from taxiway.model.script import LineCounter, ReplacedText, Start, Statement
from taxiway.sql.statements import split, split_parts

SIZES = [1, 2, 3, 7, 64]
SCRIPTS = sorted((Path(__file__).parent / "data").glob("*.sql"))
PIECES = [
    *[
        "'",
        "''",
        "\\'",
        "e'",
        "b'",
        "u&'",
        "$$",
        "$a$",
        "a$",
        "1e'",
        '"',
        "--",
        "/*",
        "*/",
        "/",
        "-",
        "(",
        ")",
        "\\",
    ],
    *["e'a'\n", "'b'", "\n", "\r\n", " ", ";", ";", ";\n", "; ", "é", "a", "select ", "/* c; */", "-- c;\n"],
    *["create function f() ", "begin atomic ", "end", "end;", "copy t from stdin;\n", "copy t from stdin;", "1\n"],
    *["\\.\n", "\\.", " \\. \n", "\n\\.x\n", "copy t to stdout", ";copy t to stdout;", "\\restrict a1", "\\q"],
    *["set standard_conforming_strings = off;", "reset all;", "vacuum;", "\n\\unrestrict a1\n"],
]

type Shown = tuple[str, str, str, int, int, int]


def cut(text: str, size: int) -> Iterator[ReplacedText]:
    start = Start()
    for position in range(0, len(text), size):
        piece = text[position : position + size]
        yield ReplacedText(piece, piece, (), start)
        start = start.after(piece)


def shown(statements: Iterator[Statement]) -> tuple[list[Shown], tuple[object, ...] | None]:
    """The statements with their data and places, and the error that ended them."""
    found: list[Shown] = []
    lines = LineCounter()
    try:
        for statement in statements:
            part = statement.part
            assert part.text.startswith(statement.text, statement.offset)
            first, place = part.locate(statement.first_token), part.locate(statement.offset)
            assert first.line == lines.line(statement)
            data = "".join(statement.copy_data)
            found.append((statement.text, statement.kind.value, data, first.line, first.column, place.column))
    except ScriptError as error:
        return found, (type(error), str(error), error.line, error.column, error.hint)
    return found, None


def whole(text: str) -> Iterator[Statement]:
    return split(ReplacedText(text, text), path="x", server_version_num=170000)


def parts(text: str, size: int) -> Iterator[Statement]:
    return split_parts(cut(text, size), path="x", server_version_num=170000, part_length=0)


@settings(max_examples=1500)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.sampled_from(SIZES))
@example("copy t from stdin; copy u from stdin; select 1\n1\n\\.\n2\n\\.\n;select 2", 1)
@example("copy t from stdin; select\n1\n\\.\n", 2)
@example("copy t from stdin;\n1\n  \\.  \nselect 1", 1)
@example("copy t from stdin;\nabc\\.\n\\.x\n\\", 1)
@example("e'a'\n'\\';'; select 1", 3)
@example("copy t to stdoutx; select 1", 7)
@example("\\restrict a1", 1)
@example("\\restrict a1 x\n", 3)
def test_parts_are_split_like_the_whole(text: str, size: int) -> None:
    assert shown(parts(text, size)) == shown(whole(text))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_larger_scripts_are_split_like_the_whole(script: Path, size: int) -> None:
    text = script.read_bytes().decode()
    assert shown(parts(text, size)) == shown(whole(text))


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.sampled_from(SIZES))
def test_data_that_nobody_takes_are_passed_over(text: str, size: int) -> None:
    def texts(statements: Iterator[Statement]) -> list[str]:
        found: list[str] = []
        try:
            found += (statement.text for statement in statements)
        except ScriptError:
            found.append("error")
        return found

    assert texts(parts(text, size)) == texts(whole(text))


def test_data_that_are_taken_in_part_are_passed_over() -> None:
    text = f"copy t from stdin;\n{'1\n' * 1000}\\.\nselect 1;"
    copy, select = (statement for statement in parts(text, 10) if next(iter(statement.copy_data), "1"))
    assert (copy.text, select.text) == ("copy t from stdin", "select 1")


def test_no_more_is_read_than_a_statement_needs() -> None:
    pieces = cut("select 1;\n" * 100, 100)
    first = next(split_parts(pieces, path="x", server_version_num=170000, part_length=0))
    assert len(first.part.text) == 100
    assert next(pieces).start == Start(11, 1)


def test_an_error_of_a_line_is_told_without_reading_on() -> None:
    pieces = cut("select 1;\n\\q\n" + "select 2;\n" * 100, 20)
    statements = split_parts(pieces, path="x", server_version_num=170000, part_length=0)
    with pytest.raises(ScriptError, match="2:1"):
        list(statements)
    assert next(pieces).start.line < 10


def test_a_long_statement_is_not_read_too_often() -> None:
    """Work that grew with the square of the length would take minutes."""
    text = "insert into t values (1);\n" + "select " + "'x', " * 200_000 + "1;\nselect 'x"
    statements = parts(text, 50)
    assert [next(statements).text[:6] for _ in range(2)] == ["insert", "select"]
    with pytest.raises(UnterminatedText):
        next(statements)
