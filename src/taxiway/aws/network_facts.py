"""The network of a task, looked at from the outside: subnets, routes, endpoints, security groups."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws.errors import translating
from taxiway.aws.session import Place, client
from taxiway.model.doctor import EndpointFacts, GroupFacts, NetworkFacts, Rule, SubnetFacts

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

_ANYWHERE: Final = "0.0.0.0/0"
_TARGETS: Final = (
    "NatGatewayId",
    "GatewayId",
    "TransitGatewayId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
    "CoreNetworkArn",
    "LocalGatewayId",
    "CarrierGatewayId",
)

type _Content = Mapping[str, Any]


@final
class NetworkReader:
    """The calls of EC2 that only look; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        self._client: EC2Client = client("ec2", place)

    def get_network(
        self, subnets: Sequence[str], groups: Sequence[str], *, assign_public_ip: bool
    ) -> NetworkFacts:
        """Everything about the network that tasks start in; without groups, that of the VPC is meant."""
        with translating("ec2:DescribeSubnets", "*"):
            answer: _Content = self._client.describe_subnets(SubnetIds=[*subnets])
        found = {one["SubnetId"]: one for one in answer["Subnets"]}
        vpc = found[subnets[0]]["VpcId"]
        tables = {one: self._tables(one) for one in {subnet["VpcId"] for subnet in found.values()}}
        return NetworkFacts(
            subnets=tuple(_subnet(found[name], tables[found[name]["VpcId"]]) for name in subnets),
            groups=self.get_groups(groups) if groups else self._default_group(vpc),
            endpoints=self._endpoints(vpc),
            has_dns=self._has_dns(vpc),
            assign_public_ip=assign_public_ip,
        )

    def get_groups(self, ids: Sequence[str]) -> tuple[GroupFacts, ...]:
        """Security groups by id."""
        if not ids:
            return ()
        with translating("ec2:DescribeSecurityGroups", "*"):
            answer: _Content = self._client.describe_security_groups(GroupIds=[*ids])
        return tuple(map(_group, answer["SecurityGroups"]))

    def _default_group(self, vpc: str) -> tuple[GroupFacts, ...]:
        filters: Any = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
        with translating("ec2:DescribeSecurityGroups", "*"):
            answer: _Content = self._client.describe_security_groups(Filters=filters)
        return tuple(map(_group, answer["SecurityGroups"]))

    def _tables(self, vpc: str) -> list[_Content]:
        with translating("ec2:DescribeRouteTables", "*"):
            pages = self._client.get_paginator("describe_route_tables").paginate(
                Filters=[{"Name": "vpc-id", "Values": [vpc]}]
            )
            return [table for page in pages for table in page["RouteTables"]]

    def _endpoints(self, vpc: str) -> tuple[EndpointFacts, ...]:
        with translating("ec2:DescribeVpcEndpoints", "*"):
            pages = self._client.get_paginator("describe_vpc_endpoints").paginate(
                Filters=[{"Name": "vpc-id", "Values": [vpc]}]
            )
            found: list[_Content] = [one for page in pages for one in page["VpcEndpoints"]]
        return tuple(self._endpoint(one) for one in found if one.get("State", "").lower() == "available")

    def _endpoint(self, content: _Content) -> EndpointFacts:
        # com.amazonaws.REGION.SERVICE, and cn.com.amazonaws.REGION.SERVICE in China
        service = content["ServiceName"].partition("amazonaws.")[2].partition(".")[2]
        return EndpointFacts(
            service=service,
            has_private_dns=bool(content.get("PrivateDnsEnabled")),
            is_gateway=content.get("VpcEndpointType") == "Gateway",
            groups=self.get_groups([one["GroupId"] for one in content.get("Groups") or ()]),
        )

    def _has_dns(self, vpc: str) -> bool:
        with translating("ec2:DescribeVpcAttribute", vpc):
            answer = self._client.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")
        return bool(answer["EnableDnsSupport"].get("Value"))


def _subnet(content: _Content, tables: Iterable[_Content]) -> SubnetFacts:
    return SubnetFacts(
        id=content["SubnetId"],
        vpc=content["VpcId"],
        range=content["CidrBlock"],
        way_out=_way_out(content["SubnetId"], tables),
    )


def _way_out(subnet: str, tables: Iterable[_Content]) -> str | None:
    """Its own route table, or the main one of the VPC ("Subnet route tables", VPC User Guide)."""
    own = main = None
    for table in tables:
        for one in table.get("Associations") or ():
            if one.get("SubnetId") == subnet:
                own = table
            elif one.get("Main"):
                main = table
    for route in ((own or main) or {}).get("Routes") or ():
        if route.get("DestinationCidrBlock") == _ANYWHERE and route.get("State", "active") == "active":
            return next((route[key] for key in _TARGETS if route.get(key)), None)
    return None


def _group(content: _Content) -> GroupFacts:
    return GroupFacts(
        id=content["GroupId"],
        vpc=content.get("VpcId", ""),
        ingress=tuple(map(_rule, content.get("IpPermissions") or ())),
        egress=tuple(map(_rule, content.get("IpPermissionsEgress") or ())),
    )


def _rule(content: _Content) -> Rule:
    return Rule(
        protocol=content["IpProtocol"],
        first=content.get("FromPort"),
        last=content.get("ToPort"),
        ranges=(
            *(one["CidrIp"] for one in content.get("IpRanges") or ()),
            *(one["CidrIpv6"] for one in content.get("Ipv6Ranges") or ()),
        ),
        groups=tuple(one["GroupId"] for one in content.get("UserIdGroupPairs") or ()),
        lists=tuple(one["PrefixListId"] for one in content.get("PrefixListIds") or ()),
    )
