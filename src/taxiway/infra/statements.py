"""Who may do what: the roles of the stack, each action on named resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
tells which actions know resources.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from taxiway.infra.check import repository_of
from taxiway.infra.names import (
    BASTION_ROLE,
    CLUSTER,
    DATABASE,
    EXECUTION_ROLE,
    GITHUB_PROVIDER,
    GITHUB_ROLE,
    LOG_GROUP,
    LOG_PREFIX,
    TASK_ROLE,
)
from taxiway.infra.resource import Role, Statement, literal
from taxiway.model.infra import GithubWish, InfraSettings

GITHUB_HOST: Final = "token.actions.githubusercontent.com"
_HERE: Final = "${AWS::Region}:${AWS::AccountId}"
_ECR: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^@:]+)"
)
_STREAMS: Final = f"arn:${{AWS::Partition}}:logs:{_HERE}:log-group:${{{LOG_GROUP}}}:log-stream:{LOG_PREFIX}/*"


def make_roles(settings: InfraSettings) -> tuple[Role, ...]:
    """Every role of the stack. The settings are checked."""
    return tuple(_roles(settings))


def _roles(settings: InfraSettings) -> Iterator[Role]:
    yield Role(
        logical_id=EXECUTION_ROLE,
        description="What ECS does for a migration task before and beside its container",
        trust=_TASKS,
        statements=tuple(_execution(settings)),
    )
    yield Role(
        logical_id=TASK_ROLE,
        description="What a migration task may do itself",
        trust=_TASKS,
        statements=tuple(_task(settings)),
    )
    if settings.bastion is not None:
        yield Role(
            logical_id=BASTION_ROLE,
            description="What the bastion needs to be reached through Systems Manager",
            trust={"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
            statements=_BASTION,
        )
    if settings.github is not None:
        yield Role(
            logical_id=GITHUB_ROLE,
            description="Starts and watches migration tasks from workflows",
            trust=_github_trust(settings, settings.github),
            statements=tuple(_operator(settings)),
        )


# "Create the role": the conditions keep another account from letting ECS use it (ECS manual, "Confused deputy").
_TASKS: Final[Mapping[str, Any]] = {
    "Effect": "Allow",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {
        "StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"},
        "ArnLike": {"aws:SourceArn": f"arn:${{AWS::Partition}}:ecs:{_HERE}:*"},
    },
}


def secret_arn(name: str) -> str:
    """The ARN of a secret of that name, or an ARN as it is.

    Secrets Manager puts a hyphen and six characters behind the name.
    """
    if name.startswith("arn:"):
        return literal(name)
    return f"arn:${{AWS::Partition}}:secretsmanager:{_HERE}:secret:{literal(name)}-??????"


def _execution(settings: InfraSettings) -> Iterator[Statement]:
    yield Statement(
        sid="WriteTheLog", actions=("logs:CreateLogStream", "logs:PutLogEvents"), resources=(_STREAMS,)
    )
    if settings.registry_secret:
        yield _reading("ReadTheRegistrySecret", (secret_arn(settings.registry_secret),))
        yield from _decrypting(settings.kms_key)
    if found := _ECR.match(settings.image or ""):
        yield Statement(
            sid="LogInToEcr",
            actions=("ecr:GetAuthorizationToken",),
            resources=("*",),
            why_everything="A login is for the whole registry of an account; the action knows no resource.",
        )
        arn = f"arn:${{AWS::Partition}}:ecr:{found['region']}:{found['account']}:repository/{found['name']}"
        pulling = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        yield Statement(sid="PullTheImage", actions=pulling, resources=(arn,))


def _task(settings: InfraSettings) -> Iterator[Statement]:
    deploy_key = (settings.deploy_key_secret,) if settings.deploy_key_secret else ()
    named = (*deploy_key, *settings.secrets, *settings.rotated_secrets)
    arns = tuple(dict.fromkeys(secret_arn(name) for name in named))
    if settings.database is not None:
        given = settings.database.master_secret
        arns = (*arns, literal(given) if given else f"${{{DATABASE}.MasterUserSecret.SecretArn}}")
    if arns:
        yield _reading("ReadSecrets", arns)
        yield from _rotating(settings.rotated_secrets)
        own = settings.database.kms_key if settings.database else None
        yield from _decrypting(settings.kms_key, own)
    if settings.database_users:
        resource_id = settings.database_resource_id or f"${{{DATABASE}.DBClusterResourceId}}"
        user = f"arn:${{AWS::Partition}}:rds-db:{_HERE}:dbuser:{resource_id}/"
        yield Statement(
            sid="LogInToTheDatabase",
            actions=("rds-db:connect",),
            resources=tuple(user + literal(name) for name in settings.database_users),
        )


def _reading(sid: str, arns: tuple[str, ...]) -> Statement:
    return Statement(sid=sid, actions=("secretsmanager:GetSecretValue",), resources=arns)


def _rotating(names: tuple[str, ...]) -> Iterator[Statement]:
    """A run that sets a password makes the version with it the current one (docs/adr/0076-rotation.md).

    Of declared users only: whoever may move a stage can bring an older value back, of a deploy key for instance.
    """
    if names:
        arns = tuple(dict.fromkeys(secret_arn(name) for name in names))
        yield Statement(
            sid="FinishRotations", actions=("secretsmanager:UpdateSecretVersionStage",), resources=arns
        )


def _decrypting(*keys: str | None) -> Iterator[Statement]:
    """Keys of AWS's own need no permission (Secrets Manager manual, "Permissions for the KMS key")."""
    named = tuple(dict.fromkeys(literal(key) for key in keys if key))
    if named:
        yield Statement(
            sid="DecryptSecrets",
            actions=("kms:Decrypt",),
            resources=named,
            conditions={
                "StringEquals": {"kms:ViaService": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"},
            },
        )


_BASTION: Final = (
    Statement(
        sid="RegisterWithSystemsManager",
        actions=("ssm:UpdateInstanceInformation",),
        resources=(f"arn:${{AWS::Partition}}:ec2:{_HERE}:instance/*",),
    ),
    Statement(
        sid="CarrySessions",
        actions=(
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ),
        resources=("*",),
        why_everything="The channels of Systems Manager are no resources; these actions know none.",
    ),
)


# --- workflows


def _github_trust(settings: InfraSettings, wish: GithubWish) -> Mapping[str, Any]:
    subject = wish.subject or f"repo:{repository_of(settings)}:environment:{wish.environment}"
    return {
        "Effect": "Allow",
        "Principal": {"Federated": wish.provider or f"${{{GITHUB_PROVIDER}}}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{GITHUB_HOST}:aud": "sts.amazonaws.com", f"{GITHUB_HOST}:sub": literal(subject)}
        },
    }


