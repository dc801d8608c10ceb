"""How a stack is: its resources, how it differs from what is configured, and from what is really there."""

from collections.abc import Mapping
from typing import Any

from taxiway import errors
from taxiway.model.infra import InfraStatus
from taxiway.ops.follow_stack import StackFollower
from taxiway.ops.stack_state import find_trouble


def read_status(
    stack: str, follower: StackFollower, *, template: Mapping[str, Any] | None, with_drift: bool
) -> InfraStatus:
    """Look at a stack. ``template``: what is configured, if anything is.

    Raises:
        AwsNotFound: There is no such stack.
        StackFailed: The drift could not be detected.
        AwsError: AWS refuses, or cannot be asked.
    """
    stacks = follower.stacks
    found = stacks.find_stack(stack)
    if found is None:
        raise errors.AwsNotFound(
            f"There is no stack '{stack}' in region {stacks.region}.",
            kind="stack",
            name=stack,
            hint="Run 'taxiway infra deploy' to make it, or check the region and the account.",
        )
    resources = stacks.list_resources(found.id)
    if trouble := find_trouble(found):
        # Nothing is claimed of what is deployed: it is not there, or not as the template says.
        return InfraStatus(stack=found, resources=resources, trouble=trouble)
    outdated = None
    if template is not None:
        outdated = differences(stacks.get_template(found.id), template)
    drift = None
    if with_drift:
        follower.wait_for_drift(stacks.start_drift_detection(found.id), found.name)
        drift = stacks.list_drifts(found.id)
    return InfraStatus(stack=found, resources=resources, outdated=outdated, drift=drift)


def differences(deployed: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The logical ids of resources, and the names of outputs, that are not described the same."""
    changed: list[str] = []
    for part in ("Resources", "Outputs"):
        before, after = deployed.get(part, {}), wanted.get(part, {})
        names = dict.fromkeys((*after, *before))
        changed += [name for name in names if before.get(name) != after.get(name)]
    return tuple(changed)
