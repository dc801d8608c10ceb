"""What a task is made of, looked at from the outside: caller, cluster, definition, image, log group, roles."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws.ecs import read_log
from taxiway.aws.errors import translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsNotFound
from taxiway.model.doctor import CallerFacts, ContainerFacts, Right, RoleFacts

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient
    from types_boto3_logs import CloudWatchLogsClient

_ALLOWED: Final = "allowed"

type _Content = Mapping[str, Any]


@final
class TaskFacts:
    """The calls of STS, ECS, ECR, CloudWatch Logs and IAM that only look; each needs what its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet.

        Raises:
            MissingOption, InvalidOption: There is no region, or it cannot be one.
            NoCredentials: There is no such profile.
        """
        self._place = place
        self._sts = client("sts", place)
        self._ecs: ECSClient = client("ecs", place)
        self._logs: CloudWatchLogsClient = client("logs", place)
        self._iam = client("iam", place)

    def get_caller(self) -> CallerFacts:
        """Who we are. Nobody can be denied to ask."""
        with translating("sts:GetCallerIdentity", "*"):
            answer = self._sts.get_caller_identity()
        return CallerFacts(arn=answer["Arn"], account=answer["Account"], region=self._sts.meta.region_name)

    def find_cluster_status(self, name: str) -> str | None:
        """``ACTIVE``, ``INACTIVE``, …; ``None`` if there is none."""
        with translating("ecs:DescribeClusters", name):
            found = self._ecs.describe_clusters(clusters=[name])["clusters"]
        return found[0].get("status") if found else None

    def get_container(self, definition: str, container: str) -> ContainerFacts:
        """A container of a task definition that is known to have it."""
        with translating("ecs:DescribeTaskDefinition", definition):
            answer: _Content = self._ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
        return _container(answer, container)

    def has_log_group(self, group: str, region: str | None) -> bool:
        """Whether there is a log group of exactly that name."""
        logs = self._logs if region is None else client("logs", Place(region, self._place.profile))
        with translating("logs:DescribeLogGroups", group):
            pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=group)
            return any(one.get("logGroupName") == group for page in pages for one in page["logGroups"])

    def has_image(
        self, repository: str, *, account: str, region: str, tag: str | None, digest: str | None
    ) -> bool:
        """Whether ECR has the image."""
        missing = {
            code: lambda _: _none(repository) for code in ("ImageNotFoundException", "RepositoryNotFoundException")
        }
        image: Any = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
        ecr = client("ecr", Place(region, self._place.profile))
        try:
            with translating("ecr:DescribeImages", repository, missing):
                ecr.describe_images(registryId=account, repositoryName=repository, imageIds=[image])
        except AwsNotFound:
            return False
        return True

    def get_role(self, arn: str) -> RoleFacts:
        """A role, and whom it trusts."""
        name = arn.rpartition("/")[2]
        try:
            with translating("iam:GetRole", name, {"NoSuchEntity": lambda _: _none(name)}):
                role: _Content = self._iam.get_role(RoleName=name)["Role"]
        except AwsNotFound:
            return RoleFacts(arn=arn, services=None)
        return RoleFacts(arn=arn, services=tuple(_services(role["AssumeRolePolicyDocument"])))

    def is_allowed(self, right: Right) -> bool:
        """Whether the identity policies of a role, and the boundaries that it has, would allow it.

        Policies of resources and of the organisation are not asked (SimulatePrincipalPolicy, IAM API reference).
        A condition about a key that is not told counts as not met, and one that denies "unless" as met.
        """
        told = {"aws:RequestedRegion": self._sts.meta.region_name, **right.context}
        with translating("iam:SimulatePrincipalPolicy", right.role):
            answer = self._iam.simulate_principal_policy(
                PolicySourceArn=right.role,
                ActionNames=[right.action],
                ResourceArns=[right.resource],
                ContextEntries=[
                    {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
                    for key, value in told.items()
                ],
            )
        return all(one["EvalDecision"] == _ALLOWED for one in answer["EvaluationResults"])


def _none(name: str) -> AwsNotFound:
    return AwsNotFound("There is none.", kind="resource", name=name)


def _container(answer: _Content, name: str) -> ContainerFacts:
    content: _Content = next(one for one in answer["containerDefinitions"] if one["name"] == name)
    return ContainerFacts(
        definition=f"{answer['family']}:{answer['revision']}",
        container=name,
        image=content["image"],
        network_mode=answer.get("networkMode", ""),
        # What it was asked to be checked for; what it could run on besides is in "compatibilities".
        compatibilities=tuple(answer.get("requiresCompatibilities", ())),
        registry_secret=(content.get("repositoryCredentials") or {}).get("credentialsParameter"),
        execution_role=answer.get("executionRoleArn"),
        task_role=answer.get("taskRoleArn"),
        environment={one["name"]: one["value"] for one in content.get("environment") or ()},
        secrets={one["name"]: one["valueFrom"] for one in content.get("secrets") or ()},
        log=read_log(content.get("logConfiguration") or {}),
    )


def _services(policy: Any) -> Iterator[str]:  # noqa: ANN401 - boto3 has parsed it already
    statements = policy["Statement"]
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal", {})
        if one.get("Effect") == "Allow" and isinstance(principal, dict):
            services = principal.get("Service", ())
            yield from [services] if isinstance(services, str) else services
