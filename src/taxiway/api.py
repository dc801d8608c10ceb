"""The front door for programs: ``taxiway.migrate(url=…, locations=[…])`` and its sisters.

Each function takes the options of docs/reference/configuration.md in snake_case. Nothing is read from files or
``FLYWAY_*`` variables: what a program passes is what counts. libpq's own environment (``PGHOST``,
``PGPASSWORD``, a ``.pgpass`` file) works as in every PostgreSQL client. Results are values; failures are
:class:`taxiway.errors.TaxiwayError`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from taxiway.config.layers import arguments_layer
from taxiway.config.merge import merge
from taxiway.config.options import OPTIONS
from taxiway.errors import UnknownOption
from taxiway.nearest import find_nearest
from taxiway.project import Project, open_project
from taxiway.secret import Redactor, Secret

if TYPE_CHECKING:
    from taxiway.engine.ports import EventSink
    from taxiway.model.event import Event
    from taxiway.model.result import InfoResult, MigrateResult, ValidateResult


class Options(TypedDict, total=False):
    """What every function accepts; docs/reference/configuration.md says what each option means."""

    url: str | Secret
    host: str
    port: int
    database_name: str
    user: str
    password: str | Secret
    sslmode: str
    sslrootcert: str
    connect_retries: int
    connect_retries_interval: int
    locations: Sequence[str]
    fail_on_missing_locations: bool
    validate_migration_naming: bool
    sql_migration_prefix: str
    repeatable_sql_migration_prefix: str
    sql_migration_separator: str
    sql_migration_suffixes: Sequence[str]
    encoding: str
    placeholder_replacement: bool
    placeholders: Mapping[str, str | Secret]
    placeholder_prefix: str
    placeholder_suffix: str
    placeholder_separator: str
    target: str
    out_of_order: bool
    mixed: bool
    validate_on_migrate: bool
    ignore_migration_patterns: Sequence[str]
    schemas: Sequence[str]
    default_schema: str
    create_schemas: bool
    table: str
    installed_by: str
    lock_retry_count: int


def ignore_events(_event: "Event") -> None:
    """The event sink of those who want none."""


def migrate(*, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> "MigrateResult":
    """Apply the pending migrations, each in one transaction with its history row.

    Raises:
        ConfigError: An option cannot be used; nothing was changed.
        MigrationFailed: A migration was refused.
        TaxiwayError: Anything else that stopped it. Whatever its class, ``error.result`` has what was applied
            before and stays; it is ``None`` when no migration had begun.
    """
    with _opened(options, on_event) as project:
        return project.migrate()


def info(*, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> "InfoResult":
    """Every migration with its state. Changes nothing.

    Raises:
        TaxiwayError: Files or database could not be read.
    """
    with _opened(options, on_event) as project:
        return project.info()


def validate(*, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> "ValidateResult":
    """Every disagreement between scripts and schema history, as a value: problems are no exception here.

    Raises:
        TaxiwayError: Files or database could not be read.
    """
    with _opened(options, on_event) as project:
        return project.validate()


@contextmanager
def _opened(options: Options, on_event: "EventSink") -> Iterator[Project]:
    loaded = merge([arguments_layer(_by_key(options))], resolve=_as_it_is)
    with open_project(
        loaded.settings, base=Path.cwd(), redact=Redactor(loaded.secrets), on_event=on_event
    ) as project:
        yield project


def _by_key(options: Options) -> dict[str, object]:
    """Options by their keys. A program that is not type-checked may have misspelt one."""
    keys = {_snake_case(option.key): option.key for option in OPTIONS}
    unknown = [name for name in options if name not in keys]
    if unknown:
        raise UnknownOption(unknown[0], origin="arguments", nearest=find_nearest(unknown[0], keys))
    return {keys[name]: value for name, value in options.items()}


def _snake_case(key: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in key)


def _as_it_is(text: str, _origin: str) -> str:
    """Arguments are plain text; references belong to taxiway.toml."""
    return text
