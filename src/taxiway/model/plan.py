"""What a command is going to do, as a value: the dry run, the tests and the execution look at the same object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taxiway.model.migration import AppliedMigration, HistoryRow, ResolvedMigration
    from taxiway.model.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMigration:
    """One migration about to run, its script already read, replaced and split.

    ``out_of_order`` says that a higher version has been applied before.
    """

    migration: ResolvedMigration
    script: Script
    out_of_order: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedUndo:
    """One undo script about to run, and the row of the migration that it undoes."""

    migration: ResolvedMigration
    undone: AppliedMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A row that no script stands for any more, and the row that will mark it as deleted."""

    before: AppliedMigration
    marker: HistoryRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A row as it is, and as its script would have it: description, type and checksum may differ."""

    before: AppliedMigration
    after: AppliedMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairPlan:
    """What ``repair`` is going to do to the schema history: rows to remove, to mark as deleted, to align."""

    removals: tuple[AppliedMigration, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    alignments: tuple[Alignment, ...] = ()

    @property
    def is_empty(self) -> bool:
        """There is nothing to repair."""
        return not (self.removals or self.deletions or self.alignments)
