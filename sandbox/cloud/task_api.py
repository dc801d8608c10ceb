"""The four calls of ECS that are about tasks, in the place of the emulator's own.

Those know neither exit codes nor times of day nor stop codes, refuse what Fargate accepts (a container without
memory of its own, a VPC without DNS names, no security groups) and accept what it refuses.
"""

import base64
import json
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse

from sandbox.cloud import run_task_rules
from sandbox.cloud.agent import Agent
from sandbox.cloud.call import Call
from sandbox.cloud.definition import Definition
from sandbox.cloud.faults import Faults
from sandbox.cloud.patches import replace
from sandbox.cloud.task import Status, Task

_MOST_DESCRIBED: Final = 100
_MOST_LISTED: Final = 100

type _Answer = dict[str, Any]


class TaskApi:
    """RunTask, DescribeTasks, ListTasks and StopTask. Tasks that have stopped stay known."""

    def __init__(self, agent: Agent, faults: Faults) -> None:
        self._agent, self._faults = agent, faults
        self._lock = Lock()
        self._tasks: dict[str, Task] = {}
        # By cluster and client token: what was asked for, and which tasks it has started
        self._requests: dict[tuple[str, str], tuple[str, list[Task]]] = {}

    def install(self) -> None:
        """From now on, these calls come here."""
        calls: dict[str, Callable[[Call], _Answer]] = {
            "run_task": self.run_task,
            "describe_tasks": self.describe_tasks,
            "list_tasks": self.list_tasks,
            "stop_task": self.stop_task,
        }
        for name, method in calls.items():
            replace(EC2ContainerServiceResponse, name, _answering(method))

    def run_task(self, call: Call) -> _Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html."""
        cluster = _cluster(call)
        found = _backend(call).describe_task_definition(call.get("taskDefinition"))
        definition = Definition.from_moto(found)
        run_task_rules.check(call, definition, is_active=found.status == "ACTIVE")
        failure = self._faults.take("run-task-failure")
        if failure:
            return {"tasks": [], "failures": [{key: value for key, value in failure.items() if value}]}
        with self._lock:
            tasks = self._known_request(call, cluster) or self._start(call, cluster, definition)
        for task in tasks:
            if "shorter-than-a-poll" in task.faults:
                task.wait_until_stopped()
        return {"tasks": [task.describe() for task in tasks], "failures": []}

    def _known_request(self, call: Call, cluster: str) -> list[Task] | None:
        """The tasks that a request with the same client token has started.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
        """
        token = call.get("clientToken")
        request, tasks = self._requests.get((cluster, token), ("", None))
        if tasks is not None and request != _fingerprint(call):
            raise ECSException("ConflictException", "The RunTask request could not be processed due to conflicts.")
        return tasks

    def _start(self, call: Call, cluster: str, definition: Definition) -> list[Task]:
        tasks = [
            Task(
                definition=definition,
                cluster=cluster,
                region=call.region,
                started_by=call.get("startedBy"),
                group=call.get("group", f"family:{definition.family}"),
                tags=_plain(call.get("tags", [])),
                overrides=_plain(call.get("overrides", {})),
                network=_plain(call.get("networkConfiguration"))["awsvpcConfiguration"],
                faults=self._faults.take_for_task(),
            )
            for _ in range(call.get("count", 1))
        ]
        self._tasks |= {task.arn: task for task in tasks}
        if call.get("clientToken"):
            self._requests[cluster, call.get("clientToken")] = (_fingerprint(call), tasks)
        for task in tasks:
            self._agent.start(task)
        return tasks

    def describe_tasks(self, call: Call) -> _Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html."""
        cluster, wanted = _cluster(call), call.get("tasks", [])
        if not wanted or len(wanted) > _MOST_DESCRIBED:
            raise InvalidParameterException(f"Tasks must be between 1 and {_MOST_DESCRIBED}.")
        is_invisible = self._faults.take("task-not-visible") is not None
        found, failures = [], []
        for name in wanted:
            task = None if is_invisible else self._find(cluster, name)
            if task:
                found.append(task.describe(with_tags="TAGS" in call.get("include", [])))
            else:
                failures.append({"arn": _task_arn(cluster, name), "reason": "MISSING"})
        return {"tasks": found, "failures": failures}

    def list_tasks(self, call: Call) -> _Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html.

        "When you specify startedBy as the filter, it must be the only filter that you use": the status, which has
        a default, is let pass beside it.
        """
        cluster, family, started_by = _cluster(call), call.get("family"), call.get("startedBy")
        if started_by and family:
            raise InvalidParameterException("startedBy must be the only filter.")
        desired = call.get("desiredStatus", Status.RUNNING.value)
        arns = [
            task.arn
            for task in list(self._tasks.values())
            if task.cluster == cluster
            and task.desired_status == desired
            and family in {None, task.definition.family}
            and started_by in {None, task.started_by}
        ]
        start, size = _offset(call.get("nextToken")), min(call.get("maxResults", _MOST_LISTED), _MOST_LISTED)
        page: _Answer = {"taskArns": arns[start : start + size]}
        if start + size < len(arns):
            page["nextToken"] = base64.b64encode(str(start + size).encode()).decode()
        return page

    def stop_task(self, call: Call) -> _Answer:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html."""
        task = self._find(_cluster(call), call.get("task"))
        if task is None:
            raise InvalidParameterException("The referenced task was not found.")
        self._agent.stop(task, call.get("reason"))
        return {"task": task.describe()}

    def _find(self, cluster: str, name: str) -> Task | None:
        return self._tasks.get(_task_arn(cluster, name))


def _answering(method: Callable[[Call], _Answer]) -> Callable[[EC2ContainerServiceResponse], ActionResult]:
    return lambda response: ActionResult(method(Call(response)))


def _backend(call: Call) -> EC2ContainerServiceBackend:
    return ecs_backends[call.account][call.region]


def _cluster(call: Call) -> str:
    """The ARN of the cluster.

    Raises:
        ClusterNotFoundException: There is no such cluster.
    """
    arn: str = _backend(call)._get_cluster(call.get("cluster", "default")).arn  # noqa: SLF001 - the one that raises
    return arn


def _task_arn(cluster: str, name: str) -> str:
    return name if name.startswith("arn:") else f"{cluster.replace(':cluster/', ':task/')}/{name}"


def _offset(token: str | None) -> int:
    try:
        return int(base64.b64decode(token)) if token else 0
    except ValueError as error:
        raise EcsClientException("Invalid token") from error


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Without the emulator's own kinds of dictionaries."""
    return json.loads(json.dumps(value))


def _fingerprint(call: Call) -> str:
    names = ("taskDefinition", "overrides", "networkConfiguration", "startedBy", "count", "tags", "group")
    return json.dumps([call.get(name) for name in names], sort_keys=True)
