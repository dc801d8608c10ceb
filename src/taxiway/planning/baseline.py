"""May the schema history begin with a baseline, and with which row? Rules of Flyway 13 (``DbBaseline``)."""

from collections.abc import Sequence
from typing import Final

from taxiway import errors
from taxiway.model.migration import AppliedMigration, HistoryRow, MigrationType, recorded_description
from taxiway.model.version import MigrationVersion

# A row for created schemas may come before it.
_PLACES_OF_A_BASELINE: Final = 2
_ZERO: Final = MigrationVersion("0")
_LONGEST_VERSION: Final = 50


def baseline_row(version: MigrationVersion, description: str, installed_by: str) -> HistoryRow:
    """The first row of a history that begins at a version.

    Raises:
        InvalidOption: The version does not fit into its column.
    """
    if len(version.text) > _LONGEST_VERSION:
        raise errors.InvalidOption(
            f"baselineVersion has {len(version.text)} characters; the schema history holds {_LONGEST_VERSION}.",
            hint="Use a shorter version.",
        )
    text = recorded_description(description)
    return HistoryRow(
        installed_rank=1,
        version=version.text,
        description=text,
        type=MigrationType.BASELINE,
        script=text,
        checksum=None,
        installed_by=installed_by,
        execution_time_ms=0,
        success=True,
    )


def require_baseline(
    applied: Sequence[AppliedMigration], version: MigrationVersion, description: str, *, table: str
) -> None:
    """Make sure that a history that is there begins with this baseline; no other one can be given a baseline.

    Raises:
        BaselineRefused: It does not. The message says what it has instead.
    """
    wanted = f"({version}, '{recorded_description(description)}')"
    first = next((row for row in applied[:_PLACES_OF_A_BASELINE] if row.type is MigrationType.BASELINE), None)
    if first is None:
        reason, hint = _without_baseline(applied, version)
        raise errors.BaselineRefused(f"{table} cannot be given the baseline {wanted}: {reason}.", hint=hint)
    if first.version != version or first.description != recorded_description(description):
        raise errors.BaselineRefused(
            f"{table} cannot be given the baseline {wanted}: it has the baseline "
            f"({first.version}, '{first.description}') already.",
            hint=f"Set baselineVersion={first.version} and that description, or leave the baseline as it is.",
        )


def _without_baseline(applied: Sequence[AppliedMigration], version: MigrationVersion) -> tuple[str, str]:
    """Why not, and what to do; the checks and their order are Flyway's."""
    drop = "Drop the schema history table if it may be lost, then run 'taxiway baseline' again."
    if version == _ZERO and any(row.type is MigrationType.SCHEMA for row in applied):
        return "version 0 stands for the creation of the schemas", "Set baselineVersion to a higher version."
    if any(not (row.type.is_synthetic or row.type.is_undo) for row in applied):
        hint = "Run 'taxiway migrate': a baseline is for databases that no migration was applied to."
        return "it has migrations already", hint
    if not applied:
        return "it exists and is empty", drop
    return "it exists, and has only rows that no script stands behind", drop
