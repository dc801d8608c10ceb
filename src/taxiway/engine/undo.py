"""``undo``: take back what was applied last."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from taxiway import errors
from taxiway.engine.attempt import Shared
from taxiway.engine.callbacks import Callbacks
from taxiway.engine.execute import UNDO_EVENTS, Executor, run_planned
from taxiway.engine.lock import migration_lock
from taxiway.engine.scripts import Scripts
from taxiway.engine.survey import Scope, Survey, require_migrations, survey
from taxiway.engine.tools import Tools
from taxiway.engine.validate import compare
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import CurrentVersion, Validated, Warned
from taxiway.model.info import MigrationState
from taxiway.model.plan import PlannedMigration, PlannedUndo
from taxiway.model.result import UndoResult
from taxiway.model.rules import IgnorePattern
from taxiway.model.settings import MigrationSettings
from taxiway.planning.history import next_rank
from taxiway.planning.migrate import refuse_mixed_group
from taxiway.planning.undo import UndoPlan, plan_undo, version_after

_EVENTS: Final = (CallbackEvent.BEFORE_UNDO, CallbackEvent.AFTER_UNDO, CallbackEvent.AFTER_UNDO_ERROR)


def undo(scope: Scope, settings: MigrationSettings, tools: Tools) -> UndoResult:
    """Run the undo script of the version that was applied last, or of those down to the target.

    Like ``migrate``, this validates first unless ``validate_on_migrate`` is off: an undo script belongs to what
    was applied, and that is not the script that lies there now if the two do not agree. Migrations that are not
    applied are no problem here. Every undo script is read and split before the first one runs.

    Nothing to undo is no error; a warning says why.

    Raises:
        NoMigrationsFound, ValidationFailed, HistoryError, ScriptError: Nothing was changed.
        MigrationFailed: An undo script was refused; ``result`` has what was undone before.
        LockNotAcquired, ConnectionLost, OutcomeUnknown, CallbackFailed, DatabaseError: As with ``migrate``.
    """
    require_migrations(scope, settings)
    callbacks = Callbacks(scope, settings, tools, holding_lock=True)
    callbacks.prepare((*_EVENTS, *UNDO_EVENTS.all))
    with migration_lock(scope.table, settings, tools):
        _validate(scope, settings, tools, callbacks)
        return _between_callbacks(scope, settings, tools, callbacks)


def _validate(scope: Scope, settings: MigrationSettings, tools: Tools, callbacks: Callbacks) -> None:
    facts = tools.session.look(scope.schemas, scope.table)
    if not settings.validate_on_migrate or not facts.history_exists:
        return
    patterns = (*settings.policy.ignore_patterns, IgnorePattern(None, MigrationState.IGNORED))
    lenient = replace(settings, policy=settings.policy._replace(ignore_patterns=patterns))
    seen, problems = compare(scope, lenient, tools, callbacks, pending_ignored=True)
    if problems:
        raise errors.ValidationFailed(problems)
    tools.on_event(Validated(count=len(seen.infos)))


def _between_callbacks(
    scope: Scope, settings: MigrationSettings, tools: Tools, callbacks: Callbacks
) -> UndoResult:
    result: UndoResult | None = None
    try:
        with callbacks.around(*_EVENTS):
            result = _undo(scope, settings, tools, callbacks)
    except errors.TaxiwayError as error:
        if error.result is None:
            # Only the last callback has failed.
            error.result = result
        raise
    return result


def _undo(scope: Scope, settings: MigrationSettings, tools: Tools, callbacks: Callbacks) -> UndoResult:
    started = tools.clock.monotonic()
    seen = survey(scope, settings, tools.session)
    plan = plan_undo(seen.infos, settings.policy)
    migrations = _planned(plan.undos, scope, settings, tools)
    _tell(plan, seen, tools)
    shared = Shared(
        scope=scope,
        settings=settings,
        tools=tools,
        callbacks=callbacks,
        installed_by=tools.installed_by(settings),
        each=UNDO_EVENTS,
    )
    executor = Executor(shared=shared, next_rank=next_rank(seen.applied))

    def result() -> UndoResult:
        done = plan.undos[: len(executor.applied)]
        return UndoResult(
            database=tools.session.facts.database,
            schema=scope.table.schema,
            schemas=settings.schemas,
            initial_version=seen.current_version,
            target_version=version_after(seen.infos, [one.undone for one in done]),
            migrations=tuple(executor.applied),
            duration_ms=round((tools.clock.monotonic() - started) * 1000),
        )

    run_planned(executor, migrations, result=result)
    return result()


def _planned(
    undos: Sequence[PlannedUndo], scope: Scope, settings: MigrationSettings, tools: Tools
) -> tuple[PlannedMigration, ...]:
    """The scripts, ready to run."""
    scripts = Scripts(scope, settings, tools.session)
    planned = tuple(PlannedMigration(migration=one.migration, script=scripts.of(one.migration)) for one in undos)
    if settings.group and not settings.mixed:
        refuse_mixed_group(planned)
    return planned


def _tell(plan: UndoPlan, seen: Survey, tools: Tools) -> None:
    version = seen.current_version
    schema = seen.scope.table.schema
    tools.on_event(CurrentVersion(schema=schema, version=version.text if version is not None else None))
    if plan.obstacle:
        tools.on_event(Warned(message=f"Nothing is undone: {plan.obstacle}"))
