import pytest

from taxiway.errors import PsqlCommand
from taxiway.model.rules import Placeholders
from taxiway.model.script import ReplacedText
from taxiway.secret import Secret
from taxiway.sql.placeholders import replace
from taxiway.sql.statements import split


def texts(replaced: ReplacedText | str) -> list[str]:
    replaced = ReplacedText(replaced, replaced) if isinstance(replaced, str) else replaced
    return [statement.text for statement in split(replaced, path="V1__x.sql", server_version_num=170000)]


def refusal(replaced: ReplacedText | str) -> PsqlCommand:
    with pytest.raises(PsqlCommand) as caught:
        texts(replaced)
    return caught.value


@pytest.mark.parametrize(
    ("text", "place", "name"),
    [
        ("\\set x 1\nselect 1;", (1, 1), "\\set"),
        ("select 1;\n  \\i other.sql\nselect 2;", (2, 3), "\\i"),
        ("select 1; \\c other", (1, 11), "\\c"),
        ("-- c\n/* d */ \\copy t from 'f' csv", (2, 9), "\\copy"),
        ("select 1 \\g", (1, 10), "\\g"),
        ("select 1\n\\gexec", (2, 1), "\\gexec"),
        ("select 1 as a\\gset", (1, 14), "\\gset"),
        ("select (1 + \\d 2);", (1, 13), "\\d"),
        ("select 1\\; select 2;", (1, 9), "\\;"),
        ("select a[1\\:2];", (1, 11), "\\:"),
        ("select 1 +\\x 2;", (1, 11), "\\x"),
        ("\\dt+", (1, 1), "\\dt+"),
        ("\\.\n", (1, 1), "\\."),
        ("\\! ls\n", (1, 1), "\\!"),
        ("insert into t values (1, 'a'\\p);", (1, 29), "\\p"),
        ("vacuum \\g", (1, 8), "\\g"),
        ("create function f() begin atomic select 1; \\d\n end;", (1, 44), "\\d"),
        ("create function f() returns int \\e return 1;", (1, 33), "\\e"),
        ("copy t from stdin \\g\n1\n\\.\n", (1, 19), "\\g"),
        ("copy t from stdin;\n1\n\\.\n\\.\n", (4, 1), "\\."),
        ("copy t from stdin; \\r\n1\n\\.\n", (1, 20), "\\r"),
        ("copy t from stdin; select 1 \\g\n1\n\\.\n", (1, 29), "\\g"),
        ("select E'\\'' \\bind;", (1, 14), "\\bind"),
        ("select '\\' \\bind;", (1, 12), "\\bind"),
    ],
)
def test_a_command_is_refused_by_name_line_and_column(text: str, place: tuple[int, int], name: str) -> None:
    error = refusal(text)
    assert str(error).startswith(f"V1__x.sql:{place[0]}:{place[1]}: ")
    assert f"'{name}' is a command of psql" in error.message
    assert (error.hint or "").endswith(".")


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("\\copy t from 'f'", "COPY … FROM STDIN"),
        ("\\i f.sql", "migration of its own"),
        ("\\ir f.sql", "migration of its own"),
        ("\\set ON_ERROR_STOP on", "stops at its first error"),
        ("\\set ON_ERROR_STOP", "stops at its first error"),
        ("\\set  ON_ERROR_ROLLBACK off", "stops at its first error"),
        ("\\set AUTOCOMMIT off", "executeInTransaction=false"),
        ("\\set QUIET 1", "Remove it: it is for psql"),
        ("\\set owner 'Ada'", "write ${owner} in the script, and set placeholders.owner to the value"),
        ("\\set on_error_stop on", "placeholders.on_error_stop"),
        ("\\unset a", "placeholders.a"),
        ("\\getenv pw PGPASSWORD", "placeholders.pw"),
        ("\\prompt 'Who? ' who", "placeholders.NAME"),
        ("\\set", "placeholders.NAME"),
        ("\\set\nx", "placeholders.NAME"),
        ("select 1 as a \\gset", "placeholder"),
        ("select 'vacuum' \\gexec", "EXECUTE"),
        ("\\connect d", "setting url"),
        ("\\c d", "setting url"),
        ("\\echo done", "RAISE NOTICE"),
        ("\\warn 'careful'", "RAISE NOTICE"),
        ("\\q", "statements behind it"),
        ("\\! ls", "scriptMigrations=true"),
        ("\\include_relative f.sql", "migration of its own"),
        ("\\if true", "DO block"),
        ("select 1 \\gx", "semicolon"),
        ("\\password", "ALTER ROLE"),
        ("\\encoding latin1", "option encoding"),
        ("\\.", "ends the rows"),
        ("\\;", "without the backslash"),
        ("\\timing", "Remove it"),
        ("\\dt+", "Remove it"),
    ],
)
def test_the_hint_says_what_to_do_instead(command: str, word: str) -> None:
    assert word in (refusal(command).hint or "")


