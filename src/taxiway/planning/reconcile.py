"""Resolved migrations against the schema history: which state is each migration in?

States are computed here, once, for every command. The rules are those of Flyway 13 (``MigrationInfoServiceImpl``,
``BaseAppliedMigration``, ``ResolvedMigration``); those about undo, which Flyway does not publish, follow its
documentation.

Terminology:

row
    An entry of the schema history.
live
    Said of a row that still counts: neither deleted (by repair) nor undone.
waiting
    Said of a script that no live row stands for.
applied baseline
    The highest version that a baseline row names. Nothing at or below it is ever run.
pending baseline
    The highest baseline script that is waiting and may run; it is run when the history has no live version.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from taxiway import errors
from taxiway.model.info import MigrationInfo, MigrationState
from taxiway.model.migration import (
    AppliedMigration,
    MigrationKind,
    MigrationType,
    ResolvedMigration,
    recorded_description,
)
from taxiway.model.rules import Policy, Target, TargetKind
from taxiway.model.version import MigrationVersion
from taxiway.planning.cherry_pick import is_picked, picked_place, require_picked

type _FileKey = tuple[MigrationVersion, MigrationType] | str
type _Beyond = Callable[[MigrationVersion], bool]

_BEFORE_THE_HISTORY = frozenset({MigrationState.BELOW_BASELINE, MigrationState.BASELINE_IGNORED})
_GONE = frozenset({MigrationState.DELETED, MigrationState.UNDONE})


def reconcile(
    resolved: Sequence[ResolvedMigration],
    applied: Sequence[AppliedMigration],
    policy: Policy,
    *,
    foreseen_baseline: MigrationVersion | None = None,
) -> tuple[MigrationInfo, ...]:
    """Every migration with its state, in Flyway's order: scripts below the baseline, history, other scripts.

    With ``cherry_pick``, the other scripts come in the order of that list, and what it does not have is ignored.
    A script shows up with each row that it stands behind, and once more on its own while it is waiting. A row
    that marks a versioned migration as deleted shows up nowhere, one for a repeatable migration does.

    ``foreseen_baseline`` is the version that a history which is not there yet is going to begin with.

    Raises:
        CherryPickNotFound: ``cherry_pick`` has something that neither a script nor a row has.
        TargetNotFound: The target is a version that neither a script nor a row has.
        HistoryUnreadable: The history marks the same migration as deleted twice.
    """
    require_picked(policy, resolved, applied)
    rows = _read_rows(applied)
    _pair(rows, resolved)
    waiting = sorted(_waiting(rows, resolved), key=lambda script: picked_place(policy, script))
    _require_target(policy.target, rows, waiting)
    context = _context(rows, waiting, resolved, policy)
    if foreseen_baseline is not None:
        context = context._replace(last_applied=foreseen_baseline, applied_baseline=foreseen_baseline)
    infos = _infos(rows, waiting, context)
    if policy.target.kind is TargetKind.NEXT:
        infos = _infos(rows, waiting, context._replace(beyond_target=_beyond_next(infos)))
    return infos


def current_version(infos: Sequence[MigrationInfo]) -> MigrationVersion | None:
    """The highest version that is applied and live; ``None`` when there is none."""
    return _highest(info.version for info in infos if _counts(info))


def _counts(info: MigrationInfo) -> bool:
    return (
        info.applied is not None
        and info.state not in _GONE
        and info.type is not MigrationType.DELETE
        and not info.type.is_undo
    )


# --- rows -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Row:
    """A row, the script behind it, and what later rows say about it.

    ``is_latest`` is false for a row without version when a later one has the same description.
    """

    applied: AppliedMigration
    resolved: ResolvedMigration | None = None
    deleted: bool = False
    undone: bool = False
    undo_failed: bool = False
    out_of_order: bool = False
    is_latest: bool = True

    @property
    def is_live(self) -> bool:
        return not (self.deleted or self.undone or self.applied.type is MigrationType.DELETE)

    @property
    def is_up_to_date(self) -> bool:
        """The script behind this row is not waiting."""
        if self.applied.version is not None:
            return self.is_live
        matches = self.resolved is not None and self.resolved.checksum_matches(self.applied.checksum)
        return self.is_live and self.is_latest and matches


def _read_rows(applied: Iterable[AppliedMigration]) -> list[_Row]:
    rows: list[_Row] = []
    latest: dict[MigrationVersion | str, _Row] = {}
    for entry in sorted(applied, key=lambda entry: entry.installed_rank):
        identity = entry.description if entry.version is None else entry.version
        if entry.type is MigrationType.DELETE and entry.success:
            _mark_deleted(latest.get(identity), entry)
            if entry.version is not None:
                continue
        if entry.type.is_undo:
            _mark_undone(latest.get(identity), success=entry.success)
        row = _Row(entry)
        rows.append(row)
        if not (entry.type.is_synthetic or entry.type.is_undo):
            latest[identity] = row
    _mark_superseded(rows)
    return rows


def _mark_deleted(row: _Row | None, entry: AppliedMigration) -> None:
    if row is None:
        return
    if row.deleted and entry.version is not None:
        raise errors.HistoryUnreadable(
            f"The schema history marks version {entry.version} as deleted twice "
            f"(again with installed_rank {entry.installed_rank}).",
            hint="Delete the second of the two rows from the schema history table.",
        )
    row.deleted = True


def _mark_undone(row: _Row | None, *, success: bool) -> None:
    if row is not None and not row.deleted and not row.applied.type.is_baseline:
        row.undone, row.undo_failed = row.undone or success, not success


def _mark_superseded(rows: Iterable[_Row]) -> None:
    latest: dict[str, _Row] = {}
    for row in rows:
        if row.applied.version is None:
            if earlier := latest.get(row.applied.description):
                earlier.is_latest = False
            latest[row.applied.description] = row


def _mark_out_of_order(rows: Iterable[_Row]) -> MigrationVersion | None:
    """Mark the rows that came after a higher version, and return the highest live version."""
    highest: MigrationVersion | None = None
    for row in rows:
        version = row.applied.version
        if version is None or row.applied.type.is_undo:
            continue
        if highest is not None and version <= highest:
            row.out_of_order = True
        elif row.is_live:
            highest = version
    return highest


# --- rows and scripts -------------------------------------------------------------------------------------


def _file_key(migration: AppliedMigration | ResolvedMigration) -> _FileKey:
    """What a row and the script behind it have in common. A script of another type is another script.

    A long description is compared as the row holds it: cut. Flyway 13 compares it whole, and never finds the row.
    """
    if migration.version is None:
        return recorded_description(migration.description)
    return migration.version, migration.type


def _pair(rows: Iterable[_Row], resolved: Iterable[ResolvedMigration]) -> None:
    scripts = {_file_key(script): script for script in resolved}
    for row in rows:
        row.resolved = scripts.get(_file_key(row.applied))


def _waiting(rows: Sequence[_Row], resolved: Iterable[ResolvedMigration]) -> list[ResolvedMigration]:
    """Scripts without a live row, in the order of files.

    An undo script never loses its place to the rows of earlier undos while its migration is applied.
    """
    done = {_file_key(row.applied) for row in rows if row.is_up_to_date}
    undoable = _undoable_versions(rows)
    waiting = (
        script
        for script in resolved
        if _file_key(script) not in done or (script.kind is MigrationKind.UNDO and script.version in undoable)
    )
    return sorted(waiting, key=lambda script: script.sort_key)


def _undoable_versions(rows: Iterable[_Row]) -> frozenset[MigrationVersion]:
    return frozenset(
        row.applied.version
        for row in rows
        if row.applied.version is not None and row.is_live and _is_plain(row.applied.type)
    )


def _is_plain(kind: MigrationType) -> bool:
    """Neither undo nor baseline nor written by a command: what an undo script undoes."""
    return not (kind.is_undo or kind.is_baseline or kind.is_synthetic)


def _require_target(target: Target, rows: Iterable[_Row], waiting: Iterable[ResolvedMigration]) -> None:
    if target.kind is not TargetKind.VERSION or not target.must_exist:
        return
    known = {row.applied.version for row in rows} | {script.version for script in waiting}
    if target.version not in known:
        raise errors.TargetNotFound(
            f"Neither a script nor the schema history has the target version {target.version}.",
            hint=f"Correct the target, or write '{target.version}?' if that version need not exist.",
        )


# --- states -----------------------------------------------------------------------------------------------


class _Context(NamedTuple):
    """What the state of one migration depends on besides itself."""

    last_resolved: MigrationVersion | None
    last_applied: MigrationVersion | None
    applied_baseline: MigrationVersion | None
    pending_baseline: MigrationVersion | None
    undoable_versions: frozenset[MigrationVersion]
    undos: Mapping[MigrationVersion, ResolvedMigration]
    policy: Policy
    beyond_target: _Beyond

    @property
    def is_fresh(self) -> bool:
        """The history says nothing yet about versions, so that a baseline script may run."""
        return self.last_applied is None and self.applied_baseline is None


def _context(
    rows: Sequence[_Row],
    waiting: Iterable[ResolvedMigration],
    resolved: Sequence[ResolvedMigration],
    policy: Policy,
) -> _Context:
    last_applied = _mark_out_of_order(rows)
    return _Context(
        last_resolved=_highest(script.version for script in resolved),
        last_applied=last_applied,
        applied_baseline=_highest(row.applied.version for row in rows if row.applied.type.is_baseline),
        pending_baseline=_highest(
            script.version
            for script in waiting
            if script.kind is MigrationKind.BASELINE and _may_run(script, policy)
        ),
        undoable_versions=_undoable_versions(rows),
        undos={
            script.version: script
            for script in resolved
            if script.version is not None
            and script.kind is MigrationKind.UNDO
            and script.configuration.should_execute
        },
        policy=policy,
        beyond_target=_beyond_target(policy.target, last_applied),
    )


def _highest(versions: Iterable[MigrationVersion | None]) -> MigrationVersion | None:
    return max((version for version in versions if version is not None), default=None)


def _beyond_target(target: Target, last_applied: MigrationVersion | None) -> _Beyond:
    limit = last_applied if target.kind is TargetKind.CURRENT else target.version
    if limit is not None:
        return lambda version: version > limit
    # "current" in an empty history lets no version through; no target, every one.
    return lambda _: target.kind is TargetKind.CURRENT


def _beyond_next(infos: Iterable[MigrationInfo]) -> _Beyond:
    following = next((info.version for info in infos if info.state is MigrationState.PENDING), None)
    return lambda version: following is not None and version > following


def _infos(
    rows: Iterable[_Row], waiting: Iterable[ResolvedMigration], context: _Context
) -> tuple[MigrationInfo, ...]:
    scripts = [_script_info(script, context) for script in waiting]
    return (
        *(info for info in scripts if info.state in _BEFORE_THE_HISTORY),
        *(_applied_info(row, context) for row in rows),
        *(info for info in scripts if info.state not in _BEFORE_THE_HISTORY),
    )


def _applied_info(row: _Row, context: _Context) -> MigrationInfo:
    return MigrationInfo(
        resolved=row.resolved,
        applied=row.applied,
        state=_row_state(row, context),
        undo=_undo_script(row.applied, context),
        undo_failed=row.undo_failed,
    )


def _script_info(script: ResolvedMigration, context: _Context) -> MigrationInfo:
    state = _script_state(script, context)
    return MigrationInfo(resolved=script, applied=None, state=state, undo=_undo_script(script, context))


def _undo_script(migration: AppliedMigration | ResolvedMigration, context: _Context) -> ResolvedMigration | None:
    if migration.version is None or not _is_plain(migration.type):
        return None
    return context.undos.get(migration.version)


def _row_state(row: _Row, context: _Context) -> MigrationState:
    if row.undone:
        return MigrationState.UNDONE
    if row.deleted:
        return MigrationState.DELETED
    if row.applied.type.is_synthetic:
        return MigrationState.BASELINE if row.applied.type.is_baseline else MigrationState.SUCCESS
    if row.applied.type.is_baseline and not row.applied.success:
        return MigrationState.FAILED
    if _is_passed_over(row, context.policy):
        return MigrationState.IGNORED
    # The script of an undo is not missed: it has done its work.
    if row.resolved is None and row.is_latest and not row.applied.type.is_undo:
        return _unresolved_state(row.applied, context.last_resolved)
    return _resolved_state(row)


def _is_passed_over(row: _Row, policy: Policy) -> bool:
    """Not picked. A baseline that is there, with its script, is a baseline all the same (Flyway 13)."""
    if row.applied.type.is_baseline and row.resolved is not None:
        return False
    return not is_picked(policy, row.applied.version, row.applied.description)


def _unresolved_state(applied: AppliedMigration, last_resolved: MigrationVersion | None) -> MigrationState:
    version = applied.version
    if version is None or (last_resolved is not None and version < last_resolved):
        return MigrationState.MISSING_SUCCESS if applied.success else MigrationState.MISSING_FAILED
    return MigrationState.FUTURE_SUCCESS if applied.success else MigrationState.FUTURE_FAILED


def _resolved_state(row: _Row) -> MigrationState:
    if not row.applied.success:
        return MigrationState.FAILED
    if row.applied.type.is_baseline:
        return MigrationState.BASELINE
    if not row.is_latest:
        return MigrationState.SUPERSEDED
    if row.applied.version is None and not row.is_up_to_date:
        return MigrationState.OUTDATED
    return MigrationState.OUT_OF_ORDER if row.out_of_order else MigrationState.SUCCESS


def _may_run(script: ResolvedMigration, policy: Policy) -> bool:
    """Neither the list of ``cherry_pick`` nor its own configuration leaves it out."""
    return script.configuration.should_execute and is_picked(policy, script.version, script.description)


def _script_state(script: ResolvedMigration, context: _Context) -> MigrationState:
    if not _may_run(script, context.policy):
        return MigrationState.IGNORED
    if script.version is None:
        return MigrationState.PENDING
    if script.kind is MigrationKind.UNDO:
        applied = script.version in context.undoable_versions
        return MigrationState.AVAILABLE if applied else MigrationState.IGNORED
    state = _version_state(script.version, context)
    if script.kind is MigrationKind.BASELINE:
        return _baseline_state(state, script.version, context)
    return state


def _version_state(version: MigrationVersion, context: _Context) -> MigrationState:
    baseline = context.pending_baseline if context.last_applied is None else context.applied_baseline
    if baseline is not None and version <= baseline:
        return MigrationState.BASELINE_IGNORED if version == baseline else MigrationState.BELOW_BASELINE
    if context.beyond_target(version):
        return MigrationState.ABOVE_TARGET
    late = context.last_applied is not None and version < context.last_applied
    return MigrationState.IGNORED if late and not context.policy.out_of_order else MigrationState.PENDING


def _baseline_state(state: MigrationState, version: MigrationVersion, context: _Context) -> MigrationState:
    """A baseline script runs in a fresh history only; there the target does not hold it back."""
    if state is MigrationState.PENDING and not context.is_fresh:
        return MigrationState.IGNORED
    if context.is_fresh and version == context.pending_baseline:
        return MigrationState.PENDING
    return state
