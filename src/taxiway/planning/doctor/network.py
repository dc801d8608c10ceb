"""Subnets, routes, endpoints and security groups: what does the task get to?"""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network
from typing import Final

from taxiway.model.doctor import (
    Area,
    ContainerFacts,
    EndpointFacts,
    Finding,
    GroupFacts,
    NetworkFacts,
    Rule,
    ServerFacts,
    SubnetFacts,
)
from taxiway.planning.doctor.task import find_ecr_image

_HTTPS: Final = 443
_ALL_PROTOCOLS: Final = "-1"


def judge_network(network: NetworkFacts, container: ContainerFacts | None, git: str | None) -> Iterator[Finding]:
    """``git``: the host of the repository, ``None`` when none outside of the VPC is asked.

    At least one subnet is there.
    """
    vpc = network.subnets[0].vpc
    yield from _strangers(network, vpc)
    if not network.has_dns:
        yield _finding(
            "vpc-without-dns",
            f"VPC {vpc} does not resolve names.",
            f"aws ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-support",
        )
    doors = [group.id for endpoint in network.endpoints for group in endpoint.groups]
    if not _may_leave(network.groups, _HTTPS, doors):
        yield _closed(network, _HTTPS, "AWS")
    for subnet in network.subnets:
        yield from _ways_out(subnet, network, container, git)


def judge_way_to_server(network: NetworkFacts, server: ServerFacts) -> Iterator[Finding]:
    """Whether the task gets to the database, by VPC and by both security groups."""
    vpc = network.subnets[0].vpc
    if server.vpc and server.vpc != vpc:
        yield _finding(
            "database-in-other-vpc",
            f"The subnets of the task are in VPC {vpc}, and '{server.identifier}' is in {server.vpc}.",
            f"Name subnets of {server.vpc} in [task] of taxiway.toml, or connect the two: a peering connection.",
        )
        return
    if not _may_leave(network.groups, server.port, [one.id for one in server.groups]):
        yield _closed(network, server.port, f"'{server.identifier}'")
    groups = [one.id for one in network.groups]
    closed = [
        one
        for one in network.subnets
        if not _admits([rule for group in server.groups for rule in group.ingress], server.port, groups, one)
    ]
    if server.groups and closed:
        yield _finding(
            "database-group-closed",
            f"The security group of '{server.identifier}' ({_ids(server.groups)}) does not let the task in on "
            f"port {server.port}, from {', '.join(one.id for one in closed)}.",
            f"aws ec2 authorize-security-group-ingress --group-id {server.groups[0].id} --protocol tcp "
            f"--port {server.port} --source-group {groups[0] if groups else 'GROUP'}",
        )


def _strangers(network: NetworkFacts, vpc: str) -> Iterator[Finding]:
    for subnet in network.subnets:
        if subnet.vpc != vpc:
            yield _finding(
                "subnet-in-other-vpc",
                f"Subnet {subnet.id} is in VPC {subnet.vpc}, and {network.subnets[0].id} is in {vpc}.",
                "Name subnets of one VPC in [task] of taxiway.toml.",
            )
    for group in network.groups:
        if group.vpc != vpc:
            yield _finding(
                "group-in-other-vpc",
                f"Security group {group.id} is in VPC {group.vpc}, and the subnets are in {vpc}.",
                f"Name a security group of {vpc} in [task] of taxiway.toml.",
            )


def _ways_out(
    subnet: SubnetFacts, network: NetworkFacts, container: ContainerFacts | None, git: str | None
) -> Iterator[Finding]:
    way = subnet.way_out
    if way and way.startswith("igw-"):
        if not network.assign_public_ip:
            yield _finding(
                "no-public-address",
                f"Subnet {subnet.id} leads to the internet through {way}, which takes a public address, and the "
                "task gets none.",
                "Set assign_public_ip = true in [task] of taxiway.toml, or name a subnet behind a NAT gateway.",
            )
        return
    if way:
        return
    if not any(one.service for one in network.endpoints):
        yield _finding(
            "no-route",
            f"Subnet {subnet.id} has no route out that works, and its VPC has no endpoints: the task gets "
            "neither to AWS nor to the Git host.",
            "Name a subnet behind a NAT gateway in [task] of taxiway.toml, or add the route: aws ec2 create-route "
            "--destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT --route-table-id TABLE",
        )
        return
    yield from _endpoints(subnet, network, container)
    if git:
        yield _finding(
            "git-host-without-route",
            f"Subnet {subnet.id} has no route out, and no endpoint leads to {git}.",
            "Name a subnet behind a NAT gateway in [task] of taxiway.toml.",
        )


