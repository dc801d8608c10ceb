"""One go at one migration, with the callbacks around it and its row in the history.

Terminology:

group
    All migrations of a run that are one transaction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from taxiway import errors
from taxiway.engine.callbacks import Callbacks
from taxiway.engine.failure import GroupSoFar, MigrationRefused, as_if_not_ahead
from taxiway.engine.ports import BeginStep, HistoryTable, RecordStep, Session, StatementStep, Step
from taxiway.engine.programs import ProgramFailed, run_program
from taxiway.engine.statements import (
    ScriptRun,
    StatementHooks,
    StatementRefused,
    milliseconds,
    statements_with_lines,
)
from taxiway.engine.survey import Scope
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import ExecutionSkipped, MigrationStarted, Warned
from taxiway.model.migration import AppliedMigration, HistoryRow
from taxiway.model.plan import PlannedMigration
from taxiway.model.settings import MigrationSettings
from taxiway.planning.history import applied_row, begun_row, history_script


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
        errors = self.after_statement_error, self.after_error
        return (*self.inside, *errors, *self.before_repeatables)

    @property
    def inside(self) -> tuple[CallbackEvent, ...]:
        """Those that are fired in the transaction of a migration that succeeds."""
        return self.before, self.before_statement, self.after_statement, self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all attempts of a run have in common. ``each`` are the events to fire around each migration."""

    scope: Scope
    settings: MigrationSettings
    tools: Tools
    callbacks: Callbacks
    installed_by: str
    each: EachEvents

    @property
    def table(self) -> HistoryTable:
        """The schema history."""
        return self.scope.table

    @property
    def session(self) -> Session:
        """The session that all of it runs on."""
        return self.tools.session


