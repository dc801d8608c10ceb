"""Tasks in the sandbox's account, for tests: a shell script is the container."""

import time
from collections.abc import Sequence
from itertools import count
from typing import Any, Final

from sandbox.account import Account, task_definition
from sandbox.aws import AwsEndpoint

ALLOWED_SECRET: Final = "tasks@allowed"
OTHER_SECRET: Final = "tasks@other"
SHELL_IMAGE: Final = "registry.example/shell:1"
SHELL_DIGEST: Final = f"sha256:{'5' * 64}"
_POLL_SECONDS: Final = 0.02
_numbers: Final = count(1)

type Description = dict[str, Any]


class Tasks:
    """Starts tasks, waits for them and reads their output."""

    def __init__(self, aws: AwsEndpoint, account: Account) -> None:
        self.aws, self.account = aws, account
        self.ecs, self.logs = aws.client("ecs"), aws.client("logs")
        self._started: list[str] = []
        aws.push_image(
            SHELL_IMAGE,
            digest=SHELL_DIGEST,
            entry_point=["/bin/sh", "-c"],
            environment={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        )

    def register(self, *, container: Description | None = None, **settings: Any) -> str:
        """A definition of its own family, whose container runs a shell script. Its ARN."""
        definition = task_definition(self.account, {}, region=self.aws.region, registry_secret=None)
        definition["containerDefinitions"][0] |= {"image": SHELL_IMAGE, **(container or {})}
        definition |= {"family": f"shell-{next(_numbers)}", **settings}
        registered = self.ecs.register_task_definition(**definition)
        arn: str = registered["taskDefinition"]["taskDefinitionArn"]
        return arn

    def request(self, *command: str, definition: str | None = None, **arguments: Any) -> Description:
        """The arguments of RunTask for a script."""
        overrides = {"containerOverrides": [{"name": self.account.container, "command": [*command]}]}
        return {
            "cluster": self.account.cluster,
            "taskDefinition": definition or self.register(),
            "launchType": "FARGATE",
            "networkConfiguration": self.account.network,
            "overrides": overrides,
            **arguments,
        }

    def start(self, *command: str, definition: str | None = None, **arguments: Any) -> str:
        """Start a task that runs a script; its ARN."""
        answer = self.ecs.run_task(**self.request(*command, definition=definition, **arguments))
        assert answer["failures"] == []
        arn: str = answer["tasks"][0]["taskArn"]
        self._started.append(arn)
        return arn

    def run(self, *command: str, definition: str | None = None, **arguments: Any) -> Description:
        """Start a task and wait for its end."""
        return self.wait(self.start(*command, definition=definition, **arguments))

    def describe(self, arn: str, *, include: Sequence[str] = ()) -> Description:
        """As DescribeTasks does."""
        answer = self.ecs.describe_tasks(cluster=self.account.cluster, tasks=[arn], include=[*include])
        task: Description = answer["tasks"][0]
        return task

    def wait(self, arn: str, status: str = "STOPPED", *, seconds: float = 60) -> Description:
        """Wait until the task has that status."""
        deadline = time.monotonic() + seconds
        while (task := self.describe(arn))["lastStatus"] != status:
            assert time.monotonic() < deadline, f"{arn} is {task['lastStatus']} after {seconds} s"
            time.sleep(_POLL_SECONDS)
        return task

    def wait_for_line(self, arn: str, line: str, *, seconds: float = 30) -> None:
        """Wait until the task has printed that."""
        deadline = time.monotonic() + seconds
        while line not in self.lines(arn):
            assert time.monotonic() < deadline, f"no line {line!r} after {seconds} s"
            time.sleep(_POLL_SECONDS)

    def lines(self, arn: str) -> list[str]:
        """What the task has printed so far; nothing if there is no stream yet."""
        lines: list[str] = []
        arguments: Description = {
            "logGroupName": self.account.log_group,
            "logStreamName": self.account.log_stream(arn),
            "startFromHead": True,
        }
        while True:
            try:
                answer = self.logs.get_log_events(**arguments)
            except self.logs.exceptions.ResourceNotFoundException:
                return lines
            lines += [event["message"] for event in answer["events"]]
            if answer["nextForwardToken"] == arguments.get("nextToken"):
                return lines
            arguments["nextToken"] = answer["nextForwardToken"]

    def stop_all(self) -> None:
        """Ask every task to stop."""
        for arn in self._started:
            self.ecs.stop_task(cluster=self.account.cluster, task=arn)
