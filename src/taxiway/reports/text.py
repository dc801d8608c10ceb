"""Results as text for people. Tables and durations look as Flyway's do. For events see :mod:`.log`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from taxiway.model import event as events
from taxiway.model.info import InfoResult, MigrationInfo, MigrationState
from taxiway.model.migration import AppliedMigration, HistoryRow, MigrationType
from taxiway.reports.table import render_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taxiway.model.plan import RepairPlan
    from taxiway.model.result import (
        AddResult,
        BaselineResult,
        CleanResult,
        ConnectionTestResult,
        InitResult,
        MigrateResult,
        RepairResult,
        UndoResult,
        ValidateResult,
    )
    from taxiway.model.settings import MigrationSettings

EMPTY_SCHEMA = "<< Empty Schema >>"
NO_MIGRATIONS = "No migrations found"

# Neither is there any more
_GONE: Final = frozenset({MigrationState.DELETED, MigrationState.UNDONE})
_MOST_NAMED: Final = 2
_HEADER: Final = ("Category", "Version", "Description", "Type", "Installed On", "State", "Undoable")
_REPAIR_HEADER: Final = ("Rank", "Version", "Description", "Type", "Script", "Checksum", "Success", "Change")


def render_info(result: InfoResult, settings: MigrationSettings) -> str:
    """The schema version and the table of migrations; if no script was found, first where they were looked for.

    Undo migrations are not shown (Flyway 13), unless they failed: then nothing goes on before somebody has looked.
    """
    version = result.schema_version.text if result.schema_version is not None else EMPTY_SCHEMA
    shown = [info for info in result.migrations if not info.type.is_undo or info.state.is_failed]
    parts = [f"Schema version: {version}\n"]
    if not shown and result.left_out:
        parts.append(f"None of {result.left_out} migration(s) is what was asked for.")
        return "\n".join(parts)
    if not any(info.resolved for info in shown) and not result.left_out:
        parts.append(
            f"No migrations found on disk. These settings say where they are looked for:\n{_places(settings)}\n"
        )
    parts.append(render_table(_HEADER, [_row(info) for info in shown], empty=NO_MIGRATIONS))
    return "\n".join(parts)


def name_scripts(scripts: Sequence[str]) -> str:
    """One or two by name; of more, the first and the last."""
    if len(scripts) <= _MOST_NAMED:
        return " and ".join(scripts)
    return f"{scripts[0]} to {scripts[-1]} ({len(scripts)} migrations)"


def render_migration_ids(result: InfoResult) -> str:
    """Versions, and descriptions of repeatable migrations, joined by commas (Flyway 13, ``-migrationIds``)."""
    shown = (info for info in result.migrations if not info.type.is_undo)
    return ",".join(info.version.text if info.version is not None else info.description for info in shown)


def _places(settings: MigrationSettings) -> str:
    naming = settings.naming
    rows = (
        ("locations", ", ".join(map(str, settings.locations))),
        ("callbackLocations", ", ".join(map(str, settings.callback_locations))),
        ("workingDirectory", settings.working_directory or ""),
        ("repeatableSqlMigrationPrefix", naming.repeatable_prefix),
        ("sqlMigrationPrefix", naming.versioned_prefix),
        ("baselineMigrationPrefix", naming.baseline_prefix),
        ("sqlMigrationSeparator", naming.separator),
        ("sqlMigrationSuffixes", ", ".join(naming.suffixes)),
    )
    return render_table(("Setting", "Value"), rows)


def render_result_table(table: events.ResultTable) -> str:
    """The rows that a statement returned; NULL is empty, and a line break does not break the frame."""
    cells = ([" ".join((cell or "").splitlines()) for cell in row] for row in table.rows)
    return render_table([" ".join(name.splitlines()) for name in table.columns], list(cells))


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


def render_undo(result: UndoResult) -> str:
    """One sentence: what was undone, and where the schema stands now."""
    if not result.migrations:
        return f'Schema "{result.schema}": no migration was undone.'
    version = result.target_version
    now_at = f"now at version v{version}" if version is not None else f"now {EMPTY_SCHEMA}"
    return (
        f'Successfully undid {result.count} {_noun(result.count)} of schema "{result.schema}", {now_at} '
        f"(execution time {render_duration(result.duration_ms)})"
    )


def render_baseline(result: BaselineResult) -> str:
    """One sentence: the version that the history begins with."""
    if result.was_there:
        return f'Schema "{result.schema}" was baselined with version {result.version} before. Nothing to do.'
    return f'Successfully baselined schema "{result.schema}" with version: {result.version}'


def render_repair(result: RepairResult) -> str:
    """What was repaired, or the rows before and after when it is only a plan."""
    plan = result.plan
    if plan.is_empty:
        return f'The schema history of schema "{result.schema}" is in order. Nothing to repair.'
    if not result.carried_out:
        table = render_table(_REPAIR_HEADER, list(_repair_rows(plan)))
        return f"Repair would change these rows of the schema history; nothing was changed.\n\n{table}"
    changes = (("removed", plan.removals), ("marked as deleted", plan.deletions), ("aligned", plan.alignments))
    counts = ", ".join(f"{len(rows)} {word}" for word, rows in changes if rows)
    return f'Successfully repaired the schema history of schema "{result.schema}": {counts}.'


def _repair_rows(plan: RepairPlan) -> Iterator[tuple[str, ...]]:
    for row in plan.removals:
        yield _history_cells(row, "removed")
    for deletion in plan.deletions:
        yield _history_cells(deletion.before, "stays")
        yield _history_cells(deletion.marker, "added: marks it as deleted")
    for alignment in plan.alignments:
        yield _history_cells(alignment.before, "before")
        yield _history_cells(alignment.after, "after")


def _history_cells(row: AppliedMigration | HistoryRow, change: str) -> tuple[str, ...]:
    return (
        str(row.installed_rank),
        str(row.version) if row.version is not None else "",
        row.description,
        row.type.value,
        row.script,
        str(row.checksum) if row.checksum is not None else "",
        "true" if row.success else "false",
        change,
    )


def render_clean(result: CleanResult) -> str:
    """One sentence: which schemas are empty now, and which are gone."""
    parts = [
        f"{word} {', '.join(f'"{name}"' for name in names)}"
        for word, names in (("cleaned", result.cleaned), ("dropped", result.dropped))
        if names
    ]
    return f"Successfully {' and '.join(parts)}" if parts else "There was no schema to clean."


def render_connection_test(result: ConnectionTestResult) -> str:
    """One sentence: where we are, and as whom."""
    return f"Successfully connected to {result.label} (PostgreSQL {result.server_version}) as {result.user}"


def render_add(result: AddResult) -> str:
    """The path of the new file, and nothing else: scripts use it."""
    return result.path


def render_init(result: InitResult) -> str:
    """What was made, and what comes next."""
    if result.beside:
        return _render_init_beside(result)
    place = f"; scripts belong in {result.location}" if result.location else ""
    return (
        f"Created {result.path}{place}\n"
        "Name the database in it, add a migration with 'taxiway add', and run 'taxiway migrate'."
    )


def _render_init_beside(result: InitResult) -> str:
    files = " and ".join(result.beside)
    others = (
        f"Its settings win over those of {files}, which {'is' if len(result.beside) == 1 else 'are'} still read."
        if result.overrules
        else f"It has no settings yet, so that those of {files} hold as before."
    )
    return f"Created {result.path}. {others}\nRun 'taxiway config' to see every setting and where it comes from."


def _noun(count: int) -> str:
    return "migration" if count == 1 else "migrations"


def render_warning(event: events.Event) -> str | None:
    """What somebody should look at, as Flyway words it; ``None`` if the event is no warning."""
    match event:
        case events.Warned():
            return event.message
        case events.NoticeReceived() if event.sqlstate != "00000":
            return f"DB: {events.with_sqlstate(event.message, event.sqlstate)}"
        case _:
            return None


def _row(info: MigrationInfo) -> tuple[str, ...]:
    return (
        info.category,
        info.version.text if info.version is not None else "",
        info.description,
        info.type.value,
        info.installed_on.isoformat(" ", "seconds") if info.installed_on else "",
        info.state.value,
        render_undoable(info),
    )


def render_undoable(info: MigrationInfo) -> str:
    """Flyway's rule: ``Yes`` or ``No`` for what could be undone at all, else empty."""
    if info.version is None or info.type.is_undo or info.type is MigrationType.DELETE or info.state in _GONE:
        return ""
    return "Yes" if info.undoable and not info.state.is_failed else "No"
