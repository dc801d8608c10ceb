"""The types of resources: each is made, changed, deleted and looked at by the emulator's API.

What a property's change does ("Update requires: Replacement") is from the page of each type:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, override

from botocore.exceptions import ClientError

from sandbox.cloud.stacks.template import TemplateRefused

_LOOK_SECONDS: Final = 0.05
_MOST_SECONDS: Final = 120.0

type Json = Any
type Properties = Mapping[str, Json]
type Attributes = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler works with.

    Attributes:
        client: A client of a service, with the credentials of whoever changes the stack.
        name: For a resource that wants one and was given none; never the same twice.
        tags: Those that CloudFormation sets itself, and those of the stack.
    """

    client: Callable[[str], Any]
    name: str
    account: str
    region: str
    tags: Mapping[str, str]

    def tags_of(self, properties: Properties) -> list[dict[str, str]]:
        """All tags of a resource. Names that begin with ``aws:`` are AWS's own, and no caller can set them."""
        given = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", ())}
        both = {**{key: value for key, value in self.tags.items() if not key.startswith("aws:")}, **given}
        return [{"Key": key, "Value": value} for key, value in both.items()]


class Handler:
    """One type.

    Attributes:
        immutable: The properties whose change makes a new resource.
        tells_drift: It can be read.
    """

    immutable: ClassVar[frozenset[str]] = frozenset()
    tells_drift: ClassVar[bool] = False

    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        """Make one: its physical id, and what ``Fn::GetAtt`` gives."""
        raise NotImplementedError

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        """Change one in place. Tags are taken over as they are."""

    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        """Delete one; with ``snapshot`` under that name it leaves one."""
        raise NotImplementedError

    def read(self, context: Context, physical_id: str) -> Properties | None:
        """Properties as they really are, those that can be told; ``None``: it is gone."""
        raise NotImplementedError


class Cluster(Handler):
    """AWS::ECS::Cluster."""

    immutable = frozenset({"ClusterName"})
    tells_drift = True

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        name = properties.get("ClusterName", context.name)
        made = context.client("ecs").create_cluster(clusterName=name, tags=_lower(context.tags_of(properties)))
        return name, {"Arn": made["cluster"]["clusterArn"]}

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("ecs").delete_cluster(cluster=physical_id)

    @override
    def read(self, context: Context, physical_id: str) -> Properties | None:
        found = context.client("ecs").describe_clusters(clusters=[physical_id])["clusters"]
        return {} if any(one["status"] == "ACTIVE" for one in found) else None


class LogGroup(Handler):
    """AWS::Logs::LogGroup."""

    immutable = frozenset({"LogGroupName", "LogGroupClass"})
    tells_drift = True

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        name = properties.get("LogGroupName", context.name)
        logs = context.client("logs")
        key = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        tags = {tag["Key"]: tag["Value"] for tag in context.tags_of(properties)}
        logs.create_log_group(logGroupName=name, tags=tags, **key)
        self._retain(context, name, properties)
        return name, {"Arn": f"arn:aws:logs:{context.region}:{context.account}:log-group:{name}:*"}

    @override
    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        self._retain(context, physical_id, new)

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("logs").delete_log_group(logGroupName=physical_id)

    @override
    def read(self, context: Context, physical_id: str) -> Properties | None:
        found = context.client("logs").describe_log_groups(logGroupNamePrefix=physical_id)["logGroups"]
        for group in found:
            if group["logGroupName"] == physical_id:
                days = group.get("retentionInDays")
                return {} if days is None else {"RetentionInDays": days}
        return None

    def _retain(self, context: Context, name: str, properties: Properties) -> None:
        days = properties.get("RetentionInDays")
        if days is None:
            context.client("logs").delete_retention_policy(logGroupName=name)
        else:
            context.client("logs").put_retention_policy(logGroupName=name, retentionInDays=days)


