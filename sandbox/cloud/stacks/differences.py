"""What would change between two templates, as a change set tells it. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloud.stacks.template import Template, dependencies, in_order

type Json = Any
type Immutable = Callable[[str], frozenset[str]]
"""The properties of a type that cannot be changed in place."""


@dataclass(slots=True)
class Difference:
    """What becomes of one resource. ``replacement`` is ``True``, ``False`` or ``Conditional``, as a text."""

    action: str
    logical_id: str
    type: str
    replacement: str | None = None
    details: list[dict[str, Any]] = field(default_factory=list)

    def describe(self, physical_id: str | None) -> dict[str, Any]:
        """As DescribeChangeSet does."""
        change: dict[str, Any] = {
            "Action": self.action,
            "LogicalResourceId": self.logical_id,
            "ResourceType": self.type,
            "Scope": ["Properties"] if self.details else [],
            "Details": self.details,
        }
        if physical_id:
            change["PhysicalResourceId"] = physical_id
        if self.replacement:
            change["Replacement"] = self.replacement
        return {"Type": "Resource", "ResourceChange": change}


def compare(old: Template, new: Template, immutable: Immutable) -> list[Difference]:
    """Every resource that changes, by logical id as CloudFormation sorts them.

    Policies of deletion and outputs are taken over without being a change of a resource.
    """
    before: Mapping[str, Json] = old.get("Resources", {})
    after: Mapping[str, Json] = new["Resources"]
    found: dict[str, Difference] = {}
    for name in in_order(new):
        if name not in before:
            found[name] = Difference("Add", name, after[name]["Type"])
        else:
            difference = _modified(name, before[name], after[name], immutable, found)
            if difference:
                found[name] = difference
    for name in before.keys() - after.keys():
        found[name] = Difference("Remove", name, before[name]["Type"])
    return [found[name] for name in sorted(found)]


def _modified(
    name: str, before: Json, after: Json, immutable: Immutable, found: Mapping[str, Difference]
) -> Difference | None:
    if before["Type"] != after["Type"]:
        return Difference("Modify", name, after["Type"], "True")
    fixed = immutable(after["Type"])
    old, new = before.get("Properties", {}), after.get("Properties", {})
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    moved = [other for other in dependencies(after) if other in found and found[other].replacement == "True"]
    if not changed and not moved:
        return None
    replaced = any(key in fixed for key in changed)
    replacement = "True" if replaced else "Conditional" if moved and fixed else "False"
    details = [_detail(key, old, new, recreates=key in fixed) for key in changed]
    return Difference("Modify", name, after["Type"], replacement, details)


def _detail(key: str, old: Json, new: Json, *, recreates: bool) -> dict[str, Any]:
    target = {
        "Attribute": "Properties",
        "Name": key,
        "Path": f"/Properties/{key}",
        "RequiresRecreation": "Always" if recreates else "Never",
    }
    for name, side in (("BeforeValue", old), ("AfterValue", new)):
        if key in side:
            target[name] = side[key] if isinstance(side[key], str) else json.dumps(side[key])
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
