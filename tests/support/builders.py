"""Values for tests that say only what matters: ``resolved("1.1")``, ``history(applied("1", checksum=7))``."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from io import BytesIO

from taxiway.model.info import MigrationInfo
from taxiway.model.migration import (
    AppliedMigration,
    HistoryRow,
    MigrationKind,
    MigrationType,
    ResolvedMigration,
)
from taxiway.model.source import SourceFile
from taxiway.model.version import MigrationVersion

CHECKSUM = 7
NOON = datetime(2026, 1, 2, 12, 0, 0)  # noqa: DTZ001 - the history stores naive times

_SCRIPTS = {
    MigrationKind.VERSIONED: ("V", MigrationType.SQL),
    MigrationKind.REPEATABLE: ("R", MigrationType.SQL),
    MigrationKind.BASELINE: ("B", MigrationType.SQL_BASELINE),
    MigrationKind.UNDO: ("U", MigrationType.UNDO_SQL),
}


def resolved(
    version: str | None,
    description: str = "x",
    *,
    kind: MigrationKind = MigrationKind.VERSIONED,
    checksum: int = CHECKSUM,
    equivalent_checksum: int | None = None,
) -> ResolvedMigration:
    prefix, kind_type = _SCRIPTS[kind]
    script = f"{prefix}{version or ''}__{description}.sql"
    return ResolvedMigration(
        kind=kind,
        type=kind_type,
        version=MigrationVersion(version) if version is not None else None,
        description=description,
        script=script,
        path=f"sql/{script}",
        checksum=checksum,
        equivalent_checksum=equivalent_checksum,
        read=lambda: "SELECT 1;",
        look=lambda: "SELECT 1;",
    )


def repeatable(
    description: str, *, checksum: int = CHECKSUM, equivalent_checksum: int | None = None
) -> ResolvedMigration:
    return resolved(
        None,
        description,
        kind=MigrationKind.REPEATABLE,
        checksum=checksum,
        equivalent_checksum=equivalent_checksum,
    )


def baseline(version: str) -> ResolvedMigration:
    return resolved(version, kind=MigrationKind.BASELINE)


def undo(version: str) -> ResolvedMigration:
    return resolved(version, kind=MigrationKind.UNDO)


def applied(
    version: str | None,
    description: str = "x",
    *,
    type: MigrationType = MigrationType.SQL,  # noqa: A002 - the name of the column
    checksum: int | None = CHECKSUM,
    success: bool = True,
    rank: int = 1,
) -> AppliedMigration:
    return AppliedMigration(
        installed_rank=rank,
        version=MigrationVersion(version) if version is not None else None,
        description=description,
        type=type,
        script=f"{version or 'R'}__{description}.sql",
        checksum=checksum,
        installed_by="somebody",
        installed_on=NOON,
        execution_time_ms=1,
        success=success,
    )


def schema_row() -> AppliedMigration:
    return applied(None, "<< Flyway Schema Creation >>", type=MigrationType.SCHEMA, checksum=None)


def history(*rows: AppliedMigration) -> tuple[AppliedMigration, ...]:
    """The rows with ranks 1, 2, 3…"""
    return tuple(replace(row, installed_rank=rank) for rank, row in enumerate(rows, start=1))


def stored(row: HistoryRow) -> AppliedMigration:
    """A row as it is read back."""
    return AppliedMigration(
        installed_rank=row.installed_rank,
        version=MigrationVersion(row.version) if row.version is not None else None,
        description=row.description,
        type=row.type,
        script=row.script,
        checksum=row.checksum,
        installed_by=row.installed_by,
        installed_on=NOON,
        execution_time_ms=row.execution_time_ms,
        success=row.success,
    )


def source_file(script: str, content: str | bytes = "", *, location: str = "sql") -> SourceFile:
    data = content.encode() if isinstance(content, str) else content
    return SourceFile(script, f"{location}/{script}", lambda: BytesIO(data), f"/files/{location}/{script}")


def states(infos: Iterable[MigrationInfo]) -> list[str]:
    """One line for each, such as ``1 Success``, ``B5 Pending``, ``x Outdated``."""
    return [f"{_name(info)} {info.state.value}" for info in infos]


def _name(info: MigrationInfo) -> str:
    prefix = {"Baseline": "B", "Undo": "U"}.get(info.category, "")
    return f"{prefix}{info.description if info.version is None else info.version}"
