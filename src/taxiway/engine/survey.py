"""What every command does first: look at the files and at the database, and give each migration its state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from taxiway import errors
from taxiway.engine.ports import Clock, HistoryTable, SchemaFacts, Seen, Session
from taxiway.planning.reconcile import current_version, reconcile
from taxiway.scan.resolve import Resolution, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taxiway.model.info import MigrationInfo
    from taxiway.model.migration import AppliedMigration
    from taxiway.model.rules import Placeholders
    from taxiway.model.settings import MigrationSettings
    from taxiway.model.version import MigrationVersion
    from taxiway.scan.inventory import Inventory

# PostgreSQL manual, SQL syntax, identifiers (NAMEDATALEN). The names of the history's key and index begin with the
# table's, and cut to that length they must still differ from it and from each other.
_LONGEST_NAME: Final = 63
_LONGEST_TABLE: Final = 61


class Scope(NamedTuple):
    """What does not change while a command runs: names, placeholders, resolved migrations, callbacks.

    Attributes:
        table: The history table; its schema is the default schema.
        schemas: Every managed schema, the default one included.
        placeholders: The user's and the built-in ones.
    """

    table: HistoryTable
    schemas: tuple[str, ...]
    placeholders: Placeholders
    resolution: Resolution

    def require_order(self) -> None:
        """Read the migrations now: what is wrong with one of them is to show before anything is done.

        Raises:
            ScriptError: The files are not in order.
        """
        _ = self.resolution.migrations


class Survey(NamedTuple):
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
    settings: MigrationSettings,
    *,
    inventory: Inventory,
    session: Session,
    placeholders: Placeholders,
    environment: Mapping[str, str],
) -> Scope:
    """Resolve the migrations. To the :func:`early_placeholders`, those that only the database knows are added.

    Raises:
        InvalidOption: A name is too long for PostgreSQL.
        ScriptError: The files are not in order; nothing was asked of the history yet.
    """
    table, schemas = _managed_schemas(settings, session)
    all_placeholders = _with_built_in(
        placeholders,
        {
            "defaultSchema": table.schema,
            "user": session.facts.user,
            "database": session.facts.database,
        },
    )
    resolution = resolve(inventory, settings, placeholders=all_placeholders, environment=environment)
    return Scope(table=table, schemas=schemas, placeholders=all_placeholders, resolution=resolution)


def early_placeholders(settings: MigrationSettings, *, clock: Clock, working_directory: str) -> Placeholders:
    """The user's placeholders, and the built-in ones that are known before there is a connection (Flyway 13).

    ``working_directory`` is that of this process. ``flyway:filename`` is added where a file is read.
    """
    schema = _named_default_schema(settings)
    return _with_built_in(
        settings.placeholders,
        {
            **({"defaultSchema": schema} if schema else {}),
            "timestamp": clock.now().strftime("%Y-%m-%d %H:%M:%S"),
            "workingDirectory": settings.working_directory or working_directory,
            "table": settings.table,
            "environment": settings.environment,
        },
    )


def survey(
    scope: Scope,
    settings: MigrationSettings,
    session: Session,
    *,
    seen: Seen | None = None,
    foresee_baseline: bool = False,
) -> Survey:
    """Look at the database now, unless it was ``seen``, and reconcile.

    ``foresee_baseline`` shows states as they will be when ``baselineOnMigrate`` has had its effect (Flyway 13.12).
    """
    facts, rows = seen or session.look_and_read(scope.schemas, scope.table)
    applied = tuple(rows)
    baselines = settings.baseline_on_migrate and not settings.skip_executing_migrations
    is_foreseen = foresee_baseline and baselines and facts.non_empty and not facts.history_exists
    infos = reconcile(
        scope.resolution.migrations,
        applied,
        settings.policy,
        foreseen_baseline=settings.baseline_version if is_foreseen else None,
    )
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
    default = _named_default_schema(settings) or session.facts.current_schema
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


def _named_default_schema(settings: MigrationSettings) -> str | None:
    return settings.default_schema or next(iter(settings.schemas), None)


def _refuse_long_name(option: str, name: str, longest: int) -> None:
    """PostgreSQL cuts such a name without an error, and would not find it again by its whole text."""
    length = len(name.encode())
    if length > longest:
        raise errors.InvalidOption(
            f"{option}: '{name}' has {length} bytes, and {longest} is the most that PostgreSQL can tell apart.",
            hint=f"Use a name of at most {longest} bytes.",
        )


def _with_built_in(placeholders: Placeholders, values: Mapping[str, str]) -> Placeholders:
    named = {f"flyway{placeholders.separator}{name}": value for name, value in values.items()}
    return placeholders._replace(built_in={**placeholders.built_in, **named})