class Role(Handler):
    """AWS::IAM::Role."""

    immutable = frozenset({"RoleName", "Path"})
    tells_drift = True

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        name = properties.get("RoleName", context.name)
        iam = context.client("iam")
        made = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Description=properties.get("Description", ""),
            Tags=context.tags_of(properties),
        )["Role"]
        self._put(iam, name, properties)
        return name, {"Arn": made["Arn"], "RoleId": made["RoleId"]}

    @override
    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        iam = context.client("iam")
        trust = "AssumeRolePolicyDocument"
        if old[trust] != new[trust]:
            iam.update_assume_role_policy(RoleName=physical_id, PolicyDocument=json.dumps(new[trust]))
        if old.get("Description") != new.get("Description"):
            iam.update_role(RoleName=physical_id, Description=new.get("Description", ""))
        names = {policy["PolicyName"] for policy in new.get("Policies", ())}
        for policy in old.get("Policies", ()):
            if policy["PolicyName"] not in names:
                iam.delete_role_policy(RoleName=physical_id, PolicyName=policy["PolicyName"])
        if old.get("Policies") != new.get("Policies"):
            self._put(iam, physical_id, new)

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        iam = context.client("iam")
        for policy in properties.get("Policies", ()):
            iam.delete_role_policy(RoleName=physical_id, PolicyName=policy["PolicyName"])
        iam.delete_role(RoleName=physical_id)

    @override
    def read(self, context: Context, physical_id: str) -> Properties | None:
        iam = context.client("iam")
        try:
            role = iam.get_role(RoleName=physical_id)["Role"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchEntity":
                return None
            raise
        names = iam.list_role_policies(RoleName=physical_id)["PolicyNames"]
        documents = (iam.get_role_policy(RoleName=physical_id, PolicyName=name) for name in names)
        policies = [
            {"PolicyName": one["PolicyName"], "PolicyDocument": one["PolicyDocument"]} for one in documents
        ]
        found = {"AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"]}
        return {**found, "Policies": policies} if policies else found

    def _put(self, iam: Json, name: str, properties: Properties) -> None:
        for policy in properties.get("Policies", ()):
            iam.put_role_policy(
                RoleName=name,
                PolicyName=policy["PolicyName"],
                PolicyDocument=json.dumps(policy["PolicyDocument"]),
            )


class TaskDefinition(Handler):
    """AWS::ECS::TaskDefinition: a new revision for every change."""

    immutable = frozenset(
        {
            "ContainerDefinitions",
            "Cpu",
            "ExecutionRoleArn",
            "Family",
            "Memory",
            "NetworkMode",
            "RequiresCompatibilities",
            "RuntimePlatform",
            "TaskRoleArn",
            "Volumes",
        }
    )

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        arguments = {key: value for key, value in properties.items() if key != "Tags"}
        made = context.client("ecs").register_task_definition(
            **_lower(arguments), tags=_lower(context.tags_of(properties))
        )
        arn = made["taskDefinition"]["taskDefinitionArn"]
        return arn, {"TaskDefinitionArn": arn}

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("ecs").deregister_task_definition(taskDefinition=physical_id)


class SecurityGroup(Handler):
    """AWS::EC2::SecurityGroup."""

    immutable = frozenset({"GroupName", "GroupDescription", "VpcId"})

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        ec2 = context.client("ec2")
        group_id = ec2.create_security_group(
            GroupName=properties.get("GroupName", context.name),
            Description=properties["GroupDescription"],
            VpcId=properties["VpcId"],
            TagSpecifications=[{"ResourceType": "security-group", "Tags": context.tags_of(properties)}],
        )["GroupId"]
        if properties.get("SecurityGroupEgress"):
            everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=everything)
        self._add(ec2, group_id, properties.get("SecurityGroupEgress", ()))
        return group_id, {"GroupId": group_id, "VpcId": properties["VpcId"]}

    @override
    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        ec2 = context.client("ec2")
        before, after = old.get("SecurityGroupEgress", []), new.get("SecurityGroupEgress", [])
        gone = [_permission(rule) for rule in before if rule not in after]
        if gone:
            ec2.revoke_security_group_egress(GroupId=physical_id, IpPermissions=gone)
        self._add(ec2, physical_id, [rule for rule in after if rule not in before])

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("ec2").delete_security_group(GroupId=physical_id)

    def _add(self, ec2: Json, group_id: str, rules: Json) -> None:
        if rules:
            permissions = [*map(_permission, rules)]
            ec2.authorize_security_group_egress(GroupId=group_id, IpPermissions=permissions)


