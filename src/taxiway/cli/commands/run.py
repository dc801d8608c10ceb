"""``taxiway run``: the job of the container."""

import os
from datetime import datetime

import click

from taxiway import __version__
from taxiway.cli.commands.options import call_options
from taxiway.cli.invocation import Invocation
from taxiway.cli.json_log import write_result
from taxiway.cli.output import print_json, print_result
from taxiway.cli.settings import log_configuration
from taxiway.config.merge import Loaded
from taxiway.model.info import InfoResult
from taxiway.model.ledger import RunOrigin
from taxiway.model.result import MigrateResult
from taxiway.model.settings import MigrationSettings
from taxiway.reports.flyway_json import Stamp, result_json, run_json
from taxiway.reports.text import render_info, render_migrate
from taxiway.runner.job import read_job
from taxiway.runner.run import JobListener
from taxiway.runner.run import run as run_job
from taxiway.sources.git import Checkout


def _as_branch(_ctx: click.Context, _parameter: click.Parameter, words: tuple[str, ...]) -> str | None:
    """The one branch; None if none is named. Whoever writes two has mostly repeated the entry point."""
    if len(words) > 1:
        raise click.UsageError(f"One branch is run at a time, and {len(words)} are named: {', '.join(words)}.")
    return words[0] if words else None


@click.command()
@click.argument("branch", nargs=-1, metavar="[BRANCH]", callback=_as_branch)
@click.option("--commit", metavar="SHA", help="Run this commit, by its full id, instead of the head of a branch.")
@call_options
@click.pass_obj
def run(invocation: Invocation, /, branch: str | None, commit: str | None) -> None:
    """Run the migrations of one commit: the head of BRANCH, or of the repository's default branch.

    With --commit it is exactly that one; it has to be on a branch of the repository.

    What to run and where is taken from the environment (docs/reference/environment.md) and from taxiway.toml
    in the repository. Shows info, migrates, shows info again.
    """
    if invocation.settings:
        given = ", ".join(f"-{key}" for key in invocation.settings)
        raise click.UsageError(
            f"'run' takes its settings from the environment and the repository, not from {given}."
        )
    invocation.is_run = True
    spec = read_job(os.environ, branch=branch, commit=commit)
    listener = _listener(invocation)
    result = run_job(spec, environment=os.environ, redactor=invocation.redactor, listener=listener)
    invocation.termination.check()
    invocation.is_complete = True
    if invocation.log_json:
        return
    if invocation.json:
        stamp = Stamp(datetime.now().astimezone(), __version__)
        print_json(run_json(result, stamp) | {"warnings": invocation.warnings})


def _listener(invocation: Invocation) -> JobListener:
    """A listener that logs, shows the results, and notes how far the run is."""

    def on_checkout(commit: Checkout) -> None:
        invocation.say_origin(
            f"Taxiway {__version__}: branch {commit.branch} of {commit.repository}, commit {commit.commit}",
            repository=commit.repository,
            branch=commit.branch,
            commit=commit.commit,
        )

    def on_origin(origin: RunOrigin) -> None:
        invocation.say_origin(f"Run {origin.run_id}", runId=origin.run_id)

    def on_configuration(loaded: Loaded) -> None:
        log_configuration(invocation, loaded)

    def on_result(result: InfoResult | MigrateResult, settings: MigrationSettings) -> None:
        if isinstance(result, InfoResult):
            invocation.progress.note_info(result)
        is_info = isinstance(result, InfoResult)
        text = render_info(result, settings) if isinstance(result, InfoResult) else render_migrate(result)
        if invocation.log_json:
            stamp = Stamp(datetime.now().astimezone(), __version__)
            write_result(result_json(result, stamp), text, command="info" if is_info else "migrate")
        elif not invocation.json:
            print_result(f"\n{text}\n" if is_info else text)

    return JobListener(
        on_step=invocation.say,
        on_checkout=on_checkout,
        on_configuration=on_configuration,
        on_result=on_result,
        on_event=invocation.on_event,
        on_origin=on_origin,
    )
