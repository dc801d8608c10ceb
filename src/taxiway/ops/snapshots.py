"""Making and finding snapshots of a database."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from taxiway import errors
from taxiway.model.snapshot import (
    ACTOR_TAG,
    BRANCH_TAG,
    COMMIT_TAG,
    DATABASE_TAG,
    REASON_TAG,
    Database,
    DatabaseKind,
    Origin,
    Snapshot,
    is_broken,
)
from taxiway.nearest import find_nearest, hint_of_names
from taxiway.ops.patience import Patience, Waiting
from taxiway.ops.seams import Clock, Databases, Progress
from taxiway.planning.manifest import encode_manifest
from taxiway.planning.rds_names import snapshot_name

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
# How long RDS may not show a snapshot that it has just been asked for.
_APPEAR_SECONDS: Final = 120.0
# "Tag naming limits" (AWS manual): letters, numbers, spaces and these, up to 256 characters.
_NOT_IN_TAG: Final = re.compile(r"[^\w +\-=.:/@]")
_TAG_LENGTH: Final = 256


def get_database(databases: Sequence[Database], name: str, *, region: str) -> Database:
    """The database of that name.

    Raises:
        AwsNotFound: There is none; the hint has the nearest name.
    """
    wanted = name.lower()
    found = find_database(databases, wanted)
    if found:
        return found
    member = next((one for one in databases if any(wanted == part.name for part in one.instances)), None)
    if member:
        hint = f"'{name}' is an instance of the cluster '{member.name}': name the cluster."
    else:
        names = [one.name for one in databases]
        hint = hint_of_names(wanted, names, otherwise="Check the name, the region and the account.")
    raise errors.AwsNotFound(
        f"There is no database '{name}' in region {region}.", kind="database", name=name, hint=hint
    )


def find_database(databases: Sequence[Database], name: str) -> Database | None:
    """The database of that name, if there is one."""
    return next((one for one in databases if one.name == name), None)


def create_snapshot(
    databases: Databases,
    name: str,
    origin: Origin,
    *,
    clock: Clock,
    progress: Progress,
    now: datetime,
    token: str,
    on_name: Callable[[str], None] = lambda _: None,
) -> Snapshot:
    """Make a snapshot with all settings of the database, and wait until it is complete.

    ``on_name`` is told what it will be called as soon as RDS was asked for it.

    Raises:
        AwsNotFound: There is no such database.
        ManifestTooLarge: Its settings do not fit. No snapshot is made.
        SnapshotFailed: RDS has failed to make it.
        AwsError: AWS refused or could not be asked.
    """
    database = get_database(databases.list_databases(), name, region=databases.region)
    tags = _origin_tags(database.name, origin)
    tags |= encode_manifest(database.configuration, other_tags=len(tags))
    made = snapshot_name(database.name, now, token)
    patience = Patience(clock, progress)
    progress.on_step(f"make snapshot {made} of {database.name}")
    _begin(databases, database, made, tags, patience)
    on_name(made)
    return _wait_for(databases, database, made, Waiting(clock, progress), patience)


def list_snapshots(databases: Databases, name: str) -> list[Snapshot]:
    """The snapshots of a database, the newest first; also when the database is gone.

    Raises:
        AwsNotFound: There is neither such a database nor a snapshot of one.
        AwsError: AWS refused or could not be asked.
    """
    there = databases.list_databases()
    known = find_database(there, name.lower())
    kinds = [known.kind] if known else [*DatabaseKind]
    found = [one for kind in kinds for one in databases.list_snapshots(kind, name.lower())]
    if not found:
        get_database(there, name, region=databases.region)
    return sorted(found, key=lambda one: one.created_at or _EARLIEST, reverse=True)


def get_snapshot(snapshots: Sequence[Snapshot], wanted: str | None, *, database: str) -> Snapshot:
    """The snapshot of that name, or the newest; one that can be restored.

    Raises:
        SnapshotNotFound: There is none.
    """
    usable = [one for one in snapshots if one.status == "available"]
    found = next((one for one in usable if wanted in {None, one.name}), None)
    if found:
        return found
    names = [one.name for one in usable]
    near = find_nearest(wanted or "", names)
    if any(one.name == wanted for one in snapshots):
        hint = "It is not complete: see 'taxiway snapshot list', and wait until it is available."
    elif near:
        hint = f"Did you mean '{near}'?"
    else:
        hint = "See 'taxiway snapshot list'."
    what = f"no snapshot '{wanted}'" if wanted else "no snapshot that could be restored"
    raise errors.SnapshotNotFound(f"The database '{database}' has {what}.", hint=hint)


def keep_settings(
    databases: Databases, database: Database, name: str, *, database_name: str, clock: Clock
) -> None:
    """Give the last snapshot of a database that is being deleted its settings, as soon as RDS shows it.

    It can be restored without them as long as the live database is there: what fails here is no failure.
    """
    tags = {DATABASE_TAG: database_name}
    with suppress(errors.ManifestTooLarge):
        tags |= encode_manifest(database.configuration, other_tags=len(tags) + len(database.tags))
    end = clock.monotonic() + _APPEAR_SECONDS
    while clock.monotonic() < end:
        with suppress(errors.AwsBusy, errors.AwsNotFound, errors.AwsThrottled, errors.AwsUnreachable):
            for one in databases.list_snapshots(database.kind, database.name):
                if one.name == name:
                    databases.add_tags(one.arn, tags)
                    return
        clock.sleep(1.0)


def _origin_tags(database: str, origin: Origin) -> dict[str, str]:
    facts = {
        DATABASE_TAG: database,
        ACTOR_TAG: origin.actor,
        BRANCH_TAG: origin.branch,
        COMMIT_TAG: origin.commit,
        REASON_TAG: origin.reason,
    }
    return {key: as_tag(value) for key, value in facts.items() if value}


def as_tag(text: str) -> str:
    """The text with an underscore for what a tag cannot have."""
    return _NOT_IN_TAG.sub("_", text)[:_TAG_LENGTH]


def _begin(databases: Databases, database: Database, name: str, tags: dict[str, str], patience: Patience) -> None:
    """Ask for it until RDS has taken it: a database that is being changed has none made of it."""
    while True:
        try:
            databases.create_snapshot(database, name, tags)
        except errors.AwsBusy as error:
            # It may be there from the last time, whose answer was lost.
            if any(one.name == name for one in databases.list_snapshots(database.kind, database.name)):
                return
            patience.bear(error)
        except (errors.AwsThrottled, errors.AwsUnreachable) as error:
            patience.bear(error)
        else:
            patience.calm()
            return


def _wait_for(
    databases: Databases, database: Database, name: str, waiting: Waiting, patience: Patience
) -> Snapshot:
    while True:
        found = patience.ask(lambda: databases.list_snapshots(database.kind, database.name))
        snapshot = next((one for one in found or () if one.name == name), None)
        if snapshot and snapshot.status == "available":
            return snapshot
        if snapshot and is_broken(snapshot.status):
            raise errors.SnapshotFailed(
                f"RDS could not make snapshot {name}: its status is {snapshot.status}.",
                hint="Look at the events of the database in the console of RDS, then make another one.",
            )
        if found is not None and not snapshot and waiting.seconds > _APPEAR_SECONDS:
            raise errors.SnapshotFailed(
                f"RDS does not show snapshot {name}.", hint="See 'taxiway snapshot list' in a moment."
            )
        percent = f", {snapshot.percent} %" if snapshot and snapshot.percent else ""
        waiting.wait(f"snapshot {name}: {snapshot.status if snapshot else 'begun'}{percent}")
