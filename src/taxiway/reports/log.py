"""Events as lines of a log.

Terminology:

level
    How much somebody wants to see decides whether a line is shown: ``DEBUG`` with ``-X`` only, ``INFO`` not with
    ``-q``, ``OUTPUT`` (what scripts were asked to show) and ``WARNING`` always.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, assert_never

from taxiway.model import event as events
from taxiway.model.migration import AppliedMigration, MigrationKind, ResolvedMigration
from taxiway.reports.text import EMPTY_SCHEMA, name_scripts, render_duration, render_result_table, render_warning


class Level(Enum):
    """How important a line is; the value is its name in JSON."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    OUTPUT = "NOTICE"
    WARNING = "WARN"

    @property
    def is_for_everybody(self) -> bool:
        """``-q`` does not hide it."""
        return self in {Level.OUTPUT, Level.WARNING}


class LogLine(NamedTuple):
    """A line, or a table, for the log."""

    level: Level
    text: str

    def __str__(self) -> str:
        """As people see it: debug lines and warnings are marked, as Flyway marks them."""
        mark = {Level.DEBUG: "DEBUG: ", Level.WARNING: "WARNING: "}.get(self.level, "")
        return f"{mark}{self.text}"


def describe(event: events.Event) -> LogLine:
    """What the log says of an event."""
    match event:
        case events.NoticeReceived() | events.Warned():
            return _warning_or_notice(event)
        case events.StatementRun():
            took = render_duration(event.duration_ms)
            return LogLine(Level.DEBUG, f"{event.script}:{event.line}: {event.command} ({took})")
        case events.MigrationFinished():
            took = render_duration(event.duration_ms)
            return LogLine(Level.DEBUG, f"{event.migration.script} is done (execution time {took})")
        case events.CommitsUnknown():
            unknown = "not known whether these were applied:"
            return LogLine(Level.DEBUG, f"{unknown} {', '.join(event.scripts)}")
        case events.ChangeBegun():
            outcome = "; ".join(describe(one).text for one in event.outcome)
            return LogLine(Level.DEBUG, f"To be committed: {outcome}")
        case events.RowsReturned():
            return LogLine(Level.OUTPUT, render_result_table(event.table))
        case events.ProgramPrinted():
            return LogLine(Level.OUTPUT, event.line)
        case _:
            return LogLine(Level.INFO, _sentence(event))


type _Step = (
    events.Connected
    | events.WaitingForDatabase
    | events.WakingDatabase
    | events.SecretReadAgain
    | events.WaitingForLock
    | events.Validated
    | events.SchemaCreated
    | events.HistoryCreated
    | events.CurrentVersion
    | events.MigrationStarted
    | events.ExecutionSkipped
    | events.CallbackStarted
    | events.Baselined
    | events.RowRemoved
    | events.RowMarkedDeleted
    | events.RowAligned
    | events.SchemaCleaned
    | events.CommitInDoubt
    | events.RoleChanged
)


def _sentence(event: _Step) -> str:
    match event:
        case (
            events.Connected()
            | events.WaitingForDatabase()
            | events.WakingDatabase()
            | events.SecretReadAgain()
            | events.WaitingForLock()
        ):
            return _of_the_connection(event)
        case events.CommitInDoubt():
            return (
                f"The connection was lost while {name_scripts(event.scripts)} "
                f"{'was' if len(event.scripts) == 1 else 'were'} being committed. Asking the history ..."
            )
        case events.RowRemoved() | events.RowMarkedDeleted() | events.RowAligned():
            return _of_a_row(event)
        case events.MigrationStarted():
            return _of_a_start(event)
        case events.ExecutionSkipped():
            return f"{_what_is_recorded(event.migration, event.schema)} without running it"
        case events.Validated():
            return f"Successfully validated {event.count} {'migration' if event.count == 1 else 'migrations'}"
        case events.SchemaCreated() | events.HistoryCreated() | events.SchemaCleaned():
            return _of_a_schema(event)
        case events.CurrentVersion():
            return f'Current version of schema "{event.schema}": {event.version or EMPTY_SCHEMA}'
        case events.CallbackStarted():
            return f"Running callback {event.callback.script}"
        case events.Baselined():
            return f'The history of schema "{event.schema}" begins with version {event.version} now'
        case events.RoleChanged():
            from taxiway.reports.roles import describe_change  # most projects declare none

            return describe_change(event.change, is_done=True)
        case _:
            assert_never(event)


