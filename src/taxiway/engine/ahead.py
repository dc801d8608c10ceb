"""Migrations that are sent one behind the other, without waiting for the server in between.

The server does the same as without, in the same order, and each migration is as atomic as before. Only our part in
it is left out: to look at one answer before the next statement is sent (docs/adr/0020-pipelining.md).

Terminology:

ahead
    Sent while what is before it has no answer yet.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing

from taxiway import errors
from taxiway.engine.attempt import Attempt, Shared
from taxiway.engine.ports import BeginStep, RecordStep, StatementStep, Step, StepOutcome
from taxiway.engine.statements import StatementRefused, milliseconds
from taxiway.model.event import RowsReturned, StatementRun
from taxiway.model.plan import PlannedMigration


def can_be_sent_ahead(planned: PlannedMigration, shared: Shared) -> bool:
    """Whether nothing that we would do depends on how one of its statements ends, but for stopping at a failure.

    Callbacks around it are scripts of their own, which may end a transaction or want data. Overrides of errors
    make something else of an answer.
    """
    return (
        planned.script.can_be_sent_ahead
        and planned.migration.program is None
        and not shared.callbacks.has(*shared.each.inside)
        and not shared.tools.overrides
    )


class SentAhead:
    """Some migrations under way.

    Attributes:
        under_way: Those that have no answer for their row yet; the server is at the first of them.
    """

    def __init__(self, shared: Shared, attempts: Iterable[tuple[Attempt, bool]]) -> None:
        """``attempts`` are taken as they are sent, each with whether it opens a transaction."""
        self.under_way: list[Attempt] = []
        self._shared, self._attempts = shared, attempts
        self._expected: deque[tuple[Step, int]] = deque()
        self._answered_at = 0.0

    def run(self) -> Iterator[Attempt]:
        """Run them; yield each when its row is written.

        Raises:
            StatementRefused: The server refused a statement of the first attempt, or its row.
            LockNotAcquired: Somebody else has the lock.
            ConnectionLost: The session is gone.
        """
        shared = self._shared
        self._answered_at = shared.tools.clock.monotonic()
        keep_rows = shared.settings.output_query_results
        with closing(shared.session.send_ahead(shared.table, self._steps(), keep_rows=keep_rows)) as outcomes:
            while (outcome := self._next(outcomes)) is not None:
                step, line = self._expected.popleft()
                duration_ms = self._measure()
                if isinstance(step, StatementStep):
                    self._tell(self.under_way[0], line, outcome, duration_ms)
                elif isinstance(step, RecordStep):
                    yield self._finish(outcome)
                    if self.under_way:
                        self.under_way[0].tell_start()

    def _steps(self) -> Iterator[Step]:
        for attempt, opens in self._attempts:
            self.under_way.append(attempt)
            if len(self.under_way) == 1:
                attempt.tell_start()
            for step, line in attempt.steps(opens=opens):
                self._expected.append((step, line))
                yield step

    def _next(self, outcomes: Iterator[StepOutcome]) -> StepOutcome | None:
        try:
            return next(outcomes, None)
        except (errors.StatementFailed, errors.PermissionDenied) as error:
            step, _ = self._expected[0]
            if isinstance(step, BeginStep):
                raise
            attempt = self.under_way[0]
            attempt.is_in_statements = isinstance(step, StatementStep)
            statement = step.statement if isinstance(step, StatementStep) else None
            refused = StatementRefused(attempt.planned.script, statement, error)
        # Raised here, where no handler would put the server's own words along as the context.
        raise refused

    def _measure(self) -> int:
        """Milliseconds since the answer before: each step has its own, so that none counts for another."""
        before, self._answered_at = self._answered_at, self._shared.tools.clock.monotonic()
        return milliseconds(self._answered_at - before)

    def _tell(self, attempt: Attempt, line: int, outcome: StepOutcome, duration_ms: int) -> None:
        name, on_event = attempt.planned.migration.script, self._shared.tools.on_event
        on_event(StatementRun(script=name, line=line, duration_ms=duration_ms, command=outcome.command))
        for table in outcome.tables:
            on_event(RowsReturned(script=name, table=attempt.run.redacted(table)))

    def _finish(self, outcome: StepOutcome) -> Attempt:
        attempt = self.under_way.pop(0)
        attempt.duration_ms = outcome.execution_time_ms
        return attempt
