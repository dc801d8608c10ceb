"""``repair``: make the history agree with the scripts again."""

from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from taxiway.engine.callbacks import Callbacks
from taxiway.engine.lock import migration_lock
from taxiway.engine.survey import Scope, require_migrations, survey
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import Event, RowAligned, RowMarkedDeleted, RowRemoved
from taxiway.model.plan import RepairPlan
from taxiway.model.result import RepairResult
from taxiway.model.settings import MigrationSettings
from taxiway.planning.repair import plan_repair, repair_policy

_EVENTS: Final = (CallbackEvent.BEFORE_REPAIR, CallbackEvent.AFTER_REPAIR, CallbackEvent.AFTER_REPAIR_ERROR)


def repair(scope: Scope, settings: MigrationSettings, tools: Tools, *, carry_out: bool) -> RepairResult:
    """Remove the rows of failed migrations, mark those without a script as deleted, align the others.

    All of it is one transaction, under the migration lock: a row must not change while somebody migrates by it.
    Without ``carry_out`` the plan is made and nothing else happens: no lock, no callbacks. Without a history there
    is nothing to repair.

    Raises:
        NoMigrationsFound: Rows would be marked as deleted, and there is not one script: the locations are wrong
            more often than all scripts are gone.
        CherryPickNotFound, HistoryUnreadable: The history cannot be repaired. Nothing was changed.
        ScriptError: A callback is not in order. Nothing was changed.
        LockNotAcquired, DatabaseError, CallbackFailed: Nothing was changed by us.
    """
    with ExitStack() as stack:
        if carry_out:
            callbacks = Callbacks(scope, settings, tools, holding_lock=True)
            callbacks.prepare(_EVENTS)
            stack.enter_context(migration_lock(scope.table, settings, tools))
            stack.enter_context(callbacks.around(*_EVENTS))
        return _repair(scope, settings, tools, carry_out=carry_out)


def _repair(scope: Scope, settings: MigrationSettings, tools: Tools, *, carry_out: bool) -> RepairResult:
    seen = survey(scope, replace(settings, policy=repair_policy(settings.policy)), tools.session)
    plan = plan_repair(
        scope.resolution.migrations,
        seen.applied,
        settings.policy,
        installed_by=tools.installed_by(settings),
    )
    if plan.deletions:
        require_migrations(scope, settings)
    if carry_out and not plan.is_empty:
        tools.change(lambda: tools.session.repair_history(scope.table, plan), outcome=_changes(plan))
    return RepairResult(
        database=tools.session.facts.database,
        schema=scope.table.schema,
        plan=plan,
        paths={
            info.applied.installed_rank: info.resolved.path
            for info in seen.infos
            if info.applied and info.resolved
        },
        carried_out=carry_out,
    )


def _changes(plan: RepairPlan) -> list[Event]:
    return [
        *(RowRemoved(row=row) for row in plan.removals),
        *(RowMarkedDeleted(row=deletion.before) for deletion in plan.deletions),
        *(RowAligned(before=alignment.before, after=alignment.after) for alignment in plan.alignments),
    ]
