"""What somebody is told who has stopped a command: true, and no more than is known."""

from dataclasses import replace

import pytest

from taxiway.model import event as events
from taxiway.model.callback import Callback, CallbackEvent
from taxiway.model.migration import Program
from taxiway.reports.progress import Progress
from tests.support.builders import resolved

CONNECTED = events.Connected(database="db:5432/app", server_version="17.10")
CREATED = events.HistoryCreated(table='"public"."flyway_schema_history"')
CLEANED = events.SchemaCleaned(schema="app")
CALLBACK = events.CallbackStarted(
    callback=Callback(
        event=CallbackEvent.BEFORE_MIGRATE, description="", script="beforeMigrate.sql", path="x", read=str
    )
)
PROGRAM = Program(("sh",), "sql/V2__x.sh")
SCHEMA = events.SchemaCreated(schema="app")
CREATING = events.ChangeBegun(outcome=(SCHEMA, CREATED))
CLEANING = events.ChangeBegun(outcome=(CLEANED,))
NOTICE = events.NoticeReceived(severity="NOTICE", message="of the server", sqlstate="00000")


def started(
    version: str, *, transactional: bool = True, program: Program | None = None
) -> events.MigrationStarted:
    migration = replace(resolved(version), program=program)
    return events.MigrationStarted(
        migration=migration, schema="public", out_of_order=False, transactional=transactional
    )


def finished(version: str) -> events.MigrationFinished:
    return events.MigrationFinished(migration=resolved(version), duration_ms=3)


def ran(command: str = "SELECT 1") -> events.StatementRun:
    return events.StatementRun(script="V2__x.sql", line=1, duration_ms=1, command=command)


