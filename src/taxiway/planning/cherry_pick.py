"""``cherryPick``: only the migrations that it lists are considered, in the order in which it lists them.

Flyway's own code for this is not public. The rules are those of its documentation and of the places that it is
called from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from taxiway.model.migration import AppliedMigration, ResolvedMigration
    from taxiway.model.rules import MigrationPattern, Policy
    from taxiway.model.version import MigrationVersion


def is_picked(policy: Policy, version: MigrationVersion | None, description: str) -> bool:
    """Whether a migration is to be considered. Without a list, every one is."""
    return not policy.cherry_pick or any(item.matches(version, description) for item in policy.cherry_pick)


def picked_place(policy: Policy, migration: ResolvedMigration) -> int:
    """Where the list has a migration; those that it does not have come last."""
    matches = (item.matches(migration.version, migration.description) for item in policy.cherry_pick)
    return next((place for place, match in enumerate(matches) if match), len(policy.cherry_pick))


def require_picked(
    policy: Policy, resolved: Sequence[ResolvedMigration], applied: Sequence[AppliedMigration]
) -> None:
    """Make sure that each item of the list is the name of something.

    Raises:
        CherryPickNotFound: Neither a script nor a row has that name. Most likely it is mistyped.
    """
    unknown = [item for item in policy.cherry_pick if not _names_any(item, (*resolved, *applied))]
    if unknown:
        names = ", ".join(f"'{item.text}'" for item in unknown)
        raise errors.CherryPickNotFound(
            f"cherryPick has {names}, and neither a script nor the schema history has a migration of that name.",
            hint="Name versions, such as 1.2, or the descriptions of repeatable migrations; "
            "'taxiway info' without cherryPick lists both.",
        )


def _names_any(item: MigrationPattern, migrations: Iterable[ResolvedMigration | AppliedMigration]) -> bool:
    return any(item.matches(migration.version, migration.description) for migration in migrations)
