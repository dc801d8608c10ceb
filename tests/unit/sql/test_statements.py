from itertools import islice

import pytest

from taxiway.errors import ScriptError, UnterminatedText
from taxiway.model.rules import Placeholders
from taxiway.model.script import ReplacedText, Statement, StatementKind
from taxiway.sql.placeholders import replace
from taxiway.sql.statements import split


def statements(text: str) -> list[Statement]:
    return list(split(ReplacedText(text, text), path="V1__x.sql", server_version_num=170000))


def texts(text: str) -> list[str]:
    return [statement.text for statement in statements(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select 1;select 2", ["select 1", "select 2"]),
        ("select 1", ["select 1"]),
        ("\n\t select 1 \r\n ;\r\n", ["select 1"]),
        ("\x01\x1fselect 1\x02;\x03", ["select 1"]),
        ("", []),
        (" \r\n\t", []),
        (";;; ;", []),
        ("-- only a comment", []),
        ("/* only */ -- comments\n;/* here */", []),
        (";;select 1;;;select 2;;", ["select 1", "select 2"]),
        ("-- before\n/* it */ select 1;", ["-- before\n/* it */ select 1"]),
        ("-- dropped\n; select 1;", ["select 1"]),
        ("select 1; -- of the next\nselect 2;", ["select 1", "-- of the next\nselect 2"]),
        ("select 1; -- dropped", ["select 1"]),
        ("select 1 -- kept", ["select 1 -- kept"]),
        ("select /* ; */ 1 -- ;\n;", ["select /* ; */ 1 -- ;"]),
        ("begin; select 1; commit;", ["begin", "select 1", "commit"]),
    ],
)
def test_a_script_is_split_at_semicolons(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "select ';', \";\", $$;$$, e'\\';', $x$;$x$ /* ; */ -- ;\n",
        "(select 1) union (select 2)",
        "create rule r as on insert to t do also (insert into l values (1); notify t;)",
        "do $$ begin perform 1; end $$",
        "prepare p as select $1",
        "select '{' || $1 || '$'",
        "create function f() returns int language sql as 'select 1; select 2;'",
        "select case when a then b end",
        "select e'it\\'s; here'",
        "select like'a\\'",
    ],
)
def test_a_semicolon_that_is_not_the_end_does_not_split(statement: str) -> None:
    assert texts(f"{statement};select 2;") == [statement.strip(), "select 2"]


def test_parentheses_left_open_end_with_their_statement() -> None:
    """Flyway 13 carries the depth on, so that everything after an extra parenthesis is one statement."""
    assert texts("select 1); select 2; select 3;") == ["select 1)", "select 2", "select 3"]
    assert texts("select 1)); select (2); select 3;") == ["select 1))", "select (2)", "select 3"]


def test_an_open_parenthesis_takes_the_rest_of_the_file() -> None:
    assert texts("select 1; select (2; select 3;") == ["select 1", "select (2; select 3;"]
    assert texts("select 1; create function f(; select 3;") == ["select 1", "create function f(; select 3;"]


@pytest.mark.parametrize(
    "body",
    [
        "begin atomic end",
        "BEGIN ATOMIC; END",
        "begin atomic select 1; select 2; end",
        "begin /* c */ atomic -- c\n select 1; end",
        "begin atomic select case when a then b end; end",
        "begin atomic select case when case a when 1 then b end then case c when 1 then 2 end end; select 3; end",
        "begin atomic select (case when a then b end); end",
        "begin atomic select 1 as end; select 2 as case; select 3 as begin; end",
        "begin atomic select t.end, t.case from t; select 1 end; end",
        'begin atomic select end.x from "end"; end',
        "begin atomic insert into t values (1); return 'end;'; end",
        "(x int default (case when true then 1 end)) returns int begin atomic; select 1; end",
    ],
)
@pytest.mark.parametrize(
    "create", ["create function f()", "create or replace procedure p()", "CREATE /**/ FUNCTION f()"]
)
def test_a_body_of_plain_sql_is_not_split(create: str, body: str) -> None:
    assert texts(f"{create} {body}; select 2;") == [f"{create} {body}", "select 2"]


@pytest.mark.parametrize(
    "text",
    [
        "begin; select 1; end; select 2",
        "begin atomic; select 1; end; select 2",
        "create table begin (atomic int); select 1; end; select 2",
        "create view v as select 1 as begin atomic; select 1; end; select 2",
        'create function f() returns "begin" atomic; select 1; end; select 2',
    ],
)
def test_begin_atomic_means_nothing_elsewhere(text: str) -> None:
    assert texts(text) == text.split("; ")


def test_bodies_follow_one_another() -> None:
    one = "create function f() begin atomic select 1; end"
    assert texts(f"{one};{one};select 1; end;{one}") == [one, one, "select 1", "end", one]


def test_a_body_that_is_not_closed_is_an_error_where_it_begins() -> None:
    with pytest.raises(UnterminatedText) as caught:
        statements("select 1;\ncreate function f()\n  begin atomic select case when a then b end; select 2;")
    assert (caught.value.line, caught.value.column) == (3, 3)
    assert "body of the routine" in str(caught.value)
    assert caught.value.hint == "Close it with END (after a semicolon)."


def test_an_error_names_the_place_in_the_source() -> None:
    replaced = replace(
        "select '${a}', ${a};\nselect ${a} || 'x;", Placeholders(values={"a": "1\n2\n3"}), path="x.sql"
    )
    with pytest.raises(UnterminatedText) as caught:
        list(split(replaced, path="x.sql", server_version_num=170000))
    assert str(caught.value).startswith("x.sql:2:16: ")


