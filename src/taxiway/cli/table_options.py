"""The keys of a table of ``taxiway.toml`` as options, and what a call says with them."""

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import click

from taxiway.cli.commands.options import call_options, config_option
from taxiway.config.table import FilePlace, Key, Table, ValueKind

type Command = Callable[..., Any]


def table_options(table: Table, *, only: Collection[str] | None = None) -> Callable[[Command], Command]:
    """Give a command the keys that have an option, ``--env``, ``--config``, and how the call answers.

    ``only`` names the keys that mean something to the command, if not all do.
    """
    keys = [key for key in table.keys if key.flag and (only is None or key.name in only)]
    environment = click.option(
        "--env",
        "environment",
        metavar="NAME",
        callback=refuse_empty,
        help=f"Let [environments.NAME.{table.name}] win over [{table.name}].",
    )

    def give_options(command: Command) -> Command:
        for key in reversed(keys):
            command = _option(key)(command)
        return call_options(environment(config_option(command)))

    return give_options


def _option(key: Key) -> Callable[[Command], Command]:
    help_text = key.help.replace("`", "")
    match key.kind:
        case ValueKind.BOOLEAN:
            negative = f"--no-{key.flag.removeprefix('--')}"
            return click.option(f"{key.flag}/{negative}", key.attribute, default=None, help=help_text)
        case ValueKind.LIST:
            more = " May be given several times."
            return click.option(
                key.flag,
                key.attribute,
                multiple=True,
                metavar=key.metavar,
                callback=refuse_empty,
                help=help_text + more,
            )
        case ValueKind.INTEGER:
            return click.option(key.flag, key.attribute, type=int, metavar=key.metavar, help=help_text)
        case _:
            return click.option(
                key.flag, key.attribute, metavar=key.metavar, callback=refuse_empty, help=help_text
            )


def refuse_empty[T](_context: click.Context, parameter: click.Parameter, value: T) -> T:
    """A callback of click: what is given has to be something, or it would count as not given.

    Raises:
        BadParameter: It is an empty text, most likely that of a variable which is not set.
    """
    given = value if isinstance(value, tuple) else (value,)
    if any(isinstance(one, str) and not one.strip() for one in given):
        raise click.BadParameter("it is empty. Is a variable of the shell not set?", param=parameter)
    return value


def place_of_file(options: Mapping[str, object]) -> FilePlace:
    """What ``--config`` and ``--env`` say, in this directory and this environment."""
    file, environment = options.get("config_file"), options.get("environment")
    return FilePlace(
        environ=os.environ,
        directory=Path.cwd(),
        file=file if isinstance(file, Path) else None,
        environment=environment if isinstance(environment, str) else None,
    )


def given_values(table: Table, options: Mapping[str, object]) -> dict[str, Any]:
    """What the call says of the table, by field of its settings."""
    given = {key.attribute: options.get(key.attribute) for key in table.keys if key.flag}
    return {name: value for name, value in given.items() if value not in (None, ())}
