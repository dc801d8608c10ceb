"""Settings as frozen values: what the commands are called with, whatever they were read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from taxiway.model.location import Location
from taxiway.model.rules import ErrorOverride, InfoFilter, Naming, Placeholders, Policy
from taxiway.model.version import MigrationVersion
from taxiway.secret import Secret

if TYPE_CHECKING:
    from taxiway.model.role import Role


class SecretReference(NamedTuple):
    """A value in AWS Secrets Manager: name or ARN of the secret, a key of its JSON (``None``: the whole text)."""

    secret_id: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """How to reach the database.

    Attributes:
        url: A ``jdbc:postgresql:`` or ``postgresql://`` URL, or a libpq connection string. A password in it is
            taken out on arrival (:func:`taxiway.postgres.connection.parse_url`).
        parameters: Further libpq parameters; they win over the URL (``host``, ``sslmode``, …).
        jdbc_properties: Properties of Java's driver that are not in the URL; what the URL says wins.
        init_sql: Statements for each new session, before anything else.
        connect_retries: Further attempts after a failed one, waiting 1, 2, 4… seconds.
        connect_retries_interval_seconds: The longest such wait.
        secret: Name or ARN of the secret that has what is not set of user, password, host, port and database name.
        references: Where ``user`` and ``password`` stand, if that is a secret: what a rotation changes.
        auth: ``password``, or ``iam`` for a token of AWS in its place.
        region: Of secret and token; ``None`` leaves it to the host's name and to the environment.
        iam_port: The port that the token is made for, when a tunnel has another one.
        wake_seconds: How long a database that may be paused is waited for; ``None`` when nobody has said.
        pooler: What becomes of a pooler in the place of a server: ``warn``, ``accept`` or ``refuse``.
        silence_seconds: The silence after which the server is asked whether the session is there; 0 for never.
        origins: Where options were set, by key as in ``user`` and ``jdbcProperties.user``; for messages.
    """

    url: str | Secret = ""
    user: str | None = None
    password: Secret | None = None
    parameters: Mapping[str, str | Secret] = field(default_factory=dict)
    jdbc_properties: Mapping[str, str | Secret] = field(default_factory=dict)
    init_sql: str = field(default="", repr=False)
    connect_retries: int = 0
    connect_retries_interval_seconds: int = 120
    secret: str = ""
    references: Mapping[str, SecretReference] = field(default_factory=dict)
    auth: str = "password"
    region: str | None = None
    iam_port: int | None = None
    wake_seconds: int | None = None
    pooler: str = "warn"
    silence_seconds: int = 60
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationSettings:
    """Everything else that Flyway would call a setting, with its default where ours does not differ.

    Attributes:
        script_migrations: Migrations and callbacks that are programs may run.
        transactional_lock: Flyway's sort of lock. Ours excludes both sorts, so it makes no difference here.
        batch: Accepted for Flyway's sake, like ``stream``; neither makes a difference here.
        working_directory: What relative locations start from, when it is not the process's directory.
        environment: Name of the environment that the database settings came from.
    """

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
    callback_locations: tuple[Location, ...] = ()
    skip_default_callbacks: bool = False
    script_migrations: bool = False
    powershell_executable: str | None = None
    detect_encoding: bool = False
    group: bool = False
    execute_in_transaction: bool = True
    skip_executing_migrations: bool = False
    output_query_results: bool = True
    error_overrides: tuple[ErrorOverride, ...] = ()
    baseline_on_migrate: bool = False
    baseline_version: MigrationVersion = MigrationVersion("1")  # noqa: RUF009 - a version never changes
    baseline_description: str = "<< Flyway Baseline >>"
    clean_disabled: bool = True
    tablespace: str | None = None
    transactional_lock: bool = True
    batch: bool = False
    stream: bool = False
    working_directory: str | None = None
    environment: str = "default"
    info_filter: InfoFilter = field(default_factory=InfoFilter)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """Whether runs are recorded, and where. ``enabled`` is ``None`` when nobody has said so."""

    enabled: bool | None = None
    schema: str = "taxiway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it. ``roles`` are the database users that a command is to look after."""

    database: DatabaseSettings = DatabaseSettings()
    migrations: MigrationSettings = MigrationSettings()
    roles: "tuple[Role, ...]" = ()
    ledger: LedgerSettings = LedgerSettings()
