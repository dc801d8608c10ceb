"""What a container on Fargate can ask for over HTTP: credentials of the task role, and what task it is."""

from datetime import UTC
from typing import Any
from uuid import uuid4

from sandbox.cloud.roles import Clients
from sandbox.cloud.task import Task


class TaskEndpoints:
    """The endpoints of all running tasks. A task that has ended finds nothing here any more."""

    def __init__(self, clients: Clients, address: str) -> None:
        self._clients, self._address = clients, address
        self._by_credentials: dict[str, Task] = {}
        self._by_id: dict[str, Task] = {}

    def open(self, task: Task) -> dict[str, str]:
        """The variables that lead the container here.

        Fargate gives a path on 169.254.170.2 for the credentials; the SDKs take a whole address just as well.
        """
        self._by_id[task.id] = task
        variables = {"ECS_CONTAINER_METADATA_URI_V4": f"{self._address}/v4/{task.id}"}
        if task.definition.task_role:
            credentials_id = str(uuid4())
            self._by_credentials[credentials_id] = task
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{self._address}/v2/credentials/{credentials_id}"
        return variables

    def close(self, task: Task) -> None:
        """The task has ended."""
        self._by_id.pop(task.id, None)
        self._by_credentials = {key: other for key, other in self._by_credentials.items() if other is not task}

    def find_credentials(self, credentials_id: str) -> dict[str, str] | None:
        """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html."""
        task = self._by_credentials.get(credentials_id)
        if task is None:
            return None
        assert task.definition.task_role is not None  # otherwise it was not given an id
        given = self._clients.assume(task.definition.task_role, task.id, task.region)
        return {
            "RoleArn": given.role,
            "AccessKeyId": given.access_key_id,
            "SecretAccessKey": given.secret_access_key,
            "Token": given.session_token,
            "Expiration": given.expiration.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def find_metadata(self, task_id: str, what: str) -> dict[str, Any] | None:
        """The answer to ``${ECS_CONTAINER_METADATA_URI_V4}`` (``what`` is empty) and to ``…/task``.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html
        """
        task = self._by_id.get(task_id)
        if task is None or what not in {"", "task", "taskWithTags"}:
            return None
        container = _container(task)
        return container if what == "" else _task(task, container)


def _task(task: Task, container: dict[str, Any]) -> dict[str, Any]:
    definition = task.definition
    return {
        "Cluster": task.cluster,
        "TaskARN": task.arn,
        "Family": definition.family,
        "Revision": str(definition.revision),
        "DesiredStatus": task.desired_status.value,
        "KnownStatus": task.status.value,
        "Limits": {"CPU": definition.cpu / 1024, "Memory": definition.memory},
        "PullStartedAt": _time(task, "pullStartedAt"),
        "PullStoppedAt": _time(task, "pullStoppedAt"),
        "AvailabilityZone": f"{task.region}a",
        "LaunchType": "FARGATE",
        "Containers": [container],
    }


def _container(task: Task) -> dict[str, Any]:
    definition = task.definition
    return {
        "DockerId": f"{task.id}-{definition.container}",
        "Name": definition.container,
        "DockerName": definition.container,
        "Image": definition.image,
        "ImageID": task.image_digest,
        "Labels": {
            "com.amazonaws.ecs.cluster": task.cluster,
            "com.amazonaws.ecs.container-name": definition.container,
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.task-definition-family": definition.family,
            "com.amazonaws.ecs.task-definition-version": str(definition.revision),
        },
        "DesiredStatus": task.desired_status.value,
        "KnownStatus": task.status.value,
        "CreatedAt": _time(task, "pullStoppedAt"),
        "StartedAt": _time(task, "startedAt"),
        "Type": "NORMAL",
        "ContainerARN": task.describe()["containers"][0]["containerArn"],
    }


def _time(task: Task, name: str) -> str | None:
    when = task.times.get(name)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if when else None
