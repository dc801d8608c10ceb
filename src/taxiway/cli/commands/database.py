"""The commands that work on a database, as click has them. What they do is in :mod:`taxiway.cli.database`."""

from pathlib import Path

import click

from taxiway.cli.commands.options import SettingsCommand, setting_options
from taxiway.cli.database import TABLE, Wish, run_commands
from taxiway.cli.invocation import Invocation
from taxiway.cli.names import ALIASES, explain_word


def make_command(name: str) -> click.Command:
    """The click command that begins a call with this one; others may follow it."""

    @click.command(name, cls=SettingsCommand, help=TABLE[name].help)
    @setting_options
    @click.option(
        "--plan", is_flag=True, hidden=name != "repair", help="Show what would be done, and change nothing."
    )
    @click.option(
        "--migration-ids",
        is_flag=True,
        hidden=name != "info",
        help="Show only versions and descriptions, in one line.",
    )
    @click.argument("further", nargs=-1, metavar="[COMMAND]...", callback=_as_names)
    @click.pass_obj
    def command(
        invocation: Invocation,
        /,
        config_file: Path | None,
        plan: bool,
        migration_ids: bool,
        further: tuple[str, ...],
        **options: object,
    ) -> int:
        names = (name, *further)
        _refuse_stray(plan, "--plan", "repair", names)
        _refuse_stray(migration_ids, "--migration-ids", "info", names)
        wish = Wish(plan=plan, ids_only=migration_ids)
        return run_commands(names, options, invocation, config_file=config_file, wish=wish)

    return command


def _as_names(ctx: click.Context, _parameter: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(ALIASES.get(word, word) for word in words)
    for name in names:
        if name not in TABLE:
            ctx.fail(explain_word(name, TABLE))
    return names


def _refuse_stray(given: bool, flag: str, command: str, names: tuple[str, ...]) -> None:
    if given and command not in names:
        raise click.UsageError(f"{flag} belongs to '{command}'.")
