"""``migrate``: apply what is pending."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from taxiway import errors
from taxiway.engine import baseline
from taxiway.engine.attempt import Shared
from taxiway.engine.callbacks import Callbacks
from taxiway.engine.execute import MIGRATE_EVENTS, Executor, run_planned
from taxiway.engine.lock import lock_and_look
from taxiway.engine.ports import Seen
from taxiway.engine.schemas import (
    Found,
    begin_again_if_changed,
    create_missing,
    missing_schemas,
    require_default_schema,
)
from taxiway.engine.scripts import Scripts
from taxiway.engine.survey import Scope, Survey, require_migrations, survey
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import CurrentVersion, Validated, Warned
from taxiway.model.info import MigrationState
from taxiway.model.plan import PlannedMigration
from taxiway.model.result import MigrateResult, MigrationOutput
from taxiway.model.settings import MigrationSettings
from taxiway.model.version import MigrationVersion
from taxiway.planning.history import next_rank
from taxiway.planning.migrate import pending, refuse_mixed_group, waiting
from taxiway.planning.validate import validate

# Their callbacks run before the migrations do, and may change what is pending.
_EARLY: Final = (CallbackEvent.CREATE_SCHEMA, CallbackEvent.BEFORE_CREATE_SCHEMA, CallbackEvent.BEFORE_MIGRATE)
_LATE: Final = (
    CallbackEvent.AFTER_MIGRATE_APPLIED,
    CallbackEvent.AFTER_MIGRATE,
    CallbackEvent.AFTER_MIGRATE_OPERATION_FINISH,
    CallbackEvent.AFTER_MIGRATE_ERROR,
)
_OF_VALIDATE: Final = (
    CallbackEvent.BEFORE_VALIDATE,
    CallbackEvent.AFTER_VALIDATE,
    CallbackEvent.AFTER_VALIDATE_ERROR,
)


def migrate(scope: Scope, settings: MigrationSettings, tools: Tools) -> MigrateResult:
    """Validate, plan and run, all under the lock: a plan made before the lock would be a guess.

    Every pending script and every callback is read, its placeholders replaced and its statements split before the
    first one runs, so that what can be seen to be wrong beforehand changes nothing.

    No error shows the value of a secret placeholder, not even where the server repeats a statement. The ``result``
    of an error has the migrations that were applied before it and stay; it is ``None`` when none had begun.

    Raises:
        NoMigrationsFound, ValidationFailed, HistoryError, ScriptError, InvalidOption: Nothing was changed by us.
        LockNotAcquired: Somebody else held the lock, or took it when a script gave it back.
        MigrationFailed: A migration was refused.
        CallbackFailed: A callback was refused.
        ConnectionLost: The session is gone; a migration that was under way is rolled back.
        OutcomeUnknown: The session is gone, and a migration or a part of it may have stayed.
        DatabaseError: The server refused something else that we asked of it.
    """
    require_migrations(scope, settings)
    run = _Migrate(scope, settings, tools)
    try:
        with lock_and_look(scope.table, settings, tools, schemas=scope.schemas) as seen:
            return run.carry_out(seen)
    except errors.TaxiwayError as error:
        error.redact(tools.redact)
        raise


@dataclass(slots=True)
class _Migrate:
    """One call of ``migrate``, in the order of Flyway's events (Flyway 13, ``DbMigrate``)."""

    scope: Scope
    settings: MigrationSettings
    tools: Tools
    callbacks: Callbacks = field(init=False)
    started: float = field(init=False)
    _scripts: Scripts = field(init=False)

    def __post_init__(self) -> None:
        self.callbacks = Callbacks(self.scope, self.settings, self.tools, holding_lock=True)
        self.started = self.tools.clock.monotonic()
        self._scripts = Scripts(self.scope, self.settings, self.tools.session)

    def carry_out(self, seen: Seen) -> MigrateResult:
        self.callbacks.prepare((*_OF_VALIDATE, *baseline.EVENTS, *_EARLY, *MIGRATE_EVENTS.all, *_LATE))
        first = survey(self.scope, self.settings, self.tools.session, seen=seen)
        ready = self._prepared(self._validated(first))
        self.callbacks.fire(CallbackEvent.BEFORE_MIGRATE)
        if self.callbacks.has(CallbackEvent.BEFORE_MIGRATE):
            ready = self._look()
        return self._run(ready)

    def _look(self) -> Survey:
        return survey(self.scope, self.settings, self.tools.session)

    def _foresee(self) -> Survey:
        """What there will be to see when there is a baseline."""
        return survey(self.scope, self.settings, self.tools.session, foresee_baseline=True)

    # --- before the first migration ---

    def _validated(self, seen: Survey) -> Survey:
        if not self.settings.validate_on_migrate or not seen.facts.existing.issuperset({self.scope.table.schema}):
            # Flyway 13: there is nothing to compare with before the default schema exists.
            return seen
        with self.callbacks.around(*_OF_VALIDATE):
            if self.callbacks.has(CallbackEvent.BEFORE_VALIDATE):
                seen = self._look()
            problems = validate(seen.infos, self.settings.policy, pending_ignored=True)
            if problems:
                raise errors.ValidationFailed(problems)
            self.tools.on_event(Validated(count=len(seen.infos)))
        return self._look() if self.callbacks.has(CallbackEvent.AFTER_VALIDATE) else seen

    def _prepared(self, seen: Survey) -> Survey:
        """Refuse what can be seen to be wrong, then create schemas and history, or baseline."""
        needs_baseline = self._needs_baseline(seen)
        require_default_schema(self.scope, self.settings, seen.facts)
        if needs_baseline:
            self._read_ahead(self._foresee(), may_change=(*_EARLY, *baseline.EVENTS))
        else:
            self._read_ahead(seen, may_change=_EARLY)
        if self.settings.create_schemas:
            self.callbacks.fire(CallbackEvent.CREATE_SCHEMA)
            self.callbacks.fire(CallbackEvent.BEFORE_CREATE_SCHEMA)
            if self.callbacks.has(CallbackEvent.CREATE_SCHEMA, CallbackEvent.BEFORE_CREATE_SCHEMA):
                seen = self._look()
        if needs_baseline:
            baseline.baseline_in_lock(self.scope, self.settings, self.tools, self.callbacks)
            return self._look()
        return self._look() if self._create(seen) else seen

    def _needs_baseline(self, seen: Survey) -> bool:
        if seen.facts.history_exists or not seen.facts.non_empty or self.settings.skip_executing_migrations:
            return False
        if self.settings.baseline_on_migrate:
            return True
        names = ", ".join(f'"{name}"' for name in sorted(seen.facts.non_empty))
        raise errors.NonEmptySchema(
            f"Schema(s) {names} hold objects but there is no schema history table {self.scope.table}.",
            hint="Use an empty database, or run 'taxiway baseline' if these objects are known.",
        )

    def _read_ahead(self, seen: Survey, *, may_change: Sequence[CallbackEvent]) -> None:
        """Make the plan once before anything is changed; or read its scripts, if callbacks may yet change it."""
        if self.callbacks.has(*may_change):
            for migration in waiting(seen.infos):
                self._scripts.of(migration)
        else:
            self._plan(seen)

    def _create(self, seen: Survey) -> bool:
        """Create what is missing of schemas and history. Returns whether there are new rows in the history."""
        first = Found(seen.facts, seen.applied)

        def create(found: Found) -> bool:
            create_missing(self.scope, self.settings, self.tools, found)
            return bool(missing_schemas(self.scope, self.settings, found.facts)) or found != first

        return begin_again_if_changed(self.scope, self.tools, first, create)

    # --- the migrations ---

    def _run(self, seen: Survey) -> MigrateResult:
        self._warn_of_the_future(seen)
        version = seen.current_version
        schema = self.scope.table.schema
        self.tools.on_event(CurrentVersion(schema=schema, version=version.text if version is not None else None))
        shared = Shared(
            scope=self.scope,
            settings=self.settings,
            tools=self.tools,
            callbacks=self.callbacks,
            installed_by=self.tools.installed_by(self.settings),
            each=MIGRATE_EVENTS,
        )
        executor = Executor(shared=shared, next_rank=next_rank(seen.applied))
        outcome = _Outcome(self, executor, version)
        failure = self._try(seen, executor, outcome)
        if failure:
            self.callbacks.fire_after_failure(CallbackEvent.AFTER_MIGRATE_ERROR)
            # Raised here, where no handler would put the server's own words along as the context.
            raise failure
        self._fire_late(executor, outcome)
        return outcome.result()

    def _try(self, seen: Survey, executor: Executor, outcome: "_Outcome") -> errors.TaxiwayError | None:
        try:
            run_planned(executor, self._plan(seen), result=outcome.result)
            if not executor.has_reached_repeatables:
                self.callbacks.fire(CallbackEvent.AFTER_VERSIONED)
        except errors.TaxiwayError as error:
            error.result = error.result or outcome.result_of_failure()
            return error
        return None

    def _fire_late(self, executor: Executor, outcome: "_Outcome") -> None:
        try:
            if executor.applied:
                self.callbacks.fire(CallbackEvent.AFTER_MIGRATE_APPLIED)
            self.callbacks.fire(CallbackEvent.AFTER_MIGRATE)
            self.callbacks.fire(CallbackEvent.AFTER_MIGRATE_OPERATION_FINISH)
        except errors.TaxiwayError as error:
            error.result = outcome.result()
            raise

    def _plan(self, seen: Survey) -> tuple[PlannedMigration, ...]:
        planned = tuple(
            PlannedMigration(
                migration=one.migration, script=self._scripts.of(one.migration), out_of_order=one.out_of_order
            )
            for one in pending(seen.infos, self.settings.policy, group=self.settings.group)
        )
        if self.settings.group and not self.settings.mixed:
            refuse_mixed_group(planned)
        return planned

    def _warn_of_the_future(self, seen: Survey) -> None:
        """As Flyway: a database that is ahead of the scripts is no error, and nothing to keep quiet about."""
        future = {MigrationState.FUTURE_SUCCESS, MigrationState.FUTURE_FAILED}
        versions = [info.version.text for info in seen.infos if info.state in future and info.version is not None]
        if versions:
            message = (
                f'Schema "{self.scope.table.schema}" has migrations that are newer than every script here: '
                f"{', '.join(versions)}. Is this the right branch?"
            )
            self.tools.on_event(Warned(message=message))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What there is to tell at any moment of a run."""

    run: _Migrate
    executor: Executor
    initial_version: MigrationVersion | None

    def result(self) -> MigrateResult:
        tools = self.run.tools
        return MigrateResult(
            database=tools.session.facts.database,
            schema=self.run.scope.table.schema,
            schemas=self.run.settings.schemas,
            initial_version=self.initial_version,
            target_version=_last_version(self.executor.applied),
            migrations=tuple(self.executor.applied),
            duration_ms=round((tools.clock.monotonic() - self.run.started) * 1000),
        )

    def result_of_failure(self) -> MigrateResult | None:
        """None when no migration had begun, and none could."""
        return self.result() if self.executor.applied else None


def _last_version(applied: Sequence[MigrationOutput]) -> MigrationVersion | None:
    return next((one.version for one in reversed(applied) if one.version is not None), None)
