"""Stacks as JSON: shapes of our own."""

from collections.abc import Iterable
from typing import Any

from taxiway.model.infra import Drift, Farewell, InfraStatus, Plan, Stack, StackResource

type Json = dict[str, Any]


def plan_json(operation: str, plan: Plan, *, stack: Stack | None = None) -> Json:
    """A plan, and how the stack was after it was carried out; ``status`` is ``None`` when it was not."""
    return {
        "operation": operation,
        "stack": plan.stack,
        "region": plan.region,
        "isNew": plan.is_new,
        "changes": [
            {
                "action": change.kind.name.lower().replace("_", "-"),
                "resource": change.logical_id,
                "type": change.type,
                "id": change.physical_id,
                "details": [*change.details],
            }
            for change in plan.changes
        ],
        "warnings": [*plan.warnings],
        "status": stack.status if stack else None,
        "outputs": dict(stack.outputs) if stack else None,
    }


def farewell_json(name: str, goodbye: Farewell | None, *, is_done: bool, snapshots: Iterable[str] = ()) -> Json:
    """What goes, or has gone."""
    return {
        "operation": "infra destroy",
        "stack": name,
        "isDone": is_done,
        "gone": _resources(goodbye.gone if goodbye else ()),
        "snapshotted": _resources(goodbye.snapshotted if goodbye else ()),
        "kept": _resources(goodbye.kept if goodbye else ()),
        "protected": [one.logical_id for one in goodbye.protected] if goodbye else [],
        "snapshots": [*snapshots],
    }


def status_json(status: InfraStatus) -> Json:
    """State, resources, outputs, and the differences; ``None`` where nobody has looked."""
    return {
        "operation": "infra status",
        "stack": status.stack.name,
        "status": status.stack.status,
        "reason": status.stack.reason,
        "trouble": " ".join(status.trouble) or None,
        "resources": _resources(status.resources),
        "outputs": dict(status.stack.outputs),
        "outdated": None if status.outdated is None else [*status.outdated],
        "drift": None if status.drift is None else [*map(_drift, status.drift)],
    }


def _resources(resources: Iterable[StackResource]) -> list[Json]:
    return [
        {"resource": one.logical_id, "type": one.type, "id": one.physical_id, "status": one.status}
        for one in resources
    ]


def _drift(drift: Drift) -> Json:
    return {
        "resource": drift.logical_id,
        "type": drift.type,
        "kind": drift.kind.value.lower(),
        "differences": [
            {"property": path, "expected": expected, "actual": actual}
            for path, expected, actual in drift.differences
        ],
    }
