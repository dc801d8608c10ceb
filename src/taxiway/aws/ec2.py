"""EC2: subnets and security groups by id, by Name tag, or by the name of the group."""

from typing import TYPE_CHECKING, final

from taxiway.aws.errors import translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsAmbiguous, AwsNotFound
from taxiway.nearest import hint_of_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from types_boto3_ec2 import EC2Client

# Ids by what they are called, and the VPC by id
type _Ids = dict[str, set[str]]
type _Homes = dict[str, str | None]


@final
class Ec2:
    """The calls of EC2 that Taxiway makes; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        self._client: EC2Client = client("ec2", place)

    def find_subnets(self, names: "Sequence[str]", beside: "Sequence[str]") -> dict[str, str]:
        """The id of each subnet, by what it was called: an id, or its Name tag.

        Of several, the one is meant that is in the VPC of the security groups ``beside`` which it is to be used.
        A group whose own name leaves a doubt tells nothing.

        Raises:
            AwsNotFound: There is none of that name.
            AwsAmbiguous: Several have that Name tag.
            AwsError: AWS refused or could not be asked.
        """
        known, vpcs = self._list_subnets()
        if beside and _is_doubtful(names, known):
            groups, homes = self._list_groups()
            certain = (groups[one] for one in beside if len(groups.get(one, ())) == 1)
            known = _within({homes[one] for ids in certain for one in ids}, known, vpcs)
        return {name: _only("subnet", name, known) for name in names}

    def find_security_groups(self, names: "Sequence[str]", beside: "Sequence[str]") -> dict[str, str]:
        """The id of each group, by what it was called: an id, a group name, or a Name tag. Raises as above.

        The name of a group is unique in its VPC only. Of several, the one is meant that is in the VPC of the
        subnets ``beside`` which it is to be used; their ids.
        """
        known, vpcs = self._list_groups()
        if _is_doubtful(names, known):
            known = _within(self._vpcs_of(beside), known, vpcs)
        return {name: _only("security group", name, known) for name in names}

    def _list_subnets(self) -> "tuple[_Ids, _Homes]":
        known: _Ids = {}
        vpcs: _Homes = {}
        with translating("ec2:DescribeSubnets", "*"):
            for page in self._client.get_paginator("describe_subnets").paginate():
                for one in page["Subnets"]:
                    vpcs[one["SubnetId"]] = one.get("VpcId")
                    _note(known, one["SubnetId"], *_names_in(one.get("Tags", ())))
        return known, vpcs

    def _list_groups(self) -> "tuple[_Ids, _Homes]":
        known: _Ids = {}
        vpcs: _Homes = {}
        with translating("ec2:DescribeSecurityGroups", "*"):
            for page in self._client.get_paginator("describe_security_groups").paginate():
                for one in page["SecurityGroups"]:
                    vpcs[one["GroupId"]] = one.get("VpcId")
                    _note(known, one["GroupId"], one["GroupName"], *_names_in(one.get("Tags", ())))
        return known, vpcs

    def _vpcs_of(self, subnets: "Sequence[str]") -> set[str | None]:
        with translating("ec2:DescribeSubnets", "*"):
            answer = self._client.describe_subnets(SubnetIds=[*subnets])
        return {one.get("VpcId") for one in answer["Subnets"]}

    def find_instance(self, name: str) -> str:
        """The id of the instance with this Name tag that runs. Raises as above."""
        with translating("ec2:DescribeInstances", "*"):
            pages = self._client.get_paginator("describe_instances").paginate(
                Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
            )
            known: dict[str, set[str]] = {}
            for page in pages:
                for reservation in page["Reservations"]:
                    for one in reservation.get("Instances", ()):
                        _note(known, one.get("InstanceId", ""), *_names_in(one.get("Tags", ())))
        return _only("running instance", name, known)


def _names_in(tags: "Sequence[Mapping[str, object]]") -> "Sequence[str]":
    return [str(tag["Value"]) for tag in tags if tag.get("Key") == "Name"]


def _is_doubtful(names: "Sequence[str]", known: _Ids) -> bool:
    return any(len(known.get(name, ())) > 1 for name in names)


def _within(here: set[str | None], known: _Ids, vpcs: _Homes) -> _Ids:
    """What each name means in these VPCs; what it means in none of them stays as it is."""
    return {name: {one for one in ids if vpcs[one] in here} or ids for name, ids in known.items()}


def _note(known: dict[str, set[str]], identifier: str, *names: str) -> None:
    for name in (identifier, *names):
        known.setdefault(name, set()).add(identifier)


def _only(kind: str, name: str, known: "Mapping[str, set[str]]") -> str:
    found = sorted(known.get(name, ()))
    if len(found) == 1:
        return found[0]
    if found:
        raise AwsAmbiguous(
            f"{len(found)} {kind}s are called '{name}': {', '.join(found)}.",
            candidates=found,
            hint=f"Name the {kind} by its id.",
        )
    names = [one for one, ids in known.items() if one not in ids]
    hint = hint_of_names(name, known, shown=names, otherwise="Check the name, the region and the account.")
    raise AwsNotFound(f"There is no {kind} '{name}' in this region and account.", kind=kind, name=name, hint=hint)
