import pytest

from taxiway.model.script import ReplacedText
from taxiway.sql.statements import split

OFF = "SET standard_conforming_strings = off"


def texts(text: str, *, standard: bool = True) -> list[str]:
    statements = split(
        ReplacedText(text, text), path="x", server_version_num=170000, standard_conforming_strings=standard
    )
    return [statement.text for statement in statements]


def reads_standard_strings(script: str, *, initially: bool = True) -> bool:
    """Behind the script, a backslash before a quote means nothing."""
    last = texts(f"{script};select '\\';select ' --';\n", standard=initially)[-1]
    assert last in {"select ' --'", "select '\\';select ' --';"}
    return last == "select ' --'"


def test_the_session_decides_when_the_script_does_not() -> None:
    assert reads_standard_strings("select 1")
    assert not reads_standard_strings("select 1", initially=False)


@pytest.mark.parametrize(
    "statement",
    [
        OFF,
        "set standard_conforming_strings to off",
        "SET SESSION standard_conforming_strings = 'off'",
        "SET LOCAL Standard_Conforming_Strings TO false",
        '/* c */ SET /* d */ "standard_conforming_strings" -- e\n TO f',
        "SET standard_conforming_strings=0",
        'SET standard_conforming_strings = "no"',
        "SET standard_conforming_strings = e'off'",
        "SET standard_conforming_strings = $x$OFF$x$",
    ],
)
def test_a_script_may_switch_it_off(statement: str) -> None:
    assert not reads_standard_strings(statement)
    assert not reads_standard_strings(statement, initially=False)


@pytest.mark.parametrize("value", ["on", "'on'", "true", "t", "1", "yes", "y"])
def test_a_script_may_switch_it_on(value: str) -> None:
    assert reads_standard_strings(f"SET standard_conforming_strings = {value}", initially=False)
    assert reads_standard_strings(f"{OFF};SET standard_conforming_strings = {value}")


@pytest.mark.parametrize(
    "statement",
    [
        "SET standard_conforming_strings = DEFAULT",
        "SET standard_conforming_strings TO default",
        "RESET standard_conforming_strings",
        'RESET "standard_conforming_strings"',
        "RESET ALL",
        "DISCARD ALL",
    ],
)
@pytest.mark.parametrize("initially", [True, False])
def test_a_script_may_go_back_to_what_the_session_has(statement: str, initially: bool) -> None:
    other = "off" if initially else "on"
    script = f"SET standard_conforming_strings = {other}; {statement}"
    assert reads_standard_strings(script, initially=initially) is initially


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'SET standard_conforming_strings = off'",
        "-- SET standard_conforming_strings = off\nSELECT 1",
        "ALTER ROLE r SET standard_conforming_strings = off",
        "SET other.standard_conforming_strings = off",
        "SET backslash_quote = off",
        "SET search_path = standard_conforming_strings, off",
        "SET standard_conforming_strings = maybe",
        "SET standard_conforming_strings = o",
        "SET (standard_conforming_strings = off)",
        "RESET ROLE",
    ],
)
def test_nothing_else_changes_it(statement: str) -> None:
    assert reads_standard_strings(statement)


@pytest.mark.parametrize("end", ["COMMIT", "commit work", "END", "ROLLBACK", "ROLLBACK AND CHAIN", "ABORT"])
def test_a_local_setting_ends_with_the_transaction(end: str) -> None:
    assert reads_standard_strings(f"SET LOCAL standard_conforming_strings = off; {end}")
    assert not reads_standard_strings(f"{OFF}; SET LOCAL standard_conforming_strings = on; {end}")


@pytest.mark.parametrize("other", ["ROLLBACK TO SAVEPOINT s", "COMMIT PREPARED 'x'", "SAVEPOINT s", "BEGIN"])
def test_a_local_setting_lasts_until_then(other: str) -> None:
    assert not reads_standard_strings(f"SET LOCAL standard_conforming_strings = off; {other}")


@pytest.mark.parametrize(
    "string",
    [
        "'a\\';b'",
        "'a\\\\'",
        "'a'';b'",
        "n'a\\';b'",
        "'a' -- c\n 'b\\';'",
        "E'a\\';b'",
        "b'01\\'",
        "X'1\\'",
        "u&'a\\'",
        "$$a\\$$",
    ],
)
def test_while_it_is_off_a_backslash_escapes_in_strings_without_a_prefix(string: str) -> None:
    assert texts(f"{OFF}; select {string}; select ({string});select 1") == [
        OFF,
        f"select {string}",
        f"select ({string})",
        "select 1",
    ]


def test_a_routine_is_read_by_the_same_rule() -> None:
    routine = "create function f() begin atomic select '\\';'; end"
    assert texts(f"{OFF};{routine};select 1") == [OFF, routine, "select 1"]
