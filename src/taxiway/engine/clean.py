"""``clean``: drop every object of the managed schemas."""

from typing import Final

from taxiway import errors
from taxiway.engine.callbacks import Callbacks
from taxiway.engine.lock import migration_lock
from taxiway.engine.ports import SchemaFacts
from taxiway.engine.survey import Scope
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import SchemaCleaned, Warned
from taxiway.model.result import CleanResult
from taxiway.model.settings import MigrationSettings
from taxiway.planning.clean import created_schemas

_EVENTS: Final = (CallbackEvent.BEFORE_CLEAN, CallbackEvent.AFTER_CLEAN, CallbackEvent.AFTER_CLEAN_ERROR)


def clean(scope: Scope, settings: MigrationSettings, tools: Tools) -> CleanResult:
    """Empty the managed schemas, and drop those that the history says Flyway or Taxiway created.

    Each schema is a transaction of its own. A schema that cannot be dropped is emptied instead.

    Raises:
        CleanDisabled: It was not allowed. Nothing was changed.
        ScriptError: A callback is not in order. Nothing was changed.
        LockNotAcquired: Somebody is migrating, or has taken the lock when a callback gave it back.
        DatabaseError: A schema could not be emptied; those before it are.
        CallbackFailed: A callback failed.
    """
    if settings.clean_disabled:
        names = ", ".join(f'"{schema}"' for schema in scope.schemas)
        raise errors.CleanDisabled(f"clean would drop every object of {names}, and cleanDisabled forbids it.")
    callbacks = Callbacks(scope, settings, tools, holding_lock=True)
    callbacks.prepare(_EVENTS)
    with migration_lock(scope.table, settings, tools), callbacks.around(*_EVENTS):
        return _clean(scope, tools)


def _clean(scope: Scope, tools: Tools) -> CleanResult:
    facts = tools.session.look(scope.schemas, scope.table)
    ours = _created_schemas(scope, facts, tools)
    existing = [schema for schema in scope.schemas if schema in facts.existing]
    for schema in scope.schemas:
        if schema not in facts.existing:
            tools.on_event(Warned(message=f'There is no schema "{schema}" to clean.'))
    cleaned = [schema for schema in existing if schema not in ours]
    for schema in cleaned:
        _clean_schema(schema, scope, tools)
    dropped = [schema for schema in existing if schema in ours and _drop_schema(schema, scope, tools)]
    return CleanResult(
        database=tools.session.facts.database,
        cleaned=tuple(schema for schema in existing if schema not in dropped),
        dropped=tuple(dropped),
    )


def _created_schemas(scope: Scope, facts: SchemaFacts, tools: Tools) -> frozenset[str]:
    if not facts.history_exists:
        return frozenset()
    try:
        return created_schemas(tools.session.history_rows(scope.table))
    except errors.HistoryUnreadable as error:
        # It is going to be dropped anyway. As Flyway: then no schema is.
        tools.on_event(Warned(message=f"Schemas are emptied and not dropped: {error.message}"))
        return frozenset()


def _clean_schema(schema: str, scope: Scope, tools: Tools) -> None:
    tools.change(lambda: tools.session.clean_schema(schema, scope.table), outcome=[SchemaCleaned(schema=schema)])


def _drop_schema(schema: str, scope: Scope, tools: Tools) -> bool:
    """Drop a schema, or else empty it, which may be allowed, and takes fewer locks at a time; says which."""
    try:
        tools.change(
            lambda: tools.session.drop_schema(schema, scope.table),
            outcome=[SchemaCleaned(schema=schema, dropped=True)],
        )
    except errors.ConnectionLost:
        raise
    except errors.DatabaseError as error:
        message = f'Schema "{schema}" is emptied, because it could not be dropped: {error.message}'
        tools.on_event(Warned(message=tools.redact(message)))
        _clean_schema(schema, scope, tools)
        return False
    return True
