"""What the log says of each event, and how important that is."""

from dataclasses import replace

import pytest

from taxiway.model import event as events
from taxiway.model.callback import Callback, CallbackEvent
from taxiway.model.migration import MigrationKind
from taxiway.reports.log import Level, describe
from tests.support.builders import applied, resolved

ROW = applied("1.2", description="first")
CALLBACK = Callback(
    event=CallbackEvent.BEFORE_MIGRATE, description="", script="beforeMigrate.sql", path="x", read=lambda: ""
)
UNDO = replace(resolved("1", description="first"), kind=MigrationKind.UNDO)


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (
            events.StatementRun(script="V1__a.sql", line=3, duration_ms=12, command="INSERT 0 1"),
            Level.DEBUG,
            "DEBUG: V1__a.sql:3: INSERT 0 1 (00:00.012s)",
        ),
        (
            events.CommitsUnknown(scripts=("V1__a.sql", "V2__b.sql")),
            Level.DEBUG,
            "DEBUG: not known whether these were applied: V1__a.sql, V2__b.sql",
        ),
        (events.CallbackStarted(callback=CALLBACK), Level.INFO, "Running callback beforeMigrate.sql"),
        (events.ProgramPrinted(script="V1__a.py", line="hello"), Level.OUTPUT, "hello"),
        (
            events.WaitingForDatabase(reason="Nobody answers at db:5432.", wait_seconds=2.0),
            Level.INFO,
            "Nobody answers at db:5432. Trying again in 2 s ...",
        ),
        (
            events.Baselined(schema="app", version="7"),
            Level.INFO,
            'The history of schema "app" begins with version 7 now',
        ),
        (
            events.RowRemoved(row=ROW),
            Level.INFO,
            "Removed the row of the failed migration 1.2 (first) from the schema history",
        ),
        (
            events.RowMarkedDeleted(row=replace(ROW, version=None)),
            Level.INFO,
            "Marked repeatable migration 'first' as deleted in the schema history",
        ),
        (
            events.RowAligned(before=replace(ROW, checksum=1), after=replace(ROW, checksum=2)),
            Level.INFO,
            "Aligned the row of migration 1.2 (first): checksum 1 is now 2",
        ),
        (events.SchemaCleaned(schema="app"), Level.INFO, 'Cleaned schema "app"'),
        (
            events.CommitInDoubt(scripts=("V1__a.sql", "V2__b.sql")),
            Level.INFO,
            "The connection was lost while V1__a.sql and V2__b.sql were being committed. Asking the history ...",
        ),
        (
            events.ChangeBegun(outcome=(events.SchemaCreated(schema="a"), events.SchemaCreated(schema="b"))),
            Level.DEBUG,
            'DEBUG: To be committed: Created schema "a"; Created schema "b"',
        ),
        (events.SchemaCleaned(schema="app", dropped=True), Level.INFO, 'Dropped schema "app"'),
        (
            events.MigrationStarted(migration=UNDO, schema="app", out_of_order=False, transactional=True),
            Level.INFO,
            'Undoing version "1 - first" of schema "app"',
        ),
        (events.Warned(message="Look at that."), Level.WARNING, "WARNING: Look at that."),
    ],
)
def test_an_event_is_a_line_of_its_level(event: events.Event, level: Level, text: str) -> None:
    line = describe(event)
    assert (line.level, str(line)) == (level, text)


def test_rows_are_a_table_and_null_is_empty() -> None:
    table = events.ResultTable(("id", "text"), (("1", None), ("2", "two\nlines")))
    line = describe(events.RowsReturned(script="V1__a.sql", table=table))
    assert line.level is Level.OUTPUT
    assert line.text == (
        "+----+-----------+\n| id | text      |\n+----+-----------+\n"
        "| 1  |           |\n| 2  | two lines |\n+----+-----------+"
    )


def test_no_rows_are_a_header_alone() -> None:
    line = describe(events.RowsReturned(script="V1__a.sql", table=events.ResultTable(("id",), ())))
    assert line.text == "+----+\n| id |\n+----+"
