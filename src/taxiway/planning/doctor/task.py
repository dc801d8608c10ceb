"""Cluster, task definition, image and log: will ECS start the task, and can it be read?"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from taxiway.model.doctor import Area, CallerFacts, ContainerFacts, Finding, Gap

_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
# ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME (ECR User Guide, "Amazon ECR private registries").
_ECR: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<name>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?$"
)


class EcrImage(NamedTuple):
    """An image in a private registry of ECR; ``digest`` or ``tag``, the former wins."""

    account: str
    region: str
    name: str
    tag: str | None
    digest: str | None


def find_ecr_image(image: str) -> EcrImage | None:
    """What the reference says; ``None`` for an image of another registry."""
    found = _ECR.match(image)
    return EcrImage(*found.group("account", "region", "name", "tag", "digest")) if found else None


def judge_cluster(name: str, status: str | None, region: str) -> Iterator[Finding]:
    """``status`` is ``None`` when ECS knows none of that name. A deleted cluster is remembered as INACTIVE."""
    short = name.rpartition("/")[2]
    if status is None:
        yield Finding(
            area=Area.CLUSTER,
            code="cluster-unknown",
            message=f"There is no cluster '{short}' in region {region}.",
            fix="Correct cluster or region in [task] of taxiway.toml, or make it: taxiway infra deploy",
        )
    elif status != "ACTIVE":
        yield Finding(
            area=Area.CLUSTER,
            code="cluster-inactive",
            message=f"The cluster '{short}' is {status}: no task starts in it.",
            fix=f"aws ecs create-cluster --cluster-name '{short}' --region {region}",
        )


def judge_definition(facts: ContainerFacts, caller: CallerFacts) -> Iterator[Finding]:
    """Whether Fargate starts it, and whether anybody can read how it ends."""

    def finding(code: str, words: str, fix: str) -> Finding:
        message = f"Task definition {facts.definition}: {words}"
        return Finding(area=Area.TASK_DEFINITION, code=code, message=message, fix=fix)

    # "awsvpc" is the only one on Fargate ("Task definition differences for Fargate", ECS manual).
    if facts.network_mode != "awsvpc":
        yield finding(
            "network-mode-wrong",
            f"its network mode is {facts.network_mode or 'not set'}, and Fargate has awsvpc only.",
            "Register a revision with networkMode: awsvpc.",
        )
    if facts.compatibilities and "FARGATE" not in facts.compatibilities:
        yield finding(
            "fargate-not-supported",
            "it is not registered for Fargate.",
            "Register a revision with requiresCompatibilities: [FARGATE].",
        )
    if facts.log is None:
        yield finding(
            "log-not-readable",
            f"the output of container '{facts.container}' does not go to CloudWatch Logs.",
            "Give it a logConfiguration: awslogs, with awslogs-group, awslogs-region and awslogs-stream-prefix.",
        )
    region = facts.environment.get("REGION") or facts.environment.get("AWS_REGION")
    if region and region != caller.region:
        yield finding(
            "region-differs",
            f"the container looks for its secrets in {region}, and this is {caller.region}.",
            f"Set REGION to {caller.region} in the container's environment, or call with --region {region}.",
        )
    yield from _roles_named(facts)


def _roles_named(facts: ContainerFacts) -> Iterator[Finding]:
    if facts.execution_role is None:
        yield Finding(
            area=Area.ROLES,
            code="execution-role-not-set",
            message=f"Task definition {facts.definition} has no execution role: its log cannot be written.",
            fix="Register a revision with executionRoleArn.",
        )
    if facts.task_role is None:
        yield Finding(
            area=Area.ROLES,
            code="task-role-not-set",
            message=f"Task definition {facts.definition} has no task role: the job can read no secret.",
            fix="Register a revision with taskRoleArn.",
        )


def judge_image(facts: ContainerFacts, *, registry_secret: str | None) -> Iterator[Finding]:
    """``registry_secret`` is the one that the project has for its registry, if it has one."""
    if not _DIGEST.search(facts.image):
        yield Finding(
            area=Area.IMAGE,
            code="image-without-digest",
            message=f"Image '{facts.image}' is named without a digest: what runs may change between two runs.",
            fix=f"Register a revision with the image '{facts.image.partition('@')[0]}@sha256:DIGEST'.",
        )
    if registry_secret and facts.registry_secret is None and find_ecr_image(facts.image) is None:
        yield Finding(
            area=Area.IMAGE,
            code="image-without-credentials",
            message=f"The registry of image '{facts.image}' wants the login in secret '{registry_secret}', and "
            f"task definition {facts.definition} has no repositoryCredentials.",
            fix="Register a revision with repositoryCredentials: {credentialsParameter: the ARN of "
            f"'{registry_secret}'}}.",
        )


def image_gap(facts: ContainerFacts) -> Gap | None:
    """A registry that is not AWS's is asked by nobody."""
    if find_ecr_image(facts.image):
        return None
    return Gap(
        area=Area.IMAGE,
        what=f"whether image '{facts.image}' can be pulled",
        because="its registry is not one of AWS",
    )


def judge_ecr_image(facts: ContainerFacts, *, is_there: bool) -> Iterator[Finding]:
    """An image of ECR that is not there."""
    image = find_ecr_image(facts.image)
    if image and not is_there:
        yield Finding(
            area=Area.IMAGE,
            code="image-missing",
            message=f"There is no image '{facts.image}'.",
            fix=f"Push it to {image.name}, or register a revision with an image of: "
            f"aws ecr describe-images --repository-name '{image.name}' --region {image.region}",
        )


def judge_log_group(group: str, region: str, *, is_there: bool) -> Iterator[Finding]:
    """Fargate does not make the group: a task without it does not start."""
    if not is_there:
        yield Finding(
            area=Area.LOG,
            code="log-group-missing",
            message=f"There is no log group '{group}' in region {region}: the task would not start.",
            fix=f"aws logs create-log-group --log-group-name '{group}' --region {region}",
        )
