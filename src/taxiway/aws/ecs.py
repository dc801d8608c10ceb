"""ECS: task definitions, and tasks from their start to their end."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import batched, islice
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws.errors import error_code, error_message, translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsAccessDenied, AwsError, AwsNotFound, TaskNotFound
from taxiway.model.task import (
    ContainerDefinition,
    LogTarget,
    Refusal,
    Task,
    TaskDefinition,
    TaskRequest,
    TaskTarget,
)
from taxiway.nearest import hint_of_names

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from types_boto3_ecs import ECSClient

# DescribeTasks, "tasks": up to 100 ids in a call.
_TASKS_IN_A_CALL: Final = 100
# A listing that is only for a hint ends somewhere.
_NAMES_LOOKED_AT: Final = 500
# How RunTask says that it will not start what was asked for; its words tell why.
_REFUSALS: Final = (
    "BlockedException",
    "ClientException",
    "ClusterNotFoundException",
    "ConflictException",
    "InvalidParameterException",
    "PlatformTaskDefinitionIncompatibilityException",
    "PlatformUnknownException",
    "UnsupportedFeatureException",
)


@final
class Ecs:
    """The calls of ECS that Taxiway makes; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        self._client: ECSClient = client("ecs", place)

    @property
    def region(self) -> str:
        """The region that the client has found."""
        return self._client.meta.region_name

    # --- what there is

    def get_cluster(self, name: str) -> str:
        """The ARN of an active cluster, by name or ARN.

        Raises:
            AwsNotFound: There is none; the hint has the nearest name, if listing them is allowed.
            AwsError: AWS refused or could not be asked.
        """
        with translating("ecs:DescribeClusters", name):
            found = self._client.describe_clusters(clusters=[name])["clusters"]
        active = [one["clusterArn"] for one in found if one.get("status") == "ACTIVE"]
        if active:
            return active[0]
        raise self._missing("cluster", name, self._cluster_names)

    def get_definition(self, name: str) -> TaskDefinition:
        """The newest active revision of a family, or the revision that a name or an ARN tells. Raises as above."""
        # "ClientException" is how DescribeTaskDefinition says that there is none.
        missing = {"ClientException": lambda _: self._missing("task definition", name, self._families)}
        with translating("ecs:DescribeTaskDefinition", name, missing):
            answer = self._client.describe_task_definition(taskDefinition=name)["taskDefinition"]
        definition: Mapping[str, Any] = answer
        return TaskDefinition(
            arn=definition["taskDefinitionArn"],
            family=definition["family"],
            containers=tuple(map(_container, definition["containerDefinitions"])),
        )

    # --- tasks

    def run_task(self, target: TaskTarget, request: TaskRequest) -> Task | Refusal:
        """Start one task on Fargate. ECS refuses in two ways: with an error, and with a success full of failures.

        Raises:
            AwsError: We may not start one, or AWS could not be asked.
        """
        from botocore.exceptions import ClientError

        with translating("ecs:RunTask", target.definition.arn, {"AccessDeniedException": _run_denied(target)}):
            try:
                answer: Mapping[str, Any] = self._client.run_task(**_run_arguments(target, request))
            except ClientError as error:
                if error_code(error) not in _REFUSALS:
                    raise
                return Refusal(error_message(error))
        if answer["tasks"]:
            return _task(answer["tasks"][0], target.container)
        return _refusal(answer["failures"])

    def describe_tasks(self, cluster: str, tasks: Sequence[str], container: str) -> list[Task]:
        """The tasks of these ids or ARNs that ECS knows, in no certain order."""
        found: list[Task] = []
        for some in batched(tasks, _TASKS_IN_A_CALL):
            with translating("ecs:DescribeTasks", cluster):
                answer = self._client.describe_tasks(cluster=cluster, tasks=[*some])
            found += [_task(one, container) for one in answer["tasks"]]
        return found

    def list_tasks(self, cluster: str, family: str) -> list[str]:
        """The ARNs of all tasks of a family that ECS knows, those included that have ended in the last hour."""
        arns: list[str] = []
        for status in ("RUNNING", "STOPPED"):
            with translating("ecs:ListTasks", cluster):
                pages = self._client.get_paginator("list_tasks").paginate(
                    cluster=cluster,
                    family=family,
                    desiredStatus=status,
                )
                arns += [arn for page in pages for arn in page["taskArns"]]
        return list(dict.fromkeys(arns))

    def stop_task(self, cluster: str, task: str, reason: str) -> None:
        """Ask for the end of a task: SIGTERM, and SIGKILL after the container's ``stopTimeout``.

        Raises:
            TaskNotFound: ECS does not know it.
            AwsError: AWS refused or could not be asked.
        """
        # StopTask has this code for a task that it does not find.
        with translating("ecs:StopTask", task, {"InvalidParameterException": lambda _: _forgotten(task)}):
            self._client.stop_task(cluster=cluster, task=task, reason=reason)

    # --- names for hints

    def _missing(self, kind: str, name: str, known: Callable[[], Iterator[str]]) -> AwsNotFound:
        """The names are looked up for a hint: that may be denied, and is no error then."""
        names: list[str] = []
        with suppress(AwsError), translating("ecs:List*", "*"):
            names.extend(islice(known(), _NAMES_LOOKED_AT))
        word = name.rpartition("/")[2].partition(":")[0]
        return AwsNotFound(
            f"There is no {kind} '{name}' in region {self.region}.",
            kind=kind,
            name=name,
            hint=hint_of_names(word, names, otherwise="Check the name, the region and the account."),
        )

    def _cluster_names(self) -> Iterator[str]:
        for page in self._client.get_paginator("list_clusters").paginate():
            yield from (arn.rpartition("/")[2] for arn in page["clusterArns"])

    def _families(self) -> Iterator[str]:
        for page in self._client.get_paginator("list_task_definition_families").paginate(status="ACTIVE"):
            yield from page["families"]


