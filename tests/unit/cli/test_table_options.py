"""The keys of the tables of ``taxiway.toml`` as options."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from taxiway.cli.table_options import given_values, place_of_file, table_options
from taxiway.config import infra, secrets, task, tunnel
from taxiway.config.table import Key, Table, ValueKind

TABLES = (task.TABLE, infra.TABLE, tunnel.TABLE, secrets.TABLE)
SAID: dict[ValueKind, tuple[list[str], object]] = {
    ValueKind.TEXT: (["x"], "x"),
    ValueKind.LIST: (["x"], ("x",)),
    ValueKind.INTEGER: (["7"], 7),
    ValueKind.BOOLEAN: ([], True),
}


def call(table: Table, *arguments: str) -> dict[str, object]:
    """The options of a command that is called so."""
    options: dict[str, object] = {}

    @click.command()
    @table_options(table)
    def command(**given: object) -> None:
        options.update(given)

    CliRunner().invoke(command, arguments, catch_exceptions=False)
    return options


@pytest.mark.parametrize(
    ("table", "key"),
    [(table, key) for table in TABLES for key in table.keys if key.flag],
    ids=lambda one: one.name,
)
def test_every_key_with_a_flag_is_an_option_that_wins(table: Table, key: Key) -> None:
    words, value = SAID[key.kind]
    assert given_values(table, call(table, key.flag, *words)) == {key.attribute: value}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_call_without_options_says_nothing_of_the_table(table: Table) -> None:
    options = call(table)
    assert given_values(table, options) == {}
    assert (place_of_file(options)["file"], place_of_file(options)["environment"]) == (None, None)


def test_file_and_environment_are_named_by_options() -> None:
    place = place_of_file(call(task.TABLE, "--config", "other.toml", "--env", "prod"))
    assert (place["file"], place["environment"]) == (Path("other.toml"), "prod")
