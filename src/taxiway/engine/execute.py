"""Running planned migrations: one transaction each, history row included, events as it goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from taxiway import errors
from taxiway.engine.ports import Clock, EventSink, HistoryTable, Session
from taxiway.model.event import MigrationFinished, MigrationStarted, StatementRun, Warned
from taxiway.model.plan import PlannedMigration
from taxiway.model.result import MigrationOutput
from taxiway.model.script import LineCounter, Statement
from taxiway.planning.migrate import applied_row


class StatementRefused(Exception):
    """The server refused a statement of a migration. ``statement`` is ``None`` when it refused the commit."""

    def __init__(
        self,
        planned: PlannedMigration,
        statement: Statement | None,
        error: errors.StatementFailed | errors.PermissionDenied,
        *,
        rolled_back: bool,
    ) -> None:
        super().__init__(error.message)
        self.planned, self.statement, self.error, self.rolled_back = planned, statement, error, rolled_back


@dataclass(slots=True)
class Executor:
    """Runs migrations on a session that holds the lock. ``applied`` grows as they succeed.

    ``redact`` masks secrets in what the server says, for events; errors are raised as they are.
    """

    session: Session
    table: HistoryTable
    installed_by: str
    next_rank: int
    clock: Clock
    on_event: EventSink
    redact: Callable[[str], str]
    applied: list[MigrationOutput] = field(default_factory=list)

    def run_all(self, migrations: Sequence[PlannedMigration]) -> None:
        """Run them in order; stop at the first that fails.

        Raises:
            StatementRefused: A statement failed; what the failed migration did is rolled back if it could be.
            ConnectionLost: The session is gone, and the server rolls back the migration.
            OutcomeUnknown: The session is gone, and the migration or a part of it may have stayed.
            LockNotAcquired: A script has given the lock back, and somebody else has taken it.
        """
        for planned in migrations:
            self._run(planned)

    def _run(self, planned: PlannedMigration) -> None:
        migration, script = planned.migration, planned.script
        self.on_event(
            MigrationStarted(
                migration=migration,
                schema=self.table.schema,
                out_of_order=planned.out_of_order,
                transactional=script.transactional,
            )
        )
        attempt = _Attempt(self.session, planned, self.clock, self.on_event)
        lost = self._try(attempt)
        if lost:
            # Raised here, where no handler would put the server's own words along as the context.
            raise attempt.cut_off(lost)
        self.next_rank += 1
        self.applied.append(MigrationOutput.of(migration, attempt.duration_ms))
        self.on_event(MigrationFinished(migration=migration, duration_ms=attempt.duration_ms))

    def _try(self, attempt: "_Attempt") -> errors.ConnectionLost | None:
        """Run it and write its row. Returns what cut it off; raises whatever else ended it."""
        transactional = attempt.planned.script.transactional
        try:
            self.session.begin_migration(self.table, transactional=transactional)
            attempt.run_statements()
            self._record(attempt)
        except errors.ConnectionLost as error:
            return error
        except BaseException:
            # Interrupts too: whatever ends a migration early must not leave its transaction open.
            self.session.rollback()
            if attempt.has_begun and not transactional:
                self._record_failure(attempt)
            raise
        return None

    def _record(self, attempt: "_Attempt") -> None:
        attempt.finish()
        row = applied_row(attempt.planned.migration, self.next_rank, self.installed_by, attempt.duration_ms)
        try:
            # What is committed already has to be on record, with the lock or without it.
            self.session.record(self.table, row, only_with_lock=attempt.can_be_undone)
        except (errors.StatementFailed, errors.PermissionDenied) as error:
            raise attempt.refused(None, error) from error

    def _record_failure(self, attempt: "_Attempt") -> None:
        """Leave a row that says so: without a transaction, what ran before the failure has stayed.

        Flyway 13 does so with ``postgresql.transactional.lock=false``; its default lock loses the row.
        """
        attempt.finish()
        migration = attempt.planned.migration
        row = applied_row(migration, self.next_rank, self.installed_by, attempt.duration_ms, success=False)
        try:
            self.session.record(self.table, row, only_with_lock=False)
        except errors.DatabaseError as error:
            # The failure itself is what the caller has to learn about.
            message = f"The history has no row that says that {migration.script} failed: {error.message}"
            self.on_event(Warned(message=self.redact(message)))


class _Attempt:
    """One go at one migration.

    Attributes:
        has_begun: A statement was sent: without a transaction, the migration may have left something behind.
        duration_ms: How long it took, once it has finished.
    """

    def __init__(self, session: Session, planned: PlannedMigration, clock: Clock, on_event: EventSink) -> None:
        self.planned = planned
        self.has_begun = False
        self.duration_ms = 0
        self._session, self._clock, self._on_event = session, clock, on_event
        self._started = clock.monotonic()
        self._is_finished = False
        self._ended_its_transaction = False

    @property
    def can_be_undone(self) -> bool:
        """All that it has done is in the open transaction."""
        return self.planned.script.transactional and not self._ended_its_transaction

    def finish(self) -> None:
        """The last statement was run, or failed."""
        self.duration_ms = _milliseconds(self._clock.monotonic() - self._started)
        self._is_finished = True

    def run_statements(self) -> None:
        """Run every statement.

        Raises:
            StatementRefused: The server refused one.
        """
        script = self.planned.script
        lines = LineCounter(script.replaced.source)
        for statement in script.statements:
            if self._ended_its_transaction and not self._session.in_transaction:
                # As Flyway (JDBC without autocommit): after a COMMIT in a script, the next statement begins anew.
                self._session.begin()
            started = self._clock.monotonic()
            self.has_begun = True
            try:
                command = self._session.run(statement)
            except errors.StatementFailed as error:
                raise self.refused(statement, error) from error
            self._on_event(
                StatementRun(
                    script=self.planned.migration.script,
                    line=lines.line(script.replaced.source_offset(statement.first_token)),
                    duration_ms=_milliseconds(self._clock.monotonic() - started),
                    command=command,
                )
            )
            self._notice_the_end_of_the_transaction(command)

    def refused(
        self, statement: Statement | None, error: errors.StatementFailed | errors.PermissionDenied
    ) -> StatementRefused:
        """The failure of this attempt; rolled back only if everything it did was in the open transaction."""
        return StatementRefused(self.planned, statement, error, rolled_back=self.can_be_undone)

    def cut_off(self, error: errors.ConnectionLost) -> errors.ConnectionLost:
        """The same error, saying what it means for this migration; OutcomeUnknown if something may have stayed."""
        message = f"{error.message}\nMigration {self.planned.migration.script} was running."
        if not self.has_begun:
            outcome = "It had not done anything."
        elif not self.can_be_undone:
            outcome = "What it had done before may have stayed, and the history may have no row for it."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        elif self._is_finished:
            outcome = "It was being committed: whether it was applied is not known."
            return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
        else:
            outcome = "The server rolls back what it had done."
        return errors.ConnectionLost(f"{message} {outcome}", sqlstate=error.sqlstate, hint=error.hint)

    def _notice_the_end_of_the_transaction(self, command: str) -> None:
        transactional = self.planned.script.transactional
        # COMMIT AND CHAIN opens the next one at once.
        ended = command == "COMMIT" or not self._session.in_transaction
        if transactional and ended and not self._ended_its_transaction:
            self._ended_its_transaction = True
            self._on_event(
                Warned(
                    message=f"{self.planned.migration.script} ended its own transaction (COMMIT or ROLLBACK): "
                    "if a later statement fails, what came before stays."
                )
            )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