def _run_denied(target: TaskTarget) -> "Callable[[ClientError], AwsAccessDenied]":
    """The call needs three actions, and only the words of the service tell which of them is missing."""
    action, resource = "ecs:RunTask", target.definition.arn
    return lambda error: AwsAccessDenied(
        f"AWS denied {action} on {resource}: {error_message(error)}",
        action=action,
        resource=resource,
        hint="Allow the action that is named there: starting a task takes ecs:RunTask on the task definition, "
        "ecs:TagResource on the tasks of the cluster, and iam:PassRole on both roles of the task.",
    )


def _forgotten(task: str) -> TaskNotFound:
    return TaskNotFound(
        f"ECS does not know a task {task} that could be stopped.",
        task=task,
        hint="See 'taxiway task list' for those that it knows.",
    )


def _container(content: Mapping[str, Any]) -> ContainerDefinition:
    return ContainerDefinition(
        name=content["name"],
        # "essential": true unless said otherwise (ContainerDefinition, API reference).
        is_essential=content.get("essential", True),
        log=read_log(content.get("logConfiguration") or {}),
        command=tuple(content.get("command") or ()),
    )


def read_log(content: Mapping[str, Any]) -> LogTarget | None:
    """On Fargate the awslogs driver needs group, region and prefix ("Send logs to CloudWatch", ECS manual)."""
    options = content.get("options") or {}
    if content.get("logDriver") != "awslogs" or not options.get("awslogs-group"):
        return None
    if not options.get("awslogs-stream-prefix"):
        return None
    return LogTarget(
        group=options["awslogs-group"],
        prefix=options["awslogs-stream-prefix"],
        region=options.get("awslogs-region"),
        may_drop=options.get("mode") == "non-blocking",
    )


def _run_arguments(target: TaskTarget, request: TaskRequest) -> dict[str, Any]:
    override: dict[str, Any] = {
        "name": target.container,
        "environment": [{"name": name, "value": value} for name, value in request.environment],
    }
    if request.command:
        override["command"] = [*request.command]
    return {
        "cluster": target.cluster,
        "taskDefinition": target.definition.arn,
        "count": 1,
        # Never Spot, which may take the task away in the middle.
        "launchType": "FARGATE",
        "clientToken": request.client_token,
        "startedBy": request.started_by,
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": [*target.subnets],
                "securityGroups": [*target.security_groups],
                "assignPublicIp": "ENABLED" if target.assign_public_ip else "DISABLED",
            }
        },
        "overrides": {"containerOverrides": [override]},
        "tags": [{"key": key, "value": value} for key, value in request.tags],
    }


def _refusal(failures: Sequence[Mapping[str, Any]]) -> Refusal:
    first = failures[0] if failures else {}
    return Refusal(first.get("reason") or "no reason given", first.get("detail") or "")


def _task(content: Mapping[str, Any], container: str) -> Task:
    containers: Sequence[Mapping[str, Any]] = content.get("containers") or ()
    ours: Mapping[str, Any] = next((one for one in containers if one.get("name") == container), {})
    overrides = (content.get("overrides") or {}).get("containerOverrides") or ()
    override: Mapping[str, Any] = next((one for one in overrides if one.get("name") == container), {})
    return Task(
        arn=content["taskArn"],
        status=content["lastStatus"],
        definition=content.get("taskDefinitionArn", ""),
        stop_code=content.get("stopCode"),
        stopped_reason=content.get("stoppedReason"),
        container_reason=ours.get("reason"),
        exit_code=ours.get("exitCode"),
        others=tuple(_other(one) for one in containers if one is not ours),
        created_at=content.get("createdAt"),
        started_at=content.get("startedAt"),
        stopped_at=content.get("stoppedAt"),
        started_by=content.get("startedBy"),
        environment=tuple((one["name"], one["value"]) for one in override.get("environment") or ()),
        command=tuple(override.get("command") or ()),
    )


def _other(content: Mapping[str, Any]) -> tuple[str, str]:
    code = content.get("exitCode")
    return content["name"], content.get("reason") or (f"exit code {code}" if code is not None else "no exit code")
