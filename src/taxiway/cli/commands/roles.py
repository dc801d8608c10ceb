"""``taxiway roles``: the database users that taxiway.toml declares."""

from pathlib import Path

import click

from taxiway.cli.commands.options import SettingsCommand, setting_options
from taxiway.cli.database import ROLES, Wish, run_commands
from taxiway.cli.invocation import Invocation


@click.command(cls=SettingsCommand)
@setting_options
@click.argument("action", type=click.Choice([*ROLES]))
@click.pass_obj
def roles(invocation: Invocation, /, config_file: Path | None, action: str, **options: object) -> int:
    """Create and change the database users that taxiway.toml declares as [roles.<name>].

    'plan' shows every change in words, and makes none. 'apply' makes them, in one transaction and under the
    migration lock; 'migrate' and 'run' do so by themselves behind the migrations. Passwords are sent as verifiers
    only. Roles that are not declared are left alone, and none is ever dropped.
    """
    return run_commands((action,), options, invocation, config_file=config_file, wish=Wish(), table=ROLES)
