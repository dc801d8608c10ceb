"""What is read without click is read as click reads it; everything else is left to click."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.cli.call_options import CALL_OPTIONS
from taxiway.cli.commands.database import make_command
from taxiway.cli.database import TABLE
from taxiway.cli.direct import Call, read_call
from taxiway.cli.invocation import Invocation
from taxiway.cli.names import DATABASE_COMMANDS
from taxiway.cli.settings import SETTINGS

NOTED = ("json", "logs_in_json", "quiet", "debug", "color")


def read_with_click(arguments: Sequence[str]) -> tuple[Mapping[str, Any], Invocation]:
    """The parameters as click has them, and the invocation that was noted in."""
    invocation = Invocation()
    command = make_command(arguments[0])
    context = command.make_context("taxiway", list(arguments[1:]), obj=invocation)
    return context.params, invocation


def assert_is_what_click_reads(call: Call, arguments: Sequence[str]) -> None:
    parameters, noted_by_click = read_with_click(arguments)
    noted = Invocation()
    call.note(noted)
    assert call.commands == (arguments[0], *parameters["further"])
    assert call.settings == {
        name: value for name, value in parameters.items() if name in SETTINGS and value is not None
    }
    assert [getattr(noted, name) for name in NOTED] == [getattr(noted_by_click, name) for name in NOTED]
    assert not any(parameters[name] for name in ("plan", "migration_ids", "config_file"))


@pytest.mark.parametrize(
    "line",
    [
        "info",
        "clean migrate info",
        "info --url postgresql://h/d",
        "info --url=postgresql://h/d?a=b --user=",
        "migrate --out-of-order --no-group --target 3 --target 4",
        "migrate --placeholder a=1 --placeholder b=x=y --placeholder a=2 -q",
        "info --output json -X --color never",
        "info -o text --output-logs-in-json",
        "test-connection",
    ],
)
def test_a_plain_call_is_read_as_click_reads_it(line: str) -> None:
    arguments = line.split()
    call = read_call(arguments)
    assert call is not None
    assert_is_what_click_reads(call, arguments)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "-q",
        "add something",
        "info something",
        "info --help",
        "info -h",
        "info --url",
        "info --url --user",
        "info --ur postgresql://h/d",
        "info -qX",
        "info -ojson",
        "info -o xml",
        "info -- migrate",
        "info --out-of-order=true",
        "info --no-url x",
        "info --placeholder a",
        "info --config taxiway.toml",
        "info --migration-ids",
        "repair --plan",
        "info --unknown",
        "info -",
    ],
)
def test_everything_else_is_left_to_click(line: str) -> None:
    assert read_call(line.split()) is None


WORDS = st.sampled_from(
    [
        *sorted(DATABASE_COMMANDS),
        *(str(option.flag) for option in SETTINGS.values()),
        *(f"--no-{str(option.flag).removeprefix('--')}" for option in SETTINGS.values()),
        *(flag for option in CALL_OPTIONS for flag in option.flags if flag != "--output-file"),
        *("json", "auto", "a=b", "a", "", "--", "-", "--url=x", "--placeholder=c=d", "--target=", "-q", "--plan"),
    ]
)


@given(st.sampled_from(sorted(DATABASE_COMMANDS)), st.lists(WORDS, max_size=6))
def test_whatever_is_read_without_click_is_what_click_reads(command: str, words: list[str]) -> None:
    arguments = [command, *words]
    if call := read_call(arguments):
        assert_is_what_click_reads(call, arguments)


def test_the_commands_of_the_table_are_those_that_may_be_read_without_click() -> None:
    assert set(TABLE) == DATABASE_COMMANDS