def cluster_arn(settings: InfraSettings) -> str:
    """Of the cluster that tasks run in, the stack's or an adopted one."""
    if settings.cluster is None:
        return f"${{{CLUSTER}.Arn}}"
    if settings.cluster.startswith("arn:"):
        return settings.cluster
    return f"arn:${{AWS::Partition}}:ecs:{_HERE}:cluster/{settings.cluster}"


def _tasks_arn(settings: InfraSettings) -> str:
    if settings.cluster is None:
        return f"arn:${{AWS::Partition}}:ecs:{_HERE}:task/${{{CLUSTER}}}/*"
    return f"arn:${{AWS::Partition}}:ecs:{_HERE}:task/{settings.cluster.rpartition('/')[2]}/*"


def _operator(settings: InfraSettings) -> Iterator[Statement]:
    """What ``taxiway task`` needs: docs/how-to/run-a-task.md has the same, command by command."""
    cluster, tasks = cluster_arn(settings), _tasks_arn(settings)
    definitions = f"arn:${{AWS::Partition}}:ecs:{_HERE}:task-definition/${{AWS::StackName}}:*"
    inside = {"ArnEquals": {"ecs:cluster": cluster}}
    yield _allow("ReadTheStack", ["cloudformation:DescribeStacks"], "${AWS::StackId}")
    yield _allow("FindTheCluster", ["ecs:DescribeClusters"], cluster)
    yield Statement(
        sid="LookAround",
        actions=("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ecs:DescribeTaskDefinition"),
        resources=("*",),
        why_everything="These actions know no resource: whoever may look may look at all of them.",
    )
    yield _allow("RunTasks", ["ecs:RunTask"], definitions, inside)
    yield _allow("TagTasks", ["ecs:TagResource"], tasks, {"StringEquals": {"ecs:CreateAction": "RunTask"}})
    yield Statement(
        sid="PassTheRoles",
        actions=("iam:PassRole",),
        resources=(f"${{{EXECUTION_ROLE}.Arn}}", f"${{{TASK_ROLE}.Arn}}"),
        conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    )
    yield Statement(
        sid="ListTasks",
        actions=("ecs:ListTasks",),
        resources=("*",),
        conditions=inside,
        why_everything="It knows container instances only, and Fargate has none; the condition names the cluster.",
    )
    yield _allow("WatchAndStopTasks", ["ecs:DescribeTasks", "ecs:StopTask"], tasks)
    group = _STREAMS.partition(":log-stream:")[0]
    yield _allow("ReadTheLog", ["logs:DescribeLogStreams", "logs:GetLogEvents"], f"{group}:*")


def _allow(
    sid: str, actions: Iterable[str], resource: str, conditions: Mapping[str, Mapping[str, str]] | None = None
) -> Statement:
    return Statement(sid=sid, actions=tuple(actions), resources=(resource,), conditions=conditions or {})
