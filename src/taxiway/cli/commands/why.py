"""``taxiway why``: where an object of the database comes from."""

from pathlib import Path

import click

from taxiway import exit_codes
from taxiway.cli.commands.options import SettingsCommand, setting_options
from taxiway.cli.database import Opener
from taxiway.cli.invocation import Invocation
from taxiway.cli.json_log import write_result
from taxiway.cli.output import print_json, print_result
from taxiway.cli.settings import load_settings, require_database, without_need_of_scripts
from taxiway.reports.why import render_why, why_json


@click.command(cls=SettingsCommand)
@setting_options
@click.argument("name")
@click.pass_obj
def why(invocation: Invocation, /, name: str, config_file: Path | None, **options: object) -> int:
    """Say which migration, commit and run brought NAME, and which changed it.

    NAME is TABLE, TABLE.COLUMN, SCHEMA.TABLE.COLUMN, or a view, function, type, index, sequence or schema. Ends
    with 3 when that is on no record. Changes nothing.
    """
    invocation.quiet = True
    loaded = load_settings(invocation, options, config_file)
    require_database(loaded)
    with Opener(without_need_of_scripts(loaded), invocation) as opener:
        result = invocation.with_warnings(opener.project.why(name))
    if invocation.log_json:
        write_result(why_json(result), render_why(result), command="why")
    elif invocation.json:
        print_json(why_json(result))
    else:
        print_result(render_why(result))
    return exit_codes.SUCCESS if result.is_known else exit_codes.NOT_KNOWN
