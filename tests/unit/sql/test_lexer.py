import pytest

from taxiway.errors import UnterminatedText
from taxiway.model.rules import Placeholders
from taxiway.model.script import ReplacedText
from taxiway.secret import Secret
from taxiway.sql.lexer import Lexer
from taxiway.sql.placeholders import replace


def lexer(text: str) -> Lexer:
    return Lexer(ReplacedText(text, text), path="V1__x.sql")


def forms(text: str) -> list[str]:
    return [token.form for token in lexer(text).tokens(0)]


def texts(text: str) -> list[str]:
    return [text[token.start : token.end] for token in lexer(text).tokens(0)]


def marks(text: str) -> list[int]:
    """Where find_mark stops, one mark after the other."""
    found: list[int] = []
    reader = lexer(text)
    position = reader.find_mark(0)
    while position < len(text):
        found.append(position)
        position = reader.find_mark(position + 1)
    return found


ONE_STRING = [
    "'plain'",
    "''",
    "'it''s'",
    "'a;b(c'",
    "'back\\'",
    "'$$'",
    "'--'",
    "'/*'",
    "E'it\\'s; '",
    "e'it\\'s; '",
    "E'\\\\'",
    "E'it''s'",
    "E'a\\\n'",
    "e'a'\n'it\\'s;'",
    "e'a'  -- why\n -- not\n\t'it\\'s;'",
    "U&'back\\'",
    "u&'d\\0061t\\'",
    "B'01\\'",
    "b'01'",
    "X'1F\\'",
    "x'1f'",
    "N'n\\'",
    "n'n'",
    "$$a;b$$",
    "$$it's$$",
    "$$ $ $1 $a$ $$",
    "$tag$ $$ ; $TAG$ $tag$",
    "$_t1$;$_t1$",
    "$körper$;$körper$",
    "$a$ $b$a$",
]


@pytest.mark.parametrize("text", ONE_STRING)
def test_a_string_is_one_token_without_marks(text: str) -> None:
    assert forms(text) == ["'"]
    assert texts(text) == [text]
    assert marks(text) == []


@pytest.mark.parametrize("text", ONE_STRING)
def test_what_follows_a_string_is_code_again(text: str) -> None:
    assert marks(f"({text};") == [0, len(text) + 1]
    assert marks(f"f({text});")[-1] == len(text) + 3


@pytest.mark.parametrize("text", ['"a"', '"a""b"', '"a;b("', '"it\'s"', '"a\\"', 'U&"d\\0061"', 'u&"x"', '"$$"'])
def test_a_name_in_quotes_is_one_token(text: str) -> None:
    assert forms(text) == ['"']
    assert texts(text) == [text]
    assert marks(f"{text};") == [len(text)]


def test_an_e_at_the_end_of_a_word_does_not_begin_an_escape_string() -> None:
    assert texts("LIKE'a\\';x") == ["LIKE", "'a\\'", ";", "x"]
    assert marks("LIKE'a\\';x") == [8]
    assert marks("SELECT 1E'a\\';x") == [13]
    assert marks("_e'a\\';x") == [6]
    assert marks("\u00e4e'a\\';x") == [6]


@pytest.mark.parametrize("before", [" ", "(", ",", "'x'", '"x"', "$$x$$", "=", "/**/"])
def test_an_e_of_its_own_begins_an_escape_string(before: str) -> None:
    text = f"{before}e'it\\'s;'"
    assert texts(text)[-1] == "e'it\\'s;'"


@pytest.mark.parametrize("text", ["b&'\\'", "x &'\\'", "u '\\'", "u'\\'", "U& '\\'", "bb'\\'", "1b'\\'", "e&'\\'"])
def test_other_words_before_a_string_are_words(text: str) -> None:
    assert texts(f"{text};")[-2:] == ["'\\'", ";"]
    assert marks(f"{text};") == [len(text)]