RECORDING = events.ExecutionSkipped(migration=resolved("2"), schema="public")
ONE = (CONNECTED, started("1"), ran(), finished("1"))
HEDGED = "it was rolled back, unless it was being committed just then ('taxiway info' tells)"
COMMITTED = "it had ended its own transaction, so what it did before that has stayed"
JUST_THEN = "just then ('taxiway info' tells)"
WITH_HISTORY = "the schema history had been created"
OF_V1 = "what V1__x.sql did has stayed"
DONE = (
    "it is a program, so what it had done has stayed, and the history has no row for it unless it had just ended. "
    "Look at the database and at 'taxiway info' before you run again"
)
STAYED = (
    "it ran outside a transaction, so what it had done has stayed, and the history shows it as failed "
    "if it had begun. Look at the database and at 'taxiway info' before you run again"
)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ((), "Terminated before anything was changed."),
        ((CONNECTED,), "Terminated before anything was changed."),
        ((CONNECTED, CREATED), f"Terminated before the end; until then {WITH_HISTORY}."),
        ((CONNECTED, CLEANED), 'Terminated before the end; until then schema "app" had been cleaned.'),
        ((CONNECTED, CALLBACK), "Terminated before the end; until then callback beforeMigrate.sql had begun."),
        (
            (CONNECTED, SCHEMA, CREATED),
            f'Terminated before the end; until then schema "app" had been created and {WITH_HISTORY}.',
        ),
        (
            (CONNECTED, started("1"), events.CommitsUnknown(scripts=("V1__x.sql",))),
            (
                "Terminated while V1__x.sql ran: whether it was applied is not known ('taxiway info' tells); "
                "no migration was applied before it."
            ),
        ),
        (
            (*ONE, started("2"), events.CommitsUnknown(scripts=("V2__x.sql", "V3__x.sql", "V4__x.sql"))),
            (
                "Terminated while V2__x.sql ran: whether it and those behind it, up to V4__x.sql, were applied is not "
                "known ('taxiway info' tells); 1 migration was applied before it."
            ),
        ),
        (
            (CONNECTED, CREATING, NOTICE),
            f'Terminated before the end; schema "app" and the schema history may have been created {JUST_THEN}.',
        ),
        (
            (CONNECTED, CALLBACK, CLEANING),
            (
                "Terminated before the end; until then callback beforeMigrate.sql had begun; "
                f'schema "app" may have been cleaned {JUST_THEN}.'
            ),
        ),
        (
            (CONNECTED, CREATING, SCHEMA),
            f'Terminated before the end; until then schema "app" had been created and {WITH_HISTORY}.',
        ),
        (
            (CONNECTED, CREATING, CALLBACK),
            "Terminated before the end; until then callback beforeMigrate.sql had begun.",
        ),
        (
            (*ONE, CLEANING),
            (
                "Terminated before the end; until then 1 migration was applied; "
                f'schema "app" may have been cleaned {JUST_THEN}.'
            ),
        ),
        (
            (*ONE, started("2"), events.CommitInDoubt(scripts=("V2__x.sql",))),
            (
                "Terminated while asking whether V2__x.sql was applied: the connection was lost at the commit, and "
                "'taxiway info' tells; 1 migration was applied before it."
            ),
        ),
        (
            (*ONE, started("2"), events.CommitInDoubt(scripts=("V2__x.sql", "V3__x.sql", "V4__x.sql"))),
            (
                "Terminated while asking whether V2__x.sql to V4__x.sql (3 migrations) were applied: the connection "
                "was lost at the commit, and 'taxiway info' tells; 1 migration was applied before them."
            ),
        ),
        (
            (*ONE, started("2"), events.CommitInDoubt(scripts=("V2__x.sql",)), finished("2")),
            "Terminated between migrations: 2 migrations were applied.",
        ),
        (
            (*ONE, RECORDING),
            (
                "Terminated while V2__x.sql was being recorded without running it: whether its row was written is not "
                "known ('taxiway info' tells); 1 migration was applied before it."
            ),
        ),
        ((CONNECTED, RECORDING, finished("2")), "Terminated between migrations: 1 migration was applied."),
        (ONE, "Terminated between migrations: 1 migration was applied."),
        (
            (*ONE, CLEANED),
            'Terminated before the end; until then 1 migration was applied and schema "app" had been cleaned.',
        ),
        (
            (CONNECTED, CLEANED, CREATED),
            f'Terminated before the end; until then schema "app" had been cleaned and {WITH_HISTORY}.',
        ),
        (
            (CONNECTED, CLEANED, *ONE),
            'Terminated between migrations: 1 migration was applied; until then schema "app" had been cleaned.',
        ),
        (
            (CONNECTED, CLEANED, CREATED, started("2")),
            (
                "Terminated while V2__x.sql ran: it was rolled back; no migration was applied before it; "
                'until then schema "app" had been cleaned.'
            ),
        ),
        (
            (*ONE, started("2"), finished("2")),
            "Terminated between migrations: 2 migrations were applied.",
        ),
        (
            (CONNECTED, started("2")),
            "Terminated while V2__x.sql ran: it was rolled back; no migration was applied before it.",
        ),
        (
            (*ONE, started("2")),
            "Terminated while V2__x.sql ran: it was rolled back; 1 migration was applied before it.",
        ),
        (
            (*ONE, started("2"), ran()),
            f"Terminated while V2__x.sql ran: {HEDGED}; 1 migration was applied before it.",
        ),
        (
            (*ONE, started("2"), ran("COMMIT"), ran()),
            f"Terminated while V2__x.sql ran: {COMMITTED}; 1 migration was applied before it.",
        ),
        (
            (*ONE, started("2", transactional=False), ran()),
            f"Terminated while V2__x.sql ran: {STAYED}; 1 migration was applied before it.",
        ),
        (
            (*ONE, started("2", program=PROGRAM)),
            f"Terminated while V2__x.sql ran: {DONE}; 1 migration was applied before it.",
        ),
        (
            (CONNECTED, started("1", program=PROGRAM), started("2"), ran()),
            f"Terminated while V2__x.sql ran: {HEDGED}; no migration was applied before it; {OF_V1}.",
        ),
    ],
)
def test_a_stop_is_told_by_what_came_last(told: tuple[events.Event, ...], sentence: str) -> None:
    progress = Progress()
    for event in told:
        progress.note(event)
    assert progress.render_stop("Terminated") == sentence


def test_what_is_committed_is_known_with_its_time() -> None:
    progress = Progress()
    for event in ONE:
        progress.note(event)
    [applied] = progress.applied
    assert (str(applied.version), applied.type, applied.path, applied.execution_time_ms) == (
        "1",
        "SQL",
        "sql/V1__x.sql",
        3,
    )
