"""What ``migrate`` is going to run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.model.info import MigrationInfo, MigrationState
from taxiway.model.migration import ResolvedMigration
from taxiway.model.plan import PlannedMigration
from taxiway.model.rules import Policy, TargetKind
from taxiway.model.version import MigrationVersion
from taxiway.planning.reconcile import current_version
from taxiway.planning.unfinished import MEND_UNFINISHED, UNFINISHED, is_unfinished

_VERSION_LENGTH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A migration to be run now. ``out_of_order``: a higher version will have been applied by then."""

    migration: ResolvedMigration
    out_of_order: bool


def pending(infos: Sequence[MigrationInfo], policy: Policy, *, group: bool = False) -> tuple[Pending, ...]:
    """The migrations to run, in the order to run them.

    With target ``next`` it is one at most; in a group, which has one round, it is the next version and all
    repeatable ones (Flyway 13).

    Raises:
        FailedMigrationRecorded: A row says that its migration failed, and nobody has looked after it. A single
            failed one that is newer than all scripts is let pass when future migrations are ignored (Flyway 13).
        ScriptError: A version does not fit into the history. Flyway runs the script and fails at its row.
    """
    refuse_failed(_failed(infos, policy))
    migrations = waiting(infos)
    if policy.target.kind is TargetKind.NEXT and not group:
        del migrations[1:]
    _refuse_long_versions(migrations)
    return tuple(_in_turn(migrations, current_version(infos)))


def waiting(infos: Iterable[MigrationInfo]) -> list[ResolvedMigration]:
    """Every migration that is pending, in the order of the infos."""
    return [info.resolved for info in infos if info.resolved and info.state is MigrationState.PENDING]


def runs_as_one(migrations: Sequence[PlannedMigration]) -> bool:
    """Whether a group of migrations runs in one transaction: when every one of them can (Flyway 13)."""
    return all(planned.script.transactional for planned in migrations)


def refuse_mixed_group(migrations: Sequence[PlannedMigration]) -> None:
    """Refuse a group in which some migrations run in a transaction and some do not.

    Raises:
        MixedTransactions: It is such a group; names the first of the second kind.
    """
    for planned in migrations:
        if planned.script.transactional != migrations[0].script.transactional:
            kind = "in a transaction" if planned.script.transactional else "outside of a transaction"
            raise errors.MixedTransactions(
                f"it runs {kind}, and those before it in the group do not.",
                path=planned.migration.path,
                hint="Run it without group, or set mixed=true to give each migration its own transaction.",
            )


def _in_turn(migrations: Iterable[ResolvedMigration], highest: MigrationVersion | None) -> Iterable[Pending]:
    for migration in migrations:
        version = migration.version
        late = version is not None and highest is not None and version < highest
        yield Pending(migration=migration, out_of_order=late)
        if version is not None and not late:
            highest = version


def _refuse_long_versions(migrations: Iterable[ResolvedMigration]) -> None:
    for migration in migrations:
        length = len(migration.version.text) if migration.version is not None else 0
        if length > _VERSION_LENGTH:
            raise errors.ScriptError(
                f"the version has {length} characters, and the schema history holds {_VERSION_LENGTH}.",
                path=migration.path,
                hint="Give the file a shorter version.",
            )


def refuse_failed(failed: Sequence[MigrationInfo]) -> None:
    """Refuse to go on while the history says that migrations failed.

    Raises:
        FailedMigrationRecorded: There is one.
    """
    for info in failed:
        if is_unfinished(info):
            raise errors.FailedMigrationRecorded(
                f"{info.label} {UNFINISHED}", hint=f"{MEND_UNFINISHED}, and migrate."
            )
    if failed:
        entries = ", ".join(f"{info.label} ({info.state.value})" for info in failed)
        raise errors.FailedMigrationRecorded(
            f"The schema history says that a migration failed: {entries}.",
            hint="Mend by hand what it left behind, then run 'taxiway repair' to remove its row.",
        )


def _failed(infos: Iterable[MigrationInfo], policy: Policy) -> list[MigrationInfo]:
    """The failed ones, but for a single one from the future when those are ignored (Flyway 13)."""
    failed = [info for info in infos if info.state.is_failed]
    is_let_pass = [info.state for info in failed] == [MigrationState.FUTURE_FAILED] and policy.ignores(
        MigrationState.FUTURE_SUCCESS
    )
    return [] if is_let_pass else failed
