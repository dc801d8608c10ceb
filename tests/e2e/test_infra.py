"""From nothing to a migration, and back to nothing, through the installed command.

CloudFormation, ECS, IAM and the logs are an emulated account; the task really runs, with the roles that the stack has
made, on a real PostgreSQL and from a real Git host. The steps depend on each other, so they are one test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import World
from tests.support.infra import infra_file
from tests.support.operator import Ended, Operator


@pytest.fixture
def own_world() -> Iterator[World]:
    """A world of this test alone: its database is empty."""
    with World() as world:
        yield world


@pytest.mark.long
@pytest.mark.timeout(400)
def test_plan_deploy_run_status_destroy(own_world: World, tmp_path: Path) -> None:
    story = Story(own_world, tmp_path)
    story.a_plan_changes_nothing()
    story.nobody_is_asked_without_a_terminal()
    story.deploy_makes_everything()
    story.deploying_again_does_nothing()
    story.a_task_runs_from_the_outputs_alone()
    story.a_change_is_told_in_words()
    story.a_change_from_outside_is_drift()
    story.a_failure_is_taken_back_and_told()
    story.destroy_shows_what_stays()
    story.no_secret_was_printed()


class Story:
    """Its steps."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.file = infra_file(world, world.account)
        environment = world.operator_environment()
        self.operator = Operator(directory, world.account, environment, file=self.file, group="infra")
        self.stacks: Any = world.aws.client("cloudformation")

    def call(self, *arguments: str, group: str = "infra") -> Ended:
        self.operator.group = group
        return self.operator.call(*arguments)

    def a_plan_changes_nothing(self) -> None:
        ended = self.call("plan")
        assert ended.exit_code == 0, ended.stderr
        assert "Changes of new stack shop in eu-central-1:" in ended.stdout
        assert "+ add          TaskRole" in ended.stdout
        assert ended.stdout.splitlines()[-1] == "8 to add."
        assert self.stacks.describe_stacks()["Stacks"] == []

    def nobody_is_asked_without_a_terminal(self) -> None:
        ended = self.call("deploy")
        assert (ended.code, ended.exit_code) == ("not-confirmed", 2)
        assert self.stacks.describe_stacks()["Stacks"] == []

    def deploy_makes_everything(self) -> None:
        ended = self.call("deploy", "--yes", "--output", "json")
        assert ended.exit_code == 0, ended.stderr
        assert (ended.json["isNew"], ended.json["status"]) == (True, "CREATE_COMPLETE")
        assert ended.json["outputs"]["SubnetIds"] == ",".join(self.world.account.subnets)
        assert "CREATE_COMPLETE TaskDefinition (task definition)" in ended.stderr

    def deploying_again_does_nothing(self) -> None:
        ended = self.call("deploy", "--yes")
        assert ended.exit_code == 0, ended.stderr
        assert ended.stdout == "Stack shop in eu-central-1 is up to date.\n"

    def a_task_runs_from_the_outputs_alone(self) -> None:
        ended = self.call("run", "--branch", "main", group="task")
        assert ended.exit_code == 0, ended.stdout + ended.stderr
        assert ended.stdout.splitlines()[-1].startswith("Result: SUCCESS, 4 applied, schema version 1.0.2")
        outputs = self.outputs()
        assert f"in cluster {outputs['ClusterName']} as alice" in ended.stderr
        roles = {role.rpartition("/")[2] for name, role in outputs.items() if name.endswith("RoleArn")}
        assert {one["role"] for one in self.world.aws.audit()} == roles
        assert {one["decision"] for one in self.world.aws.audit()} == {"allowed"}

    def a_change_is_told_in_words(self) -> None:
        self.operator.write(self.file.replace("[infra]\n", "[infra]\nlog_retention_days = 30\nmemory = 1024\n"))
        ended = self.call("status")
        assert "Configured differently from what is deployed: LogGroup, TaskDefinition." in ended.stdout
        ended = self.call("deploy", "--yes")
        assert ended.exit_code == 0, ended.stderr
        assert "RetentionInDays: 365 -> 30" in ended.stdout
        assert "! REPLACE      TaskDefinition" in ended.stdout
        assert "1 to change, 1 to REPLACE." in ended.stdout
        assert self.outputs()["TaskDefinitionArn"].endswith("task-definition/shop:2")
        assert "What is deployed is what is configured." in self.call("status").stdout

    def a_change_from_outside_is_drift(self) -> None:
        logs = self.world.aws.client("logs")
        logs.put_retention_policy(logGroupName=self.outputs()["LogGroupName"], retentionInDays=1)
        ended = self.call("status", "--drift")
        assert ended.exit_code == 3, ended.stderr
        assert "DRIFT: LogGroup (log group) is MODIFIED.\n  RetentionInDays: expected 30, is 1" in ended.stdout
        logs.put_retention_policy(logGroupName=self.outputs()["LogGroupName"], retentionInDays=30)
        assert self.call("status", "--drift").exit_code == 0

    def a_failure_is_taken_back_and_told(self) -> None:
        good = (self.operator.directory / "taxiway.toml").read_text()
        self.operator.write(good.replace(self.world.account.security_group, "sg-00000000000000000"))
        ended = self.call("deploy", "--yes")
        assert (ended.code, ended.exit_code) == ("stack-failed", 1)
        assert "Stack shop is UPDATE_ROLLBACK_COMPLETE:" in ended.stderr
        assert "sg-00000000000000000" in ended.stderr
        self.operator.write(good)
        assert self.call("run", "--branch", "main", group="task").exit_code == 0

    def destroy_shows_what_stays(self) -> None:
        group = self.outputs()["LogGroupName"]
        ended = self.call("destroy", "--dry-run")
        assert f"= stays: LogGroup, log group {group}" in ended.stdout
        assert self.outputs()
        ended = self.call("destroy", "--yes")
        assert ended.exit_code == 0, ended.stderr
        assert ended.stdout.splitlines()[-2:] == ["Stack shop is gone.", f"Kept: {group}"]
        assert self.stacks.describe_stacks()["Stacks"] == []
        assert self.call("destroy", "--yes").stdout == "There is no stack shop in eu-central-1.\n"
        ended = self.call("run", group="task")
        assert (ended.code, ended.exit_code) == ("aws-not-found", 2)

    def no_secret_was_printed(self) -> None:
        for output in self.operator.outputs:
            assert [secret for secret in self.world.secrets if secret in output] == []

    def outputs(self) -> dict[str, str]:
        [stack] = self.stacks.describe_stacks(StackName="shop")["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
