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

from taxiway import project
from taxiway.config.arguments import program_layer
from taxiway.config.merge import Loaded, merge
from taxiway.config.options import OPTIONS
from taxiway.errors import UnknownOption
from taxiway.nearest import find_nearest
from taxiway.secret import Redactor, Secret

if TYPE_CHECKING:
    from taxiway.engine.ports import EventSink
    from taxiway.model.event import Event
    from taxiway.model.info import InfoResult
    from taxiway.model.result import (
        BaselineResult,
        CleanResult,
        ConnectionTestResult,
        MigrateResult,
        RepairResult,
        UndoResult,
        ValidateResult,
    )


class Options(TypedDict, total=False):
    """What every function accepts; docs/reference/configuration.md says what each option means."""

    working_directory: str
    url: str | Secret
    host: str
    hostaddr: str
    port: int
    database_name: str
    user: str
    password: str | Secret
    database_secret: str
    auth: str
    database_region: str
    iam_port: int
    sslmode: str
    sslrootcert: str
    connect_retries: int
    connect_retries_interval: int
    wake_timeout: int
    pooler: str
    silence_timeout: int
    jdbc_properties: Mapping[str, str | Secret]
    init_sql: str
    locations: Sequence[str]
    callback_locations: Sequence[str]
    fail_on_missing_locations: bool
    validate_migration_naming: bool
    sql_migration_prefix: str
    baseline_migration_prefix: str
    undo_sql_migration_prefix: str
    repeatable_sql_migration_prefix: str
    sql_migration_separator: str
    sql_migration_suffixes: Sequence[str]
    encoding: str
    detect_encoding: bool
    placeholder_replacement: bool
    placeholders: Mapping[str, str | Secret]
    placeholder_prefix: str
    placeholder_suffix: str
    placeholder_separator: str
    script_placeholder_prefix: str
    script_placeholder_suffix: str
    target: str
    out_of_order: bool
    cherry_pick: Sequence[str]
    skip_executing_migrations: bool
    validate_on_migrate: bool
    ignore_migration_patterns: Sequence[str]
    clean_disabled: bool
    group: bool
    mixed: bool
    execute_in_transaction: bool
    error_overrides: Sequence[str]
    output_query_results: bool
    skip_default_callbacks: bool
    script_migrations: bool
    powershell_executable: str
    batch: bool
    stream: bool
    schemas: Sequence[str]
    default_schema: str
    create_schemas: bool
    table: str
    tablespace: str
    installed_by: str
    lock_retry_count: int
    postgresql_transactional_lock: bool
    baseline_on_migrate: bool
    baseline_version: str
    baseline_description: str
    info_since_date: str
    info_until_date: str
    info_since_version: str
    info_until_version: str
    info_of_state: Sequence[str]


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
    with _opened(options, on_event) as opened:
        return opened.migrate()


def info(*, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> "InfoResult":
    """Every migration with its state. Changes nothing.

    Raises:
        TaxiwayError: Files or database could not be read.
    """
    with _opened(options, on_event) as opened:
        return opened.info()


def validate(*, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> "ValidateResult":
    """Every disagreement between scripts and schema history, as a value: problems are no exception here.

    Raises:
        TaxiwayError: Files or database could not be read.
    """
    with _opened(options, on_event) as opened:
        return opened.validate()


def undo(*, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> "UndoResult":
    """Take back the migration that was applied last, or those down to ``target``, with their undo scripts.

    Raises:
        ConfigError: An option cannot be used; nothing was changed.
        MigrationFailed: An undo script was refused.
        TaxiwayError: Anything else that stopped it; ``error.result`` has what was undone before.
    """
    with _opened(options, on_event) as opened:
        return opened.undo()


def baseline(*, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> "BaselineResult":
    """Let the schema history of a database that was not made by migrations begin at ``baseline_version``.

    Raises:
        BaselineRefused: There is a history that does not begin so.
        TaxiwayError: Anything else that stopped it.
    """
    with _opened(options, on_event) as opened:
        return opened.baseline()


def repair(
    *, carry_out: bool = True, on_event: "EventSink" = ignore_events, **options: Unpack[Options]
) -> "RepairResult":
    """Make the schema history agree with the scripts again; without ``carry_out``, only say how.

    Raises:
        TaxiwayError: Files or database could not be read, or the history could not be changed.
    """
    with _opened(options, on_event) as opened:
        return opened.repair(carry_out=carry_out)


def test_connection(
    *,
    on_event: "EventSink" = ignore_events,  # noqa: PT028 - no test, whatever its name begins with
    **options: Unpack[Options],
) -> "ConnectionTestResult":
    """Open a session and close it again. Looks at no script and changes nothing.

    Raises:
        TaxiwayError: The database could not be reached.
    """
    loaded = _loaded(options)
    return project.test_connection(loaded.settings, redact=Redactor(loaded.secrets), on_event=on_event)


def clean(*, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> "CleanResult":
    """Drop every object of the managed schemas.

    Raises:
        CleanDisabled: ``clean_disabled`` was not set to ``False``.
        TaxiwayError: Anything else that stopped it.
    """
    with _opened(options, on_event) as opened:
        return opened.clean()


@contextmanager
def _opened(options: Options, on_event: "EventSink") -> Iterator[project.Project]:
    loaded = _loaded(options)
    with project.open_project(
        loaded.settings, base=Path.cwd(), redact=Redactor(loaded.secrets), on_event=on_event
    ) as opened:
        yield opened


def _loaded(options: Options) -> Loaded:
    return merge([program_layer(_by_key(options))])


def _by_key(options: Options) -> dict[str, object]:
    """Options by their keys. A program that is not type-checked may have misspelt one."""
    keys = {option.identifier: option.key for option in OPTIONS if option.for_programs}
    unknown = [name for name in options if name not in keys]
    if unknown:
        raise UnknownOption(unknown[0], origin="arguments", nearest=find_nearest(unknown[0], keys))
    return {keys[name]: value for name, value in options.items()}