def _endpoints(subnet: SubnetFacts, network: NetworkFacts, container: ContainerFacts | None) -> Iterator[Finding]:
    there = {one.service: one for one in network.endpoints}
    for service in _services(container):
        one = there.get(service)
        if one is None:
            yield _finding(
                "endpoint-missing",
                f"Subnet {subnet.id} has no route out, and VPC {subnet.vpc} has no endpoint for {service}.",
                f"aws ec2 create-vpc-endpoint --vpc-id {subnet.vpc} --service-name com.amazonaws.REGION.{service} "
                + _creation(service, subnet),
            )
        elif not one.is_gateway:
            yield from _endpoint_faults(one, subnet, network)


def _endpoint_faults(one: EndpointFacts, subnet: SubnetFacts, network: NetworkFacts) -> Iterator[Finding]:
    if not one.has_private_dns:
        yield _finding(
            "endpoint-without-dns",
            f"The endpoint for {one.service} in VPC {subnet.vpc} has no private DNS name: nobody goes through it.",
            "aws ec2 modify-vpc-endpoint --vpc-endpoint-id ENDPOINT --private-dns-enabled",
        )
    rules = [rule for group in one.groups for rule in group.ingress]
    if one.groups and not _admits(rules, _HTTPS, [group.id for group in network.groups], subnet):
        yield _finding(
            "endpoint-closed",
            f"The endpoint for {one.service} ({_ids(one.groups)}) does not let {subnet.id} in on port {_HTTPS}.",
            f"aws ec2 authorize-security-group-ingress --group-id {one.groups[0].id} --protocol tcp "
            f"--port {_HTTPS} --cidr {subnet.range}",
        )


def _services(container: ContainerFacts | None) -> Iterator[str]:
    """What a task asks of AWS; images of ECR lie in S3 ("Amazon ECR interface VPC endpoints", ECR User Guide)."""
    yield from ("secretsmanager", "logs")
    if container and find_ecr_image(container.image):
        yield from ("ecr.api", "ecr.dkr", "s3")


def _creation(service: str, subnet: SubnetFacts) -> str:
    if service == "s3":
        return "--vpc-endpoint-type Gateway --route-table-ids TABLE"
    return f"--vpc-endpoint-type Interface --subnet-ids {subnet.id} --private-dns-enabled"


# --- rules


def _may_leave(groups: Sequence[GroupFacts], port: int, to: Iterable[str] = ()) -> bool:
    """Whether something lets the task out on that port: to those groups, to any range or prefix list.

    Which range the other side is in is not known for certain; a rule for any counts.
    """
    wanted = set(to)
    rules = [rule for group in groups for rule in group.egress if _is_about(rule, port)]
    return any(rule.ranges or rule.lists or wanted.intersection(rule.groups) for rule in rules)


def _admits(rules: Iterable[Rule], port: int, groups: Iterable[str], subnet: SubnetFacts) -> bool:
    """What is in a prefix list is not known: one counts."""
    known = set(groups)
    return any(
        _is_about(rule, port)
        and (known.intersection(rule.groups) or rule.lists or _contains(rule.ranges, subnet.range))
        for rule in rules
    )


def _is_about(rule: Rule, port: int) -> bool:
    if rule.protocol == _ALL_PROTOCOLS:
        return True
    is_in = rule.first is None or rule.last is None or rule.first <= port <= rule.last
    return rule.protocol in {"tcp", "6"} and is_in


def _contains(ranges: Iterable[str], inner: str) -> bool:
    wanted = ip_network(inner)
    outer = [ip_network(one, strict=False) for one in ranges]
    return any(wanted.network_address in one and wanted.broadcast_address in one for one in outer)


def _closed(network: NetworkFacts, port: int, to: str) -> Finding:
    group = network.groups[0].id if network.groups else "GROUP"
    return _finding(
        "group-closed-outwards",
        f"The security group of the task ({_ids(network.groups)}) lets nothing out on port {port}, to {to}.",
        f"aws ec2 authorize-security-group-egress --group-id {group} --protocol tcp --port {port} "
        "--cidr 0.0.0.0/0",
    )


def _ids(groups: Iterable[GroupFacts]) -> str:
    return ", ".join(one.id for one in groups) or "none"


def _finding(code: str, message: str, fix: str) -> Finding:
    return Finding(area=Area.NETWORK, code=code, message=message, fix=fix)