def test_a_standard_string_that_goes_on_behind_a_line_break_stays_standard() -> None:
    assert texts("'a'\n'b\\'") == ["'a'", "'b\\'"]


@pytest.mark.parametrize(
    "text", ["foo$bar$baz", "a$$b", "_x$1", "tab\u00e9$q$", "e$$", "\u00a0$$", "\u540d\u524d$a$"]
)
def test_a_dollar_in_a_word_begins_nothing(text: str) -> None:
    assert texts(text) == [text]
    assert marks(f"{text};") == [len(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1", ["$1"]),
        ("$1+$2", ["$1", "+", "$2"]),
        ("$1$a$;$a$", ["$1", "'"]),
        ("1$$;$$", ["1", "'"]),
        ("$", ["$"]),
        ("$a b$", ["$", "A", "B$"]),
        ("$a-$", ["$", "A", "-", "$"]),
        ("$1a$", ["$1A$"]),
        ("1a$b$", ["1A$B$"]),
        ("12.5e3", ["12", ".", "5E3"]),
        ("0x1F 1_000", ["0X1F", "1_000"]),
        ("1.e5 1.5 1..10 .5", ["1.E5", "1", ".", "5", "1", ".", ".", "10", ".", "5"]),
        ("1.e$$ a.1 $1.x", ["1.E$$", "A", ".", "1", "$1", ".", "X"]),
    ],
)
def test_dollars_and_digits(text: str, expected: list[str]) -> None:
    assert forms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a -- ;\nb", ["A", "B"]),
        ("a -- ;\rb", ["A", "B"]),
        ("a--b", ["A"]),
        ("a +-- b\n c", ["A", "+", "C"]),
        ("a - - b", ["A", "-", "-", "B"]),
        ("a /* ; */ b", ["A", "B"]),
        ("a /* ; /* ; */ ; */ b", ["A", "B"]),
        ("a /*/ ; */ b", ["A", "B"]),
        ("a /***/ b", ["A", "B"]),
        ("a */* ; **/ b", ["A", "*", "B"]),
        ("a / b * / c", ["A", "/", "B", "*", "/", "C"]),
        ("/* it's */ a", ["A"]),
        ("-- it's\na", ["A"]),
        ("/* -- */ a", ["A"]),
        ("-- /*\na", ["A"]),
    ],
)
def test_comments_are_no_tokens(text: str, expected: list[str]) -> None:
    assert forms(text) == expected
    assert marks(text) == []
    assert marks(f"{text}\n;") == [len(text) + 1]


def test_words_are_shown_in_capital_letters() -> None:
    assert forms("Create tAbLe größe") == ["CREATE", "TABLE", "größe"]


def test_only_ascii_letters_have_capitals() -> None:
    assert forms("d\u0131scard \u017fystem") == ["d\u0131scard", "\u017fystem"]


def test_a_no_break_space_is_a_letter_as_for_the_server() -> None:
    assert texts("a\u00a0b c") == ["a\u00a0b", "c"]


@pytest.mark.parametrize(
    "row", ["(1, 'a;b', f(g(h(1))), e'\\'', \"x\", $1)", "(/* ) */ 1)", "($$)$$)", "(-- )\n1)"]
)
def test_marks_are_found_around_rows_of_values(row: str) -> None:
    text = f"VALUES {row}, {row};"
    depth = 0
    for position in marks(text):
        depth += {"(": 1, ")": -1, ";": 0}[text[position]]
    assert depth == 0
    assert marks(text)[-1] == len(text) - 1


