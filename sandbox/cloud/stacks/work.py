"""What CloudFormation does to a stack: creating, updating, rolling back, deleting. Each runs in a thread."""

import json
import secrets
import string
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cloud.stacks.differences import compare
from sandbox.cloud.stacks.stack import Made, Stack
from sandbox.cloud.stacks.template import Template, TemplateRefused, in_order, resolve
from sandbox.cloud.stacks.types import Context, Handler, find_handler, immutable_of

# Long enough that a state in between can be seen, short enough for tests.
_SECONDS: Final = 0.02
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
_FAILURES: Final = (BotoCoreError, ClientError, KeyError, TemplateRefused)

type Json = Any


class Failed(Exception):
    """Something could not be done to a resource; the event for it is written."""


@dataclass(slots=True)
class Work:
    """One job on a stack.

    Attributes:
        client: Makes clients with the credentials of whoever has called.
        old: Resources that an update has replaced or removed: deleted once all else has succeeded.
    """

    stack: Stack
    client: Callable[[str], Any]
    old: list[Made] = field(default_factory=list)

    def create(self, template: Template) -> None:
        """From REVIEW_IN_PROGRESS to CREATE_COMPLETE, or back to nothing with ROLLBACK_COMPLETE."""
        try:
            for name in in_order(template):
                self._make(name, template)
            self._finish(template, "CREATE_COMPLETE")
        except Failed:
            names = ", ".join(name for name in template["Resources"] if name not in self.stack.made)
            self.stack.enter(
                "ROLLBACK_IN_PROGRESS",
                f"The following resource(s) failed to create: [{names}]. Rollback requested by user.",
            )
            ends = self._delete_all(reversed(list(self.stack.made.values())), template, in_creation=True)
            self.stack.enter("ROLLBACK_COMPLETE" if ends else "ROLLBACK_FAILED")

    def update(self, template: Template) -> None:
        """To UPDATE_COMPLETE, or back to where it was with UPDATE_ROLLBACK_COMPLETE."""
        before, made = self.stack.template, {**self.stack.made}
        differences = {one.logical_id: one for one in compare(before, template, immutable_of)}
        try:
            for name in in_order(template):
                if name not in self.stack.made:
                    self._make(name, template)
                elif name in differences:
                    self._change(name, template)
            self.old += [one for name, one in self.stack.made.items() if name not in template["Resources"]]
        except Failed as failure:
            self._take_back(made, str(failure))
            return
        self.stack.enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._delete_all(reversed(self.old), before, in_creation=False)
        self._finish(template, "UPDATE_COMPLETE")

    def delete(self) -> None:
        """To DELETE_COMPLETE, or to DELETE_FAILED with what is left."""
        order = {name: place for place, name in enumerate(in_order(self.stack.template))}
        made = sorted(self.stack.made.values(), key=lambda one: order[one.logical_id], reverse=True)
        if self._delete_all(made, self.stack.template, in_creation=False):
            self.stack.enter("DELETE_COMPLETE")
            return
        names = ", ".join(self.stack.made)
        self.stack.enter("DELETE_FAILED", f"The following resource(s) failed to delete: [{names}].")

    def detect_drift(self) -> list[dict[str, Any]]:
        """The resources that are not what the template says, as DescribeStackResourceDrifts tells them."""
        found: list[dict[str, Any]] = []
        for name, made in self.stack.made.items():
            handler = find_handler(made.type)
            if not handler.tells_drift:
                continue
            actual = handler.read(self._context(name), made.physical_id)
            differences = [] if actual is None else [*_differences(made.properties, actual)]
            if actual is None or differences:
                found.append(
                    {
                        "StackId": self.stack.id,
                        "LogicalResourceId": name,
                        "PhysicalResourceId": made.physical_id,
                        "ResourceType": made.type,
                        "StackResourceDriftStatus": "DELETED" if actual is None else "MODIFIED",
                        "PropertyDifferences": differences,
                        "Timestamp": datetime.now(UTC),
                    }
                )
        return found

    # --- one resource

    def _make(self, name: str, template: Template) -> None:
        resource = template["Resources"][name]
        kind = resource["Type"]
        self.stack.note(name, kind, "CREATE_IN_PROGRESS")
        time.sleep(_SECONDS)
        with self._failing(name, kind, "CREATE_FAILED"):
            handler = find_handler(kind)
            properties = resolve(resource.get("Properties", {}), self.stack.look_up)
            physical_id, attributes = handler.create(self._context(name), properties)
        self.stack.made[name] = Made(name, kind, physical_id, properties, attributes)
        self.stack.note(name, kind, "CREATE_COMPLETE", physical_id=physical_id)

    def _change(self, name: str, template: Template) -> None:
        """In place, or a new one whose predecessor is deleted at the end."""
        resource, made = template["Resources"][name], self.stack.made[name]
        properties = resolve(resource.get("Properties", {}), self.stack.look_up)
        if properties == made.properties:
            return
        handler = find_handler(made.type)
        changed = {
            key for key in {**made.properties, **properties} if made.properties.get(key) != properties.get(key)
        }
        if changed & handler.immutable:
            reason = "Requested update requires the creation of a new physical resource; hence creating one."
            self.stack.note(name, made.type, "UPDATE_IN_PROGRESS", physical_id=made.physical_id, reason=reason)
            self.old.append(made)
            self._make(name, template)
            return
        self._update(handler, made, properties)

    def _update(self, handler: Handler, made: Made, properties: Json) -> None:
        name = made.logical_id
        self.stack.note(name, made.type, "UPDATE_IN_PROGRESS", physical_id=made.physical_id)
        time.sleep(_SECONDS)
        with self._failing(name, made.type, "UPDATE_FAILED"):
            handler.update(self._context(name), made.physical_id, made.properties, properties)
        self.stack.made[name] = replace(made, properties=properties, status="UPDATE_COMPLETE")
        self.stack.note(name, made.type, "UPDATE_COMPLETE", physical_id=made.physical_id)

    def _delete_all(self, made: Iterable[Made], template: Template, *, in_creation: bool) -> bool:
        """Delete these, as their policies say; whether all could be."""
        ends = [self._delete(one, template, in_creation=in_creation) for one in list(made)]
        return all(ends)

    def _delete(self, made: Made, template: Template, *, in_creation: bool) -> bool:
        name, kind, physical_id = made.logical_id, made.type, made.physical_id
        policy = template.get("Resources", {}).get(name, {}).get("DeletionPolicy", "Delete")
        is_current = self.stack.made.get(name) is made
        if policy == "Retain" or (policy in _KEPT and not in_creation):
            self.stack.note(name, kind, "DELETE_SKIPPED", physical_id=physical_id)
        else:
            self.stack.note(name, kind, "DELETE_IN_PROGRESS", physical_id=physical_id)
            snapshot = self._snapshot_name(name) if policy == "Snapshot" and not in_creation else None
            try:
                with self._failing(name, kind, "DELETE_FAILED"):
                    find_handler(kind).delete(self._context(name), physical_id, made.properties, snapshot)
            except Failed:
                return False
            self.stack.note(name, kind, "DELETE_COMPLETE", physical_id=physical_id)
        if is_current:
            del self.stack.made[name]
        return True

    # --- the whole

    def _take_back(self, made: dict[str, Made], reason: str) -> None:
        self.stack.enter("UPDATE_ROLLBACK_IN_PROGRESS", reason)
        new = [one for name, one in self.stack.made.items() if one.physical_id not in _ids(made, name)]
        for name, one in made.items():
            present = self.stack.made.get(name)
            if present and present.physical_id == one.physical_id and present.properties != one.properties:
                self._update(find_handler(one.type), present, one.properties)
        self._delete_all(reversed(new), self.stack.template, in_creation=True)
        self.stack.made.update(made)
        self.stack.enter("UPDATE_ROLLBACK_COMPLETE")

    def _finish(self, template: Template, status: str) -> None:
        outputs = template.get("Outputs", {})
        self.stack.template = template
        self.stack.outputs = [
            {
                "OutputKey": name,
                "OutputValue": str(resolve(output["Value"], self.stack.look_up)),
                "Description": output.get("Description", ""),
            }
            for name, output in outputs.items()
        ]
        self.stack.enter(status)

    def _context(self, name: str) -> Context:
        return Context(
            client=self.client,
            name=f"{self.stack.name}-{name}-{_random(12)}",
            account=self.stack.account,
            region=self.stack.region,
            tags={
                "aws:cloudformation:stack-name": self.stack.name,
                "aws:cloudformation:logical-id": name,
                **self.stack.tags,
            },
        )

    def _snapshot_name(self, name: str) -> str:
        return f"{self.stack.name}-snapshot-{name}-{_random(12)}".lower()

    def _failing(self, name: str, kind: str, status: str) -> "_Failing":
        return _Failing(self.stack, name, kind, status)


@dataclass(frozen=True, slots=True)
class _Failing:
    """What goes wrong inside becomes an event, and :class:`Failed`."""

    stack: Stack
    name: str
    kind: str
    status: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, _FAILURES):
            self.stack.note(
                self.name, self.kind, self.status, reason=f"Resource handler returned message: {error}"
            )
            raise Failed(str(error)) from error


def _differences(expected: Mapping[str, Json], actual: Mapping[str, Json]) -> Iterator[dict[str, str]]:
    """Only what the handler reads is compared; of that, what the template does not have, too."""
    for key, value in actual.items():
        if expected.get(key) != value:
            yield {
                "PropertyPath": f"/{key}",
                "ExpectedValue": json.dumps(expected.get(key)),
                "ActualValue": json.dumps(value),
                "DifferenceType": "NOT_EQUAL" if key in expected else "ADD",
            }


def _ids(made: dict[str, Made], name: str) -> set[str]:
    return {made[name].physical_id} if name in made else set()


def _random(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
