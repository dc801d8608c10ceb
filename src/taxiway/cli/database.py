"""The commands that work on a database, as a table, and the one way in which all of them run.

Several of them may stand in one call, ``taxiway clean migrate info``: they run in that order with one
configuration, one connection and one look at the files, and the first failure is the last (Flyway 13).
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from taxiway import __version__, errors, exit_codes
from taxiway.cli.output import print_error, print_json, print_result
from taxiway.cli.settings import load_roles, load_settings, require_database, without_need_of_scripts
from taxiway.reports import text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from taxiway.cli.invocation import Invocation
    from taxiway.config.merge import Loaded
    from taxiway.model.info import InfoResult
    from taxiway.model.ledger import RunOrigin
    from taxiway.model.result import CommandResult, ConnectionTestResult, RolesResult, ValidateResult
    from taxiway.project import Project


_READING: Final = frozenset({"info", "validate", "test-connection", "plan"})


class Wish(NamedTuple):
    """What only some of the commands are asked: ``repair --plan``, ``info -migrationIds``."""

    plan: bool = False
    ids_only: bool = False


class Opener:
    """Opens the project when the first command needs it, and keeps it open for the others."""

    def __init__(self, loaded: Loaded, invocation: Invocation, *, run: RunOrigin | None = None) -> None:
        """``run`` is what the ledger is to record, if it is."""
        self.loaded, self.invocation, self._run = loaded, invocation, run
        self._closing = ExitStack()
        self._project: Project | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.__exit__(exc_type, exc_value, traceback)

    @property
    def project(self) -> Project:
        """The project, open."""
        from taxiway.project import open_project

        if self._project is None:
            self._project = self._closing.enter_context(
                open_project(
                    self.loaded.settings,
                    base=Path.cwd(),
                    redact=self.invocation.redactor,
                    on_event=self.invocation.on_event,
                    run=self._run,
                )
            )
        return self._project

    def test_connection(self) -> ConnectionTestResult:
        """Connect and disconnect; the files are not looked at."""
        from taxiway.project import test_connection

        return test_connection(
            self.loaded.settings, redact=self.invocation.redactor, on_event=self.invocation.on_event
        )


class DatabaseCommand[R](NamedTuple):
    """One row of the table.

    Attributes:
        help: For ``--help``; the first sentence is that of the list of commands.
        render: The result as text for people.
        shows: Its result is what was asked for, so that ``-q`` does not hide it.
        failure: The error that a result amounts to, if it does.
        with_roles: It looks after the declared roles.
    """

    help: str
    run: Callable[[Opener, Wish], R]
    render: Callable[[R, Opener, Wish], str]
    shows: Callable[[R], bool] = lambda _result: False
    failure: Callable[[R], errors.TaxiwayError | None] = lambda _result: None
    with_roles: bool = False


def _render_info(result: InfoResult, opener: Opener, wish: Wish) -> str:
    if wish.ids_only:
        return text.render_migration_ids(result)
    return text.render_info(result, opener.loaded.settings.migrations)


def _failed_validation(result: ValidateResult) -> errors.TaxiwayError | None:
    return None if result.successful else errors.ValidationFailed(result.problems)


TABLE: Final[Mapping[str, DatabaseCommand[Any]]] = {
    "migrate": DatabaseCommand(
        help="Apply the pending migrations. Each runs in one transaction with its history row.",
        run=lambda opener, _wish: opener.project.migrate(),
        render=lambda result, _opener, _wish: text.render_migrate(result),
        with_roles=True,
    ),
    "info": DatabaseCommand(
        help="Show every migration with its state. Changes nothing.",
        run=lambda opener, _wish: opener.project.info(),
        render=_render_info,
        shows=lambda _result: True,
    ),
    "validate": DatabaseCommand(
        help="Compare scripts and schema history; list every difference. Changes nothing. Ends with 1 when there "
        "are differences, with JSON too (Flyway ends with 0 there).",
        run=lambda opener, _wish: opener.project.validate(),
        render=lambda result, _opener, _wish: text.render_validate(result),
        failure=_failed_validation,
    ),
    "undo": DatabaseCommand(
        help="Undo the migration that was applied last. With --target: all down to that version, and it.",
        run=lambda opener, _wish: opener.project.undo(),
        render=lambda result, _opener, _wish: text.render_undo(result),
    ),
    "baseline": DatabaseCommand(
        help="Let the history of a database with tables begin. Migrations up to --baseline-version count as "
        "applied.",
        run=lambda opener, _wish: opener.project.baseline(),
        render=lambda result, _opener, _wish: text.render_baseline(result),
    ),
    "repair": DatabaseCommand(
        help="Make the schema history agree with the scripts. Removes failed rows, marks those without a script "
        "as deleted, and takes over changed checksums, descriptions and types. With --plan it only shows the rows "
        "before and after, and runs no callbacks but programs for beforeConnect.",
        run=lambda opener, wish: opener.project.repair(carry_out=not wish.plan),
        render=lambda result, _opener, _wish: text.render_repair(result),
        shows=lambda result: not result.carried_out,
    ),
    "clean": DatabaseCommand(
        help="Drop every object of the managed schemas. Refused unless --no-clean-disabled (cleanDisabled=false) "
        "allows it.",
        run=lambda opener, _wish: opener.project.clean(),
        render=lambda result, _opener, _wish: text.render_clean(result),
    ),
    "test-connection": DatabaseCommand(
        help="Connect to the database, and look at nothing else.",
        run=lambda opener, _wish: opener.test_connection(),
        render=lambda result, _opener, _wish: text.render_connection_test(result),
    ),
}


def _render_roles(result: RolesResult, _opener: Opener, _wish: Wish) -> str:
    from taxiway.reports.roles import render_roles

    return render_roles(result)


ROLES: Final[Mapping[str, DatabaseCommand[Any]]] = {
    "plan": DatabaseCommand(
        help="Show what would be changed. Changes nothing.",
        run=lambda opener, _wish: opener.project.look_after_roles(carry_out=False),
        render=_render_roles,
        shows=lambda _result: True,
        with_roles=True,
    ),
    "apply": DatabaseCommand(
        help="Make the server's roles what is declared.",
        run=lambda opener, _wish: opener.project.look_after_roles(),
        render=_render_roles,
        with_roles=True,
    ),
}


def run_commands(
    names: Sequence[str],
    options: Mapping[str, object],
    invocation: Invocation,
    *,
    config_file: Path | None = None,
    wish: Wish,
    table: Mapping[str, DatabaseCommand[Any]] = TABLE,
) -> int:
    """Run the commands of one call, and return its exit code. ``options`` are settings in our style.

    Raises:
        TaxiwayError: The configuration is not in order, or a command has failed.
    """
    invocation.result_only = wish.ids_only
    loaded = load_settings(invocation, options, config_file)
    require_database(loaded)
    if any(table[name].with_roles for name in names):
        loaded = load_roles(loaded, invocation, required=table is ROLES)
    if table is ROLES:
        loaded = without_need_of_scripts(loaded)
    invocation.is_chain = len(names) > 1
    exit_code = exit_codes.SUCCESS
    with Opener(loaded, invocation, run=_run_to_record(loaded, names)) as opener:
        for name in names:
            exit_code = _run_one(name, table[name], opener, wish)
            invocation.termination.check()
            if exit_code != exit_codes.SUCCESS:
                break
    if invocation.json and not invocation.log_json:
        print_json(_in_one(invocation.results) if invocation.is_chain else invocation.results[0])
    return exit_code


def _run_to_record(loaded: Loaded, names: Sequence[str]) -> RunOrigin | None:
    """What the ledger is to say of this call; ``None`` if it only reads, or nobody has asked for a ledger."""
    if not loaded.settings.ledger.enabled or _READING.issuperset(names):
        return None
    import os
    from datetime import UTC, datetime

    from taxiway.model.ledger import ROLES_APPLY, RunOrigin, make_run_id

    return RunOrigin(
        run_id=make_run_id(datetime.now(UTC), os.urandom(10)),
        version=__version__,
        command=ROLES_APPLY if ROLES.keys() >= {*names} else " ".join(names),
        actor=os.environ.get("TAXIWAY_ACTOR", "").strip() or None,
    )


def _run_one(name: str, command: DatabaseCommand[Any], opener: Opener, wish: Wish) -> int:
    invocation = opener.invocation
    result = invocation.with_warnings(command.run(opener, wish))
    failure = command.failure(result)
    if invocation.log_json:
        _log_result(name, command, result, opener, wish)
    elif invocation.json:
        invocation.results.append(_as_json(result))
    elif failure is not None:
        print_error(failure, color=invocation.color)
    elif command.shows(result):
        print_result(command.render(result, opener, wish), newline=not invocation.result_only)
    else:
        invocation.say(command.render(result, opener, wish))
    return exit_codes.SUCCESS if failure is None else exit_codes.exit_code_for(failure)


def _log_result(
    name: str, command: DatabaseCommand[Any], result: CommandResult, opener: Opener, wish: Wish
) -> None:
    from taxiway.cli.json_log import write_error, write_result

    write_result(_as_json(result), command.render(result, opener, wish), command=name)
    if (failure := command.failure(result)) is not None:
        write_error(failure)


def _as_json(result: CommandResult) -> dict[str, Any]:
    from datetime import datetime

    from taxiway.reports.flyway_json import Stamp, result_json

    return result_json(result, Stamp(datetime.now().astimezone(), __version__))


def _in_one(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from taxiway.reports.flyway_json import several_json

    return several_json(results)
