"""The splitter against random text, and against a second one that is slow, simple and written independently."""

import re
from collections.abc import Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st

from taxiway.errors import ScriptError
from taxiway.model.script import ReplacedText, Statement, StatementKind
from taxiway.sql.lexer import BLANKS, Lexer
from taxiway.sql.statements import split

QUOTES = [
    *[
        "'",
        "'",
        "''",
        "\\'",
        "'\\",
        "e'",
        "n'",
        "B'",
        "E'a'",
        "LIKE'",
        "1e'",
        "u&'",
        "$$",
        "$",
        "$a$",
        "a$a$",
        "$1",
        "1",
        '"',
        '""',
    ],
    *[
        "--",
        "\n",
        "\r",
        "/*",
        "*/",
        "/",
        "-",
        "*",
        "(",
        ")",
        "((",
        "))",
        ";",
        ";",
        " ",
        "\t",
        "a",
        "e",
        "_",
        "é",
        ".",
    ],
]
CODE = [
    *[
        "create function f() ",
        "begin atomic ",
        "end",
        "end;",
        "case ",
        ";",
        "; ",
        ";\n",
        "(",
        ")",
        "/* c; */",
        "-- c;\n",
    ],
    *[
        "copy t from stdin;\n",
        "copy t from stdin; ",
        "1\n\\.\n",
        "\n\\restrict a1\n",
        "vacuum",
        "alter table t ",
        "a ",
        ",",
        "'x;'",
        '"y;"',
        "$q$;$q$",
        "select ",
    ],
]

quotes = st.lists(st.sampled_from(QUOTES), max_size=25).map("".join)
code = st.lists(st.sampled_from(CODE), max_size=20).map("".join)


def statements(text: str, *, standard: bool = True) -> list[Statement]:
    replaced = ReplacedText(text, text)
    return list(split(replaced, path="x", server_version_num=170000, standard_conforming_strings=standard))


class NeverClosedError(Exception):
    pass


def find(text: str, what: str, start: int) -> int:
    if (position := text.find(what, start)) < 0:
        raise NeverClosedError
    return position


def is_letter(character: str) -> bool:
    return character >= "\x80" or character == "_" or (character.isascii() and character.isalpha())


def end_of_run(text: str, position: int, more: str) -> int:
    while position < len(text) and (is_letter(text[position]) or text[position] in more):
        position += 1
    return position


def end_of_quotes(text: str, position: int) -> int:
    quote = text[position]
    position = find(text, quote, position + 1)
    while text[position + 1 : position + 2] == quote:
        position = find(text, quote, position + 2)
    return position + 1


def end_of_escapes(text: str, position: int) -> int:
    """From the opening quote on, with the parts that follow on later lines."""
    position += 1
    while text[position : position + 1] != "'" or text[position + 1 : position + 2] == "'":
        if position >= len(text):
            raise NeverClosedError
        position += 2 if text[position] in "\\'" else 1
    between = re.compile(r"(?:[ \t\n\r\f\v]|--[^\n\r]*)*").match(text, position + 1)
    assert between
    goes_on = text[between.end() : between.end() + 1] == "'" and set("\r\n") & set(between[0])
    return end_of_escapes(text, between.end()) if goes_on else position + 1


def end_of_comment(text: str, position: int) -> int:
    depth = 1
    position += 2
    while depth:
        if position >= len(text):
            raise NeverClosedError
        edge = {"/*": 1, "*/": -1}.get(text[position : position + 2], 0)
        depth += edge
        position += 2 if edge else 1
    return position


def end_of_dollars(text: str, position: int) -> int:
    tag = re.compile(r"\$([^\W\d]\w*)?\$").match(text, position)
    return find(text, tag[0], tag.end()) + len(tag[0]) if tag else position + 1


def end_of_token(text: str, position: int, *, standard: bool) -> int:
    two = text[position : position + 2]
    if two in {"e'", "E'"}:
        return end_of_escapes(text, position + 1)
    if two[0] == "'" and not standard:
        return end_of_escapes(text, position)
    if text[position : position + 3].lower() == "u&'":
        return end_of_quotes(text, position + 2)
    if two.lower() in {"b'", "x'"}:
        return find(text, "'", position + 2) + 1
    if is_letter(two[0]):
        return end_of_run(text, position, "0123456789$")
    if number := re.compile(r"\$?[0-9]+").match(text, position):
        end = number.end()
        if two[0] != "$" and text[end : end + 1] == "." and is_letter(text[end + 1 : end + 2]):
            end += 1
        return end_of_run(text, end, "0123456789$") if is_letter(text[end : end + 1]) else end
    if two[0] in "'\"":
        return end_of_quotes(text, position)
    if two == "--":
        return position + len(re.split("[\n\r]", text[position:])[0])
    if two == "/*":
        return end_of_comment(text, position)
    return end_of_dollars(text, position) if two[0] == "$" else position + 1