class Attempt:
    """One go at one migration. ``opening`` are further events to fire at its beginning.

    Attributes:
        rank: Of its row in the history.
        is_last: Its transaction is committed with its row.
        is_settled: It is committed.
        was_sent_ahead: It was sent without waiting for answers.
        run: The scripts of this migration: its own, and the callbacks around it.
        has_row: It runs without a transaction, and has a row from its beginning, or may have.
        has_run: All that it does is done; its row is to be written.
        has_begun: The migration itself has sent a statement, or started its program.
        is_in_statements: Its statements are being run.
        duration_ms: How long it took, callbacks included (Flyway 13), once it has finished.
    """

    def __init__(
        self,
        shared: Shared,
        planned: PlannedMigration,
        *,
        rank: int,
        opening: tuple[CallbackEvent, ...],
        group: GroupSoFar | None,
        is_last: bool,
    ) -> None:
        self.planned = planned
        self.run = ScriptRun(
            shared.tools,
            shared.settings,
            transactional=planned.script.transactional,
            group_begins_with=group.begins_with if group else None,
        )
        self.has_begun = self.is_in_statements = False
        self.duration_ms = 0
        self._shared, self._tools, self._callbacks = shared, shared.tools, shared.callbacks
        self.rank = rank
        self.is_last, self.is_settled, self.was_sent_ahead = is_last, False, False
        self._opening, self._group = opening, group
        self._started = self._tools.clock.monotonic()
        self._is_finished = self.has_row = self.has_run = False

    @property
    def can_be_undone(self) -> bool:
        """All that it has done is in the open transaction. Nobody knows what a program does."""
        return self.run.can_be_undone and not (self.planned.migration.program and self.has_begun)

    @property
    def may_have_left_something(self) -> bool:
        """A rollback would not undo all that it has done."""
        return (self.run.has_sent or self.has_begun) and not self.can_be_undone

    @property
    def may_be_committed(self) -> bool:
        """Its row was sent, and the end of its transaction with it."""
        return self._is_finished and self.is_last

    @property
    def _earlier_programs(self) -> tuple[str, ...]:
        """Those of the group that have no row; the script has committed their rows too if it has committed."""
        return self._group.programs if self._group and not self.run.has_committed else ()

    def carry_out(self) -> None:
        """Run the migration, with its callbacks, and write its row.

        Raises:
            StatementRefused, ProgramFailed, TaxiwayError: What has ended it.
        """
        is_skipped = self._shared.settings.skip_executing_migrations
        self.tell_start()
        if self._group or not is_skipped:
            self._begin()
        for event in self._opening:
            self._callbacks.fire_inside(event, self.run)
        if not is_skipped:
            self._execute()
        self._record()

    def steps(self, *, opens: bool) -> Iterator[tuple[Step, int]]:
        """The same in steps that are sent ahead, each with the line of its statement in the source.

        ``opens`` says that its transaction has to be opened. What a step does to the attempt is noted when it is
        taken: from then on it may have happened.
        """
        self.was_sent_ahead = True
        yield BeginStep(opens, self.planned.script.may_choose_snapshot), 0
        if not self._shared.settings.skip_executing_migrations:
            for statement, line in statements_with_lines(self.planned.script):
                self.run.has_sent = self.has_begun = True
                yield StatementStep(statement), line
        self._is_finished = True
        yield RecordStep(self._row(), commit=self.is_last), 0

    def refused(self, cause: StatementRefused | ProgramFailed) -> MigrationRefused:
        """The failure of this attempt, with what has stayed of it, and of the group that it is in."""
        if self.was_sent_ahead and isinstance(cause, StatementRefused):
            cause = as_if_not_ahead(cause)
        return MigrationRefused(
            self.planned,
            cause,
            undone=self.can_be_undone,
            group=replace(self._group, programs=self._earlier_programs) if self._group else None,
        )

    def is_recorded_by(self, row: AppliedMigration | None) -> bool:
        """Whether that row of the history says that this migration was applied."""
        migration = self.planned.migration
        expected = migration.version, history_script(migration.script)
        return row is not None and row.success and (row.version, row.script) == expected

    def cut_off(self, error: errors.ConnectionLost, *, behind: Sequence["Attempt"] = ()) -> errors.ConnectionLost:
        """The same error, saying what it means for this migration; OutcomeUnknown if something may have stayed.

        ``behind`` are those that were sent ahead behind it.
        """
        message = f"{error.message}\nMigration {self.planned.migration.script} was running."
        doubtful = [one.planned.migration.script for one in behind if one.may_be_committed]
        programs = ", ".join(self._earlier_programs)
        if not self.run.has_sent and not self.has_begun and self.has_row:
            outcome = (
                "No statement of it had run, but the history may have a row that says that it was begun: then the "
                "next run says what to do."
            )
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        if not self.run.has_sent and not self.has_begun:
            outcome = "It had not done anything."
        elif self.may_have_left_something:
            outcome = "What it had done before may have stayed, and the history may not say that it was applied."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        elif self.may_be_committed or doubtful:
            outcome = "It was being committed: whether it was applied is not known."
            if doubtful:
                outcome = f"It and those behind it, up to {doubtful[-1]}, may have been applied or not."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        else:
            outcome = "The server rolls back what it had done."
        if programs:
            outcome = f"{outcome} What {programs} did has stayed, and the history has no row for it."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        return errors.ConnectionLost(f"{message} {outcome}", sqlstate=error.sqlstate, hint=error.hint)

    def rolled_back(self, error: errors.ConnectionLost) -> errors.ConnectionLost:
        """The same error, when a new connection has shown that this migration was not applied."""
        message = f"{error.message}\nMigration {self.planned.migration.script} was running."
        if not self.run.has_sent and not self.has_begun:
            return errors.ConnectionLost(
                f"{message} It had not done anything.", sqlstate=error.sqlstate, hint=error.hint
            )
        if self.may_have_left_something or self._earlier_programs:
            programs = ", ".join(self._earlier_programs)
            what = f"what {programs} did" if programs else "what it had done without a transaction"
            outcome = f"It was not applied, and {what} has stayed."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        outcome = "It was not applied: a new connection has found that the server has rolled it back."
        return errors.ConnectionLost(f"{message} {outcome}", sqlstate=error.sqlstate, hint=error.hint)

    def is_to_blame(self, failure: Exception) -> bool:
        """Whether it is the migration that has failed, its statement callbacks and its row included."""
        each = self._shared.each
        around = {each.before.value, each.after.value, *(event.value for event in each.before_repeatables)}
        return not (isinstance(failure, errors.CallbackFailed) and failure.event in around)

    def end_row(self) -> None:
        """Let the row that it has from its beginning say how it has ended, when its usual end was cut off.

        Without a transaction, what ran before a failure has stayed. Flyway 13 leaves a row with
        ``postgresql.transactional.lock=false``; its default lock loses it. If nothing of the migration has run,
        there is no row left of it; and if all of it has, the row says that.
        """
        if not self.has_row:
            return
        self._finish()
        migration = self.planned.migration
        shared = self._shared
        row = applied_row(migration, self.rank, shared.installed_by, self.duration_ms, success=self.has_run)
        try:
            if self.has_begun:
                shared.session.end_begun(shared.table, row)
            else:
                shared.session.remove_begun(shared.table, self.rank)
        except errors.DatabaseError as error:
            # The failure itself is what the caller has to learn about.
            message = f"The history has no row that says how {migration.script} has ended: {error.message}"
            self._tools.on_event(Warned(message=self._tools.redact(message)))

    def _begin(self, *, keep_lock: bool = True) -> None:
        """Reset role and search path, and see to it that a transaction is open if there is to be one."""
        shared, transactional = self._shared, self.run.transactional
        begun = None
        if not transactional and not shared.settings.skip_executing_migrations:
            begun = begun_row(self.planned.migration, self.rank, shared.installed_by)
        self.has_row = begun is not None
        shared.session.begin_script(
            shared.table,
            transactional=transactional and not shared.session.in_transaction,
            keep_lock=keep_lock,
            begun=begun,
        )

    def _execute(self) -> None:
        each = self._shared.each
        self._callbacks.fire_inside(each.before, self.run)
        if self.planned.migration.program:
            self._run_program()
        else:
            self._run_statements()
        self._callbacks.fire_inside(each.after, self.run)

    def tell_start(self) -> None:
        """Say that it runs now, or that its row alone is written."""
        migration, schema = self.planned.migration, self._shared.table.schema
        if self._shared.settings.skip_executing_migrations:
            self._tools.on_event(ExecutionSkipped(migration=migration, schema=schema))
            return
        self._tools.on_event(
            MigrationStarted(
                migration=migration,
                schema=schema,
                out_of_order=self.planned.out_of_order,
                transactional=self.run.transactional,
            )
        )

    def _run_statements(self) -> None:
        each = self._shared.each

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
        if self._group:
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
            placeholders=self._shared.scope.placeholders,
            on_event=self._tools.on_event,
            redact=self._tools.redact,
        )
        if not self._group:
            # It has done its work, so its row is written with the lock or without it.
            self._begin(keep_lock=False)

    def _record(self) -> None:
        self.has_run = True
        self._finish()
        session, table = self._shared.session, self._shared.table
        try:
            if self.has_row:
                session.end_begun(table, self._row())
                return
            # What is committed already has to be on record, with the lock or without it, and whatever comes later.
            session.record(
                table,
                self._row(),
                only_with_lock=not self.may_have_left_something,
                commit=self.is_last or self.run.has_committed,
            )
        except (errors.StatementFailed, errors.PermissionDenied) as error:
            raise StatementRefused(self.planned.script, None, error) from error

    def _row(self) -> HistoryRow:
        return applied_row(self.planned.migration, self.rank, self._shared.installed_by, self.duration_ms)

    def _finish(self) -> None:
        """The last statement was run, or failed."""
        self.duration_ms = milliseconds(self._tools.clock.monotonic() - self._started)
        self._is_finished = True