class Rule(Handler):
    """AWS::EC2::SecurityGroupIngress and …Egress."""

    immutable = frozenset(
        {
            "CidrIp",
            "DestinationPrefixListId",
            "DestinationSecurityGroupId",
            "FromPort",
            "GroupId",
            "IpProtocol",
            "SourceSecurityGroupId",
            "ToPort",
        }
    )

    def __init__(self, direction: str) -> None:
        self._direction = direction

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        authorize = getattr(context.client("ec2"), f"authorize_security_group_{self._direction}")
        made = authorize(GroupId=properties["GroupId"], IpPermissions=[_permission(properties)])
        rule_id = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        return rule_id, {"Id": rule_id}

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        revoke = getattr(context.client("ec2"), f"revoke_security_group_{self._direction}")
        revoke(GroupId=properties["GroupId"], IpPermissions=[_permission(properties)])


class SubnetGroup(Handler):
    """AWS::RDS::DBSubnetGroup."""

    immutable = frozenset({"DBSubnetGroupName"})

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        name = properties.get("DBSubnetGroupName", context.name).lower()
        context.client("rds").create_db_subnet_group(
            DBSubnetGroupName=name,
            DBSubnetGroupDescription=properties["DBSubnetGroupDescription"],
            SubnetIds=properties["SubnetIds"],
            Tags=context.tags_of(properties),
        )
        return name, {}

    @override
    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        context.client("rds").modify_db_subnet_group(DBSubnetGroupName=physical_id, SubnetIds=new["SubnetIds"])

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("rds").delete_db_subnet_group(DBSubnetGroupName=physical_id)


class DatabaseCluster(Handler):
    """AWS::RDS::DBCluster."""

    immutable = frozenset(
        {
            "DBClusterIdentifier",
            "DBSubnetGroupName",
            "DatabaseName",
            "Engine",
            "KmsKeyId",
            "MasterUsername",
            "StorageEncrypted",
        }
    )
    tells_drift = True
    _CHANGEABLE: Final = {
        "BackupRetentionPeriod",
        "CopyTagsToSnapshot",
        "DeletionProtection",
        "EngineVersion",
        "Port",
        "ServerlessV2ScalingConfiguration",
        "VpcSecurityGroupIds",
    }
    _SEEN: Final = ("BackupRetentionPeriod", "DeletionProtection", "StorageEncrypted")

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        name = properties.get("DBClusterIdentifier", context.name).lower()
        secret = {}
        if "MasterUserSecret" in properties:
            secret = {"MasterUserSecretKmsKeyId": properties["MasterUserSecret"]["KmsKeyId"]}
        arguments = {key: value for key, value in properties.items() if key not in {"MasterUserSecret", "Tags"}}
        made = context.client("rds").create_db_cluster(
            DBClusterIdentifier=name, Tags=context.tags_of(properties), **arguments, **secret
        )["DBCluster"]
        _wait(lambda: self._status(context, name) == "available")
        return name, {
            "DBClusterArn": made["DBClusterArn"],
            "DBClusterResourceId": made["DbClusterResourceId"],
            "Endpoint.Address": made["Endpoint"],
            "Endpoint.Port": str(made["Port"]),
            "ReadEndpoint.Address": made["ReaderEndpoint"],
            "MasterUserSecret.SecretArn": made.get("MasterUserSecret", {}).get("SecretArn"),
        }

    @override
    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        changed = {key: new[key] for key in self._CHANGEABLE & new.keys() if new[key] != old.get(key)}
        if changed:
            context.client("rds").modify_db_cluster(
                DBClusterIdentifier=physical_id, ApplyImmediately=True, **changed
            )
            _wait(lambda: self._status(context, physical_id) == "available")

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        last = {"FinalDBSnapshotIdentifier": snapshot} if snapshot else {"SkipFinalSnapshot": True}
        context.client("rds").delete_db_cluster(DBClusterIdentifier=physical_id, **last)
        _wait(lambda: self._status(context, physical_id) is None)

    @override
    def read(self, context: Context, physical_id: str) -> Properties | None:
        found = self._find(context, physical_id)
        return found and {key: found[key] for key in self._SEEN if key in found}

    def _status(self, context: Context, name: str) -> str | None:
        found = self._find(context, name)
        return str(found["Status"]) if found else None

    def _find(self, context: Context, name: str) -> Json:
        try:
            return context.client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] == "DBClusterNotFoundFault":
                return None
            raise


