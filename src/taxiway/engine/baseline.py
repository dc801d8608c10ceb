"""``baseline``: let the history of a database that was not made by migrations begin at a version."""

from typing import Final

from taxiway.engine.callbacks import Callbacks
from taxiway.engine.lock import migration_lock
from taxiway.engine.schemas import Found, begin_again_if_changed, create_missing, find, missing_schemas
from taxiway.engine.survey import Scope
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import Baselined
from taxiway.model.result import BaselineResult
from taxiway.model.settings import MigrationSettings
from taxiway.planning.baseline import baseline_row, require_baseline

EVENTS: Final = (CallbackEvent.BEFORE_BASELINE, CallbackEvent.AFTER_BASELINE, CallbackEvent.AFTER_BASELINE_ERROR)
"""The events around the baseline itself."""

_EARLY: Final = (CallbackEvent.CREATE_SCHEMA, CallbackEvent.BEFORE_CREATE_SCHEMA)


def baseline(scope: Scope, settings: MigrationSettings, tools: Tools) -> BaselineResult:
    """Create the schema history with a row that says that everything up to the baseline version is there.

    Schemas that do not exist are created before, unless ``create_schemas`` is off. A history that begins with this
    baseline already is no error, and stays as it is.

    Raises:
        BaselineRefused: There is a history that does not begin so. Nothing was changed.
        HistoryError: The default schema does not exist, and is not to be created.
        ScriptError: A callback is not in order. Nothing was changed.
        LockNotAcquired, DatabaseError, CallbackFailed: Nothing was changed by us.
    """
    callbacks = Callbacks(scope, settings, tools, holding_lock=True)
    callbacks.prepare((*_EARLY, *EVENTS))
    with migration_lock(scope.table, settings, tools):
        was_there = _baseline(scope, settings, tools, callbacks)
    return BaselineResult(
        database=tools.session.facts.database,
        schema=scope.table.schema,
        version=settings.baseline_version,
        was_there=was_there,
    )


def baseline_in_lock(scope: Scope, settings: MigrationSettings, tools: Tools, callbacks: Callbacks) -> None:
    """What ``migrate`` does with ``baseline_on_migrate`` when there are objects and no history.

    The caller holds the lock, and has to look again: there is a history now, and the missing schemas are there.

    Raises:
        BaselineRefused, HistoryError, DatabaseError, CallbackFailed: As :func:`baseline`.
    """
    with callbacks.around(*EVENTS):
        _begin_or_find(scope, settings, tools)


def _baseline(scope: Scope, settings: MigrationSettings, tools: Tools, callbacks: Callbacks) -> bool:
    """Whether the baseline was there."""
    if settings.create_schemas:
        for event in _EARLY:
            callbacks.fire(event)
    facts = tools.session.look(scope.schemas, scope.table)
    # As Flyway: schemas come with the history in them, so that the callbacks of the baseline find both.
    begins_here = not facts.history_exists and bool(missing_schemas(scope, settings, facts))
    if begins_here:
        _begin_or_find(scope, settings, tools)
    with callbacks.around(*EVENTS):
        return _begin_or_find(scope, settings, tools) and not begins_here


def _begin_or_find(scope: Scope, settings: MigrationSettings, tools: Tools) -> bool:
    """Make sure that the history begins with the baseline, and say whether it did before."""
    row = baseline_row(settings.baseline_version, settings.baseline_description, tools.installed_by(settings))

    def begin(found: Found) -> bool:
        was_there = found.facts.history_exists
        if was_there:
            require_baseline(
                found.applied,
                settings.baseline_version,
                settings.baseline_description,
                table=str(scope.table),
            )
        create_missing(scope, settings, tools, found, first=row)
        if not was_there:
            tools.on_event(Baselined(schema=scope.table.schema, version=settings.baseline_version.text))
        return was_there

    return begin_again_if_changed(scope, tools, find(scope, tools.session), begin)
