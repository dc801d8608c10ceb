"""Steps of the engine as statements that are sent ahead, and what each of them came to."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from taxiway.engine.ports import BeginStep, HistoryTable, RecordStep, StatementStep, Step, StepOutcome
from taxiway.postgres import history
from taxiway.postgres.libpq.pipeline import Message
from taxiway.postgres.libpq.result import Result
from taxiway.postgres.own_statements import OwnStatements
from taxiway.postgres.send import encode_statement, outcome

_BEGIN: Final = Message(b"BEGIN", flush=False)
_COMMIT: Final = Message(b"COMMIT")


class StepsAhead:
    """The steps under way: sent, and not answered in full."""

    def __init__(self, ours: OwnStatements, table: HistoryTable, *, keep_rows: bool) -> None:
        self._ours, self._table, self._keep_rows = ours, table, keep_rows
        self._under_way: deque[_UnderWay] = deque()

    @property
    def first(self) -> Step | None:
        """The one that the next answer is for."""
        return self._under_way[0].step if self._under_way else None

    def messages(self, steps: Iterable[Step]) -> Iterator[Message]:
        """What is sent for each step."""
        for step in steps:
            self._under_way.append(one := _UnderWay(step))
            if isinstance(step, StatementStep):
                one.expected = 1
                yield Message(encode_statement(step.statement, "utf-8"), with_rows=self._keep_rows)
            else:
                messages = self._begin(step) if isinstance(step, BeginStep) else self._record(step)
                one.expected = len(messages)
                yield from messages

    def take(self, result: Result) -> StepOutcome | None:
        """Take in an answer. Returns what its step came to, if that was the last answer to it."""
        first = self._under_way[0]
        first.results.append(result)
        if not first.is_done:
            return None
        self._under_way.popleft()
        return first.outcome(keep_rows=self._keep_rows)

    def _begin(self, step: BeginStep) -> tuple[Message, ...]:
        # Its answer has to be there before the script begins, whose statements are measured from then on.
        ready = Message(self._ours.ready_for_script(self._table, keep_lock=True).encode())
        if not step.opens:
            return (ready,)
        if not step.without_snapshot:
            return _BEGIN, ready
        return _BEGIN, ready._replace(flush=False), _COMMIT._replace(flush=False), _BEGIN._replace(flush=True)

    def _record(self, step: RecordStep) -> tuple[Message, ...]:
        ready = Message(
            self._ours.ready_for_row(self._table, only_with_lock=True, sent_ahead=True).encode(), flush=False
        )
        row = Message(history.insert_measured_row(self._table, step.row).encode(), with_rows=True)
        return (ready, row._replace(flush=False), _COMMIT) if step.commit else (ready, row)


@dataclass(slots=True)
class _UnderWay:
    """A step that was sent, or is being sent. ``expected`` is how many answers it gets."""

    step: Step
    expected: int = 0
    results: list[Result] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        return len(self.results) == self.expected

    def outcome(self, *, keep_rows: bool) -> StepOutcome:
        """What it came to."""
        if isinstance(self.step, RecordStep):
            [[value]] = self.results[1].rows
            return StepOutcome(execution_time_ms=int(value or 0))
        if isinstance(self.step, BeginStep):
            return StepOutcome()
        came_to = outcome(self.results, "utf-8", keep_rows=keep_rows)
        return StepOutcome(came_to.command, came_to.tables)
