"""The ledger takes events in, is written twice, and never ends a run."""

import pytest

from taxiway import errors
from taxiway.engine.ledger import RunLedger
from taxiway.engine.ports import HistoryTable
from taxiway.model import event as events
from taxiway.model.ledger import RunOrigin, RunOutcome, RunRecord
from tests.support.builders import resolved

ORIGIN = RunOrigin(run_id="1", version="1", command="run")
TABLE = HistoryTable("public", "h")


class Store:
    """Keeps what it is given, or refuses it."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses, self.records, self.begun = refuses, list[RunRecord](), 0

    def begin(self, _origin: RunOrigin, _table: HistoryTable) -> None:
        if self.refuses:
            raise errors.PermissionDenied("No, with secret.", sqlstate="42501", hint="GRANT it.")
        self.begun += 1

    def end(self, _run_id: str, _table: HistoryTable, record: RunRecord) -> None:
        if self.refuses:
            raise errors.ConnectionLost("Gone.", sqlstate=None)
        self.records.append(record)


def open_ledger(store: Store, told: list[events.Event] | None = None) -> RunLedger:
    sink = told if told is not None else []
    ledger = RunLedger(
        store=store,
        origin=ORIGIN,
        table=TABLE,
        on_event=sink.append,
        redact=lambda text: text.replace("secret", "***"),
    )
    ledger.begin()
    return ledger


def started(version: str) -> events.MigrationStarted:
    return events.MigrationStarted(
        migration=resolved(version), schema="public", out_of_order=False, transactional=True
    )


def ran(version: str, line: int) -> events.StatementRun:
    return events.StatementRun(script=resolved(version).script, line=line, duration_ms=1, command="SELECT 1")


def finished(version: str) -> events.MigrationFinished:
    return events.MigrationFinished(migration=resolved(version), duration_ms=3)


def test_a_group_is_finished_in_its_order() -> None:
    store = Store()
    ledger = open_ledger(store)
    for event in (started("1"), ran("1", 1), started("2"), ran("2", 1), ran("2", 2), finished("1"), finished("2")):
        ledger(event)
    ledger.end(None)
    [record] = store.records
    assert [(one.migration.script, one.statements, one.duration_ms) for one in record.migrations] == [
        ("V1__x.sql", 1, 3),
        ("V2__x.sql", 2, 3),
    ]
    assert record.outcome is RunOutcome.SUCCEEDED


def test_what_is_run_again_is_recorded_once() -> None:
    store = Store()
    ledger = open_ledger(store)
    for event in (started("1"), ran("1", 1), started("1"), ran("1", 1), ran("1", 2), finished("1")):
        ledger(event)
    ledger.end(None)
    [record] = store.records
    assert [(one.statements, one.duration_ms) for one in record.migrations] == [(2, 3)]
    assert [one.line for one in record.statements] == [1, 2]


@pytest.mark.parametrize(
    ("failure", "outcome", "code"),
    [
        (None, RunOutcome.SUCCEEDED, None),
        (errors.ConfigError("x"), RunOutcome.FAILED, "configuration"),
        (errors.OutcomeUnknown("x", sqlstate=None), RunOutcome.UNKNOWN, "outcome-unknown"),
        (KeyboardInterrupt(), RunOutcome.TERMINATED, None),
        (ValueError("a bug"), RunOutcome.FAILED, None),
    ],
)
def test_what_ended_the_run_is_its_result(
    failure: BaseException | None, outcome: RunOutcome, code: str | None
) -> None:
    store = Store()
    open_ledger(store).end(failure)
    assert [(one.outcome, one.error_code) for one in store.records] == [(outcome, code)]


def test_a_ledger_that_cannot_be_written_is_told_once_and_masked() -> None:
    told: list[events.Event] = []
    ledger = open_ledger(Store(refuses=True), told)
    event = finished("1")
    ledger(event)
    ledger.end(None)
    assert told == [events.Warned(message="This run goes on without a ledger. No, with ***. GRANT it."), event]


def test_an_end_that_cannot_be_written_is_told_and_not_tried_again() -> None:
    told: list[events.Event] = []
    store = Store()
    ledger = open_ledger(store, told)
    store.refuses = True
    ledger.end(None)
    ledger.end(None)
    assert told == [events.Warned(message="The ledger does not say how this run ended. Gone.")]