def test_statements_are_read_when_they_are_asked_for() -> None:
    text = "select 1; select 2; select 'never closed"
    lazy = split(ReplacedText(text, text), path="x", server_version_num=170000)
    assert [statement.text for statement in islice(lazy, 2)] == ["select 1", "select 2"]


def test_offsets_are_those_of_the_text_and_of_its_first_token() -> None:
    text = "  -- c\n  /* d */ select 1; \n\n ; select 2"
    first, second = statements(text)
    assert (first.offset, first.first_token) == (2, text.index("select 1"))
    assert (second.offset, second.first_token) == (text.index("select 2"), text.index("select 2"))


def copies(text: str) -> list[tuple[str, str]]:
    return [(s.text, "".join(s.copy_data)) for s in statements(text) if s.kind is StatementKind.COPY_FROM_STDIN]


@pytest.mark.parametrize(
    "copy",
    [
        "COPY t FROM STDIN",
        "copy t from stdin",
        'copy s.t (a, "b", c) from stdin',
        'copy "FROM" from stdin',
        'copy "s" . "t;" ("(") from stdin',
        "copy t from stdin with (format csv, header)",
        "copy t (a) from stdin csv header",
        "copy t from stdin where a > 1",
        "copy binary t from stdin",
        "-- it's\ncopy /* ; */ t -- ;\n from stdin",
        "copy t from stdout",
        f"copy t ({', '.join(f'column{i}' for i in range(1600))}) from stdin",
    ],
)
def test_copy_from_stdin_has_the_lines_behind_it_as_data(copy: str) -> None:
    text = f"select 1;{copy};\n1;'\n2\\N\n\\.\nselect 2;"
    assert copies(text) == [(copy, "1;'\n2\\N\n")]
    assert texts(text) == ["select 1", copy, "select 2"]


@pytest.mark.parametrize(
    "text",
    [
        "copy (select * from stdin) to 'stdout'",
        "copy t to program 'stdout'",
        "copy t from 'stdin'",
        'copy t from "stdin"',
        "copy t from program 'x'",
        "copy t (a) from $$stdin$$",
        "select copy from stdin",
    ],
)
def test_other_copies_have_no_data(text: str) -> None:
    assert copies(f"{text};\nselect 1;\n") == []


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("copy t from stdin;\n\\.\n", ""),
        ("copy t from stdin; -- nothing\n1\n\\.\n", "1\n"),
        ("copy t from stdin;; /* nothing */ ;\n1\n\\.\n", "1\n"),
        ("copy t from stdin;\r\n1\r\n2\r\n\\.\r\n", "1\r\n2\r\n"),
        ("copy t from stdin;\n1\n \t\\. \t\nselect 1;", "1\n"),
        ("copy t from stdin;\na\\.\n\\.b\n\\\\.\n\\.\n", "a\\.\n\\.b\n\\\\.\n"),
        ("copy t from stdin;\n\n -- 1\n\\.", "\n -- 1\n"),
        ("copy t from stdin;\n1\n2", "1\n2"),
        ("copy t from stdin;\n", ""),
        ("copy t from stdin;", ""),
        ("copy t from stdin", ""),
    ],
)
def test_copy_data_end_at_the_terminator_or_with_the_text(text: str, data: str) -> None:
    assert copies(text) == [("copy t from stdin", data)]


def test_two_copies_follow_one_another() -> None:
    text = "copy a from stdin;\n1\n\\.\n\n-- next\ncopy b from stdin;\n2\n\\.\nselect 3"
    assert copies(text) == [("copy a from stdin", "1\n"), ("-- next\ncopy b from stdin", "2\n")]
    assert texts(text)[-1] == "select 3"


def test_statements_behind_copy_on_its_line_come_after_its_data() -> None:
    """As with psql. Flyway 13 loses them."""
    text = "copy a from stdin; select 1; /* c */ select ';'; -- d\n1\n\\.\nselect 2;"
    assert copies(text) == [("copy a from stdin", "1\n")]
    assert texts(text) == ["copy a from stdin", "select 1", "/* c */ select ';'", "select 2"]


def test_two_copies_on_a_line_have_their_data_one_behind_the_other() -> None:
    text = "copy a from stdin; select 1; copy b from stdin;\n1\n\\.\n2\n\\.\nselect 2;"
    assert copies(text) == [("copy a from stdin", "1\n"), ("copy b from stdin", "2\n")]
    assert texts(text) == ["copy a from stdin", "select 1", "copy b from stdin", "select 2"]


def test_a_line_with_copy_may_be_the_last() -> None:
    assert texts("copy a from stdin; select 1;") == ["copy a from stdin", "select 1"]
    assert copies("copy a from stdin; copy b from stdin;\n1") == [
        ("copy a from stdin", "1"),
        ("copy b from stdin", ""),
    ]


@pytest.mark.parametrize("unfinished", ["select 1", "select (1;", "copy b from stdin", "lost"])
@pytest.mark.parametrize("rest_of_file", ["", "\n1\n\\.\n;", "\n\\N\n\\.\n;"])
def test_a_statement_behind_copy_that_does_not_end_on_its_line_is_an_error(
    unfinished: str, rest_of_file: str
) -> None:
    with pytest.raises(ScriptError, match=r"^V1__x.sql:1:20: A statement that begins behind COPY") as caught:
        statements(f"copy a from stdin; {unfinished}{rest_of_file}")
    assert caught.value.hint == "Move it to a line behind the data."


@pytest.mark.parametrize("unclosed", ["select 'a", "/* b", "select $$", 'select "c'])
def test_a_quotation_behind_copy_does_not_reach_into_the_data(unclosed: str) -> None:
    with pytest.raises(UnterminatedText):
        statements(f"copy a from stdin; {unclosed}\n1 ' */ $$ \"\n\\.\n")
