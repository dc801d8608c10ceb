"""``taxiway validate``."""

from pathlib import Path

import click

from taxiway import __version__, errors, exit_codes
from taxiway.cli.commands.options import migration_options, opened_project
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_error, print_json, print_result
from taxiway.reports.flyway_json import validate_json
from taxiway.reports.text import render_validate


@click.command()
@migration_options
@click.pass_obj
def validate(invocation: Invocation, /, config_file: Path | None, **options: object) -> int:
    """Compare scripts and schema history; list every difference. Changes nothing.

    Ends with 1 when there are differences, with JSON too (Flyway ends with 0 there).
    """
    with opened_project(invocation, options, config_file) as project:
        result = project.validate()
    invocation.termination.check()
    if invocation.json:
        print_json(validate_json(result, version=__version__))
    elif result.successful:
        print_result(render_validate(result))
    else:
        print_error(errors.ValidationFailed(result.problems))
    return exit_codes.SUCCESS if result.successful else exit_codes.FAILED