class DatabaseInstance(Handler):
    """AWS::RDS::DBInstance of a cluster."""

    immutable = frozenset({"DBInstanceIdentifier", "DBClusterIdentifier", "Engine"})

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        name = properties.get("DBInstanceIdentifier", context.name).lower()
        arguments = {key: value for key, value in properties.items() if key != "Tags"}
        made = context.client("rds").create_db_instance(
            DBInstanceIdentifier=name, Tags=context.tags_of(properties), **arguments
        )["DBInstance"]
        _wait(lambda: self._status(context, name) == "available")
        return name, {"DBInstanceArn": made["DBInstanceArn"]}

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("rds").delete_db_instance(DBInstanceIdentifier=physical_id, SkipFinalSnapshot=True)
        _wait(lambda: self._status(context, physical_id) is None)

    def _status(self, context: Context, name: str) -> str | None:
        found = context.client("rds").describe_db_instances()["DBInstances"]
        return next((one["DBInstanceStatus"] for one in found if one["DBInstanceIdentifier"] == name), None)


class InstanceProfile(Handler):
    """AWS::IAM::InstanceProfile."""

    immutable = frozenset({"InstanceProfileName", "Path"})

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        iam, name = context.client("iam"), properties.get("InstanceProfileName", context.name)
        made = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        for role in properties["Roles"]:
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return name, {"Arn": made["Arn"]}

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        iam = context.client("iam")
        for role in properties["Roles"]:
            iam.remove_role_from_instance_profile(InstanceProfileName=physical_id, RoleName=role)
        iam.delete_instance_profile(InstanceProfileName=physical_id)


class Instance(Handler):
    """AWS::EC2::Instance."""

    immutable = frozenset({"BlockDeviceMappings", "ImageId", "NetworkInterfaces"})
    _PARAMETER: Final = "{{resolve:ssm:"

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        arguments = {key: value for key, value in properties.items() if key != "Tags"}
        image = str(arguments["ImageId"])
        if image.startswith(self._PARAMETER):
            name = image.removeprefix(self._PARAMETER).removesuffix("}}")
            arguments["ImageId"] = context.client("ssm").get_parameters(Names=[name])["Parameters"][0]["Value"]
        arguments["IamInstanceProfile"] = {"Name": properties["IamInstanceProfile"]}
        arguments["NetworkInterfaces"] = [_interface(one) for one in properties["NetworkInterfaces"]]
        made = context.client("ec2").run_instances(
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": context.tags_of(properties)}],
            **arguments,
        )["Instances"][0]
        return made["InstanceId"], {"PrivateIp": made.get("PrivateIpAddress", "")}

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("ec2").terminate_instances(InstanceIds=[physical_id])


