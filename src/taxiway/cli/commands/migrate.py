"""``taxiway migrate``."""

from datetime import datetime
from pathlib import Path

import click

from taxiway import __version__
from taxiway.cli.commands.options import migration_options, opened_project
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_json, print_result
from taxiway.reports.flyway_json import migrate_json
from taxiway.reports.text import render_migrate


@click.command()
@migration_options
@click.pass_obj
def migrate(invocation: Invocation, /, config_file: Path | None, **options: object) -> None:
    """Apply the pending migrations, each in one transaction with its history row."""
    with opened_project(invocation, options, config_file) as project:
        result = project.migrate()
    invocation.termination.check()
    if invocation.json:
        print_json(migrate_json(result, now=datetime.now().astimezone(), version=__version__))
    else:
        print_result(render_migrate(result))