def test_a_semicolon_in_parentheses_is_found() -> None:
    assert marks("DO (a; (b); c);") == [3, 5, 10, 13, 14]


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a\n  'b;", (2, 3), "string"),
        ("a\n  e'b\\';", (2, 3), "string"),
        ("a\n  E'b", (2, 3), "string"),
        ("a\n  e'b'\n'c\\'", (2, 3), "string"),
        ("a\n  'b''", (2, 3), "string"),
        ("a\n  b'b''", (2, 7), "string"),
        ("a\n  X'\\", (2, 3), "string"),
        ("a\n  u&'b", (2, 3), "string"),
        ("a\n  N'b", (2, 4), "string"),
        ('a\n  "b;', (2, 3), "quoted name"),
        ('a\n  "b""', (2, 3), "quoted name"),
        ("a\n  $$b;", (2, 3), "dollar quotation"),
        ("a\n  $x$b$X$", (2, 3), "dollar quotation"),
        ("a\n  /* b", (2, 3), "comment"),
        ("a\n  /* /* b */", (2, 3), "comment"),
        ("(a\n( 'b;", (2, 3), "string"),
    ],
)
def test_what_is_never_closed_is_an_error_where_it_is_opened(text: str, place: tuple[int, int], what: str) -> None:
    for read in (forms, marks):
        with pytest.raises(UnterminatedText) as caught:
            read(text)
        assert (caught.value.line, caught.value.column) == place
        assert f"The {what} that begins here is never closed." in str(caught.value)
        assert (caught.value.hint or "").startswith("Close it with ")


def test_an_error_says_nothing_of_the_text() -> None:
    with pytest.raises(UnterminatedText) as caught:
        forms("PASSWORD pa$s3cret$word 1$s3cret$word")
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def unclosed(source: str, **values: str) -> UnterminatedText:
    """The error of a script whose placeholders have these values."""
    secrets = Placeholders(values={name: Secret(value) for name, value in values.items()})
    with pytest.raises(UnterminatedText) as caught:
        list(Lexer(replace(source, secrets, path="V1__x.sql"), path="V1__x.sql").tokens(0))
    return caught.value


@pytest.mark.parametrize(
    ("source", "value", "phrase"),
    [
        ("PASSWORD '${X}'", "ab'Super", "${X} in line 1 contains a quote (')."),
        ("PASSWORD '${X}'", "Super'", "${X} in line 1 contains a quote (')."),
        ("PASSWORD\n${X}", "'Super", "${X} in line 2 contains a quote (')."),
        (
            "PASSWORD '${X}' UNTIL 'infinity';\nSELECT 'a', 'b';\n",
            "ab'Super",
            "${X} in line 1 contains a quote (').",
        ),
        ('ROLE "${X}"', 'ab"Super', '${X} in line 1 contains a double quote (").'),
        ("DO $$ ${X} $$", "ab$$Super", "${X} in line 1 contains a dollar quote."),
    ],
)
def test_a_placeholder_whose_value_holds_a_quote_is_named_and_its_value_not_shown(
    source: str, value: str, phrase: str
) -> None:
    error = unclosed(source, X=value)
    assert f"is never closed. The value of the placeholder {phrase}" in error.message
    assert (error.hint or "").startswith("Give ${X} a value without it")
    assert "Super" not in f"{error.message} {error.hint}"


def test_of_two_placeholders_the_nearer_one_is_named() -> None:
    assert "${B} in line 2" in unclosed("SELECT '${A}',\n'${B}' x'${C}", A="a'", B="b'c", C="c").message


@pytest.mark.parametrize("value", ["plain", "it''s", 'a "name', "$"])
def test_a_placeholder_whose_value_is_not_the_reason_is_not_named(value: str) -> None:
    error = unclosed("SELECT '${X}', 'b", X=value)
    assert error.message.endswith("The string that begins here is never closed.")
    assert (error.hint or "").startswith("Close it with '")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["(" * 200_000, "(a" * 200_000, "((((((" + "a," * 500_000, "$" * 500_000, "e'a'\n" * 200_000, "/" * 500_000, "-x" * 500_000, "$a" * 500_000, ")" * 500_000],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_hostile_text_takes_no_more_time_than_its_length(text: str) -> None:
    assert all(position < len(text) for position in marks(text))
