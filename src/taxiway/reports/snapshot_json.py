"""Snapshots and restores as JSON: shapes of our own, because Flyway has none."""

from collections.abc import Sequence
from typing import Any

from taxiway.model.snapshot import ACTOR_TAG, BRANCH_TAG, COMMIT_TAG, REASON_TAG, Database, Difference, Snapshot

type Json = dict[str, Any]


def snapshot_json(snapshot: Snapshot) -> Json:
    """What is known of a snapshot."""
    created = snapshot.created_at
    return {
        "name": snapshot.name,
        "arn": snapshot.arn,
        "database": snapshot.database,
        "kind": snapshot.kind.value,
        "type": snapshot.type,
        "status": snapshot.status,
        "percent": snapshot.percent,
        "createdAt": created.isoformat(timespec="milliseconds") if created else None,
        "sizeGib": snapshot.size_gib,
        "engine": snapshot.engine,
        "engineVersion": snapshot.engine_version,
        "isEncrypted": snapshot.is_encrypted,
        "hasManifest": snapshot.manifest is not None,
        "actor": snapshot.tags.get(ACTOR_TAG),
        "branch": snapshot.tags.get(BRANCH_TAG),
        "commit": snapshot.tags.get(COMMIT_TAG),
        "reason": snapshot.tags.get(REASON_TAG),
    }


def created_json(snapshot: Snapshot) -> Json:
    """A snapshot that was made."""
    return {"operation": "snapshot create", "snapshot": snapshot_json(snapshot)}


def snapshot_list_json(database: str, snapshots: Sequence[Snapshot]) -> Json:
    """The list, the newest first."""
    return {
        "operation": "snapshot list",
        "database": database,
        "snapshots": [snapshot_json(one) for one in snapshots],
    }


def plan_json(operation: str, database: str, steps: Sequence[str], *, snapshot: str | None) -> Json:
    """What would be done."""
    return {
        "operation": operation,
        "database": database,
        "snapshot": snapshot,
        "isDryRun": True,
        "steps": [*steps],
    }


def restore_json(
    operation: str,
    database: str,
    *,
    snapshot: str | None,
    live: Database | None,
    aside: Database | None,
    differences: Sequence[Difference],
    final_snapshot: str | None = None,
) -> Json:
    """What was done: what has the live name now, and what was set aside."""
    return {
        "operation": operation,
        "database": database,
        "snapshot": snapshot,
        "isDryRun": False,
        "live": _database(live),
        "aside": _database(aside),
        "finalSnapshot": final_snapshot,
        "differences": [
            {"where": one.where, "setting": one.name, "wanted": one.wanted, "found": one.found}
            for one in differences
        ],
    }


def _database(database: Database | None) -> Json | None:
    if database is None:
        return None
    return {"name": database.name, "resourceId": database.resource_id, "masterSecret": database.master_secret}
