"""The splitter against random text, and against a second one that is slow, simple and written independently."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from taxiway.errors import UnterminatedText
from taxiway.model.script import ReplacedText, Statement, StatementKind
from taxiway.sql.lexer import BLANKS, Lexer
from taxiway.sql.statements import split

QUOTES = [
    *[
        "'",
        "'",
        "''",
        "\\'",
        "\\",
        "e'",
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
        "\n\\.\n",
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


def statements(text: str) -> list[Statement]:
    return list(split(ReplacedText(text, text), path="x", server_version_num=170000))


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


def end_of_token(text: str, position: int) -> int:
    two = text[position : position + 2]
    if two in {"e'", "E'"}:
        return end_of_escapes(text, position + 1)
    if is_letter(two[0]):
        return end_of_run(text, position, "0123456789$")
    if two[0].isdigit():
        end = position + len(re.split("[^0-9]", text[position:])[0])
        return end_of_run(text, end, "0123456789$") if is_letter(text[end : end + 1]) else end
    if two[0] in "'\"":
        return end_of_quotes(text, position)
    if two == "--":
        return position + len(re.split("[\n\r]", text[position:])[0])
    if two == "/*":
        return end_of_comment(text, position)
    return end_of_dollars(text, position) if two[0] == "$" else position + 1


def expected_texts(text: str) -> list[str] | None:
    """The statements; None if something is never closed."""
    found: list[str] = []
    position = start = depth = 0
    has_code = False
    try:
        while position < len(text):
            end = end_of_token(text, position)
            token = text[position:end]
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


@settings(max_examples=500)
@given(quotes)
@example("e'a'\n'b\\'c;';d")
@example("$1e'\\';'")
@example("((((((a;b))))));c")
def test_both_splitters_agree(text: str) -> None:
    expected = expected_texts(text)
    try:
        actual = [statement.text for statement in statements(text)]
    except UnterminatedText:
        actual = None
    assert actual == expected


@settings(max_examples=200)
@given(quotes)
def test_tokens_and_marks_agree(text: str) -> None:
    """Two ways through the same text: each mark of the fast one is a token of the slow one."""
    lexer = Lexer(ReplacedText(text, text), path="x")
    try:
        tokens = {token.start: token.form for token in lexer.tokens(0)}
    except UnterminatedText:
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
    except UnterminatedText:
        return
    position = 0
    for statement in found:
        end = statement.offset + len(statement.text)
        assert position <= statement.offset <= statement.first_token < end
        assert text[statement.offset : end] == statement.text == statement.text.strip(BLANKS)
        assert is_nothing(text[position : statement.offset])
        position = end if statement.kind is not StatementKind.COPY_FROM_STDIN else end_of_data(text, statement)
    assert is_nothing(text[position:])


def is_nothing(text: str) -> bool:
    """Blanks, comments and semicolons only; a comment may be cut where a statement begins with it."""
    return not [token for token in Lexer(ReplacedText(text, text), path="x").tokens(0) if token.form != ";"]


def end_of_data(text: str, copy: Statement) -> int:
    """Behind the data and the line that ends them."""
    semicolon = text.find(";", copy.offset + len(copy.text))
    line_end = text.find("\n", semicolon)
    if min(semicolon, line_end) < 0:
        assert copy.copy_data == ""
        return len(text)
    assert text.startswith(copy.copy_data, line_end + 1)
    terminator, line_break, _ = text[line_end + 1 + len(copy.copy_data) :].partition("\n")
    assert terminator.strip(BLANKS) in {"", "\\."}
    return line_end + 1 + len(copy.copy_data) + len(terminator) + len(line_break)


@settings(max_examples=200)
@given(code)
def test_every_statement_alone_is_itself(text: str) -> None:
    """Nothing is carried over from one statement to the next."""
    try:
        found = statements(text)
    except UnterminatedText:
        return
    for statement in found:
        alone = statements(statement.text)
        assert [(s.text, s.kind) for s in alone] == [(statement.text, statement.kind)]
