"""What ``migrate`` is going to run, and the history rows that it leaves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.model.identifier import quote_identifier
from taxiway.model.info import MigrationInfo, MigrationState
from taxiway.model.migration import AppliedMigration, HistoryRow, MigrationType, ResolvedMigration
from taxiway.model.rules import Policy, TargetKind
from taxiway.model.version import MigrationVersion
from taxiway.planning.reconcile import current_version

SCHEMA_CREATION: Final = "<< Flyway Schema Creation >>"

_ELLIPSIS: Final = "..."
_VERSION_LENGTH: Final = 50
_DESCRIPTION_LENGTH: Final = 200
_SCRIPT_LENGTH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A migration to be run now. ``out_of_order``: a higher version will have been applied by then."""

    migration: ResolvedMigration
    out_of_order: bool


def pending(infos: Sequence[MigrationInfo], policy: Policy) -> tuple[Pending, ...]:
    """The migrations to run, in the order to run them. With target ``next`` it is one at most.

    Raises:
        FailedMigrationRecorded: A row says that its migration failed, and nobody has looked after it. A single
            failed one that is newer than all scripts is let pass when future migrations are ignored (Flyway 13).
        ScriptError: A version does not fit into the history. Flyway runs the script and fails at its row.
    """
    _refuse_failed(infos, policy)
    waiting = [info.resolved for info in infos if info.resolved and info.state is MigrationState.PENDING]
    if policy.target.kind is TargetKind.NEXT:
        del waiting[1:]
    _refuse_long_versions(waiting)
    return tuple(_in_turn(waiting, current_version(infos)))


def _in_turn(waiting: Iterable[ResolvedMigration], highest: MigrationVersion | None) -> Iterable[Pending]:
    for migration in waiting:
        version = migration.version
        late = version is not None and highest is not None and version < highest
        yield Pending(migration=migration, out_of_order=late)
        if version is not None and not late:
            highest = version


def _refuse_long_versions(waiting: Iterable[ResolvedMigration]) -> None:
    for migration in waiting:
        length = len(migration.version.text) if migration.version is not None else 0
        if length > _VERSION_LENGTH:
            raise errors.ScriptError(
                f"the version has {length} characters, and the schema history holds {_VERSION_LENGTH}.",
                path=migration.path,
                hint="Give the file a shorter version.",
            )


def _refuse_failed(infos: Iterable[MigrationInfo], policy: Policy) -> None:
    failed = [info for info in infos if info.state.is_failed]
    if not failed or (
        [info.state for info in failed] == [MigrationState.FUTURE_FAILED]
        and policy.ignores(MigrationState.FUTURE_SUCCESS)
    ):
        return
    entries = ", ".join(f"{info.label} ({info.state.value})" for info in failed)
    raise errors.FailedMigrationRecorded(
        f"The schema history says that a migration failed: {entries}.",
        hint="Remove by hand what it left behind, then its row from the schema history.",
    )


# --- history rows -----------------------------------------------------------------------------------------


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
        description=history_description(migration.description),
        type=migration.type,
        script=history_script(migration.script),
        checksum=migration.checksum,
        installed_by=installed_by,
        execution_time_ms=execution_time_ms,
        success=success,
    )


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


def history_description(text: str) -> str:
    """A description as its column holds it: cut at the end when longer than 200 characters (Flyway 13)."""
    if len(text) <= _DESCRIPTION_LENGTH:
        return text
    return text[: _DESCRIPTION_LENGTH - len(_ELLIPSIS)] + _ELLIPSIS


def history_script(text: str) -> str:
    """A path as its column holds it: longer than 1000 characters, it keeps characters 3 to 999 (Flyway 13).

    That is the start of the path and not its end, whatever the dots before it suggest.
    """
    if len(text) <= _SCRIPT_LENGTH:
        return text
    return _ELLIPSIS + text[len(_ELLIPSIS) : _SCRIPT_LENGTH]
