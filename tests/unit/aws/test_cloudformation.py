"""Stacks, against answers of the service as its API reference has them."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from taxiway import errors
from taxiway.aws.cloudformation import CloudFormation
from taxiway.aws.session import Place


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
    stack = {"StackName": "s", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "s"})
    assert cloudformation.get_outputs("s") == {"ClusterName": "apps"}


def test_a_stack_that_is_not_there_is_named_with_its_region(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id s does not exist", 400)
    with pytest.raises(errors.AwsNotFound, match="There is no stack 's' in region eu-west-1"):
        cloudformation.get_outputs("s")


def test_a_stack_that_may_not_be_looked_at_names_the_action(stacks: tuple[CloudFormation, Stubber]) -> None:
    cloudformation, stubber = stacks
    stubber.add_client_error("describe_stacks", "AccessDenied", "no", 403)
    with pytest.raises(errors.AwsAccessDenied) as caught:
        cloudformation.get_outputs("s")
    assert (caught.value.action, caught.value.resource) == ("cloudformation:DescribeStacks", "s")
    assert "whoever runs this command" in str(caught.value.hint)
