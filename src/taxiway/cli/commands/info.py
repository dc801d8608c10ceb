"""``taxiway info``."""

from datetime import datetime
from pathlib import Path

import click

from taxiway import __version__
from taxiway.cli.commands.options import migration_options, opened_project
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_json, print_result
from taxiway.reports.flyway_json import info_json
from taxiway.reports.text import render_info


@click.command()
@migration_options
@click.pass_obj
def info(invocation: Invocation, /, config_file: Path | None, **options: object) -> None:
    """Show every migration with its state. Changes nothing."""
    with opened_project(invocation, options, config_file) as project:
        result = project.info()
    invocation.termination.check()
    if invocation.json:
        print_json(info_json(result, now=datetime.now().astimezone(), version=__version__))
    else:
        print_result(render_info(result))
