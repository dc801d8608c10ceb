"""Waiting for CloudFormation, with an eye on what it does, and with patience for its moods.

CloudFormation goes on whether somebody watches or not. So every wait can be given up and taken up again.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.model.infra import ChangeSet, Stack, StackEvent
from taxiway.ops.seams import Clock, Infrastructure, InfraWatcher
from taxiway.ops.stack_state import find_trouble

# Most of what is waited for takes a second or some minutes.
_FIRST_POLL_SECONDS: Final = 0.3
_POLL_SECONDS: Final = 4.0
_POLL_GROWTH: Final = 1.5
_STACK: Final = "AWS::CloudFormation::Stack"
# The SDK has tried five times before each of these, so that this is a quarter of an hour at least.
_MOST_TROUBLES: Final = 60
# CloudFormation's own limit for a change set is some minutes; a template as small as ours takes seconds.
_CHANGE_SET_SECONDS: Final = 600.0
# Comparing takes some seconds for each resource.
_DRIFT_SECONDS: Final = 1800.0
# "Resource creation cancelled" is what befalls all others when one has failed.
_AFTERMATH: Final = ("Resource creation cancelled", "Resource update cancelled")


@dataclass(slots=True)
class StackFollower:
    """Waits for stacks and what is worked out for them."""

    stacks: Infrastructure
    watcher: InfraWatcher
    clock: Clock

    def last_event(self, stack: str) -> str | None:
        """The id of the newest event, so that only what comes later is shown; ``None``: there is none."""
        events = self.stacks.list_events(stack, None)
        return events[-1].id if events else None

    def follow(self, stack: Stack, after: str | None, *, has_begun: bool) -> Stack:
        """Show the events behind ``after`` until the stack moves no more; how it is then.

        Without ``has_begun`` a state at rest is that of before, until an event tells of the stack itself:
        DescribeStacks may show it for a moment longer.

        Raises:
            StackFailed: What was being done has failed; says what went wrong first.
            AwsError: AWS refuses, or cannot be asked for too long.
        """
        events: list[StackEvent] = []
        begun = has_begun

        def look() -> Stack | None:
            nonlocal begun
            # The state first: what happened until then is among the events that are read behind it.
            seen = self.stacks.find_stack(stack.id)
            newer = self.stacks.list_events(stack.id, events[-1].id if events else after)
            for event in newer:
                self.watcher.on_event(event)
            events.extend(newer)
            is_over = begun and seen is not None and not seen.is_moving
            begun = begun or any(event.type == _STACK and event.logical_id == stack.name for event in newer)
            return seen if is_over else None

        ended = self._wait(look, seconds=None)
        assert ended  # without a limit it ends with an answer
        if not ended.is_good:
            raise _failed(ended, events)
        return ended

    def wait_for_change_set(self, change_set: str, stack: str) -> ChangeSet:
        """Wait until it is worked out.

        Raises:
            StackFailed: That failed, or takes more than ten minutes.
        """
        found = self._wait(lambda: self.stacks.find_change_set(change_set, stack), seconds=_CHANGE_SET_SECONDS)
        if found is None:
            raise errors.StackFailed(
                "CloudFormation has not worked out the changes in ten minutes.", stack=stack, hint="Try again."
            )
        return found

    def wait_for_drift(self, detection: str, stack: str) -> None:
        """Wait until all resources are compared. Raises as :meth:`wait_for_change_set`, after half an hour."""
        done = self._wait(lambda: self.stacks.is_drift_detected(detection) or None, seconds=_DRIFT_SECONDS)
        if done is None:
            raise errors.StackFailed(
                "CloudFormation has not compared all resources in half an hour.", stack=stack, hint="Try again."
            )

    def _wait[T](self, look: Callable[[], T | None], *, seconds: float | None) -> T | None:
        deadline = None if seconds is None else self.clock.monotonic() + seconds
        troubles, pause = 0, _FIRST_POLL_SECONDS
        while True:
            try:
                found = look()
                troubles = 0
            except (errors.AwsThrottled, errors.AwsUnreachable) as error:
                troubles += 1
                if troubles > _MOST_TROUBLES:
                    raise
                if troubles == 1:
                    self.watcher.on_trouble(f"{error.message} Trying again.")
                found = None
            if found is not None:
                return found
            if deadline is not None and self.clock.monotonic() >= deadline:
                return None
            self.clock.sleep(pause)
            pause = min(_POLL_SECONDS, pause * _POLL_GROWTH)


def make_token() -> str:
    """A name for a call that may be repeated and shall be done once; also the name of a change set."""
    return f"taxiway-{uuid.uuid4()}"


def _failed(stack: Stack, events: list[StackEvent]) -> errors.StackFailed:
    failures = [
        event
        for event in events
        if event.status.endswith("_FAILED") and event.reason and not event.reason.startswith(_AFTERMATH)
    ]
    causes = [f"\n  {event.logical_id} ({event.type}): {event.reason}" for event in failures]
    reason = "".join(dict.fromkeys(causes)) or f" {stack.reason or 'No reason is given.'}"
    return errors.StackFailed(
        f"Stack {stack.name} is {stack.status}:{reason}", stack=stack.name, hint=_next_step(stack)
    )


def _next_step(stack: Stack) -> str:
    trouble = find_trouble(stack)
    if trouble:
        return trouble.fix
    return "Everything is as it was before. Correct the cause, then run 'taxiway infra deploy' again."
