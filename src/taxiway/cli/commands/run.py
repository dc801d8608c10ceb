"""``taxiway run``: the job of the container."""

import os
from datetime import datetime

import click

from taxiway import __version__
from taxiway.cli.commands.options import event_printer, output_option
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_json, print_log, print_result
from taxiway.model.result import InfoResult, MigrateResult
from taxiway.reports.flyway_json import run_json
from taxiway.reports.text import render_info, render_migrate, render_run
from taxiway.runner.job import read_job
from taxiway.runner.run import JobListener
from taxiway.runner.run import run as run_job
from taxiway.sources.git import Checkout


@click.command()
@click.argument("branch", required=False)
@output_option
@click.pass_obj
def run(invocation: Invocation, /, branch: str | None) -> None:
    """Run the migrations of one commit: the head of BRANCH, or of the repository's default branch.

    What to run and where is taken from the environment (docs/reference/environment.md) and from taxiway.toml
    in the repository. Shows info, migrates, shows info again.
    """
    spec = read_job(os.environ, branch=branch)
    result = run_job(spec, environment=os.environ, redactor=invocation.redactor, listener=_listener(invocation))
    invocation.termination.check()
    if invocation.json:
        print_json(run_json(result, now=datetime.now().astimezone(), version=__version__))
    else:
        print_result(render_run(result))


def _listener(invocation: Invocation) -> JobListener:
    def on_step(text: str) -> None:
        if not invocation.json:
            print_log(text)

    def on_checkout(commit: Checkout) -> None:
        if not invocation.json:
            print_log(
                f"Taxiway {__version__}: branch {commit.branch} of {commit.repository}, commit {commit.commit}"
            )

    def on_result(result: InfoResult | MigrateResult) -> None:
        if not invocation.json:
            text = render_info(result) if isinstance(result, InfoResult) else render_migrate(result)
            print_result(f"\n{text}\n" if isinstance(result, InfoResult) else text)

    return JobListener(
        on_step=on_step, on_checkout=on_checkout, on_result=on_result, on_event=event_printer(invocation)
    )
