"""Which permissions a call needs, on which resources: a table, from the Service Authorization Reference.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sandbox.cloud.call import Call
from sandbox.cloud.iam import Request

type _Needs = Callable[[Call], Iterator[Request]]


class ActionUnknown(LookupError):
    """It is not known what that action needs; it has to be added here before a role can call it."""


def needed(call: Call) -> list[Request]:
    """Everything that has to be allowed, in the order in which AWS would say what is not.

    Raises:
        ActionUnknown: The table does not have the action.
    """
    if call.action in _NEEDS:
        requests = _NEEDS[call.action](call)
    elif call.service == "ec2" and call.operation.startswith("Describe"):
        requests = _everything(call)
    else:
        raise ActionUnknown(f"{call.action} is not in {__name__}")
    region = {"aws:RequestedRegion": call.region}
    return [Request(request.action, request.resource, {**region, **request.context}) for request in requests]


def _nothing(_call: Call) -> Iterator[Request]:
    """Nobody can be denied it."""
    yield from ()


def _everything(call: Call) -> Iterator[Request]:
    """Actions that can be allowed for all resources only."""
    yield Request(call.action)


# --- Secrets Manager ---


def _secret(call: Call) -> Iterator[Request]:
    from moto.secretsmanager.models import secretsmanager_backends

    secret_id: str = call.get("SecretId")
    secrets = secretsmanager_backends[call.account][call.region].secrets
    known = next((secret.arn for secret in secrets.values() if secret_id in {secret.name, secret.arn}), None)
    # A name that does not exist: six characters that only a policy for any six characters is about.
    fallback = secret_id if secret_id.startswith("arn:") else call.arn(f"secret:{secret_id}-??????")
    yield Request(call.action, known or fallback)


def _new_secret(call: Call) -> Iterator[Request]:
    secret = call.arn(f"secret:{call.get('Name')}-??????")
    yield Request(call.action, secret)
    if call.get("Tags"):
        yield Request("secretsmanager:TagResource", secret)


# --- CloudWatch Logs ---


def _log_stream(call: Call) -> Iterator[Request]:
    group, stream = call.get("logGroupName", ""), call.get("logStreamName", "")
    yield Request(call.action, call.arn(f"log-group:{group}:log-stream:{stream}"))


# --- ECS ---


def _cluster_arn(call: Call) -> str:
    return call.arn(f"cluster/{call.get('cluster', 'default').rpartition('/')[2]}")


def _task_arn(call: Call, task: str) -> str:
    cluster = call.get("cluster", "default").rpartition("/")[2]
    return task if task.startswith("arn:") else call.arn(f"task/{cluster}/{task}")


def _run_task(call: Call) -> Iterator[Request]:
    from moto.ecs.models import ecs_backends

    context = {"ecs:cluster": _cluster_arn(call)}
    definition: Any = ecs_backends[call.account][call.region].describe_task_definition(call.get("taskDefinition"))
    yield Request(call.action, definition.arn, context)
    if call.get("tags"):
        cluster = context["ecs:cluster"].rpartition("/")[2]
        yield Request("ecs:TagResource", call.arn(f"task/{cluster}/*"), {"ecs:CreateAction": "RunTask"})
    for role in (getattr(definition, "task_role_arn", None), getattr(definition, "execution_role_arn", None)):
        if role:
            yield _pass_role(role)


def _register_task_definition(call: Call) -> Iterator[Request]:
    yield Request(call.action)
    for role in (call.get("taskRoleArn"), call.get("executionRoleArn")):
        if role:
            yield _pass_role(role)


def _pass_role(role: str) -> Request:
    return _pass_to("ecs-tasks.amazonaws.com", role)


def _pass_to(service: str, role: str) -> Request:
    return Request("iam:PassRole", role, {"iam:PassedToService": service})


def _one_task(call: Call) -> Iterator[Request]:
    yield Request(call.action, _task_arn(call, call.get("task")), {"ecs:cluster": _cluster_arn(call)})


def _tasks(call: Call) -> Iterator[Request]:
    for task in call.get("tasks", ()):
        yield Request(call.action, _task_arn(call, task), {"ecs:cluster": _cluster_arn(call)})


def _list_tasks(call: Call) -> Iterator[Request]:
    yield Request(call.action, "*", {"ecs:cluster": _cluster_arn(call)})


def _clusters(call: Call) -> Iterator[Request]:
    for cluster in call.get("clusters", ("default",)):
        yield Request(call.action, call.arn(f"cluster/{cluster.rpartition('/')[2]}"))


# --- Systems Manager ---


def _start_session(call: Call) -> Iterator[Request]:
    target, document = call.get("Target"), call.get("DocumentName")
    instance = call.arn(f"instance/{target}", service="ec2")
    yield Request(call.action, instance, {"ssm:SessionDocumentAccessCheck": "true"})
    if document:
        # Documents of AWS belong to no account.
        name = f"arn:aws:ssm:{call.region}::document/{document}"
        yield Request(call.action, name, {"ssm:SessionDocumentAccessCheck": "true"})


def _session(call: Call) -> Iterator[Request]:
    yield Request(call.action, call.arn(f"session/{call.get('SessionId')}"))


# --- RDS ---


def _database_cluster(call: Call) -> Iterator[Request]:
    yield Request(call.action, call.arn(f"cluster:{call.get('DBClusterIdentifier', '*')}"))


def _database(call: Call) -> Iterator[Request]:
    yield Request(call.action, call.arn(f"db:{call.get('DBInstanceIdentifier', '*')}"))


def _cluster_by_name(call: Call) -> Iterator[Request]:
    name = call.get("clusterName") or call.get("cluster", "default").rpartition("/")[2]
    yield Request(call.action, call.arn(f"cluster/{name}"))
    if call.get("tags"):
        yield Request("ecs:TagResource", call.arn(f"cluster/{name}"), {"ecs:CreateAction": call.operation})


# --- CloudFormation ---


def _stack(call: Call) -> Iterator[Request]:
    """A stack by name or id; a change set belongs to its stack."""
    name = call.get("StackName")
    if name is None:
        # From the id of a change set alone the stack cannot be told, so that no policy for a stack is about it.
        yield Request(
            call.action, call.arn("stack/*/*"), {"cloudformation:ChangeSetName": call.get("ChangeSetName")}
        )
    else:
        yield Request(call.action, name if name.startswith("arn:") else call.arn(f"stack/{name}/*"))


# --- IAM ---


def _role(call: Call) -> Iterator[Request]:
    arn = f"arn:aws:iam::{call.account}:role/{call.get('RoleName')}"
    yield Request(call.action, arn)
    if call.get("Tags"):
        yield Request("iam:TagRole", arn)


def _simulated(call: Call) -> Iterator[Request]:
    yield Request(call.action, call.get("PolicySourceArn"))


# --- ECR ---


def _repository(call: Call) -> Iterator[Request]:
    yield Request(call.action, call.arn(f"repository/{call.get('repositoryName')}"))


# --- EC2 ---


def _security_group(call: Call) -> Iterator[Request]:
    yield Request(call.action, call.arn(f"security-group/{call.get('GroupId') or '*'}"))
    if call.operation == "CreateSecurityGroup":
        yield Request(call.action, call.arn(f"vpc/{call.get('VpcId')}"))
        if call.get("TagSpecifications"):
            yield Request("ec2:CreateTags", call.arn("security-group/*"), {"ec2:CreateAction": call.operation})


# --- logs, once more ---


def _log_group(call: Call) -> Iterator[Request]:
    group = call.arn(f"log-group:{call.get('logGroupName') or call.get('logGroupNamePrefix', '')}:*")
    yield Request(call.action, group)
    if call.get("tags"):
        yield Request("logs:TagResource", group)


# --- RDS, what changes it ---
#
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html


def _rds(kind: str, parameter: str) -> _Needs:
    """An action on one thing of a kind, named by a parameter; an ARN stays what it is."""

    def needs(call: Call) -> Iterator[Request]:
        yield Request(call.action, _rds_arn(call, kind, call.get(parameter)))

    return needs


def _rds_arn(call: Call, kind: str, name: str) -> str:
    return name if name.startswith("arn:") else call.arn(f"{kind}:{name}")


def _tagged(call: Call, resource: str) -> Iterator[Request]:
    """Tags that something is made with need the right to tag it, too."""
    if call.get("Tags"):
        yield Request("rds:AddTagsToResource", resource)


def _new_cluster_snapshot(call: Call) -> Iterator[Request]:
    made = _rds_arn(call, "cluster-snapshot", call.get("DBClusterSnapshotIdentifier"))
    yield Request(call.action, _rds_arn(call, "cluster", call.get("DBClusterIdentifier")))
    yield Request(call.action, made)
    yield from _tagged(call, made)


def _restored_cluster(call: Call) -> Iterator[Request]:
    made = _rds_arn(call, "cluster", call.get("DBClusterIdentifier"))
    yield Request(call.action, made)
    yield Request(call.action, _rds_arn(call, "cluster-snapshot", call.get("SnapshotIdentifier")))
    for kind, parameter in (("subgrp", "DBSubnetGroupName"), ("cluster-pg", "DBClusterParameterGroupName")):
        if call.get(parameter):
            yield Request(call.action, _rds_arn(call, kind, call.get(parameter)))
    yield from _tagged(call, made)


def _new_instance(call: Call) -> Iterator[Request]:
    made = _rds_arn(call, "db", call.get("DBInstanceIdentifier"))
    yield Request(call.action, made)
    if call.get("DBClusterIdentifier"):
        yield Request(call.action, _rds_arn(call, "cluster", call.get("DBClusterIdentifier")))
    if call.get("DBParameterGroupName"):
        yield Request(call.action, _rds_arn(call, "pg", call.get("DBParameterGroupName")))
    yield from _tagged(call, made)


def _changed_cluster(call: Call) -> Iterator[Request]:
    """What it becomes has to be allowed as well: its name, its parameter group."""
    yield Request(call.action, _rds_arn(call, "cluster", call.get("DBClusterIdentifier")))
    if call.get("NewDBClusterIdentifier"):
        yield Request(call.action, _rds_arn(call, "cluster", call.get("NewDBClusterIdentifier")))
    if call.get("DBClusterParameterGroupName"):
        yield Request(call.action, _rds_arn(call, "cluster-pg", call.get("DBClusterParameterGroupName")))


def _deleted_cluster(call: Call) -> Iterator[Request]:
    yield Request(call.action, _rds_arn(call, "cluster", call.get("DBClusterIdentifier")))
    if call.get("FinalDBSnapshotIdentifier"):
        yield Request(call.action, _rds_arn(call, "cluster-snapshot", call.get("FinalDBSnapshotIdentifier")))


def _new_cluster(call: Call) -> Iterator[Request]:
    """The secret of the password is made with the rights of the caller ("Permissions required", RDS manual)."""
    made = _rds_arn(call, "cluster", call.get("DBClusterIdentifier"))
    yield Request(call.action, made)
    if call.get("DBSubnetGroupName"):
        yield Request(call.action, _rds_arn(call, "subgrp", call.get("DBSubnetGroupName")))
    if call.get("ManageMasterUserPassword"):
        for action in ("CreateSecret", "TagResource"):
            secret = call.arn("secret:rds!cluster-??????", service="secretsmanager")
            yield Request(f"secretsmanager:{action}", secret)
    yield from _tagged(call, made)


def _subnet_group(call: Call) -> Iterator[Request]:
    group = _rds_arn(call, "subgrp", call.get("DBSubnetGroupName"))
    yield Request(call.action, group)
    yield from _tagged(call, group)


# --- the ways in ---


def _parameters(call: Call) -> Iterator[Request]:
    """Those of AWS belong to no account."""
    for name in call.get("Names", ()):
        yield Request(call.action, f"arn:aws:ssm:{call.region}::parameter{name}")


def _new_instances(call: Call) -> Iterator[Request]:
    """An instance, and all that it is made of."""
    yield Request(call.action, f"arn:aws:ec2:{call.region}::image/{call.get('ImageId')}")
    for kind in ("instance", "network-interface", "volume"):
        yield Request(call.action, call.arn(f"{kind}/*"))
    for one in call.get("NetworkInterfaces", ()):
        yield Request(call.action, call.arn(f"subnet/{one['SubnetId']}"))
        for group in one.get("Groups", ()):
            yield Request(call.action, call.arn(f"security-group/{group}"))
    if call.get("TagSpecifications"):
        yield Request("ec2:CreateTags", call.arn("instance/*"), {"ec2:CreateAction": call.operation})
    profile = (call.get("IamInstanceProfile") or {}).get("Name")
    if profile:
        yield from (_pass_to("ec2.amazonaws.com", role) for role in _roles_of(call, profile))


def _roles_of(call: Call, profile: str) -> list[str]:
    from moto.iam.models import iam_backends

    known = iam_backends[call.account]["aws"].get_instance_profile(profile)
    return [role.arn for role in known.roles]


def _instances(call: Call) -> Iterator[Request]:
    for instance in call.get("InstanceIds", ()):
        yield Request(call.action, call.arn(f"instance/{instance}"))


def _instance_profile(call: Call) -> Iterator[Request]:
    yield Request(call.action, f"arn:aws:iam::{call.account}:instance-profile/{call.get('InstanceProfileName')}")
    if call.operation == "AddRoleToInstanceProfile":
        yield _pass_to("ec2.amazonaws.com", f"arn:aws:iam::{call.account}:role/{call.get('RoleName')}")


def _oidc_provider(call: Call) -> Iterator[Request]:
    host = (call.get("Url") or "").removeprefix("https://")
    provider = call.get("OpenIDConnectProviderArn") or f"arn:aws:iam::{call.account}:oidc-provider/{host}"
    yield Request(call.action, provider)


def _new_endpoint(call: Call) -> Iterator[Request]:
    yield Request(call.action, call.arn("vpc-endpoint/*"))
    yield Request(call.action, call.arn(f"vpc/{call.get('VpcId')}"))
    for kind, parameter in (
        ("route-table", "RouteTableIds"),
        ("security-group", "SecurityGroupIds"),
        ("subnet", "SubnetIds"),
    ):
        for name in call.get(parameter) or ():
            yield Request(call.action, call.arn(f"{kind}/{name}"))
    if call.get("TagSpecifications"):
        yield Request("ec2:CreateTags", call.arn("vpc-endpoint/*"), {"ec2:CreateAction": call.operation})


def _endpoints(call: Call) -> Iterator[Request]:
    for endpoint in call.get("VpcEndpointIds", ()):
        yield Request(call.action, call.arn(f"vpc-endpoint/{endpoint}"))


# --- STS ---


def _assume_role(call: Call) -> Iterator[Request]:
    yield Request(call.action, call.get("RoleArn"))


_NEEDS: Final[Mapping[str, _Needs]] = {
    "secretsmanager:GetSecretValue": _secret,
    "secretsmanager:DescribeSecret": _secret,
    "secretsmanager:PutSecretValue": _secret,
    "secretsmanager:UpdateSecret": _secret,
    "secretsmanager:UpdateSecretVersionStage": _secret,
    "secretsmanager:DeleteSecret": _secret,
    "secretsmanager:CreateSecret": _new_secret,
    "secretsmanager:ListSecrets": _everything,
    "logs:CreateLogStream": _log_stream,
    "logs:DescribeLogStreams": _log_stream,
    "logs:PutLogEvents": _log_stream,
    "logs:GetLogEvents": _log_stream,
    "logs:FilterLogEvents": _log_stream,
    "logs:DescribeLogGroups": _log_stream,
    "ecs:RunTask": _run_task,
    "ecs:StopTask": _one_task,
    "ecs:DescribeTasks": _tasks,
    "ecs:ListTasks": _list_tasks,
    "ecs:DescribeClusters": _clusters,
    "ecs:ListClusters": _everything,
    "ecs:DescribeTaskDefinition": _everything,
    "ecs:ListTaskDefinitions": _everything,
    "ecs:RegisterTaskDefinition": _register_task_definition,
    "ssm:StartSession": _start_session,
    "ssm:ResumeSession": _session,
    "ssm:TerminateSession": _session,
    "rds:DescribeDBClusters": _database_cluster,
    "rds:DescribeDBInstances": _database,
    "ecs:CreateCluster": _cluster_by_name,
    "ecs:DeleteCluster": _cluster_by_name,
    "ecs:DeregisterTaskDefinition": _everything,
    "cloudformation:CreateChangeSet": _stack,
    "cloudformation:DeleteChangeSet": _stack,
    "cloudformation:DeleteStack": _stack,
    "cloudformation:DescribeChangeSet": _stack,
    "cloudformation:DescribeStackDriftDetectionStatus": _everything,
    "cloudformation:DescribeStackEvents": _stack,
    "cloudformation:DescribeStackResourceDrifts": _stack,
    "cloudformation:DescribeStacks": _stack,
    "cloudformation:DetectStackDrift": _stack,
    "cloudformation:ExecuteChangeSet": _stack,
    "cloudformation:GetTemplate": _stack,
    "cloudformation:ListStackResources": _stack,
    "iam:CreateRole": _role,
    "iam:DeleteRole": _role,
    "iam:DeleteRolePolicy": _role,
    "iam:GetRole": _role,
    "iam:GetRolePolicy": _role,
    "iam:ListRolePolicies": _role,
    "iam:PutRolePolicy": _role,
    "iam:SimulatePrincipalPolicy": _simulated,
    "iam:UpdateAssumeRolePolicy": _role,
    "iam:UpdateRole": _role,
    "ecr:DescribeImages": _repository,
    "ec2:AuthorizeSecurityGroupEgress": _security_group,
    "ec2:AuthorizeSecurityGroupIngress": _security_group,
    "ec2:CreateSecurityGroup": _security_group,
    "ec2:DeleteSecurityGroup": _security_group,
    "ec2:RevokeSecurityGroupEgress": _security_group,
    "ec2:RevokeSecurityGroupIngress": _security_group,
    "logs:CreateLogGroup": _log_group,
    "logs:DeleteLogGroup": _log_group,
    "logs:PutRetentionPolicy": _log_group,
    "rds:DescribeDBClusterSnapshots": _everything,
    "rds:DescribeDBSnapshots": _everything,
    "rds:CreateDBClusterSnapshot": _new_cluster_snapshot,
    "rds:RestoreDBClusterFromSnapshot": _restored_cluster,
    "rds:CreateDBInstance": _new_instance,
    "rds:ModifyDBCluster": _changed_cluster,
    "rds:ModifyDBInstance": _rds("db", "DBInstanceIdentifier"),
    "rds:DeleteDBCluster": _deleted_cluster,
    "rds:DeleteDBInstance": _rds("db", "DBInstanceIdentifier"),
    "rds:AddTagsToResource": _rds("", "ResourceName"),
    "rds:RemoveTagsFromResource": _rds("", "ResourceName"),
    "rds:CreateDBCluster": _new_cluster,
    "rds:CreateDBSubnetGroup": _subnet_group,
    "rds:DeleteDBSubnetGroup": _subnet_group,
    "ssm:GetParameters": _parameters,
    "ec2:RunInstances": _new_instances,
    "ec2:TerminateInstances": _instances,
    "ec2:CreateVpcEndpoint": _new_endpoint,
    "ec2:DeleteVpcEndpoints": _endpoints,
    "iam:AddRoleToInstanceProfile": _instance_profile,
    "iam:CreateInstanceProfile": _instance_profile,
    "iam:DeleteInstanceProfile": _instance_profile,
    "iam:RemoveRoleFromInstanceProfile": _instance_profile,
    "iam:CreateOpenIDConnectProvider": _oidc_provider,
    "iam:DeleteOpenIDConnectProvider": _oidc_provider,
    "sts:AssumeRole": _assume_role,
    "sts:GetCallerIdentity": _nothing,
}
