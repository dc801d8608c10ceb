"""Keeping the ledger of a run: it begins as running, takes events in, and is ended once.

It is a record beside the work. Nothing that goes wrong with it makes the work fail, or look as if it had.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from taxiway import errors
from taxiway.model.event import Event, ExecutionSkipped, MigrationFinished, MigrationStarted, StatementRun, Warned
from taxiway.model.ledger import MigrationRecord, RunOrigin, RunOutcome, RunRecord, StatementRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from taxiway.engine.ports import EventSink, HistoryTable

# A script may have millions of statements. The count of a migration goes on beyond that.
MOST_STATEMENTS: Final = 10_000


class LedgerStore(Protocol):
    """Where ledgers are kept."""

    def begin(self, origin: RunOrigin, table: HistoryTable) -> None:
        """Record a run that begins now, as running.

        Raises:
            DatabaseError: It cannot be recorded; nothing was changed.
        """
        ...

    def end(self, run_id: str, table: HistoryTable, record: RunRecord) -> None:
        """Record what the run has done and how it ended, in one round trip.

        Raises:
            DatabaseError: It cannot be recorded; nothing was changed.
        """
        ...


@dataclass(slots=True, kw_only=True)
class RunLedger:
    """The ledger of one run. It is an event sink that passes everything on."""

    store: LedgerStore
    origin: RunOrigin
    table: HistoryTable
    on_event: EventSink
    redact: Callable[[str], str]
    is_open: bool = False
    _migrations: list[MigrationRecord] = field(default_factory=list)
    _statements: list[StatementRecord] = field(default_factory=list)
    _left_out: int = 0

    def begin(self) -> None:
        """Record that the run has begun. If that cannot be, it is told once, and there is no ledger."""
        try:
            self.store.begin(self.origin, self.table)
        except errors.TaxiwayError as error:
            hint = f" {error.hint}" if error.hint else ""
            message = f"This run goes on without a ledger. {error.message.rstrip('.')}.{hint}"
            self.on_event(Warned(message=self.redact(message)))
        else:
            self.is_open = True

    def end(self, failure: BaseException | None) -> None:
        """Record how the run ended: by what it was ended, if by something."""
        if not self.is_open:
            return
        self.is_open = False
        record = RunRecord(
            outcome=_outcome(failure),
            error_code=failure.code if isinstance(failure, errors.TaxiwayError) else None,
            migrations=tuple(self._migrations),
            statements=tuple(self._statements),
            statements_left_out=self._left_out,
        )
        try:
            self.store.end(self.origin.run_id, self.table, record)
        except errors.TaxiwayError as error:
            message = f"The ledger does not say how this run ended. {error.message}"
            self.on_event(Warned(message=self.redact(message)))

    def __call__(self, event: Event) -> None:
        """Take in an event, and pass it on."""
        match event:
            case MigrationStarted():
                self._start(MigrationRecord(event.migration, event.transactional))
            case ExecutionSkipped():
                self._start(MigrationRecord(event.migration, transactional=True))
            case StatementRun():
                self._note_statement(StatementRecord(*event))
            case MigrationFinished():
                self._finish(event)
        self.on_event(event)

    def _start(self, record: MigrationRecord) -> None:
        """A migration that could not be sent ahead begins once more: what it did before is rolled back."""
        last = self._migrations[-1] if self._migrations else None
        if last and last.duration_ms is None and last.migration.path == record.migration.path:
            self._migrations.pop()
            kept = len(self._statements) - last.statements
            if not self._left_out and kept >= 0:
                del self._statements[kept:]
        self._migrations.append(record)

    def _note_statement(self, record: StatementRecord) -> None:
        last = self._migrations[-1] if self._migrations else None
        if last and last.migration.script == record.script:
            last.statements += 1
        if len(self._statements) < MOST_STATEMENTS:
            self._statements.append(record)
        else:
            self._left_out += 1

    def _finish(self, event: MigrationFinished) -> None:
        for one in reversed(self._migrations):
            if one.migration.path == event.migration.path and one.duration_ms is None:
                one.duration_ms = event.duration_ms
                return


def _outcome(failure: BaseException | None) -> RunOutcome:
    match failure:
        case None:
            return RunOutcome.SUCCEEDED
        case errors.OutcomeUnknown():
            return RunOutcome.UNKNOWN
        case KeyboardInterrupt():
            return RunOutcome.TERMINATED
        case _:
            return RunOutcome.FAILED
