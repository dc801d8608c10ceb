"""What goes and what stays is known before, and nothing that is protected goes unasked."""

import json

import pytest

from taxiway import errors
from taxiway.model.infra import Change, ChangeKind, ChangeSet, StackResource
from taxiway.model.snapshot import RESTORE_OF_TAG, Database
from taxiway.ops.destroy_infra import Destruction, refuse_unended_restore
from taxiway.ops.follow_stack import StackFollower
from tests.support.fake_aws import FakeClock
from tests.support.fake_rds import cluster
from tests.support.fake_stacks import ID, Notes, ScriptedStacks, event, stack

TEMPLATE = {
    "Resources": {
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "LogGroup": {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "RetainExceptOnCreate"},
        "Database": {
            "Type": "AWS::RDS::DBCluster",
            "DeletionPolicy": "Snapshot",
            "Properties": {"DeletionProtection": True, "Port": 5432},
        },
    }
}
RESOURCES = tuple(
    StackResource(logical_id=name, type=one["Type"], physical_id=f"shop-{name}", status="CREATE_COMPLETE")  # type: ignore[index]
    for name, one in TEMPLATE["Resources"].items()
)
GOING = (event(5, "DELETE_IN_PROGRESS"),)


def destruction(stacks: ScriptedStacks) -> Destruction:
    stacks.template, stacks.resources = TEMPLATE, RESOURCES
    return Destruction("shop", StackFollower(stacks, Notes(), FakeClock()))


def names(resources: tuple[StackResource, ...]) -> list[str]:
    return [one.logical_id for one in resources]


def test_what_goes_and_what_stays_is_what_the_deployed_template_says() -> None:
    goodbye = destruction(ScriptedStacks([stack("CREATE_COMPLETE")])).prepare()
    assert goodbye
    assert names(goodbye.gone) == ["Cluster"]
    assert names(goodbye.snapshotted) == names(goodbye.protected) == ["Database"]
    assert names(goodbye.kept) == ["LogGroup"]


@pytest.mark.parametrize("state", [None, stack("DELETE_COMPLETE")])
def test_a_stack_that_is_not_there_is_no_error(state: None) -> None:
    assert destruction(ScriptedStacks([state])).prepare() is None


def test_what_is_protected_is_refused_before_anything_is_done() -> None:
    stacks = ScriptedStacks([stack("CREATE_COMPLETE")])
    made = destruction(stacks)
    goodbye = made.prepare()
    assert goodbye
    with pytest.raises(errors.DestroyRefused, match="shop-Database"):
        made.carry_out(goodbye, lifts_protection=False)
    assert stacks.done == []


@pytest.mark.parametrize(
    "beside",
    [
        cluster("shop-Database-old-1", tags={RESTORE_OF_TAG: "shop-Database"}),
        cluster("shop-Database-new-1", tags={RESTORE_OF_TAG: "shop-Database"}),
    ],
    ids=["swapped", "begun or reverted"],
)
def test_a_restore_that_has_not_ended_is_refused_with_the_way_to_end_it(beside: Database) -> None:
    goodbye = destruction(ScriptedStacks([stack("CREATE_COMPLETE")])).prepare()
    assert goodbye
    live = cluster("shop-Database", tags={RESTORE_OF_TAG: "shop-Database"})
    with pytest.raises(errors.DestroyRefused, match=beside.name) as caught:
        refuse_unended_restore(goodbye, [live, beside])
    assert "taxiway snapshot confirm" in str(caught.value.hint)


def test_databases_of_others_are_no_restore() -> None:
    goodbye = destruction(ScriptedStacks([stack("CREATE_COMPLETE")])).prepare()
    assert goodbye
    refuse_unended_restore(goodbye, [cluster("shop-Database"), cluster("x", tags={RESTORE_OF_TAG: "other"})])


def test_a_protected_stack_is_refused_whatever_is_told() -> None:
    made = destruction(ScriptedStacks([stack("CREATE_COMPLETE", is_protected=True)]))
    goodbye = made.prepare()
    assert goodbye
    with pytest.raises(errors.DestroyRefused, match="termination protection"):
        made.carry_out(goodbye, lifts_protection=True)


def test_the_protection_is_lifted_through_the_stack_and_nothing_else_changes() -> None:
    change = Change(kind=ChangeKind.CHANGE, logical_id="Database", type="AWS::RDS::DBCluster")
    states = [
        stack("CREATE_COMPLETE"),
        stack("CREATE_COMPLETE"),
        stack("UPDATE_COMPLETE"),
        stack("UPDATE_COMPLETE"),
        stack("DELETE_COMPLETE"),
    ]
    events = [(), (event(1, "UPDATE_IN_PROGRESS"),), (), (), GOING, ()]
    stacks = ScriptedStacks(
        [*states], events=[*events], change_sets=[ChangeSet(id="changes", stack_id=ID, changes=(change,))]
    )
    made = destruction(stacks)
    goodbye = made.prepare()
    assert goodbye
    made.carry_out(goodbye, lifts_protection=True)
    assert stacks.done == ["plan old", "execute", "delete"]
    [template] = stacks.templates
    database = template["Resources"]["Database"]  # type: ignore[index]
    assert database["Properties"] == {"DeletionProtection": False, "Port": 5432}
    assert json.loads(json.dumps(TEMPLATE))["Resources"]["Database"]["Properties"] == {
        "DeletionProtection": True,
        "Port": 5432,
    }


def test_a_stack_that_is_being_deleted_is_waited_for() -> None:
    states = [stack("DELETE_IN_PROGRESS"), stack("DELETE_IN_PROGRESS"), stack("DELETE_COMPLETE")]
    stacks = ScriptedStacks([*states])
    made = destruction(stacks)
    goodbye = made.prepare()
    assert goodbye
    made.carry_out(goodbye, lifts_protection=True)
    assert stacks.done == []


def test_what_cannot_be_deleted_is_told_with_the_way_on() -> None:
    failed = (*GOING, event(6, "DELETE_FAILED", "Cluster", "AWS::ECS::Cluster", "has active tasks"))
    states = [stack("CREATE_COMPLETE"), stack("DELETE_IN_PROGRESS"), stack("DELETE_FAILED")]
    made = destruction(ScriptedStacks([*states], events=[(), failed, ()]))
    goodbye = made.prepare()
    assert goodbye
    goodbye = type(goodbye)(stack=goodbye.stack, gone=goodbye.gone)
    with pytest.raises(errors.StackFailed, match="has active tasks") as caught:
        made.carry_out(goodbye, lifts_protection=False)
    assert "infra destroy" in str(caught.value.hint)
