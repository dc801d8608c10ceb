"""A stack is brought to what is wanted from every state that it can be in, and CloudFormation's moods are borne."""

import pytest

from taxiway import errors
from taxiway.model.infra import Change, ChangeKind, ChangeSet, Stack
from taxiway.ops.deploy_infra import Deployment, Wanted, refuse_data_loss
from taxiway.ops.follow_stack import StackFollower
from tests.support.fake_aws import THROTTLED, FakeClock
from tests.support.fake_stacks import ID, Notes, ScriptedStacks, event, stack

WANTED = Wanted(
    stack="shop",
    template={"Resources": {"A": {"Type": "AWS::ECS::Cluster"}, "B": {"Type": "AWS::RDS::DBCluster"}}},
    tags={},
)
ADD_A = Change(kind=ChangeKind.ADD, logical_id="A", type="AWS::ECS::Cluster")
ADD_B = Change(kind=ChangeKind.ADD, logical_id="B", type="AWS::RDS::DBCluster")
CHANGES = ChangeSet(id="changes", stack_id=ID, changes=(ADD_B, ADD_A))
NOTHING = ChangeSet(id="changes", stack_id=ID)
START = event(1, "CREATE_IN_PROGRESS")


def deployment(stacks: ScriptedStacks) -> tuple[Deployment, Notes, FakeClock]:
    notes, clock = Notes(), FakeClock()
    return Deployment(WANTED, StackFollower(stacks, notes, clock)), notes, clock


# --- planning


@pytest.mark.parametrize(
    ("state", "is_new"),
    [(None, True), (stack("REVIEW_IN_PROGRESS"), True), (stack("UPDATE_ROLLBACK_COMPLETE"), False)],
)
def test_a_stack_is_new_until_it_has_resources(state: Stack | None, is_new: bool) -> None:
    stacks = ScriptedStacks([state], change_sets=[None, CHANGES])
    prepared = deployment(stacks)[0].prepare()
    assert stacks.done == [f"plan {'new' if is_new else 'old'}"]
    assert prepared.plan.is_new is is_new
    assert [change.logical_id for change in prepared.plan.changes] == ["A", "B"]


def test_no_changes_is_a_success_that_leaves_nothing() -> None:
    stacks = ScriptedStacks([stack("UPDATE_COMPLETE")], change_sets=[NOTHING])
    prepared = deployment(stacks)[0].prepare()
    assert not prepared.has_work
    assert stacks.done == ["plan old", "forget"]


def test_a_plan_that_is_not_carried_out_leaves_no_empty_stack() -> None:
    stacks = ScriptedStacks([None, stack("REVIEW_IN_PROGRESS")], change_sets=[CHANGES])
    made = deployment(stacks)[0]
    made.discard(made.prepare())
    assert stacks.done == ["plan new", "forget", "delete"]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), errors.StackFailed("No such role.", stack="shop", hint="")])
def test_a_plan_that_is_cut_short_or_fails_leaves_nothing_either(end: BaseException) -> None:
    stacks = ScriptedStacks([None, stack("REVIEW_IN_PROGRESS")], change_sets=[None, end])
    with pytest.raises(type(end)):
        deployment(stacks)[0].prepare()
    assert stacks.done == ["plan new", "forget", "delete"]


