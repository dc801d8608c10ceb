"""Stacks, against answers of the service as its API reference has them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from botocore.stub import Stubber

from taxiway import errors
from taxiway.aws.cloudformation import CloudFormation
from taxiway.aws.session import Place
from taxiway.model.infra import ChangeKind, ChangeSet, DriftKind


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[CloudFormation, Stubber]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    made = CloudFormation(Place("eu-west-1"))
    with Stubber(made._client) as stubber:
        yield made, stubber


def test_the_outputs_of_a_stack_come_by_key(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    outputs = [{"OutputKey": "ClusterName", "OutputValue": "apps"}]
    stack = {
        "StackName": "s",
        "CreationTime": 0,
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": outputs,
        "StackId": "i",
    }
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "s"})
    assert cloudformation.get_stack("s").outputs == (("ClusterName", "apps"),)


def test_a_stack_that_is_not_there_is_named_with_its_region(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id s does not exist", 400)
    with pytest.raises(errors.AwsNotFound, match="There is no stack 's' in region eu-west-1"):
        cloudformation.get_stack("s")


def test_a_stack_that_may_not_be_looked_at_names_the_action(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    stubber.add_client_error("describe_stacks", "AccessDenied", "no", 403)
    with pytest.raises(errors.AwsAccessDenied) as caught:
        cloudformation.get_stack("s")
    assert (caught.value.action, caught.value.resource) == ("cloudformation:DescribeStacks", "s")
    assert "whoever runs this command" in str(caught.value.hint)


# --- change sets

CHANGE_SET: Final = {
    "ChangeSetId": "id",
    "ChangeSetName": "n",
    "StackId": "stack-id",
    "StackName": "s",
    "ExecutionStatus": "AVAILABLE",
}


def describe(stubber: Stubber, answer: dict[str, Any], **asked: str) -> None:
    expected = {"StackName": "s", "ChangeSetName": "id", "IncludePropertyValues": True, **asked}
    stubber.add_response("describe_change_set", {**CHANGE_SET, **answer}, expected)


def change(action: str, **more: object) -> dict[str, Any]:
    shared = {"Action": action, "LogicalResourceId": "A", "ResourceType": "AWS::IAM::Role"}
    return {"Type": "Resource", "ResourceChange": {**shared, **more}}


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_a_change_set_that_failed_for_want_of_changes_has_none(
    stacks: tuple[CloudFormation, Stubber], reason: str
) -> None:
    cloudformation, stubber = stacks
    describe(stubber, {"Status": "FAILED", "StatusReason": reason})
    assert cloudformation.find_change_set("id", "s") == ChangeSet(id="id", stack_id="stack-id")


def test_a_change_set_that_failed_otherwise_is_an_error(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    describe(stubber, {"Status": "FAILED", "StatusReason": "Parameter validation failed: no such VPC"})
    with pytest.raises(errors.StackFailed, match="no such VPC"):
        cloudformation.find_change_set("id", "s")


def test_a_change_set_is_not_there_yet_while_it_is_worked_on_or_unknown(
    stacks: tuple[CloudFormation, Stubber],
) -> None:
    cloudformation, stubber = stacks
    stubber.add_client_error("describe_change_set", "ChangeSetNotFound", "does not exist", 404)
    describe(stubber, {"Status": "CREATE_IN_PROGRESS"})
    assert [cloudformation.find_change_set("id", "s") for _ in range(2)] == [None, None]


def test_changes_come_in_pages_and_say_what_they_replace(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    target = {"Attribute": "Properties", "Name": "Port", "Path": "/Properties/Port"}
    details = [
        {"Target": {**target, "BeforeValue": "5432", "AfterValue": "5433"}},
        {"Target": {**target, "Path": "/Properties/Policies/0", "BeforeValue": "x" * 80, "AfterValue": "y"}},
        {"Target": {"Attribute": "Tags"}},
    ]
    first = [change("Add"), change("Modify", Replacement="False", Details=details, PhysicalResourceId="p")]
    second = [change("Modify", Replacement=one) for one in ("True", "Conditional")]
    describe(stubber, {"Status": "CREATE_COMPLETE", "Changes": first, "NextToken": "t"})
    describe(stubber, {"Status": "CREATE_COMPLETE", "Changes": [*second, change("Remove")]}, NextToken="t")
    found = cloudformation.find_change_set("id", "s")
    assert found
    assert [one.kind for one in found.changes] == [
        ChangeKind.ADD,
        ChangeKind.CHANGE,
        ChangeKind.REPLACE,
        ChangeKind.MAY_REPLACE,
        ChangeKind.REMOVE,
    ]
    assert found.changes[1].details == ("Port: 5432 -> 5433", "Policies.0", "Tags")


def test_a_template_that_is_refused_tells_why(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    stubber.add_client_error("create_change_set", "ValidationError", "Template format error: no", 400)
    with pytest.raises(errors.StackFailed, match="Template format error: no"):
        cloudformation.create_change_set("s", "n", {}, is_new=True, tags={})


# --- events, templates, drift


def test_events_come_oldest_first_and_end_at_the_one_that_is_known(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    shared = {"StackId": "s", "StackName": "s", "Timestamp": moment}
    pages = [[{"EventId": "4", **shared}, {"EventId": "3", **shared}], [{"EventId": "2", **shared}]]
    stubber.add_response("describe_stack_events", {"StackEvents": pages[0], "NextToken": "t"}, {"StackName": "s"})
    stubber.add_response("describe_stack_events", {"StackEvents": pages[1]}, {"StackName": "s", "NextToken": "t"})
    assert [one.id for one in cloudformation.list_events("s", "2")] == ["3", "4"]


def test_a_template_in_another_language_is_not_ours(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    asked = {"StackName": "s", "TemplateStage": "Original"}
    stubber.add_response("get_template", {"TemplateBody": "Resources: {}"}, asked)
    with pytest.raises(errors.StackFailed, match="not made by Taxiway"):
        cloudformation.get_template("s")


def test_a_drift_tells_what_is_expected_and_what_is(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    difference = {
        "PropertyPath": "/RetentionInDays",
        "ExpectedValue": "30",
        "ActualValue": "1",
        "DifferenceType": "NOT_EQUAL",
    }
    drift = {
        "StackId": "s",
        "LogicalResourceId": "LogGroup",
        "ResourceType": "AWS::Logs::LogGroup",
        "StackResourceDriftStatus": "MODIFIED",
        "Timestamp": 0,
        "PropertyDifferences": [difference],
    }
    asked = {"StackName": "s", "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    stubber.add_response("describe_stack_resource_drifts", {"StackResourceDrifts": [drift]}, asked)
    [found] = cloudformation.list_drifts("s")
    assert (found.kind, found.differences) == (DriftKind.MODIFIED, (("RetentionInDays", "30", "1"),))
