import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        source,
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
    assert [s.text for s in script.statements] == ["create table x", "-- V1__x.sql\ndrop table x"]
    assert script.replaced.locate(script.statements[1].first_token).line == 2


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


def test_byte_order_marks_are_dropped_wherever_they_are() -> None:
    script = parse(f"\ufeffselect 1;\n\ufeff{TABLE}\n\ufeff\ufeff-- end\ufeff")
    assert [s.text for s in script.statements] == ["select 1", TABLE[:-1]]
    assert "\ufeff" not in script.replaced.text


def test_a_byte_order_mark_does_not_split_a_placeholder() -> None:
    script = parse("select '$\ufeff{\ufeffa}'", placeholders=Placeholders(values={"a": "1"}))
    assert script.replaced.text == "select '1'"


def test_a_byte_order_mark_in_a_value_stays() -> None:
    script = parse("\ufeffselect '${a}'", placeholders=Placeholders(values={"a": "\ufeff"}))
    assert script.replaced.text == "select '\ufeff'"


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
    placeholders = Placeholders(values={"a": "1", "empty": "", "long": "<\n>"})
    replaced = parse(source, placeholders=placeholders).replaced
    assert replaced.source == source
    values = {offset for r in replaced.replacements for offset in range(r.start, r.end)}
    for offset, character in enumerate(replaced.text):
        found = source[replaced.source_offset(offset)]
        assert found == ("$" if offset in values else character)
    assert [r.source_start for r in replaced.replacements] == sorted(r.source_start for r in replaced.replacements)
    assert [r.start for r in replaced.replacements] == sorted(r.start for r in replaced.replacements)
