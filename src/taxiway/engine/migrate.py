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
from taxiway.model.plan import MigratePlan, PlannedMigration
from taxiway.model.result import MigrateResult, MigrationOutput
from taxiway.model.settings import MigrationSettings
from taxiway.model.version import MigrationVersion
from taxiway.planning.migrate import next_rank, pending, schema_marker
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

    Raises:
        NoMigrationsFound, ValidationFailed, HistoryError, ScriptError, LockNotAcquired: Nothing was changed.
        MigrationFailed: A migration was refused; those before it are applied and stay (``error.result``).
    """
    require_migrations(scope, settings)
    started = tools.clock.monotonic()
    lock = migration_lock(
        tools.session,
        scope.table,
        retry_count=settings.lock_retry_count,
        clock=tools.clock,
        on_event=tools.on_event,
    )
    with lock:
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
        raise errors.ValidationFailed(
            problems, hint="Run 'taxiway info' to see every migration with its state, then mend what differs."
        )
    tools.on_event(Validated(count=len(seen.infos)))


def _warn_of_the_future(seen: Survey, tools: Tools) -> None:
    """As Flyway: a database that is ahead of the scripts is no error, and nothing to keep quiet about."""
    future = {MigrationState.FUTURE_SUCCESS, MigrationState.FUTURE_FAILED}
    versions = [info.version.text for info in seen.infos if info.state in future and info.version is not None]
    if versions:
        message = (
            f'Schema "{seen.table.schema}" has migrations that are newer than every script here: '
            f"{', '.join(versions)}. Is this the right branch?"
        )
        tools.on_event(Warned(message=message))


def _plan(seen: Survey, settings: MigrationSettings, session: Session) -> MigratePlan:
    if not seen.facts.history_exists and seen.facts.non_empty:
        names = ", ".join(f'"{name}"' for name in sorted(seen.facts.non_empty))
        raise errors.NonEmptySchema(
            f"Schema(s) {names} hold objects but there is no schema history table {seen.table}.",
            hint="Use an empty database, or create the history with 'flyway baseline' if these objects are known.",
        )
    missing = tuple(name for name in seen.schemas if name not in seen.facts.existing)
    if seen.table.schema in missing and not settings.create_schemas:
        # Flyway warns, and fails when it creates the history table.
        raise errors.HistoryError(
            f'Schema "{seen.table.schema}" does not exist, and createSchemas is off.',
            hint="Create the schema, or set createSchemas=true.",
        )
    planned = tuple(
        PlannedMigration(
            migration=one.migration,
            script=parse_script(
                one.migration.read(),
                seen.placeholders,
                path=one.migration.path,
                filename=one.migration.script.rpartition("/")[2],
                mixed=settings.mixed,
                server_version_num=session.facts.server_version_num,
            ),
            out_of_order=one.out_of_order,
        )
        for one in pending(seen.infos, settings.policy)
    )
    return MigratePlan(
        create_schemas=missing if settings.create_schemas else (),
        create_history=not seen.facts.history_exists,
        migrations=planned,
    )


def _carry_out(
    plan: MigratePlan, seen: Survey, settings: MigrationSettings, tools: Tools, started: float
) -> MigrateResult:
    installed_by = settings.installed_by or tools.session.facts.user
    rank = _prepare(plan, seen, installed_by, tools)
    version = seen.current_version
    tools.on_event(CurrentVersion(schema=seen.table.schema, version=version.text if version is not None else None))
    executor = Executor(
        session=tools.session,
        table=seen.table,
        installed_by=installed_by,
        next_rank=rank,
        clock=tools.clock,
        on_event=tools.on_event,
    )

    def result() -> MigrateResult:
        return MigrateResult(
            database=tools.session.facts.database,
            schema=seen.table.schema,
            schemas=settings.schemas,
            initial_version=version,
            target_version=_last_version(executor.applied),
            migrations=tuple(executor.applied),
            duration_ms=round((tools.clock.monotonic() - started) * 1000),
        )

    try:
        executor.run_all(plan.migrations)
    except StatementRefused as refused:
        # Not chained: the cause holds the statement as it was sent, values of secret placeholders included.
        raise migration_failed(refused, result(), tools.redact) from None
    return result()


def _prepare(plan: MigratePlan, seen: Survey, installed_by: str, tools: Tools) -> int:
    """Create schemas and history table, and say which rank comes next."""
    rank = next_rank(seen.applied)
    if not (plan.create_schemas or plan.create_history):
        return rank
    # Flyway 13: the marker of created schemas has rank 0 in a new table.
    marker_rank = 0 if plan.create_history else rank
    markers = [schema_marker(plan.create_schemas, marker_rank, installed_by)] if plan.create_schemas else []
    tools.session.create_schemas_and_history(
        plan.create_schemas, seen.table, markers, create_table=plan.create_history
    )
    for schema in plan.create_schemas:
        tools.on_event(SchemaCreated(schema=schema))
    if plan.create_history:
        tools.on_event(HistoryCreated(table=str(seen.table)))
    return max(rank, marker_rank + 1) if markers else rank


def _last_version(applied: Sequence[MigrationOutput]) -> MigrationVersion | None:
    return next((one.version for one in reversed(applied) if one.version is not None), None)
