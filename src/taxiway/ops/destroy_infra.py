"""Taking the stack down: what goes, what stays, and what is protected against it."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from taxiway import errors
from taxiway.model.infra import Farewell, Stack, StackResource
from taxiway.model.snapshot import RESTORE_OF_TAG, Database
from taxiway.ops.deploy_infra import Deployment, Wanted
from taxiway.ops.follow_stack import StackFollower

_PROTECTION: Final = "DeletionProtection"
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})


@dataclass(slots=True)
class Destruction:
    """Takes one stack down."""

    stack: str
    follower: StackFollower

    def prepare(self) -> Farewell | None:
        """What would become of each resource; ``None``: there is no stack. Raises as :meth:`carry_out`."""
        stacks = self.follower.stacks
        stack = stacks.find_stack(self.stack)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return None
        template = {} if stack.is_empty else stacks.get_template(stack.id)
        return farewell(stack, stacks.list_resources(stack.id), template)

    def carry_out(self, goodbye: Farewell, *, lifts_protection: bool) -> Stack:
        """Delete the stack, and wait until it is gone. One that is being deleted already is waited for.

        Raises:
            DestroyRefused: Something is protected, and that is not to be lifted.
            StackFailed: Something could not be deleted; CloudFormation goes on from there the next time.
            AwsError: AWS refuses, or cannot be asked.
        """
        refuse_protected(goodbye, lifts_protection=lifts_protection)
        stack = goodbye.stack
        if stack.status == "DELETE_IN_PROGRESS":
            return self.follower.follow(stack, self.follower.last_event(stack.id), has_begun=True)
        if goodbye.protected:
            self._lift_protection(goodbye)
        wanted = Wanted(stack=self.stack, template={}, tags={})
        return Deployment(wanted, self.follower).remove(stack)

    def _lift_protection(self, goodbye: Farewell) -> None:
        """Through the stack itself, so that its template and what is there stay the same."""
        stacks = self.follower.stacks
        names = [one.logical_id for one in goodbye.protected]
        template = without_protection(stacks.get_template(goodbye.stack.id), names)
        deployment = Deployment(Wanted(stack=self.stack, template=template, tags={}), self.follower)
        prepared = deployment.prepare()
        if prepared.has_work:
            deployment.carry_out(prepared)


def farewell(stack: Stack, resources: Iterable[StackResource], template: Mapping[str, Any]) -> Farewell:
    """What the deployed template says about the end of each resource."""
    described: Mapping[str, Any] = template.get("Resources", {})
    by_policy: dict[str, list[StackResource]] = {"gone": [], "snapshotted": [], "kept": [], "protected": []}
    for one in resources:
        description = described.get(one.logical_id, {})
        policy = description.get("DeletionPolicy", "Delete")
        group = "kept" if policy in _KEPT else "snapshotted" if policy == "Snapshot" else "gone"
        by_policy[group].append(one)
        if description.get("Properties", {}).get(_PROTECTION) is True:
            by_policy["protected"].append(one)
    return Farewell(stack=stack, **{name: tuple(some) for name, some in by_policy.items()})


def refuse_protected(goodbye: Farewell, *, lifts_protection: bool) -> None:
    """Stop before anything is done.

    Raises:
        DestroyRefused: The stack, or something in it, is protected against deletion.
    """
    name = goodbye.stack.name
    if goodbye.stack.is_protected:
        raise errors.DestroyRefused(
            f"Stack {name} is protected against deletion (termination protection).",
            stack=name,
            hint="Lift it first: aws cloudformation update-termination-protection "
            f"--no-enable-termination-protection --stack-name {name}",
        )
    if goodbye.protected and not lifts_protection:
        what = ", ".join(f"{one.logical_id} ({one.physical_id})" for one in goodbye.protected)
        raise errors.DestroyRefused(
            f"Protected against deletion: {what}.",
            stack=name,
            hint="Give --disable-deletion-protection if it is to go; a final snapshot is kept.",
        )


def refuse_unended_restore(goodbye: Farewell, databases: Iterable[Database]) -> None:
    """Stop while another database stands beside the stack's: it is in the subnets and the group that are to go.

    Raises:
        DestroyRefused: A restore of the database has begun, and nobody has confirmed it.
    """
    names = {one.physical_id for one in goodbye.snapshotted}
    beside = [one.name for one in databases if one.tags.get(RESTORE_OF_TAG) in names and one.name not in names]
    if beside:
        raise errors.DestroyRefused(
            f"A restore of the database of stack {goodbye.stack.name} has not ended: {', '.join(beside)} is in "
            "subnets and a security group of the stack.",
            stack=goodbye.stack.name,
            hint="End it first, with a last snapshot of what is not live any more: taxiway snapshot confirm",
        )


def without_protection(template: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    """The template with the protection of these resources lifted, and nothing else changed."""
    changed: dict[str, Any] = deepcopy(dict(template))
    for name in names:
        changed["Resources"][name]["Properties"][_PROTECTION] = False
    return changed
