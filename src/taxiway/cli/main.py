"""The one place where a call begins, and where exceptions become exit codes."""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final

from taxiway import errors, exit_codes
from taxiway.cli.invocation import Invocation
from taxiway.cli.output import (
    has_printed_document,
    print_aside,
    print_checked,
    print_error,
    print_json,
    print_result,
    redacted_streams,
)
from taxiway.runner.signals import Terminated

# Misspelt in the usual ways, too
_PASSWORD: Final = ("--passw", "--pass=", "--pwd")
# What the shell sets to have a word completed (click, "Shell Completion")
_COMPLETION: Final = "_TAXIWAY_COMPLETE"
# In the place of the code that an error of ours has
_BUG: Final = "bug"


def run(arguments: Sequence[str], *, ends_process: bool = False) -> int:
    """Run the command line and return the exit code. Prints what went wrong; raises nothing.

    ``ends_process``: nothing but the end of the process follows, so that signals stay without effect on it.
    """
    invocation = Invocation()
    if list(arguments[:1]) == ["run"]:
        # Before anything can go wrong: whoever has started the container waits for its last line.
        invocation.is_run = True
    with redacted_streams(invocation.redactor) as out, ExitStack() as stack:
        listening = invocation.termination.listening(to_the_end=ends_process)
        exit_code = _run_stoppable(arguments, invocation, lambda: stack.enter_context(listening))
        if invocation.log_json:
            from taxiway.cli.json_log import write_ending

            write_ending(invocation.report(exit_code))
        out.finish()
        exit_code = _with_lost_output(exit_code, out.failure)
        _report_run(exit_code, invocation, is_lost=out.failure is not None)
        return exit_code


def _run_stoppable(arguments: Sequence[str], invocation: Invocation, listen: Callable[[], None]) -> int:
    """``listen`` is called where it is caught what a signal raises."""
    try:
        listen()
        exit_code = _run_redacted(arguments, invocation)
        invocation.termination.conclude()
    except KeyboardInterrupt as stop:
        invocation.termination.conclude()
        exit_code = _report_stop(stop, invocation)
    return exit_code


def _run_redacted(arguments: Sequence[str], invocation: Invocation) -> int:
    if list(arguments) == ["--version"]:
        # Asked for by every script that waits for a tool.
        return _print_version()
    rest: Sequence[str] = ()
    try:
        rest = _take_in(arguments, invocation)
        return _run_directly(rest, invocation)
    except errors.TaxiwayError as error:
        _report(error, invocation)
        return exit_codes.exit_code_for(error)
    except KeyboardInterrupt as stop:
        print_aside("")
        return _report_stop(stop, invocation)
    except Exception as error:  # noqa: BLE001 - the last resort
        return _report_other(error, rest, invocation)


def _report_run(exit_code: int, invocation: Invocation, *, is_lost: bool) -> None:
    """The last line of the container's log, for every ending but that of ``--help``."""
    if invocation.log_json or not invocation.is_run or not (exit_code or invocation.is_complete):
        return
    from dataclasses import replace

    from taxiway.reports.result_line import render_result_line

    report = invocation.report(exit_code)
    # The name of the branch is the only text that is not ours; numbers that were masked would end all trust.
    branch = invocation.redactor(report.branch) if report.branch else None
    print_checked(render_result_line(replace(report, branch=branch)), err=invocation.json or is_lost)


def _print_version() -> int:
    from taxiway import __version__

    print_result(f"taxiway {__version__}")
    return exit_codes.SUCCESS


def _run_directly(arguments: Sequence[str], invocation: Invocation) -> int:
    """Run a plain call; click reads all others, and completes words in a shell."""
    from taxiway.cli.direct import read_call

    call = read_call(arguments) if _COMPLETION not in os.environ else None
    if call is None:
        return _run_with_click(arguments, invocation)
    from taxiway.cli.database import Wish, run_commands

    call.note(invocation)
    return run_commands(call.commands, call.settings, invocation, wish=Wish())


def _run_with_click(arguments: Sequence[str], invocation: Invocation) -> int:
    from taxiway.cli.group import taxiway

    outcome: Any = taxiway.main(arguments, prog_name="taxiway", standalone_mode=False, obj=invocation)
    return outcome if isinstance(outcome, int) else exit_codes.SUCCESS


def _with_lost_output(exit_code: int, failure: OSError | None) -> int:
    """The exit code, given what became of standard output (docs/adr/0006-exit-codes.md)."""
    if failure is None or isinstance(failure, BrokenPipeError):
        # A reader that has left (`| head`) has seen what it wanted.
        return exit_code
    outcome = "succeeded, and ends with 1 because its output is lost" if exit_code == 0 else "failed"
    print_aside(
        f"The output could not be written: {failure.strerror or failure}. "
        f"The command went on without it and {outcome}."
    )
    return exit_code or exit_codes.FAILED


def _take_in(arguments: Sequence[str], invocation: Invocation) -> list[str]:
    """Note what was given in Flyway's style; the rest is in ours."""
    from taxiway.cli.flyway_args import parse_command_line, wants_json, wants_json_log

    invocation.json = wants_json(arguments)
    invocation.log_json = wants_json_log(arguments, os.environ.get("TAXIWAY_LOG"))
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


def _report_other(error: Exception, arguments: Sequence[str], invocation: Invocation) -> int:
    """What click has to say, or a bug."""
    import click

    from taxiway.cli.group import taxiway
    from taxiway.cli.usage import usage_error

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print_result(error.format_message())
        return exit_codes.SUCCESS
    if isinstance(error, click.ClickException):
        _report(usage_error(error, arguments, taxiway), invocation)
        return exit_codes.USAGE
    if isinstance(error, click.Abort):
        # click makes an Abort of every KeyboardInterrupt, ours included.
        return _report_stop(error.__cause__, invocation)
    return _report_bug(error, invocation)


def _report(error: errors.TaxiwayError, invocation: Invocation) -> None:
    """On standard error for people; as JSON on standard output when that was asked for."""
    invocation.code = error.code
    if error.result is not None:
        error.result = invocation.with_warnings(error.result)
    if invocation.log_json:
        from taxiway.cli.json_log import write_error

        write_error(error)
        return
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
    if invocation.log_json:
        from taxiway.cli.json_log import write_stop

        write_stop(message, code=word.lower())
    elif invocation.json and not has_printed_document():
        from taxiway.reports.flyway_error_json import stopped_json

        _print_failure(stopped_json(message, code=word.lower(), applied=invocation.progress.applied), invocation)
    else:
        # Behind a result too: a second document would make both of them unreadable.
        print_aside(message)
    return exit_codes.TERMINATED if is_terminated else exit_codes.INTERRUPTED


def _report_bug(error: Exception, invocation: Invocation) -> int:
    """The traceback on standard error, in JSON mode too: it is for the developers of Taxiway."""
    import traceback

    print_aside("".join(traceback.format_exception(error)))
    print_aside("This is a bug in Taxiway. Please report it with the lines above.")
    message = f"A bug in Taxiway: {type(error).__name__}: {error}"
    invocation.code = _BUG
    if invocation.log_json:
        from taxiway.cli.json_log import write_stop

        write_stop(message, code=_BUG)
    elif invocation.json:
        from taxiway.reports.flyway_error_json import stopped_json

        _print_failure(stopped_json(message, code=_BUG, applied=invocation.progress.applied), invocation)
    return exit_codes.BUG
