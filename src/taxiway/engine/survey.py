"""What every command does first: look at the files and at the database, and give each migration its state."""

from dataclasses import dataclass, replace
from typing import Final

from taxiway import errors
from taxiway.engine.ports import Clock, HistoryTable, SchemaFacts, Session, Sources
from taxiway.model.info import MigrationInfo
from taxiway.model.migration import AppliedMigration
from taxiway.model.rules import Placeholders
from taxiway.model.settings import MigrationSettings
from taxiway.model.version import MigrationVersion
from taxiway.planning.reconcile import current_version, reconcile
from taxiway.scan.resolve import Resolution, resolve

_ENVIRONMENT: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Files and database, seen at one moment.

    Attributes:
        table: The history table; its schema is the default schema.
        schemas: Every managed schema, the default one included.
        placeholders: The user's and the built-in ones.
        applied: Rows of the history, by rank; empty when there is no table.
    """

    table: HistoryTable
    schemas: tuple[str, ...]
    placeholders: Placeholders
    resolution: Resolution
    facts: SchemaFacts
    applied: tuple[AppliedMigration, ...]
    infos: tuple[MigrationInfo, ...]

    @property
    def current_version(self) -> MigrationVersion | None:
        """The highest version that is applied."""
        return current_version(self.infos)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What does not change while a command runs: names, placeholders, resolved migrations."""

    table: HistoryTable
    schemas: tuple[str, ...]
    placeholders: Placeholders
    resolution: Resolution


def read_scope(
    settings: MigrationSettings, *, sources: Sources, session: Session, clock: Clock, working_directory: str
) -> Scope:
    """Resolve the migrations, with the placeholders that only the database knows.

    Raises:
        LocationNotFound, ScriptError: The files are not in order; nothing was asked of the history yet.
    """
    table, schemas = _managed_schemas(settings, session)
    placeholders = _with_built_in(settings, table, session, clock, working_directory)
    resolution = resolve(
        sources.files(),
        naming=settings.naming,
        placeholders=placeholders,
        encoding=settings.encoding,
        validate_naming=settings.validate_migration_naming,
    )
    return Scope(table=table, schemas=schemas, placeholders=placeholders, resolution=resolution)


def survey(scope: Scope, settings: MigrationSettings, session: Session) -> Survey:
    """Look at the database now, and reconcile."""
    facts = session.look(scope.schemas, scope.table)
    applied = tuple(session.history_rows(scope.table)) if facts.history_exists else ()
    infos = reconcile(scope.resolution.migrations, applied, settings.policy)
    return Survey(
        table=scope.table,
        schemas=scope.schemas,
        placeholders=scope.placeholders,
        resolution=scope.resolution,
        facts=facts,
        applied=applied,
        infos=infos,
    )


def require_migrations(scope: Scope, settings: MigrationSettings) -> None:
    """Refuse to go on without a single migration: an empty folder is a mistake more often than a wish.

    Flyway goes on; ``failOnMissingLocations=false`` restores that.

    Raises:
        NoMigrationsFound: The locations hold no migration.
    """
    if settings.fail_on_missing_locations and not scope.resolution.migrations:
        places = ", ".join(str(location) for location in settings.locations)
        raise errors.NoMigrationsFound(
            f"No migrations were found in {places}.",
            hint="Check the branch and the locations, or set failOnMissingLocations=false.",
        )


def _managed_schemas(settings: MigrationSettings, session: Session) -> tuple[HistoryTable, tuple[str, ...]]:
    """Flyway 13: ``defaultSchema``, else the first of ``schemas``, else the connection's current schema."""
    default = settings.default_schema or next(iter(settings.schemas), None) or session.facts.current_schema
    if not default:
        raise errors.MissingOption(
            "The connection has no current schema.", hint="Set defaultSchema, or a search_path for the user."
        )
    schemas = settings.schemas if default in settings.schemas else (default, *settings.schemas)
    return HistoryTable(default, settings.table), schemas


def _with_built_in(
    settings: MigrationSettings, table: HistoryTable, session: Session, clock: Clock, working_directory: str
) -> Placeholders:
    """Flyway 13, built-in placeholders; ``flyway:filename`` is added where a file is read."""
    prefix = f"flyway{settings.placeholders.separator}"
    return replace(
        settings.placeholders,
        built_in={
            f"{prefix}defaultSchema": table.schema,
            f"{prefix}user": session.facts.user,
            f"{prefix}database": session.facts.database,
            f"{prefix}timestamp": clock.now().strftime("%Y-%m-%d %H:%M:%S"),
            f"{prefix}workingDirectory": working_directory,
            f"{prefix}table": table.name,
            f"{prefix}environment": _ENVIRONMENT,
        },
    )
