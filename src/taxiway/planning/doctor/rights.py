"""The two roles of the task: do they exist, may ECS assume them, and may they do what the task needs?"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from taxiway.model.doctor import Area, CallerFacts, ContainerFacts, Finding, Right, RoleFacts, ServerFacts
from taxiway.model.stored_secret import Purpose, SecretState
from taxiway.planning.doctor.task import find_ecr_image

ECS_TASKS: Final = "ecs-tasks.amazonaws.com"
_READ: Final = "secretsmanager:GetSecretValue"
# "Amazon ECS task execution IAM role", ECS manual.
_PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
# arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME; the key, the stage and the version may come behind it.
_PARTS_OF_ARN: Final = 7


def judge_role(role: RoleFacts) -> Iterator[Finding]:
    """Whether the role is there, and trusts ECS."""
    name = role.arn.rpartition("/")[2]
    if role.services is None:
        yield Finding(
            area=Area.ROLES,
            code="role-missing",
            message=f"There is no role '{name}', which the task definition names.",
            fix="Make it (taxiway infra deploy), or register a revision with the ARN of one that there is.",
        )
    elif ECS_TASKS not in role.services:
        yield Finding(
            area=Area.ROLES,
            code="role-not-trusted",
            message=f"ECS may not assume role '{name}': its trust policy does not name {ECS_TASKS}.",
            fix=f'Add to its trust policy: {{"Effect": "Allow", "Principal": {{"Service": "{ECS_TASKS}"}}, '
            '"Action": "sts:AssumeRole"}',
        )


def judge_rights(rights: Iterable[tuple[Right, bool]]) -> Iterator[Finding]:
    """Each with whether IAM would allow it."""
    for right, is_allowed in rights:
        if not is_allowed:
            name = right.role.rpartition("/")[2]
            yield Finding(
                area=Area.ROLES,
                code="right-missing",
                message=f"Role '{name}' may not {right.action} on {right.resource}, which it needs to "
                f"{right.purpose}.",
                fix=f'Add to the policy of role \'{name}\': {{"Effect": "Allow", "Action": "{right.action}", '
                f'"Resource": "{right.resource}"}}',
            )


def execution_rights(facts: ContainerFacts, states: Sequence[SecretState], caller: CallerFacts) -> Iterator[Right]:
    """What Fargate does as the execution role before the container starts."""
    role = facts.execution_role
    if role is None:
        return
    if facts.log:
        region = facts.log.region or caller.region
        group = f"arn:{caller.partition}:logs:{region}:{caller.account}:log-group:{facts.log.group}"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            stream = f"{group}:log-stream:{facts.log.prefix}/{facts.container}/task"
            yield Right(role=role, action=action, resource=stream, purpose="write the log")
    image = find_ecr_image(facts.image)
    if image:
        yield Right(role=role, action="ecr:GetAuthorizationToken", resource="*", purpose="pull the image")
        arn = f"arn:{caller.partition}:ecr:{image.region}:{image.account}:repository/{image.name}"
        for action in _PULL:
            yield Right(role=role, action=action, resource=arn, purpose="pull the image")
    given = [*facts.secrets.values(), *([facts.registry_secret] if facts.registry_secret else [])]
    for value in given:
        arn = ":".join(value.split(":")[:_PARTS_OF_ARN])
        if arn.startswith(f"arn:{caller.partition}:secretsmanager:"):
            yield Right(role=role, action=_READ, resource=arn, purpose="hand over a secret")
            yield from _decrypting(role, [one for one in states if one.stored and one.stored.arn == arn])


def task_rights(facts: ContainerFacts, states: Sequence[SecretState]) -> Iterator[Right]:
    """What the job does as the task role. What is only for the registry is read by the execution role."""
    if facts.task_role is None:
        return
    for state in states:
        if state.stored and {use.purpose for use in state.uses} != {Purpose.REGISTRY}:
            purpose = f"read the secret '{state.secret_id}'"
            yield Right(role=facts.task_role, action=_READ, resource=state.stored.arn, purpose=purpose)
            yield from _decrypting(facts.task_role, [state])


def login_rights(facts: ContainerFacts, server: ServerFacts, user: str, caller: CallerFacts) -> Iterator[Right]:
    """What a login with a token of IAM takes ("Creating and using an IAM policy for IAM database access", RDS)."""
    if facts.task_role and server.resource_id:
        arn = f"arn:{caller.partition}:rds-db:{caller.region}:{caller.account}:dbuser:{server.resource_id}/{user}"
        yield Right(role=facts.task_role, action="rds-db:connect", resource=arn, purpose=f"log in as '{user}'")


def _decrypting(role: str, states: Iterable[SecretState]) -> Iterator[Right]:
    """With the default key of the account nothing has to be allowed; an alias is no resource of a policy."""
    for state in states:
        key = state.stored.kms_key if state.stored else None
        if key and state.stored and key.startswith("arn:") and ":key/" in key:
            purpose = f"decrypt the secret '{state.secret_id}'"
            context = _through_secrets_manager(state.stored.arn)
            yield Right(role=role, action="kms:Decrypt", resource=key, purpose=purpose, context=context)


def _through_secrets_manager(secret: str) -> dict[str, str]:
    """What a policy of a key's use may ask for ("Permissions for the KMS key", Secrets Manager manual)."""
    _, partition, _, region, *_ = secret.split(":")
    suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    return {"kms:ViaService": f"secretsmanager.{region}.{suffix}", "kms:EncryptionContext:SecretARN": secret}
