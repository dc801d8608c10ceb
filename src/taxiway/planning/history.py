"""Rows of the schema history as the commands write them."""

from collections.abc import Iterable, Sequence
from typing import Final

from taxiway.model.identifier import quote_identifier
from taxiway.model.migration import AppliedMigration, HistoryRow, MigrationType, ResolvedMigration

SCHEMA_CREATION: Final = "<< Flyway Schema Creation >>"

BEGUN: Final = -1
"""The execution time in the row of a migration that runs without a transaction, until it has ended.

With ``success = false``, which is what Flyway sees of it: a failed migration.
"""

_ELLIPSIS: Final = "..."
_SCRIPT_LENGTH: Final = 1000


def applied_row(
    migration: ResolvedMigration,
    rank: int,
    installed_by: str,
    execution_time_ms: int,
    *,
    success: bool = True,
) -> HistoryRow:
    """The row that says that a migration was applied, or that it failed."""
    return HistoryRow(
        installed_rank=rank,
        version=migration.version.text if migration.version is not None else None,
        description=migration.recorded_description,
        type=migration.type,
        script=history_script(migration.script),
        checksum=migration.checksum,
        installed_by=installed_by,
        execution_time_ms=execution_time_ms,
        success=success,
    )


def begun_row(migration: ResolvedMigration, rank: int, installed_by: str) -> HistoryRow:
    """The row that says that a migration was begun: if it stays, nobody was there to write how that ended."""
    return applied_row(migration, rank, installed_by, BEGUN, success=False)


def schema_marker(schemas: Sequence[str], rank: int, installed_by: str) -> HistoryRow:
    """The row that says that Taxiway created these schemas, so that ``clean`` may drop them (Flyway 13)."""
    return HistoryRow(
        installed_rank=rank,
        version=None,
        description=SCHEMA_CREATION,
        type=MigrationType.SCHEMA,
        script=history_script(",".join(map(quote_identifier, schemas))),
        checksum=None,
        installed_by=installed_by,
        execution_time_ms=0,
        success=True,
    )


def next_rank(applied: Iterable[AppliedMigration]) -> int:
    """One more than the highest rank; 1 in an empty history."""
    return max((row.installed_rank for row in applied), default=0) + 1


def schema_marker_rank(applied: Sequence[AppliedMigration]) -> int:
    """The next rank, but 0 in an empty history (Flyway 13)."""
    return next_rank(applied) if applied else 0


def history_script(text: str) -> str:
    """A path as its column holds it: longer than 1000 characters, it keeps characters 3 to 999 (Flyway 13).

    That is the start of the path and not its end, whatever the dots before it suggest.
    """
    if len(text) <= _SCRIPT_LENGTH:
        return text
    return _ELLIPSIS + text[len(_ELLIPSIS) : _SCRIPT_LENGTH]