def test_what_cannot_be_forgotten_hides_nothing() -> None:
    stacks = ScriptedStacks([None, errors.AwsUnreachable("no answer")], change_sets=[KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        deployment(stacks)[0].prepare()


def test_a_stack_that_is_being_changed_is_waited_for_first() -> None:
    states = [stack("UPDATE_IN_PROGRESS"), stack("UPDATE_IN_PROGRESS"), stack("UPDATE_COMPLETE")]
    stacks = ScriptedStacks([*states], events=[(), (), (event(2, "UPDATE_COMPLETE"),)], change_sets=[CHANGES])
    made, notes, _ = deployment(stacks)
    made.prepare()
    assert notes.seen == ["! Stack shop is UPDATE_IN_PROGRESS: waiting for its end.", "shop UPDATE_COMPLETE"]


def test_a_stack_that_is_being_deleted_is_new_afterwards() -> None:
    states = [stack("DELETE_IN_PROGRESS"), stack("DELETE_COMPLETE")]
    stacks = ScriptedStacks([*states], change_sets=[CHANGES])
    assert deployment(stacks)[0].prepare().plan.is_new


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"])
def test_a_state_that_needs_a_decision_is_told_with_the_command(status: str) -> None:
    stacks = ScriptedStacks([stack(status, reason="role in use")])
    with pytest.raises(errors.StackBlocked, match="role in use") as caught:
        deployment(stacks)[0].prepare()
    assert "shop" in str(caught.value.hint) or "infra destroy" in str(caught.value.hint)
    assert stacks.done == []


def test_what_is_left_of_a_failed_creation_is_removed_when_the_plan_is_carried_out() -> None:
    dead = stack("ROLLBACK_COMPLETE")
    states = [dead, stack("DELETE_IN_PROGRESS"), stack("DELETE_COMPLETE"), None, stack("CREATE_COMPLETE")]
    gone = (event(3, "DELETE_IN_PROGRESS"),)
    stacks = ScriptedStacks([*states], events=[(), gone, (), (), (START,), ()], change_sets=[CHANGES])
    made = deployment(stacks)[0]
    prepared = made.prepare()
    assert stacks.done == []
    assert prepared.plan.is_new
    assert "removed first" in prepared.plan.warnings[0]
    assert made.carry_out(prepared).status == "CREATE_COMPLETE"
    assert stacks.done == ["delete", "plan new", "execute"]


# --- carrying out


def carry_out(stacks: ScriptedStacks) -> tuple[Stack, Notes, FakeClock]:
    stacks.change_sets = [CHANGES]
    made, notes, clock = deployment(stacks)
    return made.carry_out(made.prepare()), notes, clock


def test_the_state_of_before_is_not_taken_for_the_end() -> None:
    """DescribeStacks is behind: the old state is seen after the execution, until an event says that it has begun."""
    old, new = stack("UPDATE_COMPLETE"), stack("UPDATE_COMPLETE", reason="new")
    states = [old, old, old, stack("UPDATE_IN_PROGRESS"), new]
    events = [(event(1, "UPDATE_COMPLETE"),), (), (event(2, "UPDATE_IN_PROGRESS"),), (), ()]
    assert carry_out(ScriptedStacks([*states], events=[*events]))[0].reason == "new"


def test_being_throttled_and_not_answered_is_borne_and_told_once() -> None:
    states = [None, THROTTLED, THROTTLED, errors.AwsUnreachable("no answer"), stack("CREATE_COMPLETE")]
    ended, notes, clock = carry_out(ScriptedStacks([*states], events=[(), (START,), (START,)]))
    assert ended.status == "CREATE_COMPLETE"
    assert [line for line in notes.seen if line.startswith("!")] == ["! AWS is throttling. Trying again."]
    assert clock.seconds > 1


def test_being_throttled_for_ever_is_an_error() -> None:
    with pytest.raises(errors.AwsThrottled):
        carry_out(ScriptedStacks([None, THROTTLED], events=[()]))


def test_a_failure_names_its_first_cause_and_no_aftermath() -> None:
    failures = (
        START,
        event(2, "CREATE_FAILED", "A", "AWS::ECS::Cluster", "no such key"),
        event(3, "CREATE_FAILED", "B", "AWS::RDS::DBCluster", "Resource creation cancelled"),
    )
    states = [None, stack("ROLLBACK_IN_PROGRESS"), stack("ROLLBACK_COMPLETE")]
    with pytest.raises(errors.StackFailed) as caught:
        carry_out(ScriptedStacks([*states], events=[(), failures, ()]))
    assert str(caught.value) == "Stack shop is ROLLBACK_COMPLETE:\n  A (AWS::ECS::Cluster): no such key"
    assert "infra deploy" in str(caught.value.hint)


def test_every_execution_has_a_token_of_its_own() -> None:
    tokens = []
    for _ in range(2):
        stacks = ScriptedStacks([None, stack("CREATE_COMPLETE")], events=[(), (START,), ()])
        carry_out(stacks)
        tokens += stacks.tokens
    assert len(set(tokens)) == 2


# --- data


@pytest.mark.parametrize("kind", [ChangeKind.REPLACE, ChangeKind.MAY_REPLACE, ChangeKind.REMOVE])
def test_a_database_is_not_taken_away_unasked(kind: ChangeKind) -> None:
    change = Change(kind=kind, logical_id="B", type="AWS::RDS::DBCluster", physical_id="shop-b")
    stacks = ScriptedStacks(
        [stack("CREATE_COMPLETE")], change_sets=[ChangeSet(id="changes", stack_id=ID, changes=(change,))]
    )
    plan = deployment(stacks)[0].prepare().plan
    assert "shop-b" in plan.warnings[0]
    assert "final snapshot" in plan.warnings[0]
    with pytest.raises(errors.DataAtRisk, match="B"):
        refuse_data_loss(plan)
