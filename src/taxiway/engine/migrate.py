"""``migrate``: apply what is pending."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from taxiway import errors
from taxiway.engine.execute import Executor, StatementRefused
from taxiway.engine.failure import migration_failed
from taxiway.engine.lock import migration_lock
from taxiway.engine.ports import Clock, EventSink, Session
from taxiway.engine.survey import Scope, Survey, require_migrations, survey
from taxiway.model.event import CurrentVersion, HistoryCreated, SchemaCreated, Validated, Warned
from taxiway.model.info import MigrationState
from taxiway.model.migration import ResolvedMigration
from taxiway.model.plan import MigratePlan, PlannedMigration
from taxiway.model.result import MigrateResult, MigrationOutput
from taxiway.model.script import Script
from taxiway.model.settings import MigrationSettings
from taxiway.model.version import MigrationVersion
from taxiway.planning.migrate import next_rank, pending, schema_marker, schema_marker_rank
from taxiway.planning.validate import validate
from taxiway.sql.script import parse_script


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What ``migrate`` works with, besides its settings."""

    session: Session
    clock: Clock
    on_event: EventSink
    redact: Callable[[str], str]


def migrate(scope: Scope, settings: MigrationSettings, tools: Tools) -> MigrateResult:
    """Validate, plan and run, all under the lock: a plan made before the lock would be a guess.

    Every pending script is read, its placeholders replaced and its statements split before the first one runs, so
    that what can be seen to be wrong beforehand changes nothing.

    No error shows the value of a secret placeholder, not even where the server repeats a statement. The ``result``
    of an error has the migrations that were applied before it and stay; it is ``None`` when none had begun.

    Raises:
        NoMigrationsFound, ValidationFailed, HistoryError, ScriptError, InvalidOption: Nothing was changed.
        LockNotAcquired: Somebody else held the lock, or took it when a script gave it back.
        MigrationFailed: A migration was refused.
        ConnectionLost: The session is gone; a migration that was under way is rolled back.
        OutcomeUnknown: The session is gone, and a migration or a part of it may have stayed.
        DatabaseError: The server refused something else that we asked of it.
    """
    require_migrations(scope, settings)
    lock = migration_lock(
        tools.session,
        scope.table,
        retry_count=settings.lock_retry_count,
        clock=tools.clock,
        on_event=tools.on_event,
    )
    started = tools.clock.monotonic()
    try:
        with lock:
            return _migrate(scope, settings, tools, started)
    except errors.TaxiwayError as error:
        error.redact(tools.redact)
        raise


def _migrate(scope: Scope, settings: MigrationSettings, tools: Tools, started: float) -> MigrateResult:
    seen = survey(scope, settings, tools.session)
    _validate(seen, settings, tools)
    _warn_of_the_future(seen, tools)
    plan = _plan(seen, settings, tools.session)
    return _carry_out(plan, seen, settings, tools, started)


def _validate(seen: Survey, settings: MigrationSettings, tools: Tools) -> None:
    if not settings.validate_on_migrate:
        return
    problems = validate(seen.infos, settings.policy, pending_ignored=True)
    if problems:
        raise errors.ValidationFailed(problems)
    tools.on_event(Validated(count=len(seen.infos)))


def _warn_of_the_future(seen: Survey, tools: Tools) -> None:
    """As Flyway: a database that is ahead of the scripts is no error, and nothing to keep quiet about."""
    future = {MigrationState.FUTURE_SUCCESS, MigrationState.FUTURE_FAILED}
    versions = [info.version.text for info in seen.infos if info.state in future and info.version is not None]
    if versions:
        message = (
            f'Schema "{seen.scope.table.schema}" has migrations that are newer than every script here: '
            f"{', '.join(versions)}. Is this the right branch?"
        )
        tools.on_event(Warned(message=message))


