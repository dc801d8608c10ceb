"""The table of commands, and the one place where exceptions become exit codes."""

import importlib
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, override

import click

from taxiway import errors, exit_codes
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import print_error, print_json, redacted_streams
from taxiway.nearest import find_nearest
from taxiway.runner.signals import Terminated


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


# Commands of Flyway that people will try.
_NOT_YET: Final = frozenset({"baseline", "clean", "repair", "undo"})
_FLYWAY_SPELLING: Final = re.compile(r"-(?P<name>[A-Za-z][A-Za-z.]+)=")


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
        if args and args[0] in _NOT_YET:
            ctx.fail(f"The command '{args[0]}' is not there yet. Flyway's works on the same schema history.")
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = find_nearest(args[0], COMMANDS)
            hint = f" Did you mean '{near}'?" if near else ""
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
    invocation = Invocation()
    with redacted_streams(invocation.redactor) as out:
        exit_code = _run_stoppable(arguments, invocation)
        out.finish()
        return _with_lost_output(exit_code, out.failure)


def _run_stoppable(arguments: Sequence[str], invocation: Invocation) -> int:
    try:
        with invocation.termination.listening():
            return _run_redacted(arguments, invocation)
    except KeyboardInterrupt as stop:
        return _report_stop(stop, invocation)


def _run_redacted(arguments: Sequence[str], invocation: Invocation) -> int:
    try:
        _refuse_flyway_spelling(arguments)
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
        return _report_stop(error.__cause__, invocation)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug, shown redacted, with its own exit code
        return _report_bug(error, invocation)
    return outcome if isinstance(outcome, int) else exit_codes.SUCCESS


def _with_lost_output(exit_code: int, failure: OSError | None) -> int:
    """The exit code, given what became of standard output (docs/adr/0006-exit-codes.md)."""
    if failure is None or isinstance(failure, BrokenPipeError):
        # A reader that has left (`| head`) has seen what it wanted.
        return exit_code
    click.echo(
        f"The output could not be written: {failure.strerror or failure}. "
        f"The command went on without it and ended with exit code {exit_code}.",
        err=True,
    )
    return exit_code or exit_codes.FAILED


def _refuse_flyway_spelling(arguments: Sequence[str]) -> None:
    """Name our spelling of ``-url=…``, which click would take for ``-u``, ``-r`` and so on."""
    for argument in arguments:
        if found := _FLYWAY_SPELLING.match(argument):
            from taxiway.config.options import BY_KEY

            name = found["name"].partition(".")[0]
            option = BY_KEY.get(name)
            ours = f" Write {option.flag} …" if option and option.flag else ""
            raise click.UsageError(f"Flyway's spelling '-{found['name']}=…' is not understood yet.{ours}")


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


def _report_stop(stop: BaseException | None, invocation: Invocation) -> int:
    """Say where the command was stopped, and what it has left behind."""
    is_terminated = isinstance(stop, Terminated)
    word = "Terminated" if is_terminated else "Interrupted"
    message = invocation.progress.render_stop(word)
    if invocation.json:
        from taxiway.reports.flyway_json import stopped_json

        print_json(stopped_json(message, code=word.lower(), applied=invocation.progress.applied))
    else:
        click.echo(message, err=True)
    return exit_codes.TERMINATED if is_terminated else exit_codes.INTERRUPTED


def _report_bug(error: Exception, invocation: Invocation) -> int:
    """The traceback on standard error, in JSON mode too: it is for the developers of Taxiway."""
    import traceback

    click.echo("".join(traceback.format_exception(error)), err=True)
    click.echo("This is a bug in Taxiway. Please report it with the lines above.", err=True)
    if invocation.json:
        from taxiway.reports.flyway_json import stopped_json

        message = f"A bug in Taxiway: {type(error).__name__}: {error}"
        print_json(stopped_json(message, code="bug", applied=invocation.progress.applied))
    return exit_codes.BUG
