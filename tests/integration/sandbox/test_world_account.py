"""The world has an account in which the job runs as a task, as it will on Fargate."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from sandbox.world import World
from tests.support.tasks import Tasks


@pytest.fixture(scope="module")
def own_world() -> Iterator[World]:
    """A world of this module: the job migrates its database."""
    with World() as world:
        yield world


@pytest.fixture
def operator(own_world: World, monkeypatch: pytest.MonkeyPatch) -> Tasks:
    """Somebody who starts tasks, with nothing but the operator's environment."""
    account = own_world.account
    for name, value in own_world.operator_environment().items():
        monkeypatch.setenv(name, value)
    return Tasks(own_world.aws, account)


def run(operator: Tasks, branch: str) -> tuple[dict[str, Any], str]:
    """Run a branch; the stopped task and what it has printed."""
    arn = operator.start(branch, definition=operator.account.family)
    return operator.wait(arn), "\n".join(operator.lines(arn))


def test_the_job_runs_as_a_task_on_main_develop_and_broken(own_world: World, operator: Tasks) -> None:
    outputs = []
    for branch, exit_code, result in (
        ("main", 0, "Result: SUCCESS, 4 applied"),
        ("develop", 0, "Result: SUCCESS, 1 applied"),
        ("broken", 1, "Code: migration-failed"),
    ):
        task, output = run(operator, branch)
        assert task["containers"][0]["exitCode"] == exit_code, output
        assert task["stopCode"] == "EssentialContainerExited"
        steps = ["Reading the deploy key", "Fetching branch", "Connecting", "Schema version: ", result]
        places = [output.index(step) for step in steps]
        assert places == sorted(places)
        assert f"commit {own_world.commits[branch]}" in output
        outputs.append(output)
    with own_world.connect() as connection:
        rows = connection.execute("SELECT count(*) FROM flyway_schema_history WHERE success").fetchone()
    assert rows == (5,)
    assert not [secret for secret in own_world.secrets for output in outputs if secret in output]


def test_the_task_reads_its_secrets_as_the_task_role_and_fargate_the_registry_s(own_world: World) -> None:
    own_world.aws.clear_audit()
    run(Tasks(own_world.aws, own_world.account), "main")
    reads = {
        (entry["role"], entry["resource"].rpartition(":")[2][:-7])
        for entry in own_world.aws.audit()
        if entry["action"] == "secretsmanager:GetSecretValue"
    }
    assert ("taxiway-execution", "registry@pull") in reads
    assert ("taxiway-task", "github@deploy-key@sample-project") in reads
    assert {entry["decision"] for entry in own_world.aws.audit()} == {"allowed"}


def test_the_job_leaves_no_file(own_world: World, operator: Tasks) -> None:
    task, _ = run(operator, "main")
    directory = own_world.aws.task_directory(task["taskArn"].rpartition("/")[2])
    assert directory.is_dir()
    assert list(directory.iterdir()) == []


def test_a_job_that_is_stopped_ends_with_143(own_world: World, operator: Tasks) -> None:
    arn = operator.start("main", definition=operator.account.family)
    operator.wait_for_line(arn, "Reading the deploy key from the secret github@deploy-key@sample-project ...")
    operator.ecs.stop_task(cluster=operator.account.cluster, task=arn, reason="test")
    task = operator.wait(arn)
    assert task["containers"][0]["exitCode"] == 143, operator.lines(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "test")


def test_everything_is_found_by_its_name(own_world: World, operator: Tasks) -> None:
    def named(items: list[dict[str, Any]]) -> set[str]:
        return {tag["Value"] for item in items for tag in item["Tags"] if tag["Key"] == "Name"}

    account, ec2 = own_world.account, boto3.Session().client("ec2")
    vpc = [{"Name": "vpc-id", "Values": [account.vpc]}]
    assert named(ec2.describe_vpcs(VpcIds=[account.vpc])["Vpcs"]) == {"taxiway-vpc"}
    assert named(ec2.describe_subnets(Filters=vpc)["Subnets"]) == {"taxiway-private-a", "taxiway-private-b"}
    groups = ec2.describe_security_groups(GroupIds=[account.security_group])["SecurityGroups"]
    assert named(groups) == {"taxiway-task"}


def test_the_definition_is_one_for_fargate_and_has_no_secret(own_world: World, operator: Tasks) -> None:
    definition = (
        boto3.Session()
        .client("ecs")
        .describe_task_definition(taskDefinition=own_world.account.family)["taskDefinition"]
    )
    container = definition["containerDefinitions"][0]
    assert (definition["cpu"], definition["memory"]) == ("256", "512")
    assert (definition["networkMode"], definition["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
    assert (container["name"], container["user"]) == ("taxiway", "10001:10001")
    assert container["readonlyRootFilesystem"] is True
    assert not [secret for secret in own_world.secrets if secret in str(definition)]