@pytest.mark.parametrize("text", ["\\", "select 1 \\ 2;", "\\'a'", "\\\\"])
def test_a_backslash_that_names_no_command_is_refused_too(text: str) -> None:
    assert "A backslash outside of quotes means nothing" in refusal(text).message


@pytest.mark.parametrize(
    "statement",
    [
        "select '\\set'",
        "select e'\\n\\\\'",
        'select "\\d"',
        "select $$\\d$$",
        "select $a$ $$ \\d$a$",
        "select 1 -- \\d\n + 1",
        "select 1 /* \\d /* \\e */ \\f */",
        "select U&'\\0061', U&\"\\0061\"",
        "select b'\\', x'\\', n'\\'",
        "insert into t values (1, '\\g', \"\\x\", $$\\y$$, e'\\z')",
    ],
)
def test_a_backslash_in_a_quotation_or_comment_is_none(statement: str) -> None:
    assert texts(f"{statement};select 2") == [statement, "select 2"]


def test_a_backslash_in_copy_data_is_none() -> None:
    assert texts("copy t from stdin;\n\\N\t\\d\n\\\\.\n\\.\nselect 2") == ["copy t from stdin", "select 2"]


DUMP = """\
--
-- PostgreSQL database dump
--

\\restrict 6iVnuAWqZfVZ

-- Dumped by pg_dump version 17.6

SET statement_timeout = 0;

-- PostgreSQL database dump complete
--

\\unrestrict 6iVnuAWqZfVZ

"""


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_the_restriction_of_a_dump_is_no_statement(line_break: str) -> None:
    (statement,) = texts(DUMP.replace("\n", line_break))
    assert statement.endswith("SET statement_timeout = 0")
    assert "restrict" not in statement


@pytest.mark.parametrize("text", ["\\restrict a", "select 1; \\unrestrict a1 \t\r\n\\restrict B"])
def test_it_may_end_with_the_text_and_stand_anywhere_between_statements(text: str) -> None:
    assert texts(text) == [statement for statement in ("select 1",) if statement in text]


@pytest.mark.parametrize(
    "text",
    [
        "\\restrict",
        "\\restrict\nselect 1;",
        "\\restrict a b\n",
        "\\restrict a \\\\ select 1;\n",
        "\\restrict a; drop table t;\n",
        "\\restricted a\n",
        "select 1 \\restrict a\n;",
        "(\\unrestrict a\n);",
    ],
)
def test_a_restriction_of_another_form_or_inside_a_statement_is_refused(text: str) -> None:
    assert "restrict" in refusal(text).message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("alter role r password ${X};", "The value of the placeholder that begins here has a backslash"),
        ("\\${X} 1;", "A backslash outside of quotes means nothing"),
    ],
)
def test_a_value_with_a_backslash_is_not_shown(source: str, message: str) -> None:
    replaced = replace(source, Placeholders(values={"X": Secret("a\\s3cret")}), path="V1__x.sql")
    error = refusal(replaced)
    assert message in error.message
    assert "s3cret" not in f"{error} {error.hint}"


def test_the_place_is_that_in_the_source() -> None:
    replaced = replace("select '${X}';\nselect ${X}; \\d\n", Placeholders(values={"X": "1\n2\n3"}), path="x")
    assert (refusal(replaced).line, refusal(replaced).column) == (2, 14)
