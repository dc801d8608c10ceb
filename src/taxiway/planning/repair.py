"""What ``repair`` is going to change in the schema history, so that it agrees with the scripts again.

The rules are those of Flyway 13 (``DbRepair``), but for what is said to differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from taxiway.model.info import MigrationInfo, MigrationState
from taxiway.model.migration import AppliedMigration, HistoryRow, MigrationType, ResolvedMigration
from taxiway.model.plan import Alignment, Deletion, RepairPlan
from taxiway.model.rules import Policy, Target
from taxiway.planning.cherry_pick import is_picked, require_picked
from taxiway.planning.history import next_rank
from taxiway.planning.reconcile import reconcile

# Of those that failed, no row is left by then.
_WITHOUT_SCRIPT: Final = frozenset({MigrationState.MISSING_SUCCESS, MigrationState.FUTURE_SUCCESS})
_DONE_WITH: Final = frozenset({MigrationState.UNDONE, MigrationState.DELETED})
_NEVER_ALIGNED: Final = frozenset({MigrationState.UNDONE, MigrationState.IGNORED})


def repair_policy(policy: Policy) -> Policy:
    """The policy to look with: neither a target, a list nor a late version hides what state a row is in."""
    return policy._replace(target=Target(), out_of_order=True, cherry_pick=())


def plan_repair(
    resolved: Sequence[ResolvedMigration],
    applied: Sequence[AppliedMigration],
    policy: Policy,
    *,
    installed_by: str,
) -> RepairPlan:
    """Rows to remove, to mark as deleted, to align; with ``cherry_pick``, only of migrations that it lists.

    Removed is the row of each failed migration. Marked as deleted are those without a script, unless
    ``ignore_patterns`` spare them, as they do by default with future ones. Aligned are description, type and
    checksum of versioned migrations; of repeatable ones the type, and a checksum that is of the text before
    placeholders were replaced: any other means that the migration is to be run again.

    Raises:
        CherryPickNotFound: ``cherry_pick`` has something that neither a script nor a row has.
        HistoryUnreadable: The history marks the same migration as deleted twice.
    """
    require_picked(policy, resolved, applied)
    removals = tuple(row for info in _considered(resolved, applied, policy) if (row := _failed(info)))
    removed = {row.installed_rank for row in removals}
    kept = [row for row in applied if row.installed_rank not in removed]
    infos = _considered(resolved, kept, policy)
    markable = _markable(kept)
    lost = [
        info.applied
        for info in infos
        if info.applied and info.applied.installed_rank in markable and _is_lost(info, policy)
    ]
    return RepairPlan(
        removals=removals,
        deletions=tuple(
            Deletion(before=row, marker=_marker(row, rank, installed_by))
            for rank, row in enumerate(lost, start=next_rank(kept))
        ),
        alignments=tuple(_alignments(infos)),
    )


def _considered(
    resolved: Sequence[ResolvedMigration], applied: Sequence[AppliedMigration], policy: Policy
) -> list[MigrationInfo]:
    infos = reconcile(resolved, applied, repair_policy(policy))
    return [info for info in infos if is_picked(policy, info.version, info.description)]


def _failed(info: MigrationInfo) -> AppliedMigration | None:
    """A row to remove. One that is marked as deleted stays: without it, its marker would mean an earlier row."""
    row = info.applied
    return row if row and not row.success and info.state not in _DONE_WITH else None


# --- rows without a script --------------------------------------------------------------------------------


def _is_lost(info: MigrationInfo, policy: Policy) -> bool:
    return (
        info.state in _WITHOUT_SCRIPT
        and not (info.type.is_synthetic or info.type.is_undo)
        and not any(
            pattern.matches(repeatable=info.version is None, state=info.state)
            for pattern in policy.ignore_patterns
        )
    )


def _markable(rows: Iterable[AppliedMigration]) -> frozenset[int]:
    """The ranks of the rows that a marker can mean: the last of each version, and every one without a version.

    An earlier row of a version is there when the migration changed its type, from Java to SQL for example. Flyway
    adds a marker for it too, which deletes the wrong row, or makes the history unreadable.
    """
    last = {
        row.installed_rank if row.version is None else row.version: row.installed_rank
        for row in sorted(rows, key=lambda row: row.installed_rank)
        if not (row.type.is_synthetic or row.type.is_undo)
    }
    return frozenset(last.values())


def _marker(row: AppliedMigration, rank: int, installed_by: str) -> HistoryRow:
    return HistoryRow(
        installed_rank=rank,
        version=row.version.text if row.version is not None else None,
        description=row.description,
        type=MigrationType.DELETE,
        script=row.script,
        checksum=row.checksum,
        installed_by=installed_by,
        execution_time_ms=0,
        success=row.success,
    )


# --- rows that differ from their script -------------------------------------------------------------------


def _alignments(infos: Iterable[MigrationInfo]) -> Iterable[Alignment]:
    for info in infos:
        row, script = info.applied, info.resolved
        if row is None or script is None or row.type.is_synthetic or info.state in _NEVER_ALIGNED:
            continue
        after = _aligned(row, script)
        if after != row:
            yield Alignment(before=row, after=after)


def _aligned(row: AppliedMigration, script: ResolvedMigration) -> AppliedMigration:
    if script.version is None:
        was_raw = script.equivalent_checksum is not None and row.checksum == script.equivalent_checksum
        return replace(row, type=script.type, checksum=script.checksum if was_raw else row.checksum)
    # The description is compared and written as its column holds it: Flyway 13 forgets to cut it, and fails.
    return replace(
        row,
        type=script.type,
        description=script.recorded_description,
        checksum=row.checksum if script.checksum_matches(row.checksum) else script.checksum,
    )
