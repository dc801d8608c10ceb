"""Running planned migrations: history row included, callbacks around them, events as it goes.

Each migration is a transaction of its own, unless ``group`` makes one of all of them.

Terminology:

attempt
    One go at one migration.
settled
    A migration is settled when it and its row are committed.
under way
    Begun, and not known to be done: the one that the server is at, and those that were sent ahead behind it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, groupby, takewhile
from typing import Final

from taxiway import errors
from taxiway.engine.ahead import SentAhead, can_be_sent_ahead
from taxiway.engine.attempt import Attempt, EachEvents, Shared
from taxiway.engine.failure import GroupSoFar, MigrationRefused, migration_failed
from taxiway.engine.programs import ProgramFailed
from taxiway.engine.statements import StatementRefused
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import CommitInDoubt, CommitsUnknown, MigrationFinished, Warned
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


_FOUND_AGAIN: Final = (
    "The connection was lost while migrations were being committed. The history, read with a new one, has them."
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


@dataclass(frozen=True, slots=True)
class _Turn:
    """A migration that is to be run. After the ``is_last`` of a group, or alone, its transaction is committed."""

    planned: PlannedMigration
    grouped: bool
    is_last: bool

    @property
    def is_repeatable(self) -> bool:
        return self.planned.migration.kind is MigrationKind.REPEATABLE


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
        turns = (
            _Turn(planned, grouped, is_last=not grouped or index == len(migrations))
            for index, planned in enumerate(migrations, start=1)
        )
        for (is_ahead, _), window in groupby(turns, key=self._way):
            if is_ahead:
                self._run_ahead(deque(window))
            else:
                for turn in window:
                    self._run(turn)

    def _way(self, turn: _Turn) -> tuple[bool, bool]:
        """Whether it can be sent ahead; only those with the same answer go together.

        Before the first repeatable migration there may be callbacks, which in a group are a part of it.
        """
        has_callbacks = turn.is_repeatable and self.shared.callbacks.has(*self.shared.each.before_repeatables)
        return can_be_sent_ahead(turn.planned, self.shared) and not (has_callbacks and turn.grouped), has_callbacks

    # --- one by one ---

    def _run(self, turn: _Turn) -> None:
        opening = self._reach_repeatables(turn)
        attempt = self._attempt(turn, opening=opening, group=self._group_so_far() if turn.grouped else None)

        def run() -> None:
            attempt.carry_out()
            self._unsettled.append(attempt)

        failure = self._try(run, [attempt])
        if attempt.run.has_committed:
            # A script of a group that commits the transaction commits those before it too.
            self._settle()
        if failure:
            # Raised here, where no handler would put the server's own words along as the context.
            raise failure
        if not self.shared.session.in_transaction:
            self._settle()

    def _attempt(
        self, turn: _Turn, *, group: GroupSoFar | None, opening: tuple[CallbackEvent, ...] = ()
    ) -> Attempt:
        rank = self.next_rank
        self.next_rank += 1
        return Attempt(self.shared, turn.planned, rank=rank, opening=opening, group=group, is_last=turn.is_last)

    def _group_so_far(self) -> GroupSoFar:
        scripts = [one.planned.migration.script for one in self._unsettled]
        return GroupSoFar(
            begins_with=next(iter(scripts), None),
            programs=tuple(one.planned.migration.script for one in self._unsettled if one.may_have_left_something),
            has_committed=bool(self.applied),
        )

    def _reach_repeatables(self, turn: _Turn) -> tuple[CallbackEvent, ...]:
        """Fire what comes before the first repeatable migration. Returns what has to be fired inside of it.

        The transaction of a group is open when the group has come that far: what runs between its migrations is a
        part of it. Flyway 13 has another session for these callbacks, which does not see what the group has done.
        """
        if self.has_reached_repeatables or not turn.is_repeatable:
            return ()
        self.has_reached_repeatables = True
        if self.shared.session.in_transaction:
            return self.shared.each.before_repeatables
        for event in self.shared.each.before_repeatables:
            self.shared.callbacks.fire(event)
        return ()

    # --- ahead ---

    def _run_ahead(self, turns: deque[_Turn]) -> None:
        """Run them without waiting for the server in between."""
        while turns:
            self._reach_repeatables(turns[0])
            if failure := self._send_ahead(turns):
                # Raised here, where no handler would put the server's own words along as the context.
                raise failure

    def _send_ahead(self, turns: deque[_Turn]) -> Exception | None:
        """Send them, and take those from ``turns`` that are done. Returns what ended it early."""
        group = self._group_so_far() if turns[0].grouped else None
        opens = not self.shared.session.in_transaction

        def attempts() -> Iterator[tuple[Attempt, bool]]:
            nonlocal opens
            for turn in tuple(turns):
                self.has_reached_repeatables |= turn.is_repeatable
                yield self._attempt(turn, group=group), opens
                opens = turn.is_last

        sent = SentAhead(self.shared, attempts())

        def run() -> None:
            for attempt in sent.run():
                turns.popleft()
                self._unsettled.append(attempt)
                if attempt.is_last:
                    self._settle()

        failure = self._try(run, sent.under_way)
        if not failure:
            # Those that the history was asked about.
            for _ in sent.under_way:
                turns.popleft()
        return failure

    # --- how it ends ---

    def _try(self, run: Callable[[], None], under_way: Sequence[Attempt]) -> Exception | None:
        """Run, and return what ended it, rolled back if it could be; interrupts are raised."""
        failure: Exception
        try:
            run()
        except errors.ConnectionLost as error:
            return self._find_out(error, under_way)
        except (StatementRefused, ProgramFailed) as cause:
            failure = under_way[0].refused(cause)
        except errors.TaxiwayError as error:
            failure = error
        except BaseException:
            # Whatever ends a migration early must not leave its transaction open.
            self._clean_up(under_way)
            self._tell_how_far(under_way)
            raise
        else:
            return None
        self._clean_up(under_way)
        for attempt in under_way[:1]:
            self._tell_of_failure(attempt, failure)
        return failure

    def _clean_up(self, under_way: Sequence[Attempt]) -> None:
        self.shared.session.rollback()
        for attempt in under_way[:1]:
            self.next_rank = attempt.rank
            attempt.end_row()

    def _tell_of_failure(self, attempt: Attempt, failure: Exception) -> None:
        """Fire the error events: when the migration itself has failed, not a callback before or after it."""
        if not attempt.is_to_blame(failure):
            return
        if attempt.is_in_statements and isinstance(failure, MigrationRefused):
            self.shared.callbacks.fire_after_failure(self.shared.each.after_statement_error)
        self.shared.callbacks.fire_after_failure(self.shared.each.after_error)

    def _find_out(
        self, error: errors.ConnectionLost, under_way: Sequence[Attempt]
    ) -> errors.ConnectionLost | None:
        """What a lost connection means: where that is open, a new one tells.

        Returns:
            The error to end with; ``None`` if all that was under way turns out to be applied.
        """
        lost = tuple(under_way)
        if not lost:
            return error
        if not lost[0].has_row and not any(one.may_be_committed for one in (*self._unsettled, *lost)):
            return lost[0].cut_off(error)
        self._tell_of_doubt(lost)
        try:
            self.shared.session.reconnect()
            if lost[0].has_run:
                lost[0].end_row()
            self._settle_recorded(lost)
        except errors.TaxiwayError:
            return lost[0].cut_off(error, behind=lost[1:])
        missing = next((attempt for attempt in lost if not attempt.is_settled), None)
        if missing:
            missing.end_row()
            return missing.rolled_back(error)
        self.shared.tools.on_event(Warned(message=_FOUND_AGAIN))
        return None

    def _tell_how_far(self, under_way: Sequence[Attempt]) -> None:
        """Of a run that is given up: what the history has, and the migration behind that, which may have begun."""
        try:
            self._settle_recorded(under_way)
        except errors.DatabaseError:
            self._tell_of_doubt([one for one in under_way if one.was_sent_ahead or one.has_row], CommitsUnknown)
            return
        if under_way and under_way[0].is_settled:
            for attempt in [attempt for attempt in under_way if not attempt.is_settled][:1]:
                attempt.tell_start()

    def _tell_of_doubt(
        self, lost: Sequence[Attempt], kind: type[CommitInDoubt] | type[CommitsUnknown] = CommitInDoubt
    ) -> None:
        """Say which may be committed, if any is: nobody has heard how far the server has come."""
        candidates = (*self._unsettled, *lost)
        behind = dropwhile(lambda attempt: not attempt.may_be_committed, reversed(candidates))
        if scripts := tuple(attempt.planned.migration.script for attempt in reversed([*behind])):
            self.shared.tools.on_event(kind(scripts=scripts))

    def _settle_recorded(self, under_way: Sequence[Attempt]) -> None:
        """Settle those that the history has: the server may have come further than it could tell us."""
        candidates = (*self._unsettled, *under_way)
        if not any(attempt.may_be_committed for attempt in candidates):
            return
        rows = {row.installed_rank: row for row in self.shared.session.history_rows(self.shared.table)}
        self._unsettled[:] = takewhile(lambda attempt: attempt.is_recorded_by(rows.get(attempt.rank)), candidates)
        self._settle()

    def _settle(self) -> None:
        for attempt in self._unsettled:
            attempt.is_settled = True
            migration, duration_ms = attempt.planned.migration, attempt.duration_ms
            self.applied.append(MigrationOutput.of(migration, duration_ms))
            self.shared.tools.on_event(MigrationFinished(migration=migration, duration_ms=duration_ms))
        self._unsettled.clear()
