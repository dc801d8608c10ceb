"""The commands that work on a database, as a table, and the one way in which all of them run.

Several of them may stand in one call, ``taxiway clean migrate info``: they run in that order with one
configuration, one connection and one look at the files, and the first failure is the last (Flyway 13).
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import click

from taxiway import __version__, errors, exit_codes
from taxiway.cli.commands.options import SettingsCommand, load_settings, require_database, setting_options
from taxiway.cli.invocation import Invocation
from taxiway.cli.names import ALIASES, explain_word
from taxiway.cli.output import print_error, print_json, print_result
from taxiway.model.result import (
    BaselineResult,
    CleanResult,
    ConnectionTestResult,
    InfoResult,
    MigrateResult,
    RepairResult,
    UndoResult,
    ValidateResult,
)
from taxiway.reports import flyway_json as json
from taxiway.reports import text

if TYPE_CHECKING:
    from taxiway.config.merge import Loaded
    from taxiway.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What only some of the commands are asked: ``repair --plan``, ``info -migrationIds``."""

    plan: bool = False
    ids_only: bool = False


@dataclass(slots=True)
class Opener:
    """Opens the project when the first command needs it, and keeps it open for the others."""

    loaded: "Loaded"
    invocation: Invocation
    _closing: ExitStack = field(default_factory=ExitStack)
    _project: "Project | None" = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._closing.close()

    @property
    def project(self) -> "Project":
        """The project, open."""
        from taxiway.project import open_project

        if self._project is None:
            self._project = self._closing.enter_context(
                open_project(
                    self.loaded.settings,
                    base=Path.cwd(),
                    redact=self.invocation.redactor,
                    on_event=self.invocation.on_event,
                )
            )
        return self._project

    def test_connection(self) -> ConnectionTestResult:
        """Connect and disconnect; the files are not looked at."""
        from taxiway.project import test_connection

        return test_connection(
            self.loaded.settings, redact=self.invocation.redactor, on_event=self.invocation.on_event
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCommand[R]:
    """One row of the table.

    Attributes:
        help: For ``--help``; the first sentence is that of the list of commands.
        render: The result as text for people.
        shows: Its result is what was asked for, so that ``-q`` does not hide it.
        failure: The error that a result amounts to, if it does.
    """

    help: str
    run: Callable[[Opener, Wish], R]
    render: Callable[[R, Opener, Wish], str]
    json: Callable[[R, json.Stamp], json.Json]
    shows: Callable[[R], bool] = lambda _result: False
    failure: Callable[[R], errors.TaxiwayError | None] = lambda _result: None


def _render_info(result: InfoResult, opener: Opener, wish: Wish) -> str:
    if wish.ids_only:
        return text.render_migration_ids(result)
    return text.render_info(result, opener.loaded.settings.migrations)


def _failed_validation(result: ValidateResult) -> errors.TaxiwayError | None:
    return None if result.successful else errors.ValidationFailed(result.problems)


TABLE: Final[Mapping[str, DatabaseCommand[Any]]] = {
    "migrate": DatabaseCommand[MigrateResult](
        help="Apply the pending migrations. Each runs in one transaction with its history row.",
        run=lambda opener, _wish: opener.project.migrate(),
        render=lambda result, _opener, _wish: text.render_migrate(result),
        json=json.migrate_json,
    ),
    "info": DatabaseCommand[InfoResult](
        help="Show every migration with its state. Changes nothing.",
        run=lambda opener, _wish: opener.project.info(),
        render=_render_info,
        json=json.info_json,
        shows=lambda _result: True,
    ),
    "validate": DatabaseCommand[ValidateResult](
        help="Compare scripts and schema history; list every difference. Changes nothing. Ends with 1 when there "
        "are differences, with JSON too (Flyway ends with 0 there).",
        run=lambda opener, _wish: opener.project.validate(),
        render=lambda result, _opener, _wish: text.render_validate(result),
        json=json.validate_json,
        failure=_failed_validation,
    ),
    "undo": DatabaseCommand[UndoResult](
        help="Undo the migration that was applied last. With --target: all down to that version, and it.",
        run=lambda opener, _wish: opener.project.undo(),
        render=lambda result, _opener, _wish: text.render_undo(result),
        json=json.undo_json,
    ),
    "baseline": DatabaseCommand[BaselineResult](
        help="Let the history of a database with tables begin. Migrations up to --baseline-version count as "
        "applied.",
        run=lambda opener, _wish: opener.project.baseline(),
        render=lambda result, _opener, _wish: text.render_baseline(result),
        json=json.baseline_json,
    ),
    "repair": DatabaseCommand[RepairResult](
        help="Make the schema history agree with the scripts. Removes failed rows, marks those without a script "
        "as deleted, and takes over changed checksums, descriptions and types. With --plan it only shows the rows "
        "before and after, and runs no callbacks but programs for beforeConnect.",
        run=lambda opener, wish: opener.project.repair(carry_out=not wish.plan),
        render=lambda result, _opener, _wish: text.render_repair(result),
        json=json.repair_json,
        shows=lambda result: not result.carried_out,
    ),
    "clean": DatabaseCommand[CleanResult](
        help="Drop every object of the managed schemas. Refused unless --no-clean-disabled (cleanDisabled=false) "
        "allows it.",
        run=lambda opener, _wish: opener.project.clean(),
        render=lambda result, _opener, _wish: text.render_clean(result),
        json=json.clean_json,
    ),
    "test-connection": DatabaseCommand[ConnectionTestResult](
        help="Connect to the database, and look at nothing else.",
        run=lambda opener, _wish: opener.test_connection(),
        render=lambda result, _opener, _wish: text.render_connection_test(result),
        json=json.connection_test_json,
    ),
}


def make_command(name: str) -> click.Command:
    """The click command that begins a call with this one; others may follow it."""

    @click.command(name, cls=SettingsCommand, help=TABLE[name].help)
    @setting_options
    @click.option(
        "--plan", is_flag=True, hidden=name != "repair", help="Show what would be done, and change nothing."
    )
    @click.option(
        "--migration-ids",
        is_flag=True,
        hidden=name != "info",
        help="Show only versions and descriptions, in one line.",
    )
    @click.argument("further", nargs=-1, metavar="[COMMAND]...", callback=_as_names)
    @click.pass_obj
    def command(
        invocation: Invocation,
        /,
        config_file: Path | None,
        plan: bool,
        migration_ids: bool,
        further: tuple[str, ...],
        **options: object,
    ) -> int:
        names = (name, *further)
        _refuse_stray(plan, "--plan", "repair", names)
        _refuse_stray(migration_ids, "--migration-ids", "info", names)
        invocation.result_only = migration_ids
        loaded = load_settings(invocation, options, config_file)
        return _run_all(names, loaded, invocation, Wish(plan=plan, ids_only=migration_ids))

    return command


def _as_names(ctx: click.Context, _parameter: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(ALIASES.get(word, word) for word in words)
    for name in names:
        if name not in TABLE:
            ctx.fail(explain_word(name, TABLE))
    return names


def _refuse_stray(given: bool, flag: str, command: str, names: tuple[str, ...]) -> None:
    if given and command not in names:
        raise click.UsageError(f"{flag} belongs to '{command}'.")


def _run_all(names: tuple[str, ...], loaded: "Loaded", invocation: Invocation, wish: Wish) -> int:
    require_database(loaded)
    invocation.is_chain = len(names) > 1
    exit_code = exit_codes.SUCCESS
    with Opener(loaded, invocation) as opener:
        for name in names:
            exit_code = _run_one(TABLE[name], opener, wish)
            invocation.termination.check()
            if exit_code != exit_codes.SUCCESS:
                break
    if invocation.json:
        results = invocation.results
        print_json(json.several_json(results) if invocation.is_chain else results[0])
    return exit_code


def _run_one(command: DatabaseCommand[Any], opener: Opener, wish: Wish) -> int:
    invocation = opener.invocation
    result = invocation.with_warnings(command.run(opener, wish))
    failure = command.failure(result)
    if invocation.json:
        invocation.results.append(command.json(result, json.Stamp(datetime.now().astimezone(), __version__)))
    elif failure is not None:
        print_error(failure, color=invocation.color)
    elif command.shows(result):
        print_result(command.render(result, opener, wish), newline=not invocation.result_only)
    else:
        invocation.say(command.render(result, opener, wish))
    return exit_codes.SUCCESS if failure is None else exit_codes.exit_code_for(failure)
