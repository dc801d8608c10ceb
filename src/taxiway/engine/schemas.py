"""Creating what is missing: schemas, and the schema history with its first rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.engine.ports import SchemaFacts, Session
from taxiway.engine.survey import Scope
from taxiway.engine.tools import Tools
from taxiway.model.event import HistoryCreated, SchemaCreated
from taxiway.model.migration import AppliedMigration, HistoryRow
from taxiway.model.settings import MigrationSettings
from taxiway.planning.history import schema_marker, schema_marker_rank

# Flyway 13 makes ten attempts, a second apart, whatever the error is.
_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of the managed schemas and of the history. ``applied`` is empty without a history table."""

    facts: SchemaFacts
    applied: tuple[AppliedMigration, ...]


def find(scope: Scope, session: Session) -> Found:
    """Look at schemas and history now."""
    facts, rows = session.look_and_read(scope.schemas, scope.table)
    return Found(facts, tuple(rows))


def missing_schemas(scope: Scope, settings: MigrationSettings, facts: SchemaFacts) -> tuple[str, ...]:
    """The schemas to create; none with ``createSchemas`` off."""
    if not settings.create_schemas:
        return ()
    return tuple(schema for schema in scope.schemas if schema not in facts.existing)


def require_default_schema(scope: Scope, settings: MigrationSettings, facts: SchemaFacts) -> None:
    """Make sure that there is a place for the history. Flyway warns, and fails when it creates the table.

    Raises:
        HistoryError: The default schema does not exist, and is not to be created.
    """
    schema = scope.table.schema
    if schema not in facts.existing and not settings.create_schemas:
        raise errors.HistoryError(
            f'Schema "{schema}" does not exist, and createSchemas is off.',
            hint="Create the schema, or set createSchemas=true.",
        )


def create_missing(
    scope: Scope, settings: MigrationSettings, tools: Tools, found: Found, *, first: HistoryRow | None = None
) -> bool:
    """Create schemas and history, as far as they are missing, and say whether anything was.

    It is one transaction. A new history begins with the row ``first``, if there is one; the row that says which
    schemas were created comes behind it.

    Raises:
        HistoryError: As :func:`require_default_schema`; or something else has the name of the history.
        LockNotAcquired, DatabaseError: Nothing was created.
    """
    require_default_schema(scope, settings, found.facts)
    schemas = missing_schemas(scope, settings, found.facts)
    creates_history = not found.facts.history_exists
    if not (schemas or creates_history):
        return False
    rows = [first] if first and creates_history else []
    if schemas:
        rank = rows[-1].installed_rank + 1 if rows else schema_marker_rank(found.applied)
        rows.append(schema_marker(schemas, rank, tools.installed_by(settings)))
    created = [SchemaCreated(schema=schema) for schema in schemas]
    tools.change(
        lambda: tools.session.create_schemas_and_history(
            schemas, scope.table, rows, create_table=creates_history, tablespace=settings.tablespace
        ),
        outcome=[*created, *([HistoryCreated(table=str(scope.table))] if creates_history else [])],
    )
    return True


def begin_again_if_changed[T](scope: Scope, tools: Tools, found: Found, create: Callable[[Found], T]) -> T:
    """Create something; once more, with what is there now, if another program has made some of it meanwhile.

    Flyway creates schemas before it takes the lock, so the lock does not exclude that. A failure that the work of
    somebody else does not explain stays one.

    Raises:
        TaxiwayError: As ``create``.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return create(found)
        except errors.ConnectionLost:
            raise
        except (errors.DatabaseError, errors.HistoryUnreadable):
            before, found = found, find(scope, tools.session)
            if found == before:
                raise
    return create(found)
