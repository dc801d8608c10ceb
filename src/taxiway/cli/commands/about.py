"""``taxiway version`` and ``taxiway list-engines``: what Flyway's users ask a tool about itself."""

import click

from taxiway import __version__
from taxiway.cli.commands.options import call_options
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_json, print_result
from taxiway.reports.flyway_json import FLYWAY_VERSION, engines_json, version_json
from taxiway.reports.table import render_table


@click.command()
@call_options
@click.pass_obj
def version(invocation: Invocation, /) -> None:
    """Show the version, and that of Flyway whose behaviour this is."""
    if invocation.json:
        print_json(version_json(__version__))
    else:
        print_result(f"taxiway {__version__}\nBehaves as Flyway {FLYWAY_VERSION} on PostgreSQL")


@click.command("list-engines")
@call_options
@click.pass_obj
def list_engines(invocation: Invocation, /) -> None:
    """List the databases that migrations can run on."""
    if invocation.json:
        print_json(engines_json(__version__))
    else:
        print_result(render_table(("Database",), [("PostgreSQL",)]))
