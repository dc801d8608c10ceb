"""Running planned migrations: history row included, callbacks around them, events as it goes.

Each migration is a transaction of its own, unless ``group`` makes one of all of them.

Terminology:

attempt
    One go at one migration.
settled
    A migration is settled when it and its row are committed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from taxiway import errors
from taxiway.engine.callbacks import Callbacks
from taxiway.engine.failure import MigrationRefused, Remainder, migration_failed
from taxiway.engine.ports import HistoryTable
from taxiway.engine.programs import ProgramFailed, run_program
from taxiway.engine.statements import ScriptRun, StatementHooks, StatementRefused, milliseconds
from taxiway.engine.survey import Scope
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import MigrationFinished, MigrationStarted, Warned
from taxiway.model.migration import MigrationKind
from taxiway.model.plan import PlannedMigration
from taxiway.model.result import MigrateResult, MigrationOutput, UndoResult
from taxiway.model.settings import MigrationSettings
from taxiway.planning.history import applied_row
from taxiway.planning.migrate import runs_as_one


@dataclass(frozen=True, slots=True, kw_only=True)
class EachEvents:
    """The events around each migration and each of its statements.

    ``before_repeatables`` are told once, before the first repeatable migration.
    """

    before: CallbackEvent
    before_statement: CallbackEvent
    after_statement: CallbackEvent
    after_statement_error: CallbackEvent
    after: CallbackEvent
    after_error: CallbackEvent
    before_repeatables: tuple[CallbackEvent, ...] = ()

    @property
    def all(self) -> tuple[CallbackEvent, ...]:
        """Every one of them."""
        of_statements = self.before_statement, self.after_statement, self.after_statement_error
        return (self.before, *of_statements, self.after, self.after_error, *self.before_repeatables)


MIGRATE_EVENTS: Final = EachEvents(
    before=CallbackEvent.BEFORE_EACH_MIGRATE,
    before_statement=CallbackEvent.BEFORE_EACH_MIGRATE_STATEMENT,
    after_statement=CallbackEvent.AFTER_EACH_MIGRATE_STATEMENT,
    after_statement_error=CallbackEvent.AFTER_EACH_MIGRATE_STATEMENT_ERROR,
    after=CallbackEvent.AFTER_EACH_MIGRATE,
    after_error=CallbackEvent.AFTER_EACH_MIGRATE_ERROR,
    before_repeatables=(CallbackEvent.AFTER_VERSIONED, CallbackEvent.BEFORE_REPEATABLES),
)
UNDO_EVENTS: Final = EachEvents(
    before=CallbackEvent.BEFORE_EACH_UNDO,
    before_statement=CallbackEvent.BEFORE_EACH_UNDO_STATEMENT,
    after_statement=CallbackEvent.AFTER_EACH_UNDO_STATEMENT,
    after_statement_error=CallbackEvent.AFTER_EACH_UNDO_STATEMENT_ERROR,
    after=CallbackEvent.AFTER_EACH_UNDO,
    after_error=CallbackEvent.AFTER_EACH_UNDO_ERROR,
)


def run_planned(
    executor: "Executor",
    migrations: Sequence[PlannedMigration],
    *,
    result: Callable[[], MigrateResult | UndoResult],
) -> None:
    """Run them with :meth:`Executor.run_all`, and give every error the ``result`` of what was applied before it.

    Raises:
        MigrationFailed: A migration was refused.
        TaxiwayError: What else ended the run.
    """
    failure: errors.TaxiwayError
    try:
        executor.run_all(migrations)
    except MigrationRefused as refused:
        tools = executor.tools
        failure = migration_failed(refused, result(), user=tools.session.facts.user, redact=tools.redact)
    except errors.TaxiwayError as error:
        failure = error
        failure.result = result()
    else:
        return
    # Raised here and not above: what was refused holds the statement as it was sent, values of secret placeholders
    # included, and would go along as the context.
    raise failure


@dataclass(slots=True, kw_only=True)
class Executor:
    """Runs migrations on a session that holds the lock.

    Attributes:
        each: The events to fire around each migration.
        applied: What is settled; grows as they succeed.
        has_reached_repeatables: The events before the first repeatable migration were fired.
    """

    scope: Scope
    settings: MigrationSettings
    tools: Tools
    callbacks: Callbacks
    installed_by: str
    next_rank: int
    each: EachEvents = MIGRATE_EVENTS
    applied: list[MigrationOutput] = field(default_factory=list)
    has_reached_repeatables: bool = False
    _unsettled: list["_Attempt"] = field(default_factory=list)

    @property
    def table(self) -> HistoryTable:
        """The schema history."""
        return self.scope.table

    @property
    def unsettled_programs(self) -> tuple[str, ...]:
        """The programs that ran before in this group: what they did has stayed, and nothing is on record of it."""
        return tuple(one.planned.migration.script for one in self._unsettled if one.may_have_left_something)

    def run_all(self, migrations: Sequence[PlannedMigration]) -> None:
        """Run them in order; stop at the first that fails.

        Raises:
            MigrationRefused: A statement or program failed; what the failed migration did is rolled back if it
                could be, and with ``group`` all of them.
            CallbackFailed: A callback failed; the same holds.
            ConnectionLost: The session is gone, and the server rolls back the migration.
            OutcomeUnknown: The session is gone, and the migration or a part of it may have stayed.
            LockNotAcquired: A script has given the lock back, and somebody else has taken it.
        """
        grouped = self.settings.group and runs_as_one(migrations)
        for index, planned in enumerate(migrations, start=1):
            self._run(planned, grouped=grouped, is_last=not grouped or index == len(migrations))

    def _run(self, planned: PlannedMigration, *, grouped: bool, is_last: bool) -> None:
        attempt = _Attempt(self, planned, grouped=grouped, is_last=is_last)
        if self._unsettled:
            attempt.run.group_begins_with = self._unsettled[0].planned.migration.script
        attempt.opening = self._reach_repeatables(planned)
        failure = self._try(attempt)
        if attempt.run.has_committed:
            # A script of a group that commits the transaction commits those before it too.
            self._settle()
        if failure:
            # Raised here, where no handler would put the server's own words along as the context.
            raise failure
        self.next_rank += 1
        self._unsettled.append(attempt)
        if not self.tools.session.in_transaction:
            self._settle()

    def _reach_repeatables(self, planned: PlannedMigration) -> tuple[CallbackEvent, ...]:
        """Fire what comes before the first repeatable migration. Returns what has to be fired inside of it.

        The transaction of a group is open when the group has come that far: what runs between its migrations is a
        part of it. Flyway 13 has another session for these callbacks, which does not see what the group has done.
        """
        if self.has_reached_repeatables or planned.migration.kind is not MigrationKind.REPEATABLE:
            return ()
        self.has_reached_repeatables = True
        if self.tools.session.in_transaction:
            return self.each.before_repeatables
        for event in self.each.before_repeatables:
            self.callbacks.fire(event)
        return ()

    def _try(self, attempt: "_Attempt") -> Exception | None:
        """Run it and write its row. Returns what ended it, rolled back if it could be; interrupts are raised."""
        failure: Exception
        try:
            attempt.carry_out()
        except errors.ConnectionLost as error:
            failure = attempt.cut_off(error)
        except (StatementRefused, ProgramFailed) as cause:
            failure = attempt.refused(cause)
        except errors.TaxiwayError as error:
            failure = error
        except BaseException:
            # Whatever ends a migration early must not leave its transaction open.
            self._clean_up(attempt)
            raise
        else:
            return None
        self._clean_up(attempt)
        self._tell_of_failure(attempt, failure)
        return failure

    def _clean_up(self, attempt: "_Attempt") -> None:
        self.tools.session.rollback()
        if attempt.has_begun and not attempt.run.transactional:
            attempt.record_failure()

    def _tell_of_failure(self, attempt: "_Attempt", failure: Exception) -> None:
        """Fire the error events: when the migration itself has failed, not a callback before or after it."""
        if not attempt.is_to_blame(failure):
            return
        if attempt.is_in_statements and isinstance(failure, MigrationRefused):
            self.callbacks.fire_after_failure(self.each.after_statement_error)
        self.callbacks.fire_after_failure(self.each.after_error)

    def _settle(self) -> None:
        for attempt in self._unsettled:
            migration, duration_ms = attempt.planned.migration, attempt.duration_ms
            self.applied.append(MigrationOutput.of(migration, duration_ms))
            self.tools.on_event(MigrationFinished(migration=migration, duration_ms=duration_ms))
        self._unsettled.clear()


class _Attempt:
    """One go at one migration.

    Attributes:
        run: The scripts of this migration: its own, and the callbacks around it.
        opening: Further events to fire at its beginning.
        has_begun: The migration itself has sent a statement, or started its program.
        is_in_statements: Its statements are being run.
        duration_ms: How long it took, callbacks included (Flyway 13), once it has finished.
    """

    def __init__(self, executor: Executor, planned: PlannedMigration, *, grouped: bool, is_last: bool) -> None:
        self.planned = planned
        self.run = ScriptRun(executor.tools, executor.settings, transactional=planned.script.transactional)
        self.opening: tuple[CallbackEvent, ...] = ()
        self.has_begun = self.is_in_statements = False
        self.duration_ms = 0
        self._executor, self._tools, self._callbacks = executor, executor.tools, executor.callbacks
        self._grouped, self._is_last = grouped, is_last
        self._started = self._tools.clock.monotonic()
        self._is_finished = False

    @property
    def can_be_undone(self) -> bool:
        """All that it has done is in the open transaction. Nobody knows what a program does."""
        return self.run.can_be_undone and not (self.planned.migration.program and self.has_begun)

    @property
    def may_have_left_something(self) -> bool:
        """A rollback would not undo all that it has done."""
        return (self.run.has_sent or self.has_begun) and not self.can_be_undone

    @property
    def _earlier_programs(self) -> tuple[str, ...]:
        """Those of the group that have no row; the script has committed their rows too if it has committed."""
        return () if self.run.has_committed else self._executor.unsettled_programs

    def carry_out(self) -> None:
        """Run the migration, with its callbacks, and write its row.

        Raises:
            StatementRefused, ProgramFailed, TaxiwayError: What has ended it.
        """
        is_skipped = self._executor.settings.skip_executing_migrations
        if not is_skipped:
            self._tell_start()
        if self._grouped or not is_skipped:
            self._begin()
        for event in self.opening:
            self._callbacks.fire_inside(event, self.run)
        if not is_skipped:
            self._execute()
        self._record()

    def refused(self, cause: StatementRefused | ProgramFailed) -> MigrationRefused:
        """The failure of this attempt, with what has stayed of it, and of the group that it is in."""
        return MigrationRefused(
            self.planned,
            cause,
            undone=self.can_be_undone,
            group=Remainder(self._earlier_programs, has_committed=bool(self._executor.applied))
            if self._grouped
            else None,
        )

    def cut_off(self, error: errors.ConnectionLost) -> errors.ConnectionLost:
        """The same error, saying what it means for this migration; OutcomeUnknown if something may have stayed."""
        message = f"{error.message}\nMigration {self.planned.migration.script} was running."
        programs = ", ".join(self._earlier_programs)
        if not self.run.has_sent and not self.has_begun:
            outcome = "It had not done anything."
        elif self.may_have_left_something:
            outcome = "What it had done before may have stayed, and the history may have no row for it."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        elif self._is_finished and self._is_last:
            outcome = "It was being committed: whether it was applied is not known."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        else:
            outcome = "The server rolls back what it had done."
        if programs:
            outcome = f"{outcome} What {programs} did has stayed, and the history has no row for it."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        return errors.ConnectionLost(f"{message} {outcome}", sqlstate=error.sqlstate, hint=error.hint)

    def is_to_blame(self, failure: Exception) -> bool:
        """Whether it is the migration that has failed, its statement callbacks and its row included."""
        each = self._executor.each
        around = {each.before.value, each.after.value, *(event.value for event in each.before_repeatables)}
        return not (isinstance(failure, errors.CallbackFailed) and failure.event in around)

    def record_failure(self) -> None:
        """Leave a row that says so: without a transaction, what ran before the failure has stayed.

        Flyway 13 does so with ``postgresql.transactional.lock=false``; its default lock loses the row.
        """
        self._finish()
        migration = self.planned.migration
        executor = self._executor
        row = applied_row(migration, executor.next_rank, executor.installed_by, self.duration_ms, success=False)
        try:
            self._tools.session.record(executor.table, row, only_with_lock=False)
        except errors.DatabaseError as error:
            # The failure itself is what the caller has to learn about.
            message = f"The history has no row that says that {migration.script} failed: {error.message}"
            self._tools.on_event(Warned(message=self._tools.redact(message)))

    def _begin(self, *, keep_lock: bool = True) -> None:
        """Reset role and search path, and see to it that a transaction is open if there is to be one."""
        session = self._tools.session
        transactional = self.run.transactional and not session.in_transaction
        session.begin_script(self._executor.table, transactional=transactional, keep_lock=keep_lock)

    def _execute(self) -> None:
        each = self._executor.each
        self._callbacks.fire_inside(each.before, self.run)
        if self.planned.migration.program:
            self._run_program()
        else:
            self._run_statements()
        self._callbacks.fire_inside(each.after, self.run)

    def _tell_start(self) -> None:
        self._tools.on_event(
            MigrationStarted(
                migration=self.planned.migration,
                schema=self._executor.table.schema,
                out_of_order=self.planned.out_of_order,
                transactional=self.run.transactional,
            )
        )

    def _run_statements(self) -> None:
        each = self._executor.each

        def before() -> None:
            self._callbacks.fire_inside(each.before_statement, self.run)
            self.has_begun = True

        def after() -> None:
            self._callbacks.fire_inside(each.after_statement, self.run)

        self.is_in_statements = True
        self.run.run(self.planned.migration.script, self.planned.script, StatementHooks(before, after))
        self.is_in_statements = False

    def _run_program(self) -> None:
        """Run it while no transaction of ours is open: it may want what that has locked.

        The one of a group stays open, as with Flyway 13.
        """
        migration = self.planned.migration
        if self._grouped:
            self._tools.on_event(
                Warned(
                    message=f"{migration.script} is a program: if the group fails later, what it does now stays."
                )
            )
        else:
            self.run.commit(self.planned.script)
        self.has_begun = True
        run_program(
            migration,
            programs=self._tools.programs,
            environment=self._tools.program_environment,
            placeholders=self._executor.scope.placeholders,
            on_event=self._tools.on_event,
            redact=self._tools.redact,
        )
        if not self._grouped:
            # It has done its work, so its row is written with the lock or without it.
            self._begin(keep_lock=False)

    def _record(self) -> None:
        self._finish()
        executor = self._executor
        row = applied_row(self.planned.migration, executor.next_rank, executor.installed_by, self.duration_ms)
        try:
            # What is committed already has to be on record, with the lock or without it, and whatever comes later.
            self._tools.session.record(
                executor.table,
                row,
                only_with_lock=not self.may_have_left_something,
                commit=self._is_last or self.run.has_committed,
            )
        except (errors.StatementFailed, errors.PermissionDenied) as error:
            raise StatementRefused(self.planned.script, None, error) from error

    def _finish(self) -> None:
        """The last statement was run, or failed."""
        self.duration_ms = milliseconds(self._tools.clock.monotonic() - self._started)
        self._is_finished = True
