"""The policy in the how-to page is enough for every command, and nothing in it is too much."""

import json
from pathlib import Path

import pytest

from tests.support.assumed_role import actions_in, assume
from tests.support.examples import blocks
from tests.support.markdown import read_page
from tests.support.operator import Operator, read_until
from tests.support.rights import Rights
from tests.support.tasks import Tasks

PAGE = "docs/how-to/run-a-task.md"
ROLE, WATCHER = "operator", "watcher"
SUCCESS = "Result: SUCCESS, 0 applied, exit code 0"


def policy_of_the_page(tasks: Tasks) -> str:
    """With the names of this account in place of those of the page."""
    [block] = [block for block in blocks(read_page(PAGE)) if block.language == "json"]
    account = tasks.aws.client("sts").get_caller_identity()["Account"]
    text = block.text.replace("111122223333", account).replace("eu-west-1", tasks.aws.region)
    return text.replace("cluster/apps", f"cluster/{tasks.account.cluster}").replace(
        "task/apps/", f"task/{tasks.account.cluster}/"
    )


@pytest.mark.long
def test_the_policy_is_enough_and_nothing_in_it_is_too_much(tasks: Tasks, tmp_path: Path) -> None:
    policy = policy_of_the_page(tasks)
    operator = Operator(tmp_path, tasks.account, assume(tasks.aws, ROLE, policy))
    watcher = Operator(tmp_path, tasks.account, assume(tasks.aws, WATCHER, policy))
    rights = Rights(tasks.aws)
    shell = tasks.register(family=tasks.account.family)
    try:
        ended = operator.call("run", "--task-definition", shell, "--", f"echo '{SUCCESS}'")
        assert ended.exit_code == 0, ended.stderr
        rights.note("task run", ROLE)
        for arguments in (("list",), ("list", "--all"), ("logs",)):
            ended = operator.call(*arguments)
            assert ended.exit_code == 0, ended.stderr
            rights.note(" ".join(("task", *arguments)), ROLE)
        with operator.calling("run", "--task-definition", shell, "--", "echo up; sleep 60") as process:
            read_until(process, "up")
            with watcher.calling("attach") as second:
                read_until(second, "up")
            rights.note("task attach", WATCHER)
            stopped = watcher.call("stop")
            assert stopped.exit_code == 0, stopped.stderr
            rights.note("task stop", WATCHER)
    finally:
        tasks.ecs.deregister_task_definition(taskDefinition=shell)
    rights.check()
    audit = [*tasks.aws.audit(ROLE), *tasks.aws.audit(WATCHER)]
    assert {entry["decision"] for entry in audit} == {"allowed"}
    assert {entry["action"] for entry in audit} == actions_in(policy)


@pytest.mark.parametrize("action", ["ecs:RunTask", "ecs:TagResource", "iam:PassRole", "ec2:DescribeSubnets"])
def test_a_right_that_is_missing_is_named_before_anything_is_started(
    tasks: Tasks, tmp_path: Path, action: str
) -> None:
    content = json.loads(policy_of_the_page(tasks))
    denial = {"Effect": "Deny", "Action": action, "Resource": "*"}
    policy = json.dumps({**content, "Statement": [*content["Statement"], denial]})
    operator = Operator(tmp_path, tasks.account, assume(tasks.aws, f"no-{action.replace(':', '-')}", policy))
    ended = operator.call("run")
    assert (ended.code, ended.exit_code) == ("aws-access-denied", 2), ended.stderr
    assert f"not authorized to perform: {action}" in ended.stderr
    [hint] = [line for line in ended.stderr.splitlines() if line.startswith("Hint: ")]
    assert action in hint
