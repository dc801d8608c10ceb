"""Names of the network, against answers of the service as its API reference has them."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from taxiway import errors
from taxiway.aws.ec2 import Ec2
from taxiway.aws.session import Place

NAMED = [{"Key": "Name", "Value": "private"}]
SUBNETS = [
    {"SubnetId": "subnet-1", "VpcId": "vpc-1", "Tags": NAMED},
    {"SubnetId": "subnet-2", "VpcId": "vpc-2", "Tags": NAMED},
    {"SubnetId": "subnet-3", "VpcId": "vpc-2"},
]
GROUPS = [
    {"GroupId": "sg-1", "GroupName": "default", "VpcId": "vpc-1"},
    {"GroupId": "sg-2", "GroupName": "default", "VpcId": "vpc-2"},
    {"GroupId": "sg-3", "GroupName": "task", "VpcId": "vpc-2"},
    {"GroupId": "sg-4", "GroupName": "elsewhere", "VpcId": "vpc-4"},
]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Ec2, Stubber]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    made = Ec2(Place("eu-west-1"))
    with Stubber(made._client) as stubber:
        yield made, stubber
        stubber.assert_no_pending_responses()


def answer(stubber: Stubber, *, subnets: Any = SUBNETS, with_groups: bool = True) -> None:
    stubber.add_response("describe_subnets", {"Subnets": subnets})
    if with_groups:
        stubber.add_response("describe_security_groups", {"SecurityGroups": GROUPS})


@pytest.mark.parametrize("groups", [["sg-2"], ["task"], ["default", "task"]])
def test_a_group_that_is_certain_tells_which_of_two_subnets_is_meant(
    network: tuple[Ec2, Stubber], groups: list[str]
) -> None:
    ec2, stubber = network
    answer(stubber)
    assert ec2.find_subnets(["private", "subnet-3"], groups) == {"private": "subnet-2", "subnet-3": "subnet-3"}


@pytest.mark.parametrize("groups", [["default"], ["nowhere"], ["elsewhere"], ["sg-1", "sg-2"]])
def test_a_group_that_does_not_tell_leaves_the_doubt(network: tuple[Ec2, Stubber], groups: list[str]) -> None:
    ec2, stubber = network
    answer(stubber)
    with pytest.raises(errors.AwsAmbiguous) as caught:
        ec2.find_subnets(["private"], groups)
    assert caught.value.candidates == ("subnet-1", "subnet-2")


def test_two_of_one_name_in_the_vpc_of_the_group_are_an_error(network: tuple[Ec2, Stubber]) -> None:
    ec2, stubber = network
    answer(stubber, subnets=[*SUBNETS, {"SubnetId": "subnet-4", "VpcId": "vpc-2", "Tags": NAMED}])
    with pytest.raises(errors.AwsAmbiguous) as caught:
        ec2.find_subnets(["private"], ["task"])
    assert caught.value.candidates == ("subnet-2", "subnet-4")


@pytest.mark.parametrize(("names", "groups"), [(["subnet-1"], ["task"]), (["subnet-1"], [])])
def test_groups_are_asked_for_only_when_there_is_a_doubt(
    network: tuple[Ec2, Stubber], names: list[str], groups: list[str]
) -> None:
    ec2, stubber = network
    answer(stubber, with_groups=False)
    assert ec2.find_subnets(names, groups) == {"subnet-1": "subnet-1"}


@pytest.mark.parametrize(
    ("subnet", "vpc", "group"), [("subnet-1", "vpc-1", "sg-1"), ("subnet-2", "vpc-2", "sg-2")]
)
def test_of_two_groups_that_of_the_subnets_is_meant(
    network: tuple[Ec2, Stubber], subnet: str, vpc: str, group: str
) -> None:
    ec2, stubber = network
    stubber.add_response("describe_security_groups", {"SecurityGroups": GROUPS})
    stubber.add_response("describe_subnets", {"Subnets": [{"VpcId": vpc}]}, {"SubnetIds": [subnet]})
    assert ec2.find_security_groups(["default", "task"], [subnet]) == {"default": group, "task": "sg-3"}
