"""What ``undo`` is going to take back.

Flyway's own code for this is not public; the rules are those of its documentation. Where that leaves a question
open, nothing is undone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from taxiway import errors
from taxiway.model.info import MigrationInfo, MigrationState
from taxiway.model.migration import AppliedMigration
from taxiway.model.plan import PlannedUndo
from taxiway.model.rules import MigrationPattern, Policy, TargetKind
from taxiway.model.version import MigrationVersion
from taxiway.planning.migrate import refuse_failed
from taxiway.planning.reconcile import current_version

_GONE = frozenset({MigrationState.UNDONE, MigrationState.DELETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlan:
    """The undo scripts to run, in order; ``obstacle`` says what kept more from being undone, if something did."""

    undos: tuple[PlannedUndo, ...]
    obstacle: str | None = None


def plan_undo(infos: Sequence[MigrationInfo], policy: Policy) -> UndoPlan:
    """The migrations to undo, the last applied one first.

    Without a target version it is the one that was applied last. With one, it is each, in the reverse of the order
    in which they were applied, until one comes that is below the target. One that has no undo script bars the way:
    going on behind it would undo what it was built upon. With ``cherry_pick``, it is each of those listed that is
    applied, in the reverse of the list.

    Raises:
        FailedMigrationRecorded: A row says that a migration failed, and nobody has looked after it.
        CherryPickNotFound: ``cherry_pick`` lists an applied migration that has no undo script, or a repeatable.
        UndoImpossible: The way back to the target version is barred. Flyway undoes what comes before and succeeds.
    """
    refuse_failed([info for info in infos if info.state.is_failed])
    live = [info for info in reversed(infos) if _is_live(info)]
    if policy.cherry_pick:
        listed = tuple(_listed(infos, live, policy.cherry_pick))
        return UndoPlan(undos=listed, obstacle=None if listed else "Nothing that cherryPick lists is applied.")
    wanted = _wanted(live, policy)
    if policy.target.kind is TargetKind.VERSION and (bar := _bar(live, wanted, policy)):
        raise errors.UndoImpossible(
            f"Undoing down to version {policy.target.version} is not possible: {bar}",
            hint="Write the undo script that is missing (U1.2__x.sql), or name a target that can be reached.",
        )
    undos = [_planned(info) for info in takewhile(lambda info: info.undo is not None, wanted)]
    return UndoPlan(undos=tuple(undos), obstacle=_obstacle(live, wanted, policy))


def version_after(infos: Iterable[MigrationInfo], undone: Iterable[AppliedMigration]) -> MigrationVersion | None:
    """The highest version that is still applied once these rows are undone."""
    ranks = {row.installed_rank for row in undone}
    return current_version([info for info in infos if not (info.applied and info.applied.installed_rank in ranks)])


def _is_live(info: MigrationInfo) -> bool:
    """A version that is applied: an undo migration takes it back, or it bars the way to those before it."""
    return (
        info.applied is not None
        and info.version is not None
        and not info.type.is_undo
        and info.state not in _GONE
        and (info.type.is_baseline or not info.type.is_synthetic)
    )


def _wanted(live: Sequence[MigrationInfo], policy: Policy) -> Sequence[MigrationInfo]:
    limit = policy.target.version
    if policy.target.kind is not TargetKind.VERSION or limit is None:
        return live[:1]
    return list(takewhile(lambda info: _reaches(info, limit), live))


def _reaches(info: MigrationInfo, limit: MigrationVersion) -> bool:
    return info.version is not None and info.version >= limit


def _planned(info: MigrationInfo) -> PlannedUndo:
    if info.undo is None or info.applied is None:  # pragma: no cover - the callers have looked
        raise ValueError("only an applied migration that has an undo script can be undone")
    return PlannedUndo(migration=info.undo, undone=info.applied)


def _obstacle(live: Sequence[MigrationInfo], wanted: Sequence[MigrationInfo], policy: Policy) -> str | None:
    """Why nothing is undone, if so."""
    if not live:
        return "No version is applied."
    if not wanted:
        return f"{live[0].label} was applied last, and is below the target {policy.target.version}."
    return _bar(live, wanted, policy)


def _bar(live: Sequence[MigrationInfo], wanted: Sequence[MigrationInfo], policy: Policy) -> str | None:
    """What stands in the way back, if something does."""
    barrier = next((info for info in wanted if info.undo is None), None)
    if barrier is not None and barrier.type.is_baseline:
        return f"{barrier.label} is a baseline, which cannot be undone."
    if barrier is not None:
        return f"{barrier.label} has no undo script."
    return _left_behind(live[len(wanted) :], policy.target.version) if wanted else None


def _left_behind(rest: Sequence[MigrationInfo], limit: MigrationVersion | None) -> str | None:
    """What the target asks for too, and one below it was applied upon."""
    if limit is None or not any(_reaches(info, limit) for info in rest):
        return None
    left = ", ".join(info.label for info in rest if _reaches(info, limit))
    return f"{rest[0].label} is below the target {limit}, and was applied after {left}."


# --- cherryPick -------------------------------------------------------------------------------------------


def _listed(
    infos: Sequence[MigrationInfo], live: Sequence[MigrationInfo], items: Sequence[MigrationPattern]
) -> Iterator[PlannedUndo]:
    seen: set[int] = set()
    for item in reversed(items):
        _refuse_repeatable(infos, item)
        for info in live:
            if info.applied is None or not item.matches(info.version, info.description):
                continue
            if info.undo is None:
                raise _not_undoable(f"{info.label}, which has no undo script")
            if info.applied.installed_rank not in seen:
                seen.add(info.applied.installed_rank)
                yield _planned(info)


def _refuse_repeatable(infos: Iterable[MigrationInfo], item: MigrationPattern) -> None:
    for info in infos:
        if info.version is None and info.applied is not None and item.matches(None, info.description):
            raise _not_undoable(f"{info.label}, and there are undo scripts for versions only")


def _not_undoable(what: str) -> errors.CherryPickNotFound:
    return errors.CherryPickNotFound(
        f"cherryPick has {what}.", hint="Leave it out of cherryPick, or write an undo script (U1.2__x.sql) for it."
    )
