"""What the state of a stack means for who wants to use it, and what to do about it."""

from collections.abc import Mapping
from typing import NamedTuple

from taxiway import errors
from taxiway.model.infra import Stack
from taxiway.ops.seams import Stacks


class Trouble(NamedTuple):
    """What is the matter with a stack, in a sentence, and what to do, in the imperative."""

    words: str
    fix: str


def find_trouble(stack: Stack) -> Trouble | None:
    """Why a stack is not complete; ``None``: it is.

    The states are those of "Understand stack creation events" and of ``Stack`` in the CloudFormation manual.
    """
    if stack.is_complete:
        return None
    if stack.is_empty:
        return Trouble("It has no resources: only a plan was made.", "Run 'taxiway infra deploy' to make it.")
    if stack.is_dead:
        return Trouble(
            "Its creation has failed.",
            "Correct the cause, then run 'taxiway infra deploy' again: it removes what is left of this first, and "
            "makes the stack anew.",
        )
    if stack.is_moving:
        return _movement(stack)
    return _failure(stack)


def _movement(stack: Stack) -> Trouble:
    anew = "Run 'taxiway infra deploy': it waits for the end of that, then makes the stack anew."
    if stack.status == "ROLLBACK_IN_PROGRESS":
        return Trouble("Its creation has failed, and is being taken back.", anew)
    if stack.status == "DELETE_IN_PROGRESS":
        return Trouble("It is being deleted.", anew)
    return Trouble("Something is being done to it.", "Wait, or watch its end with 'taxiway infra deploy'.")


def _failure(stack: Stack) -> Trouble:
    match stack.status:
        case "DELETE_COMPLETE":
            return Trouble("It has been deleted.", "Run 'taxiway infra deploy' to make it anew.")
        case "DELETE_FAILED":
            return Trouble(
                "Its deletion has failed, and some of it is gone.",
                "Remove what is in the way, then run 'taxiway infra destroy' again: it goes on where it stopped.",
            )
        case "UPDATE_ROLLBACK_FAILED":
            return Trouble(
                "Its last change has failed, and could not be taken back.",
                "Correct the cause, then run: aws cloudformation continue-update-rollback --stack-name "
                + stack.name,
            )
        case _:
            return Trouble(
                "What was done to it last has failed.",
                "Correct the cause, then run 'taxiway infra deploy' again.",
            )


def read_outputs(name: str, stacks: Stacks) -> Mapping[str, str]:
    """The outputs of a stack, by key.

    Raises:
        StackNotReady: Its resources are not there, not yet or not any more.
        AwsError: There is no such stack, or it may not be looked at.
    """
    stack = stacks.get_stack(name)
    trouble = find_trouble(stack)
    if trouble and not stack.is_standing:
        raise errors.StackNotReady(
            f"The stack '{stack.name}' is {stack.status}. {trouble.words}", stack=stack.name, hint=trouble.fix
        )
    return dict(stack.outputs)
