"""The ways in: a bastion without an open port, a role for workflows, and endpoints of AWS in the VPC."""

from collections.abc import Iterator
from typing import Final

from taxiway.infra.names import (
    BASTION,
    BASTION_GROUP,
    BASTION_PROFILE,
    BASTION_ROLE,
    ENDPOINT_GROUP,
    GITHUB_PROVIDER,
)
from taxiway.infra.network import make_bastion_network, make_endpoint_network
from taxiway.infra.resource import Resource, attribute, ref, sub
from taxiway.infra.statements import GITHUB_HOST
from taxiway.model.infra import BastionWish, EndpointsWish, GithubWish, InfraSettings

# Amazon Linux 2023 for ARM, the newest when the bastion is made: it comes with the agent of Systems Manager.
_BASTION_IMAGE: Final = (
    "{{resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-default-arm64}}"
)
# What a task calls, by the name of the service in the name of its endpoint
_OF_TASKS: Final = {
    "EcrApiEndpoint": "ecr.api",
    "EcrDockerEndpoint": "ecr.dkr",
    "LogsEndpoint": "logs",
    "SecretsManagerEndpoint": "secretsmanager",
}
_OF_BASTION: Final = {"SsmEndpoint": "ssm", "SsmMessagesEndpoint": "ssmmessages"}


def make_bastion(settings: InfraSettings, wish: BastionWish) -> Iterator[Resource]:
    """A host that is reached through Systems Manager only."""
    yield from make_bastion_network(settings)
    yield Resource(
        logical_id=BASTION_PROFILE, type="AWS::IAM::InstanceProfile", properties={"Roles": [ref(BASTION_ROLE)]}
    )
    yield Resource(
        logical_id=BASTION,
        type="AWS::EC2::Instance",
        properties={
            "ImageId": _BASTION_IMAGE,
            "InstanceType": wish.instance_type,
            "IamInstanceProfile": ref(BASTION_PROFILE),
            "EbsOptimized": True,
            "NetworkInterfaces": [
                {
                    "DeviceIndex": "0",
                    "AssociatePublicIpAddress": settings.assign_public_ip,
                    "SubnetId": wish.subnet or settings.subnets[0],
                    "GroupSet": [attribute(BASTION_GROUP, "GroupId")],
                }
            ],
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True, "VolumeType": "gp3", "VolumeSize": 8}}
            ],
        },
        is_tagged=True,
    )


def make_github(wish: GithubWish) -> Iterator[Resource]:
    """GitHub as one whom the account believes, unless it does so already. The role is one of the roles."""
    if wish.provider is None:
        yield Resource(
            logical_id=GITHUB_PROVIDER,
            type="AWS::IAM::OIDCProvider",
            properties={"Url": f"https://{GITHUB_HOST}", "ClientIdList": ["sts.amazonaws.com"]},
            is_tagged=True,
        )


def make_endpoints(settings: InfraSettings, wish: EndpointsWish) -> Iterator[Resource]:
    """What a task calls, reached inside the VPC."""
    yield from make_endpoint_network(settings, wish)
    services = {**_OF_TASKS, **(_OF_BASTION if settings.bastion else {})}
    for logical_id, service in services.items():
        yield Resource(
            logical_id=logical_id,
            type="AWS::EC2::VPCEndpoint",
            properties={
                "VpcId": settings.vpc,
                "ServiceName": sub(f"com.amazonaws.${{AWS::Region}}.{service}"),
                "VpcEndpointType": "Interface",
                "PrivateDnsEnabled": True,
                "SubnetIds": [*(wish.subnets or settings.subnets)],
                "SecurityGroupIds": [attribute(ENDPOINT_GROUP, "GroupId")],
            },
            is_tagged=True,
        )
    yield Resource(
        logical_id="S3Endpoint",
        type="AWS::EC2::VPCEndpoint",
        properties={
            "VpcId": settings.vpc,
            "ServiceName": sub("com.amazonaws.${AWS::Region}.s3"),
            "VpcEndpointType": "Gateway",
            "RouteTableIds": [*wish.route_tables],
        },
        is_tagged=True,
    )
