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

# PostgreSQL manual, SQL syntax, identifiers (NAMEDATALEN). The names of the history's key and index begin with the
# table's, and cut to that length they must still differ from it and from each other.
_LONGEST_NAME: Final = 63
_LONGEST_TABLE: Final = 61


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What does not change while a command runs: names, placeholders, resolved migrations.

    Attributes:
        table: The history table; its schema is the default schema.
        schemas: Every managed schema, the default one included.
        placeholders: The user's and the built-in ones.
    """

    table: HistoryTable
    schemas: tuple[str, ...]
    placeholders: Placeholders
    resolution: Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Files and database, seen at one moment. ``applied`` has the history by rank; it is empty without a table."""

    scope: Scope
    facts: SchemaFacts
    applied: tuple[AppliedMigration, ...]
    infos: tuple[MigrationInfo, ...]

    @property
    def current_version(self) -> MigrationVersion | None:
        """The highest version that is applied."""
        return current_version(self.infos)


def read_scope(
    settings: MigrationSettings, *, sources: Sources, session: Session, clock: Clock, working_directory: str
) -> Scope:
    """Resolve the migrations, with the placeholders that only the database knows.

    Raises:
        InvalidOption: A name is too long for PostgreSQL.
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
    return Survey(scope=scope, facts=facts, applied=applied, infos=infos)


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
    for option, name, longest in (
        *(("schemas", schema, _LONGEST_NAME) for schema in settings.schemas),
        ("defaultSchema", default, _LONGEST_NAME),
        ("table", settings.table, _LONGEST_TABLE),
    ):
        _refuse_long_name(option, name, longest)
    return HistoryTable(default, settings.table), schemas


def _refuse_long_name(option: str, name: str, longest: int) -> None:
    """PostgreSQL cuts such a name without an error, and would not find it again by its whole text."""
    length = len(name.encode())
    if length > longest:
        raise errors.InvalidOption(
            f"{option}: '{name}' has {length} bytes, and {longest} is the most that PostgreSQL can tell apart.",
            hint=f"Use a name of at most {longest} bytes.",
        )


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