class OidcProvider(Handler):
    """AWS::IAM::OIDCProvider."""

    immutable = frozenset({"Url"})

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        arn = context.client("iam").create_open_id_connect_provider(
            Url=properties["Url"],
            ClientIDList=properties["ClientIdList"],
            # AWS looks it up itself where there is none; the emulator wants one.
            ThumbprintList=properties.get("ThumbprintList", ["f" * 40]),
        )["OpenIDConnectProviderArn"]
        return arn, {"Arn": arn}

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=physical_id)


class VpcEndpoint(Handler):
    """AWS::EC2::VPCEndpoint."""

    immutable = frozenset({"ServiceName", "VpcEndpointType", "VpcId"})

    @override
    def create(self, context: Context, properties: Properties) -> tuple[str, Attributes]:
        arguments = {key: value for key, value in properties.items() if key != "Tags"}
        made = context.client("ec2").create_vpc_endpoint(
            TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": context.tags_of(properties)}], **arguments
        )["VpcEndpoint"]
        return made["VpcEndpointId"], {"Id": made["VpcEndpointId"]}

    @override
    def delete(self, context: Context, physical_id: str, properties: Properties, snapshot: str | None) -> None:
        context.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[physical_id])


_HANDLERS: Final[Mapping[str, Handler]] = {
    "AWS::EC2::Instance": Instance(),
    "AWS::EC2::SecurityGroup": SecurityGroup(),
    "AWS::EC2::SecurityGroupEgress": Rule("egress"),
    "AWS::EC2::SecurityGroupIngress": Rule("ingress"),
    "AWS::EC2::VPCEndpoint": VpcEndpoint(),
    "AWS::ECS::Cluster": Cluster(),
    "AWS::ECS::TaskDefinition": TaskDefinition(),
    "AWS::IAM::InstanceProfile": InstanceProfile(),
    "AWS::IAM::OIDCProvider": OidcProvider(),
    "AWS::IAM::Role": Role(),
    "AWS::Logs::LogGroup": LogGroup(),
    "AWS::RDS::DBCluster": DatabaseCluster(),
    "AWS::RDS::DBInstance": DatabaseInstance(),
    "AWS::RDS::DBSubnetGroup": SubnetGroup(),
}


def find_handler(kind: str) -> Handler:
    """The handler of a type.

    Raises:
        TemplateRefused: We have none.
    """
    if kind not in _HANDLERS:
        raise TemplateRefused(f"Template format error: Unrecognized resource types: [{kind}]")
    return _HANDLERS[kind]


def immutable_of(kind: str) -> frozenset[str]:
    """The properties whose change makes a new resource. Raises as :func:`find_handler`."""
    return find_handler(kind).immutable


def _wait(is_done: Callable[[], bool]) -> None:
    """CloudFormation waits for databases, which take a while. Whoever never is done is a failure of the resource.

    Raises:
        TemplateRefused: It takes too long.
    """
    deadline = time.monotonic() + _MOST_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise TemplateRefused("Exceeded attempts to wait")
        time.sleep(_LOOK_SECONDS)


def _permission(rule: Properties) -> Json:
    words = {"Description": rule["Description"]} if "Description" in rule else {}
    permission: dict[str, Json] = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **words}]
    if "DestinationPrefixListId" in rule:
        permission["PrefixListIds"] = [{"PrefixListId": rule["DestinationPrefixListId"], **words}]
    group = rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId")
    if group:
        permission["UserIdGroupPairs"] = [{"GroupId": group, **words}]
    return permission


def _interface(content: Properties) -> Json:
    """CloudFormation has the index as a text, and ``GroupSet`` where EC2 has ``Groups``."""
    renamed = {("Groups" if key == "GroupSet" else key): value for key, value in content.items()}
    return {**renamed, "DeviceIndex": int(content["DeviceIndex"])}


def _lower(value: Json) -> Json:
    """ECS begins its names in small letters, and leaves the options of a log driver as they are."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: one if key == "Options" else _lower(one) for key, one in value.items()}
    return [_lower(one) for one in value] if isinstance(value, list) else value
