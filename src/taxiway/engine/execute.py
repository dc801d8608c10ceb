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
from taxiway.engine.attempt import Attempt, EachEvents, Shared
from taxiway.engine.failure import GroupSoFar, MigrationRefused, migration_failed
from taxiway.engine.programs import ProgramFailed
from taxiway.engine.statements import StatementRefused
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import MigrationFinished
from taxiway.model.migration import MigrationKind
from taxiway.model.plan import PlannedMigration
from taxiway.model.result import MigrateResult, MigrationOutput, UndoResult
from taxiway.planning.migrate import runs_as_one

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
        tools = executor.shared.tools
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
        applied: What is settled; grows as they succeed.
        has_reached_repeatables: The events before the first repeatable migration were fired.
    """

    shared: Shared
    next_rank: int
    applied: list[MigrationOutput] = field(default_factory=list)
    has_reached_repeatables: bool = False
    _unsettled: list[Attempt] = field(default_factory=list)

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
        grouped = self.shared.settings.group and runs_as_one(migrations)
        for index, planned in enumerate(migrations, start=1):
            self._run(planned, grouped=grouped, is_last=not grouped or index == len(migrations))

    def _run(self, planned: PlannedMigration, *, grouped: bool, is_last: bool) -> None:
        attempt = Attempt(
            self.shared,
            planned,
            rank=self.next_rank,
            opening=self._reach_repeatables(planned),
            group=self._group_so_far() if grouped else None,
            is_last=is_last,
        )
        failure = self._try(attempt)
        if attempt.run.has_committed:
            # A script of a group that commits the transaction commits those before it too.
            self._settle()
        if failure:
            # Raised here, where no handler would put the server's own words along as the context.
            raise failure
        self.next_rank += 1
        self._unsettled.append(attempt)
        if not self.shared.tools.session.in_transaction:
            self._settle()

    def _group_so_far(self) -> GroupSoFar:
        scripts = [one.planned.migration.script for one in self._unsettled]
        return GroupSoFar(
            begins_with=next(iter(scripts), None),
            programs=tuple(one.planned.migration.script for one in self._unsettled if one.may_have_left_something),
            has_committed=bool(self.applied),
        )

    def _reach_repeatables(self, planned: PlannedMigration) -> tuple[CallbackEvent, ...]:
        """Fire what comes before the first repeatable migration. Returns what has to be fired inside of it.

        The transaction of a group is open when the group has come that far: what runs between its migrations is a
        part of it. Flyway 13 has another session for these callbacks, which does not see what the group has done.
        """
        if self.has_reached_repeatables or planned.migration.kind is not MigrationKind.REPEATABLE:
            return ()
        self.has_reached_repeatables = True
        if self.shared.tools.session.in_transaction:
            return self.shared.each.before_repeatables
        for event in self.shared.each.before_repeatables:
            self.shared.callbacks.fire(event)
        return ()

    def _try(self, attempt: Attempt) -> Exception | None:
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

    def _clean_up(self, attempt: Attempt) -> None:
        self.shared.tools.session.rollback()
        if attempt.has_begun and not attempt.run.transactional:
            attempt.record_failure()

    def _tell_of_failure(self, attempt: Attempt, failure: Exception) -> None:
        """Fire the error events: when the migration itself has failed, not a callback before or after it."""
        if not attempt.is_to_blame(failure):
            return
        if attempt.is_in_statements and isinstance(failure, MigrationRefused):
            self.shared.callbacks.fire_after_failure(self.shared.each.after_statement_error)
        self.shared.callbacks.fire_after_failure(self.shared.each.after_error)

    def _settle(self) -> None:
        for attempt in self._unsettled:
            migration, duration_ms = attempt.planned.migration, attempt.duration_ms
            self.applied.append(MigrationOutput.of(migration, duration_ms))
            self.shared.tools.on_event(MigrationFinished(migration=migration, duration_ms=duration_ms))
        self._unsettled.clear()
