"""The table of commands, and the one place where exceptions become exit codes."""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, override

import click

from taxiway import errors, exit_codes
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_error, print_json, redacted_streams


class CommandEntry(NamedTuple):
    """A command of the table: ``module:attribute`` and its help, so that --help loads no command."""

    target: str
    help: str


COMMANDS: Final = {
    "migrate": CommandEntry("taxiway.cli.commands.migrate:migrate", "Apply the pending migrations."),
    "info": CommandEntry("taxiway.cli.commands.info:info", "Show every migration with its state."),
    "validate": CommandEntry("taxiway.cli.commands.validate:validate", "Compare scripts and schema history."),
    "run": CommandEntry("taxiway.cli.commands.run:run", "Run a branch's migrations: the job of the container."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"There is no command '{args[0]}'.{hint}")
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from taxiway import __version__

        click.echo(f"taxiway {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def taxiway() -> None:
    """Flyway-compatible SQL migrations for PostgreSQL, from one Git commit."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code. Prints what went wrong; raises nothing."""
    from taxiway.runner.signals import Terminated, termination_raises

    invocation = Invocation()
    try:
        with redacted_streams(invocation.redactor), termination_raises():
            return _run_redacted(arguments, invocation)
    except Terminated:
        return exit_codes.TERMINATED
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; writing the rest at exit would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.FAILED


def _run_redacted(arguments: Sequence[str], invocation: Invocation) -> int:
    from taxiway.runner.signals import Terminated

    try:
        outcome: Any = taxiway.main(list(arguments), prog_name="taxiway", standalone_mode=False, obj=invocation)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return exit_codes.SUCCESS
    except click.ClickException as error:
        _report(_usage_error(error), invocation)
        return exit_codes.USAGE
    except errors.TaxiwayError as error:
        _report(error, invocation)
        return exit_codes.exit_code_for(error)
    except click.Abort as error:
        # click makes an Abort of every KeyboardInterrupt, ours included.
        if isinstance(error.__cause__, Terminated):
            click.echo("Terminated: an open transaction was rolled back and the lock released.", err=True)
            return exit_codes.TERMINATED
        click.echo("Interrupted: an open transaction was rolled back and the lock released.", err=True)
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last resort: a bug, shown redacted, with its own exit code
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
        click.echo("This is a bug in Taxiway. Please report it with the lines above.", err=True)
        return exit_codes.BUG
    return outcome if isinstance(outcome, int) else exit_codes.SUCCESS


def _usage_error(error: click.ClickException) -> errors.ConfigError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "taxiway"
    return errors.ConfigError(error.format_message(), hint=f"Run '{command} --help' to see what it accepts.")


def _report(error: errors.TaxiwayError, invocation: Invocation) -> None:
    """On standard error for people; as JSON on standard output when that was asked for."""
    if not invocation.json:
        print_error(error)
        return
    from datetime import datetime

    from taxiway import __version__
    from taxiway.reports.flyway_json import error_json

    print_json(error_json(error, now=datetime.now().astimezone(), version=__version__))