def expected_texts(text: str, *, standard: bool) -> list[str] | None:
    """The statements; None if something is never closed, or if there is a command of psql."""
    found: list[str] = []
    position = start = depth = 0
    has_code = False
    try:
        while position < len(text):
            end = end_of_token(text, position, standard=standard)
            token = text[position:end]
            if token == "\\":
                return None
            if token == ";" and depth == 0:
                found += [text[start:position].strip(BLANKS)] if has_code else []
                start, has_code = end, False
            elif token.strip(BLANKS) and not token.startswith(("--", "/*")):
                has_code = True
            depth = max(0, depth + {"(": 1, ")": -1}.get(token, 0))
            position = end
    except NeverClosedError:
        return None
    return found + ([text[start:].strip(BLANKS)] if has_code else [])


@settings(max_examples=600)
@given(quotes, st.booleans())
@example("e'a'\n'b\\'c;';d", True)
@example("'a'\n'b\\'c;';d", False)
@example("$1e'\\';'", True)
@example("((((((a;b))))));c", True)
@example("b'\\';u&'\\';n'\\';'", False)
@example("u&'\\'';a", False)
@example("x'\\'';a", False)
@example("1.x'\\';'", False)
@example("$1.x'\\';'", False)
@example("x'''\\';'a", False)
def test_both_splitters_agree(text: str, standard: bool) -> None:
    expected = expected_texts(text, standard=standard)
    try:
        actual = [statement.text for statement in statements(text, standard=standard)]
    except ScriptError:
        actual = None
    assert actual == expected


# Pieces that are whole, put into one another: however deep, they never end a statement.
whole = st.recursive(
    st.sampled_from(["a", "1", "'x;'", "'\\'", "e'\\';'", '"y;"', "$q$;'$q$", "/* ; */", "-- ';\n", "$1", "b''"]),
    lambda inner: st.one_of(
        inner.map("({})".format),
        inner.map("/*{}*/".format).filter(lambda text: text.count("/*") == text.count("*/")),
        inner.filter(lambda text: "$w$" not in text).map("$w${}$w$".format),
        st.lists(inner, max_size=4).map(" ".join),
    ),
    max_leaves=20,
)


@settings(max_examples=300)
@given(st.lists(whole.map("s {}".format), min_size=1, max_size=5))
def test_whatever_is_put_into_statements_they_come_out_again(texts: list[str]) -> None:
    assert [statement.text for statement in statements(" ;\n".join(texts))] == [
        text.strip(BLANKS) for text in texts
    ]


@settings(max_examples=200)
@given(quotes)
def test_tokens_and_marks_agree(text: str) -> None:
    """Two ways through the same text: each mark of the fast one is a token of the slow one."""
    lexer = Lexer(ReplacedText(text, text), path="x")
    try:
        tokens = {token.start: token.form for token in lexer.tokens(0)}
    except ScriptError:
        return
    position = lexer.find_mark(0)
    while position < len(text):
        assert tokens[position] == text[position]
        position = lexer.find_mark(position + 1)


@settings(max_examples=200)
@given(st.one_of(code, quotes, st.text()))
def test_statements_and_what_lies_between_them_are_the_text(text: str) -> None:
    try:
        found = statements(text)
    except ScriptError:
        return
    for statement in found:
        end = statement.offset + len(statement.text)
        assert statement.offset <= statement.first_token < end
        assert text[statement.offset : end] == statement.text == statement.text.strip(BLANKS)
    position = 0
    for start, end in sorted(spans(text, found)):
        assert position <= start
        assert is_nothing(text[position:start])
        position = end
    assert is_nothing(text[position:])


def spans(text: str, found: list[Statement]) -> Iterator[tuple[int, int]]:
    """Where each statement stands, and the data of each COPY with the line that ends them."""
    end_of_data = 0
    for statement in found:
        end = statement.offset + len(statement.text)
        yield statement.offset, end
        if statement.kind is StatementKind.COPY_FROM_STDIN:
            semicolon = text.find(";", end)
            line_end = text.find("\n", semicolon)
            # The data of a second COPY on the line come behind those of the first.
            start = len(text) if min(semicolon, line_end) < 0 else max(line_end + 1, end_of_data)
            data = "".join(statement.copy_data)
            assert text.startswith(data, start)
            end_of_data = end_of_line(text, start + len(data))
            assert text[start + len(data) : end_of_data].strip(BLANKS) in {"", "\\."}
            yield start, end_of_data


def end_of_line(text: str, position: int) -> int:
    return text.find("\n", position) + 1 or len(text)


def is_nothing(text: str) -> bool:
    """Blanks, comments, semicolons and what pg_dump writes; a comment may be cut where a statement begins with it."""
    text = re.sub(r"\\restrict a1\n", "", text)
    return not [token for token in Lexer(ReplacedText(text, text), path="x").tokens(0) if token.form != ";"]


@settings(max_examples=200)
@given(code)
def test_every_statement_alone_is_itself(text: str) -> None:
    """Nothing is carried over from one statement to the next."""
    try:
        found = statements(text)
    except ScriptError:
        return
    for statement in found:
        alone = statements(statement.text)
        assert [(s.text, s.kind) for s in alone] == [(statement.text, statement.kind)]
