"""Settings as frozen values: what the commands are called with, whatever they were read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from taxiway.model.location import Location
from taxiway.model.rules import Naming, Placeholders, Policy
from taxiway.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """How to reach the database.

    Attributes:
        url: A ``postgresql://`` URL or a libpq connection string. A password in it is taken out on arrival
            (:func:`taxiway.postgres.connection.parse_url`).
        parameters: Further libpq parameters; they win over the URL (``host``, ``sslmode``, …).
        connect_retries: Further attempts after a failed one, waiting 1, 2, 4… seconds.
        connect_retries_interval_seconds: The longest such wait.
    """

    url: str | Secret = ""
    user: str | None = None
    password: Secret | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    connect_retries: int = 0
    connect_retries_interval_seconds: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationSettings:
    """Everything else that Flyway would call a setting."""

    locations: tuple[Location, ...] = (Location("filesystem", "sql"),)
    fail_on_missing_locations: bool = True
    validate_migration_naming: bool = True
    naming: Naming = Naming()
    placeholders: Placeholders = Placeholders()
    policy: Policy = Policy()
    encoding: str = "UTF-8"
    schemas: tuple[str, ...] = ()
    default_schema: str | None = None
    create_schemas: bool = True
    table: str = "flyway_schema_history"
    installed_by: str | None = None
    mixed: bool = False
    validate_on_migrate: bool = True
    lock_retry_count: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it."""

    database: DatabaseSettings = DatabaseSettings()
    migrations: MigrationSettings = MigrationSettings()
