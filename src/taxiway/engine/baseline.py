"""``baseline``: let the history of a database that was not made by migrations begin at a version."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from taxiway import errors
from taxiway.engine.callbacks import Callbacks
from taxiway.engine.lock import migration_lock
from taxiway.engine.ports import SchemaFacts
from taxiway.engine.survey import Scope, Survey
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import Baselined, HistoryCreated, SchemaCreated
from taxiway.model.migration import AppliedMigration, HistoryRow
from taxiway.model.result import BaselineResult
from taxiway.model.settings import MigrationSettings
from taxiway.planning.baseline import baseline_row, require_baseline
from taxiway.planning.history import next_rank, schema_marker


def baseline(scope: Scope, settings: MigrationSettings, tools: Tools) -> BaselineResult:
    """Create the schema history with a row that says that everything up to the baseline version is there.

    Schemas that do not exist are created before, unless ``create_schemas`` is off. A history that begins with this
    baseline already is no error, and stays as it is.

    Raises:
        BaselineRefused: There is a history that does not begin so. Nothing was changed.
        HistoryError: The default schema does not exist, and is not to be created.
        LockNotAcquired, DatabaseError, CallbackFailed: Nothing was changed by us.
    """
    callbacks = Callbacks(scope, settings, tools, holding_lock=True)
    with migration_lock(
        tools.session,
        scope.table,
        retry_count=settings.lock_retry_count,
        clock=tools.clock,
        on_event=tools.on_event,
    ):
        was_there = _baseline(scope, settings, tools, callbacks)
    return BaselineResult(
        database=tools.session.facts.database,
        schema=scope.table.schema,
        version=settings.baseline_version,
        was_there=was_there,
    )


def baseline_in_lock(
    scope: Scope, settings: MigrationSettings, tools: Tools, callbacks: Callbacks, seen: Survey
) -> None:
    """What ``migrate`` does with ``baseline_on_migrate`` when there are objects and no history.

    The caller holds the lock, and has to look again: there is a history now, and the missing schemas are there.

    Raises:
        HistoryError, DatabaseError, CallbackFailed: As :func:`baseline`.
    """
    with _events(callbacks):
        _begin_history(scope, settings, tools, seen.facts)


def _baseline(scope: Scope, settings: MigrationSettings, tools: Tools, callbacks: Callbacks) -> bool:
    """Whether the baseline was there."""
    if settings.create_schemas:
        callbacks.fire(CallbackEvent.CREATE_SCHEMA)
        callbacks.fire(CallbackEvent.BEFORE_CREATE_SCHEMA)
    facts = tools.session.look(scope.schemas, scope.table)
    # As Flyway: schemas come with the history in them, so that the callbacks of the baseline find both.
    begins_here = not facts.history_exists and bool(_missing(scope, settings, facts))
    if begins_here:
        _begin_history(scope, settings, tools, facts)
    with _events(callbacks):
        return _begin_or_find(scope, settings, tools) and not begins_here


def _begin_or_find(scope: Scope, settings: MigrationSettings, tools: Tools) -> bool:
    """Make sure that the history begins with the baseline, and say whether it did before."""
    session = tools.session
    facts = session.look(scope.schemas, scope.table)
    if not facts.history_exists:
        _begin_history(scope, settings, tools, facts)
        return False
    applied = session.history_rows(scope.table)
    require_baseline(applied, settings.baseline_version, settings.baseline_description, table=str(scope.table))
    _add_missing_schemas(scope, settings, tools, facts, applied)
    return True


def _begin_history(scope: Scope, settings: MigrationSettings, tools: Tools, facts: SchemaFacts) -> None:
    """Missing schemas, the history and its first rows, in one transaction."""
    if scope.table.schema not in facts.existing and not settings.create_schemas:
        raise errors.HistoryError(
            f'Schema "{scope.table.schema}" does not exist, and createSchemas is off.',
            hint="Create the schema, or set createSchemas=true.",
        )
    row = baseline_row(settings.baseline_version, settings.baseline_description, _installed_by(settings, tools))
    missing = _missing(scope, settings, facts)
    marker = _marker(missing, row.installed_rank + 1, settings, tools)
    tools.session.create_schemas_and_history(
        missing, scope.table, [row, *marker], create_table=True, tablespace=settings.tablespace
    )
    for schema in missing:
        tools.on_event(SchemaCreated(schema=schema))
    tools.on_event(HistoryCreated(table=str(scope.table)))
    tools.on_event(Baselined(schema=scope.table.schema, version=settings.baseline_version.text))


def _add_missing_schemas(
    scope: Scope,
    settings: MigrationSettings,
    tools: Tools,
    facts: SchemaFacts,
    applied: Sequence[AppliedMigration],
) -> None:
    missing = _missing(scope, settings, facts)
    if not missing:
        return
    marker = _marker(missing, next_rank(applied), settings, tools)
    tools.session.create_schemas_and_history(
        missing, scope.table, marker, create_table=False, tablespace=settings.tablespace
    )
    for schema in missing:
        tools.on_event(SchemaCreated(schema=schema))


def _missing(scope: Scope, settings: MigrationSettings, facts: SchemaFacts) -> tuple[str, ...]:
    """The schemas to create."""
    if not settings.create_schemas:
        return ()
    return tuple(schema for schema in scope.schemas if schema not in facts.existing)


def _marker(missing: Sequence[str], rank: int, settings: MigrationSettings, tools: Tools) -> list[HistoryRow]:
    return [schema_marker(missing, rank, _installed_by(settings, tools))] if missing else []


def _installed_by(settings: MigrationSettings, tools: Tools) -> str:
    return settings.installed_by or tools.session.facts.user


def _events(callbacks: Callbacks) -> AbstractContextManager[None]:
    return callbacks.around(
        CallbackEvent.BEFORE_BASELINE, CallbackEvent.AFTER_BASELINE, CallbackEvent.AFTER_BASELINE_ERROR
    )