def _of_a_schema(event: events.SchemaCreated | events.HistoryCreated | events.SchemaCleaned) -> str:
    match event:
        case events.SchemaCreated():
            return f'Created schema "{event.schema}"'
        case events.HistoryCreated():
            return f"Created schema history table {event.table}"
        case _:
            return f'{"Dropped" if event.dropped else "Cleaned"} schema "{event.schema}"'


type _OfTheConnection = (
    events.Connected
    | events.WaitingForDatabase
    | events.WakingDatabase
    | events.SecretReadAgain
    | events.WaitingForLock
)


def _of_the_connection(event: _OfTheConnection) -> str:
    match event:
        case events.Connected():
            return f"Database: {event.database} (PostgreSQL {event.server_version})"
        case events.WaitingForDatabase():
            return f"{event.reason} Trying again in {event.wait_seconds:g} s ..."
        case events.WakingDatabase():
            if event.waited_seconds:
                return f"Waking the database: {event.waited_seconds:.0f} of {event.budget_seconds:.0f} s ..."
            return f"{event.reason.rstrip('.')}. Waking the database, for up to {event.budget_seconds:.0f} s ..."
        case events.SecretReadAgain():
            return f"The server refused the login, and secret {event.secret} has changed: trying its new value ..."
        case events.WaitingForLock():
            holder = f", held by {event.holder}" if event.holder else ""
            return f"Waiting for the migration lock of {event.table}{holder} ..."


def _of_a_row(event: events.RowRemoved | events.RowMarkedDeleted | events.RowAligned) -> str:
    match event:
        case events.RowRemoved():
            return f"Removed the row of the failed {_row_name(event.row)} from the schema history"
        case events.RowMarkedDeleted():
            return f"Marked {_row_name(event.row)} as deleted in the schema history"
        case events.RowAligned():
            changes = ", ".join(
                f"{what} {before} is now {after}"
                for what, before, after in (
                    ("description", f"'{event.before.description}'", f"'{event.after.description}'"),
                    ("type", event.before.type.value, event.after.type.value),
                    ("checksum", event.before.checksum, event.after.checksum),
                )
                if before != after
            )
            return f"Aligned the row of {_row_name(event.before)}: {changes}"


def _row_name(row: AppliedMigration) -> str:
    if row.version is None:
        return f"repeatable migration '{row.description}'"
    return f"migration {row.version} ({row.description})" if row.description else f"migration {row.version}"


def _of_a_start(event: events.MigrationStarted) -> str:
    marks = [
        *([] if event.transactional else ["non-transactional"]),
        *(["out of order"] if event.out_of_order else []),
    ]
    note = f" [{', '.join(marks)}]" if marks else ""
    return f"{_what_starts(event.migration, event.schema)}{note}"


def _what_is_recorded(migration: ResolvedMigration, schema: str) -> str:
    if migration.version is None:
        return f'Recording repeatable migration "{migration.description}" of schema "{schema}"'
    description = f" - {migration.description}" if migration.description else ""
    return f'Recording version "{migration.version}{description}" of schema "{schema}"'


def _what_starts(migration: ResolvedMigration, schema: str) -> str:
    description = f" - {migration.description}" if migration.description else ""
    match migration.kind:
        case MigrationKind.REPEATABLE:
            return f'Migrating schema "{schema}" with repeatable migration "{migration.description}"'
        case MigrationKind.UNDO:
            return f'Undoing version "{migration.version}{description}" of schema "{schema}"'
        case MigrationKind.VERSIONED | MigrationKind.BASELINE:
            return f'Migrating schema "{schema}" to version "{migration.version}{description}"'


def _warning_or_notice(event: events.NoticeReceived | events.Warned) -> LogLine:
    if (warning := render_warning(event)) is not None:
        return LogLine(Level.WARNING, warning)
    return LogLine(Level.INFO, f"DB: {event.message}")
