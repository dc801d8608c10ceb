"""Nothing good is said of a stack that is not complete, and always what to do."""

import pytest

from taxiway import errors, exit_codes
from taxiway.model.infra import Stack
from taxiway.ops.follow_stack import StackFollower
from taxiway.ops.infra_status import read_status
from taxiway.ops.stack_state import find_trouble, read_outputs
from taxiway.reports.infra_json import status_json
from taxiway.reports.infra_text import render_status
from tests.support.fake_aws import FakeClock
from tests.support.fake_stacks import Notes, ScriptedStacks, stack

TEMPLATE = {"Resources": {"A": {"Type": "AWS::ECS::Cluster"}}}
SAME = "What is deployed is what is configured."
INCOMPLETE = [
    ("ROLLBACK_COMPLETE", "Its creation has failed.", "infra deploy"),
    ("ROLLBACK_FAILED", "Its creation has failed.", "infra deploy"),
    ("CREATE_FAILED", "Its creation has failed.", "infra deploy"),
    ("ROLLBACK_IN_PROGRESS", "Its creation has failed, and is being taken back.", "infra deploy"),
    ("CREATE_IN_PROGRESS", "Something is being done to it.", "infra deploy"),
    ("REVIEW_IN_PROGRESS", "It has no resources: only a plan was made.", "infra deploy"),
    ("DELETE_IN_PROGRESS", "It is being deleted.", "infra deploy"),
    ("DELETE_FAILED", "Its deletion has failed, and some of it is gone.", "infra destroy"),
    ("DELETE_COMPLETE", "It has been deleted.", "infra deploy"),
]
# What was there before stays, and can be used.
CHANGING = [
    ("UPDATE_IN_PROGRESS", "Something is being done to it.", "infra deploy"),
    ("UPDATE_FAILED", "What was done to it last has failed.", "infra deploy"),
    (
        "UPDATE_ROLLBACK_FAILED",
        "Its last change has failed, and could not be taken back.",
        "aws cloudformation continue-update-rollback --stack-name shop",
    ),
]
COMPLETE = ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]


class Stacks:
    def __init__(self, found: Stack) -> None:
        self.found = found

    def get_stack(self, _stack: str) -> Stack:
        return self.found


def follower(status: str) -> StackFollower:
    return StackFollower(ScriptedStacks([stack(status)], template=TEMPLATE), Notes(), FakeClock())


@pytest.mark.parametrize(("status", "words", "fix"), [*INCOMPLETE, *CHANGING])
def test_a_stack_that_is_not_complete_is_told_with_the_way_out(status: str, words: str, fix: str) -> None:
    found = read_status("shop", follower(status), template=TEMPLATE, with_drift=True)
    shown = render_status(found)
    assert f"Stack shop is {status}.\n{words}\n" in shown
    assert fix in found.trouble[1]
    assert found.trouble[1] in shown
    assert SAME not in shown
    assert "Nobody has changed anything" not in shown
    assert status_json(found)["trouble"] == " ".join(found.trouble)


@pytest.mark.parametrize("status", COMPLETE)
def test_a_complete_one_is_compared(status: str) -> None:
    found = read_status("shop", follower(status), template=TEMPLATE, with_drift=False)
    assert found.trouble == ()
    assert SAME in render_status(found)
    assert status_json(found)["trouble"] is None


@pytest.mark.parametrize(("status", "words", "fix"), INCOMPLETE)
def test_whoever_wants_its_outputs_is_told_the_state_and_the_way_out(status: str, words: str, fix: str) -> None:
    with pytest.raises(errors.StackNotReady) as caught:
        read_outputs("shop", Stacks(stack(status)))
    assert caught.value.message == f"The stack 'shop' is {status}. {words}"
    assert fix in str(caught.value.hint)
    assert exit_codes.exit_code_for(caught.value) == exit_codes.NOT_READY


@pytest.mark.parametrize("status", [*COMPLETE, *(one[0] for one in CHANGING)])
def test_a_change_that_goes_on_or_fails_leaves_a_stack_that_can_be_used(status: str) -> None:
    assert read_outputs("shop", Stacks(stack(status, outputs=(("A", "b"),)))) == {"A": "b"}


def test_a_complete_one_has_no_trouble() -> None:
    assert [find_trouble(stack(status)) for status in COMPLETE] == [None] * len(COMPLETE)
