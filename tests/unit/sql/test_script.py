import pytest

from taxiway.errors import MixedTransactions, ScriptError, UnknownPlaceholder, UnterminatedText
from taxiway.model.rules import Placeholders
from taxiway.model.script import Script
from taxiway.secret import Secret
from taxiway.sql.script import parse_script

TABLE = "create table t (a int);"
INDEX = "create index concurrently on t (a);"
COPY = "copy t from stdin;\n1\n\\.\n"


def parse(
    source: str,
    *,
    mixed: bool = False,
    placeholders: Placeholders | None = None,
    in_transaction: bool = True,
    declared: bool | None = None,
) -> Script:
    return parse_script(
        lambda: [source],
        placeholders or Placeholders(),
        path="sql/V1__x.sql",
        filename="V1__x.sql",
        mixed=mixed,
        server_version_num=170000,
        in_transaction=in_transaction,
        declared=declared,
    )


def test_a_script_is_replaced_and_split() -> None:
    script = parse(
        "create table ${t}; -- ${flyway:filename}\ndrop table ${t}", placeholders=Placeholders(values={"T": "x"})
    )
    first, second = script.statements
    assert (first.text, second.text) == ("create table x", "-- V1__x.sql\ndrop table x")
    assert second.part.locate(second.first_token).line == 2


@pytest.mark.parametrize(
    ("source", "transactional"),
    [("", True), (TABLE, True), (TABLE + COPY, True), (INDEX, False), (INDEX + "vacuum;" + INDEX, False)],
)
def test_statements_of_one_kind_decide(source: str, transactional: bool) -> None:
    assert parse(source).transactional is transactional
    assert parse(source, mixed=True).transactional is transactional


@pytest.mark.parametrize("source", [TABLE + INDEX, INDEX + TABLE, COPY + INDEX, "vacuum;" + COPY])
def test_both_kinds_are_an_error_unless_they_may_be_mixed(source: str) -> None:
    with pytest.raises(MixedTransactions):
        parse(source)
    assert parse(source, mixed=True).transactional is False


@pytest.mark.parametrize("source", ["", TABLE, INDEX, TABLE + INDEX, INDEX + COPY])
@pytest.mark.parametrize("in_transaction", [True, False])
@pytest.mark.parametrize("declared", [True, False])
def test_what_the_script_itself_says_wins(source: str, *, in_transaction: bool, declared: bool) -> None:
    assert parse(source, in_transaction=in_transaction, declared=declared).transactional is declared


@pytest.mark.parametrize("source", ["", TABLE, INDEX, TABLE + INDEX])
def test_without_transactions_for_all_scripts_kinds_may_be_mixed(source: str) -> None:
    assert parse(source, in_transaction=False).transactional is False


def test_the_error_names_the_first_statement_of_the_second_kind() -> None:
    with pytest.raises(MixedTransactions) as caught:
        parse(f"{TABLE}\n{TABLE}\n-- why\n  {INDEX}\n{INDEX}")
    assert str(caught.value) == (
        "sql/V1__x.sql:4:3: 'create index concurrently on t (a);' cannot run in a transaction, "
        "and the statements before it need one."
    )
    assert (caught.value.line, caught.value.column) == (4, 3)
    assert "script of its own" in (caught.value.hint or "")
    assert "mixed=true" in (caught.value.hint or "")


def test_the_error_says_so_when_the_second_kind_needs_a_transaction() -> None:
    with pytest.raises(
        MixedTransactions, match=r"2:1: 'create table t .*' needs a transaction, and .* cannot run in one"
    ):
        parse(f"{INDEX}\n{TABLE}")


def test_the_error_shows_the_source_and_never_a_value() -> None:
    placeholders = Placeholders(values={"what": "index concurrently", "pw": Secret("s3cret\n\n")})
    with pytest.raises(MixedTransactions) as caught:
        parse(
            "alter role r password '${pw}';\ncreate ${what} on t (a) where b = '${pw}';", placeholders=placeholders
        )
    assert "2:1: 'create ${what} on t (a) where b = '${pw}';'" in str(caught.value)
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_a_long_statement_is_shown_in_part() -> None:
    with pytest.raises(MixedTransactions) as caught:
        parse(f"vacuum; insert into t values ({'1, ' * 1000}1);")
    assert "…" in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("source", "error"), [("select ${nope}", UnknownPlaceholder), ("select 1; select 'x", UnterminatedText)]
)
def test_errors_of_the_parts_come_through(source: str, error: type[ScriptError]) -> None:
    with pytest.raises(error) as caught:
        parse(source)
    assert caught.value.path == "sql/V1__x.sql"


FILLING = " " * (2 << 20)
LARGE = [
    f"{TABLE} {TABLE}",
    "\n${n}",
    "\n create ${what} ",
    "on t (a);\ncopy t from stdin;\n1\n\\",
    ".\n",
    "drop ",
    "table t",
    FILLING,
]


def parse_chunks(*chunks: str, placeholders: Placeholders, mixed: bool = False) -> Script:
    return parse_script(
        lambda: iter(chunks), placeholders, path="x", filename="x", mixed=mixed, server_version_num=170000
    )


def test_a_script_in_chunks_can_be_gone_through_again_and_again() -> None:
    placeholders = Placeholders(values={"n": "\n", "what": "index"})
    script = parse_chunks(*LARGE, placeholders=placeholders)
    for _ in range(2):
        found = [(s.text, "".join(s.copy_data), s.part.locate(s.first_token).line) for s in script.statements]
        assert found == [
            (TABLE[:-1], "", 1),
            (TABLE[:-1], "", 1),
            ("create index on t (a)", "", 3),
            ("copy t from stdin", "1\n", 4),
            ("drop table t", "", 7),
        ]


def test_a_script_in_chunks_is_judged_like_one_that_is_whole() -> None:
    placeholders = Placeholders(values={"n": "", "what": "index concurrently"})
    with pytest.raises(MixedTransactions, match=r"3:2: 'create \$\{what\} on t \(a\);' cannot run") as caught:
        parse_chunks(*LARGE, placeholders=placeholders)
    assert (caught.value.line, caught.value.column) == (3, 2)
    assert parse_chunks(*LARGE, placeholders=placeholders, mixed=True).transactional is False


def test_what_has_become_of_a_large_script_shows_while_it_runs() -> None:
    texts = ["select 1;", "select 1;", "select 1; select '2"]
    script = parse_script(
        lambda: [texts.pop(0), FILLING],
        Placeholders(),
        path="x",
        filename="x",
        mixed=False,
        server_version_num=170000,
    )
    statements = iter(script.statements)
    assert next(statements).text == "select 1"
    with pytest.raises(UnterminatedText):
        next(statements)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", True),
        (TABLE * 2, True),
        (INDEX, False),
        (COPY, False),
        (f"{TABLE} /* and */ commit;", False),
        ("begin; select 1", False),
        ("prepare transaction 'x'", False),
        ("set Client_Encoding = latin1", False),
        ("select set_config('client_encoding', 'latin1', true)", False),
        ("-- x\nSET /* local */ Names 'latin1'", False),
        ("select names from t", True),
    ],
)
def test_only_what_needs_no_answer_can_be_sent_ahead(source: str, *, expected: bool) -> None:
    assert parse(source).can_be_sent_ahead is expected
    assert parse(source, declared=True).can_be_sent_ahead is expected
    assert parse(source, declared=False).can_be_sent_ahead is False
