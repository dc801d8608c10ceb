"""Results and events as text for people. Tables and durations look as Flyway's do."""

from collections.abc import Sequence
from typing import assert_never

from taxiway.model import event as events
from taxiway.model.info import MigrationInfo, MigrationState
from taxiway.model.migration import MigrationKind, MigrationType, ResolvedMigration
from taxiway.model.result import InfoResult, MigrateResult, RunResult, ValidateResult

EMPTY_SCHEMA = "<< Empty Schema >>"

_HEADER = ("Category", "Version", "Description", "Type", "Installed On", "State", "Undoable")


def render_info(result: InfoResult) -> str:
    """The schema version and the table of migrations."""
    version = result.schema_version.text if result.schema_version is not None else EMPTY_SCHEMA
    shown = [info for info in result.migrations if not info.type.is_undo]
    return f"Schema version: {version}\n\n{render_table(_HEADER, [_row(info) for info in shown])}"


def render_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A framed table; one framed line when there are no rows."""
    if not rows:
        text = "No migrations found"
        rule = f"+-{'-' * len(text)}-+"
        return "\n".join((rule, f"| {text} |", rule))
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    lines = (
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (header, *rows)
    )
    first, *others = lines
    return "\n".join((rule, first, rule, *others, rule))


def render_migrate(result: MigrateResult) -> str:
    """One sentence: what was applied, and where the schema stands now."""
    if not result.migrations:
        return f'Schema "{result.schema}" is up to date. No migration necessary.'
    now_at = f", now at version v{result.target_version}" if result.target_version is not None else ""
    noun = "migration" if result.count == 1 else "migrations"
    return (
        f'Successfully applied {result.count} {noun} to schema "{result.schema}"{now_at} '
        f"(execution time {render_duration(result.duration_ms)})"
    )


def render_run(result: RunResult) -> str:
    """The last line of the job: what a person looks for first."""
    version = result.after.schema_version
    return (
        f"Result: SUCCESS, {result.migrate.count} applied, schema version "
        f"{version.text if version is not None else EMPTY_SCHEMA}, "
        f"branch {result.branch}, commit {result.commit[:12]}"
    )


def render_validate(result: ValidateResult) -> str:
    """One sentence, or one line per problem."""
    if result.successful:
        noun = "migration" if result.count == 1 else "migrations"
        return f"Successfully validated {result.count} {noun}"
    return "\n".join(problem.message for problem in result.problems)


def render_duration(milliseconds: int) -> str:
    """``mm:ss.SSS`` followed by ``s``."""
    minutes, rest = divmod(milliseconds, 60_000)
    seconds, millis = divmod(rest, 1000)
    return f"{minutes:02d}:{seconds:02d}.{millis:03d}s"


def render_event(event: events.Event) -> str | None:
    """One line for the log, or ``None`` for what is only of interest to programs."""
    match event:
        case events.Connected():
            return f"Database: {event.database} (PostgreSQL {event.server_version})"
        case events.WaitingForLock():
            holder = f", held by {event.holder}" if event.holder else ""
            return f"Waiting for the migration lock of {event.table}{holder} ..."
        case events.Validated():
            return f"Successfully validated {event.count} {'migration' if event.count == 1 else 'migrations'}"
        case events.SchemaCreated():
            return f'Created schema "{event.schema}"'
        case events.HistoryCreated():
            return f"Created schema history table {event.table}"
        case events.CurrentVersion():
            return f'Current version of schema "{event.schema}": {event.version or EMPTY_SCHEMA}'
        case events.MigrationStarted():
            return _render_started(event)
        case events.NoticeReceived() | events.Warned():
            warning = render_warning(event)
            return f"DB: {event.message}" if warning is None else f"WARNING: {warning}"
        case events.StatementRun() | events.MigrationFinished():
            return None
        case _:
            assert_never(event)


def render_warning(event: events.Event) -> str | None:
    """What somebody should look at, as Flyway words it; ``None`` if the event is no warning."""
    match event:
        case events.Warned():
            return event.message
        case events.NoticeReceived() if event.sqlstate != "00000":
            return f"DB: {event.message} (SQL State: {event.sqlstate})"
        case _:
            return None


def _render_started(event: events.MigrationStarted) -> str:
    marks = [
        *([] if event.transactional else ["non-transactional"]),
        *(["out of order"] if event.out_of_order else []),
    ]
    note = f" [{', '.join(marks)}]" if marks else ""
    return f'Migrating schema "{event.schema}" {_name(event.migration)}{note}'


def _name(migration: ResolvedMigration) -> str:
    if migration.kind is MigrationKind.REPEATABLE:
        return f'with repeatable migration "{migration.description}"'
    description = f" - {migration.description}" if migration.description else ""
    return f'to version "{migration.version}{description}"'


def _row(info: MigrationInfo) -> tuple[str, ...]:
    return (
        info.category,
        info.version.text if info.version is not None else "",
        info.description,
        info.type.value,
        f"{info.installed_on:%Y-%m-%d %H:%M:%S}" if info.installed_on else "",
        info.state.value,
        render_undoable(info),
    )


def render_undoable(info: MigrationInfo) -> str:
    """Flyway's rule: ``Yes`` or ``No`` for what could be undone at all, else empty."""
    never = {MigrationState.DELETED, MigrationState.UNDONE}
    if info.version is None or info.type.is_undo or info.type is MigrationType.DELETE or info.state in never:
        return ""
    return "Yes" if info.undoable and not info.state.is_failed else "No"
