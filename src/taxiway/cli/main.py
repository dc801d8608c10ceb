"""The table of commands, and the one place where exceptions become exit codes."""

import importlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, override

import click

from taxiway import errors, exit_codes
from taxiway.cli.invocation import Invocation
from taxiway.cli.names import ALIASES, explain_word
from taxiway.cli.output import print_error, print_json, redacted_streams
from taxiway.cli.usage import usage_error
from taxiway.runner.signals import Terminated


class CommandEntry(NamedTuple):
    """A command of the table: where it is made, and its help, so that --help loads no command.

    ``target`` is ``module:attribute``: a command, or what makes it of its name.
    """

    target: str
    help: str


_DATABASE: Final = "taxiway.cli.commands.database:make_command"

COMMANDS: Final = {
    "migrate": CommandEntry(_DATABASE, "Apply the pending migrations."),
    "info": CommandEntry(_DATABASE, "Show every migration with its state."),
    "validate": CommandEntry(_DATABASE, "Compare scripts and schema history."),
    "undo": CommandEntry(_DATABASE, "Undo the migration that was applied last."),
    "baseline": CommandEntry(_DATABASE, "Let the history of a database with tables begin."),
    "repair": CommandEntry(_DATABASE, "Make the schema history agree with the scripts."),
    "clean": CommandEntry(_DATABASE, "Drop every object of the managed schemas."),
    "test-connection": CommandEntry(_DATABASE, "Connect to the database, and look at nothing else."),
    "config": CommandEntry("taxiway.cli.commands.config:config", "Show every setting and where it comes from."),
    "add": CommandEntry("taxiway.cli.commands.authoring:add", "Create the file of a new migration."),
    "init": CommandEntry("taxiway.cli.commands.authoring:init", "Begin a project."),
    "run": CommandEntry("taxiway.cli.commands.run:run", "Run a branch's migrations: the job of the container."),
    "version": CommandEntry("taxiway.cli.commands.about:version", "Show the version."),
    "list-engines": CommandEntry(
        "taxiway.cli.commands.about:list_engines", "List the databases that are supported."
    ),
}


# Misspelt in the usual ways, too
_PASSWORD: Final = ("--passw", "--pass=", "--pwd")


class LazyGroup(click.Group):
    """A group that imports a command when it is used."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = ALIASES.get(cmd_name, cmd_name)
        entry = COMMANDS.get(name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        made: Any = getattr(importlib.import_module(module), attribute)
        command: click.Command = made if isinstance(made, click.Command) else made(name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(explain_word(args[0], COMMANDS))
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from taxiway import __version__

        click.echo(f"taxiway {__version__}")
        ctx.exit()


_EPILOG: Final = """
'taxiway COMMAND --help' shows the options of a command.

Settings come from the command line, from environment variables such as FLYWAY_URL, from taxiway.toml, and from
Flyway's own files; the first that has one wins. 'taxiway config' shows each with the place where it comes from.

Several commands in one call run one after the other: taxiway clean migrate info. Flyway's own command lines work
as well: taxiway -url=jdbc:postgresql://host/db -outOfOrder=true migrate.

Documentation: docs/index.md in the repository of Taxiway; docs/reference has every option, variable and error.
"""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
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
    rest: Sequence[str] = ()
    try:
        rest = _take_in(arguments, invocation)
        outcome: Any = taxiway.main(rest, prog_name="taxiway", standalone_mode=False, obj=invocation)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return exit_codes.SUCCESS
    except click.ClickException as error:
        _report(usage_error(error, rest, taxiway), invocation)
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
    outcome = "succeeded, and ends with 1 because its output is lost" if exit_code == 0 else "failed"
    click.echo(
        f"The output could not be written: {failure.strerror or failure}. "
        f"The command went on without it and {outcome}.",
        err=True,
    )
    return exit_code or exit_codes.FAILED


def _take_in(arguments: Sequence[str], invocation: Invocation) -> list[str]:
    """Note what was given in Flyway's style; the rest is for click."""
    if list(arguments) == ["--version"]:
        # Asked for by every script that waits for a tool: the table of settings need not be loaded for it.
        return ["--version"]
    from taxiway.cli.flyway_args import parse_command_line, wants_json

    invocation.json = wants_json(arguments)
    _refuse_password(arguments)
    line = parse_command_line(arguments)
    invocation.settings = line.settings
    return list(line.rest)


def _refuse_password(arguments: Sequence[str]) -> None:
    """Before anything of what follows it could be shown."""
    if any(argument.startswith(_PASSWORD) for argument in arguments):
        raise errors.ConfigError(
            "There is no option for the password: everybody on the machine can read the arguments of a process.",
            hint="Set FLYWAY_PASSWORD, use ~/.pgpass, or write a reference such as ${env:NAME} into a file.",
        )


def _report(error: errors.TaxiwayError, invocation: Invocation) -> None:
    """On standard error for people; as JSON on standard output when that was asked for."""
    if error.result is not None:
        error.result = invocation.with_warnings(error.result)
    if not invocation.json:
        print_error(error, color=invocation.color)
        return
    from datetime import datetime

    from taxiway import __version__
    from taxiway.reports.flyway_error_json import error_json
    from taxiway.reports.flyway_json import Stamp

    _print_failure(error_json(error, Stamp(datetime.now().astimezone(), __version__)), invocation)


def _print_failure(failure: dict[str, Any], invocation: Invocation) -> None:
    """With the results of the commands before, if several were asked for."""
    from taxiway.reports.flyway_error_json import failed_chain_json

    print_json(failed_chain_json(invocation.results, failure) if invocation.is_chain else failure)


def _report_stop(stop: BaseException | None, invocation: Invocation) -> int:
    """Say where the command was stopped, and what it has left behind."""
    is_terminated = isinstance(stop, Terminated)
    word = "Terminated" if is_terminated else "Interrupted"
    message = invocation.progress.render_stop(word)
    if invocation.json:
        from taxiway.reports.flyway_error_json import stopped_json

        _print_failure(stopped_json(message, code=word.lower(), applied=invocation.progress.applied), invocation)
    else:
        click.echo(message, err=True)
    return exit_codes.TERMINATED if is_terminated else exit_codes.INTERRUPTED


def _report_bug(error: Exception, invocation: Invocation) -> int:
    """The traceback on standard error, in JSON mode too: it is for the developers of Taxiway."""
    import traceback

    click.echo("".join(traceback.format_exception(error)), err=True)
    click.echo("This is a bug in Taxiway. Please report it with the lines above.", err=True)
    if invocation.json:
        from taxiway.reports.flyway_error_json import stopped_json

        message = f"A bug in Taxiway: {type(error).__name__}: {error}"
        _print_failure(stopped_json(message, code="bug", applied=invocation.progress.applied), invocation)
    return exit_codes.BUG