def _plan(seen: Survey, settings: MigrationSettings, session: Session) -> MigratePlan:
    if not seen.facts.history_exists and seen.facts.non_empty:
        names = ", ".join(f'"{name}"' for name in sorted(seen.facts.non_empty))
        raise errors.NonEmptySchema(
            f"Schema(s) {names} hold objects but there is no schema history table {seen.scope.table}.",
            hint="Use an empty database, or create the history with 'flyway baseline' if these objects are known.",
        )
    schema = seen.scope.table.schema
    missing = tuple(name for name in seen.scope.schemas if name not in seen.facts.existing)
    if schema in missing and not settings.create_schemas:
        # Flyway warns, and fails when it creates the history table.
        raise errors.HistoryError(
            f'Schema "{schema}" does not exist, and createSchemas is off.',
            hint="Create the schema, or set createSchemas=true.",
        )
    return MigratePlan(
        create_schemas=missing if settings.create_schemas else (),
        create_history=not seen.facts.history_exists,
        migrations=tuple(
            PlannedMigration(
                migration=one.migration,
                script=_script(one.migration, seen.scope, settings, session),
                out_of_order=one.out_of_order,
            )
            for one in pending(seen.infos, settings.policy)
        ),
    )


def _script(migration: ResolvedMigration, scope: Scope, settings: MigrationSettings, session: Session) -> Script:
    return parse_script(
        migration.read(),
        scope.placeholders,
        path=migration.path,
        filename=migration.script.rpartition("/")[2],
        mixed=settings.mixed,
        server_version_num=session.facts.server_version_num,
    )


def _carry_out(
    plan: MigratePlan, seen: Survey, settings: MigrationSettings, tools: Tools, started: float
) -> MigrateResult:
    installed_by = settings.installed_by or tools.session.facts.user
    rank = _prepare(plan, seen, installed_by, tools)
    version = seen.current_version
    table = seen.scope.table
    tools.on_event(CurrentVersion(schema=table.schema, version=version.text if version is not None else None))
    executor = Executor(
        session=tools.session,
        table=table,
        installed_by=installed_by,
        next_rank=rank,
        clock=tools.clock,
        on_event=tools.on_event,
        redact=tools.redact,
    )

    def result() -> MigrateResult:
        return MigrateResult(
            database=tools.session.facts.database,
            schema=table.schema,
            schemas=settings.schemas,
            initial_version=version,
            target_version=_last_version(executor.applied),
            migrations=tuple(executor.applied),
            duration_ms=round((tools.clock.monotonic() - started) * 1000),
        )

    failure: errors.TaxiwayError
    try:
        executor.run_all(plan.migrations)
        return result()
    except StatementRefused as refused:
        failure = migration_failed(refused, result(), user=tools.session.facts.user, redact=tools.redact)
    except errors.TaxiwayError as error:
        failure = error
        failure.result = result()
    # Raised here and not above: what was refused holds the statement as it was sent, values of secret placeholders
    # included, and would go along as the context.
    raise failure


def _prepare(plan: MigratePlan, seen: Survey, installed_by: str, tools: Tools) -> int:
    """Create schemas and history table, and say which rank comes next."""
    rank = next_rank(seen.applied)
    if not (plan.create_schemas or plan.create_history):
        return rank
    table = seen.scope.table
    marker_rank = schema_marker_rank(seen.applied)
    markers = [schema_marker(plan.create_schemas, marker_rank, installed_by)] if plan.create_schemas else []
    tools.session.create_schemas_and_history(plan.create_schemas, table, markers, create_table=plan.create_history)
    for schema in plan.create_schemas:
        tools.on_event(SchemaCreated(schema=schema))
    if plan.create_history:
        tools.on_event(HistoryCreated(table=str(table)))
    return max(rank, marker_rank + 1) if markers else rank


def _last_version(applied: Sequence[MigrationOutput]) -> MigrationVersion | None:
    return next((one.version for one in reversed(applied) if one.version is not None), None)
