"""What is known of each migration: its script, its history row, and the state that follows from both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from taxiway.model.migration import AppliedMigration, MigrationKind, MigrationType, ResolvedMigration

if TYPE_CHECKING:
    from datetime import datetime

    from taxiway.model.version import MigrationVersion


class MigrationState(Enum):
    """Flyway's eighteen states; the value is the name shown."""

    __hash__ = object.__hash__  # Enum's own is written in Python

    PENDING = "Pending"
    ABOVE_TARGET = "Above Target"
    BELOW_BASELINE = "Below Baseline"
    BASELINE_IGNORED = "Ignored (Baseline)"
    BASELINE = "Baseline"
    IGNORED = "Ignored"
    MISSING_SUCCESS = "Missing"
    MISSING_FAILED = "Failed (Missing)"
    SUCCESS = "Success"
    UNDONE = "Undone"
    AVAILABLE = "Available"
    FAILED = "Failed"
    OUT_OF_ORDER = "Out of Order"
    FUTURE_SUCCESS = "Future"
    FUTURE_FAILED = "Failed (Future)"
    OUTDATED = "Outdated"
    SUPERSEDED = "Superseded"
    DELETED = "Deleted"

    @property
    def is_failed(self) -> bool:
        """The migration ran and did not succeed."""
        return self in _FAILED


_FAILED: Final = frozenset({MigrationState.FAILED, MigrationState.MISSING_FAILED, MigrationState.FUTURE_FAILED})
_GONE: Final = frozenset({MigrationState.UNDONE, MigrationState.DELETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationInfo:
    """A resolved migration, an applied one, or both paired, with its state. At least one side is there.

    ``undo`` is the script that undoes it, if there is one that may run; ``undo_failed`` says that the history has
    a row of its failure.
    """

    resolved: ResolvedMigration | None
    applied: AppliedMigration | None
    state: MigrationState
    undo: ResolvedMigration | None = None
    undo_failed: bool = False

    @property
    def version(self) -> MigrationVersion | None:
        """Of the row if there is one, else of the script."""
        return self.applied.version if self.applied else self._script.version

    @property
    def description(self) -> str:
        """Of the row if there is one, else of the script."""
        return self.applied.description if self.applied else self._script.description

    @property
    def type(self) -> MigrationType:
        """Of the row if there is one, else of the script."""
        return self.applied.type if self.applied else self._script.type

    @property
    def undoable(self) -> bool:
        """Applied, it can be undone. A migration that failed, or is undone or deleted, cannot.

        Nor can one whose undo has failed until ``repair`` has removed that row: ``undo`` refuses to (Flyway 13's
        ``info`` says that it could).
        """
        is_there = self.state not in _GONE and not self.state.is_failed
        return self.undo is not None and is_there and not self.undo_failed

    @property
    def installed_on(self) -> datetime | None:
        """When it was applied: naive, in the session's time zone."""
        return self.applied.installed_on if self.applied else None

    @property
    def label(self) -> str:
        """What to call it: ``version 1.2 (add users)``, ``undo of version 2``, ``repeatable migration 'a'``."""
        if self.version is None:
            return f"repeatable migration '{self.description}'"
        name = f"undo of version {self.version}" if self.type.is_undo else f"version {self.version}"
        return f"{name} ({self.description})" if self.description else name

    @property
    def category(self) -> str:
        """Flyway's category: empty for rows that no script stands behind."""
        if self.type.is_synthetic:
            return ""
        if self.version is None:
            return MigrationKind.REPEATABLE.value
        if self.type.is_undo:
            return MigrationKind.UNDO.value
        if self.type.is_baseline:
            return MigrationKind.BASELINE.value
        return MigrationKind.VERSIONED.value

    @property
    def _script(self) -> ResolvedMigration:
        if self.resolved is None:  # pragma: no cover - the constructor's contract
            raise ValueError("a MigrationInfo has a script, a row or both")
        return self.resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoResult:
    """Every migration with its state, in the order in which Flyway lists them.

    ``time_zone`` is the session's: what :attr:`MigrationInfo.installed_on` is to be read in. ``left_out`` is how
    many the filter did not let pass.
    """

    database: str
    schema: str
    schemas: tuple[str, ...]
    schema_version: MigrationVersion | None
    migrations: tuple[MigrationInfo, ...]
    all_schemas_empty: bool
    time_zone: str
    left_out: int = 0
    warnings: tuple[str, ...] = ()
