"""The operator's story, through the installed command: real PostgreSQL, real git over SSH, an emulated AWS.

The container's command really runs, as a process with the task's environment and its role. The steps depend on each
other, so they are one test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import World
from tests.support.branches import add_branch
from tests.support.canary import find_secrets
from tests.support.operator import Operator, read_until

# A migration that waits for the test, so that nothing here depends on a clock.
_WAITING = "SELECT pg_advisory_xact_lock(4711);\n"


@pytest.fixture
def own_world() -> Iterator[World]:
    """A world of this test alone: it counts every task."""
    with World() as world:
        add_branch(world, "waiting", "sql/V9__Wait.sql", _WAITING)
        yield world


def test_run_list_logs_attach_stop(own_world: World, tmp_path: Path) -> None:
    story = Story(own_world, Operator(tmp_path, own_world.account, own_world.operator_environment()))
    story.main_is_a_success()
    story.develop_as_json()
    story.broken_is_a_failure()
    story.a_commit_is_run_exactly()
    story.the_list_tells_of_all()
    story.the_log_is_there_afterwards()
    story.lines_arrive_before_the_end_and_a_second_process_attaches()
    story.a_task_is_stopped()
    story.no_secret_went_anywhere()


class Story:
    """Its steps."""

    def __init__(self, world: World, operator: Operator) -> None:
        self.world, self.operator = world, operator

    def main_is_a_success(self) -> None:
        ended = self.operator.call("run", "--branch", "main")
        assert ended.exit_code == 0, ended.stdout + ended.stderr
        first, *_, last = ended.stdout.splitlines()
        assert first.startswith("Reading the deploy key")
        commit = self.world.commits["main"][:12]
        assert last == (
            f"Result: SUCCESS, 4 applied, schema version 1.0.2, branch main, commit {commit}, exit code 0"
        )
        statuses = [line.rpartition(" ")[2] for line in ended.stderr.splitlines() if line.startswith("Task ")]
        assert "STOPPED" in statuses
        assert "in cluster taxiway as alice" in ended.stderr

    def develop_as_json(self) -> None:
        ended = self.operator.call("run", "--branch", "develop", "--output", "json", TAXIWAY_ACTOR="bob [ci]")
        assert ended.exit_code == 0, ended.stderr
        result = ended.json["result"]
        assert (result["outcome"], result["applied"], result["schemaVersion"]) == ("SUCCESS", 1, "1.1.0")
        assert ended.json["task"]["stopCode"] == "EssentialContainerExited"
        assert "Result: SUCCESS" in ended.stderr

    def broken_is_a_failure(self) -> None:
        ended = self.operator.call("run", "--branch", "broken")
        assert ended.exit_code == 1
        assert "sql/V1.2.0__AddProductPrice.sql:11:26:" in ended.stdout
        assert "FAILED (migration-failed), exit code 1" in ended.stderr

    def a_commit_is_run_exactly(self) -> None:
        commit = self.world.commits["main"]
        ended = self.operator.call("run", "--commit", commit, "--", "--debug")
        assert ended.exit_code == 0, ended.stdout + ended.stderr
        assert f"commit {commit}" in ended.stdout
        assert "DEBUG: Configuration file" in ended.stdout
        # What develop has added is applied already, and is none of this commit.
        assert "Future" in ended.stdout
        assert "Result: SUCCESS, 0 applied, schema version 1.1.0, branch main" in ended.stdout

    def the_list_tells_of_all(self) -> None:
        table = self.operator.call("list").stdout
        assert "| alice" in table
        assert "bob [ci]" in table
        rows = self.operator.call("list", "--output", "json").json["tasks"]
        told = [(row["actor"], row["branch"], row["result"], row["exitCode"]) for row in rows]
        assert told == [
            ("alice", "main", "SUCCESS", 0),
            ("alice", "broken", "FAILED (migration-failed)", 1),
            ("bob [ci]", "develop", "SUCCESS", 0),
            ("alice", "main", "SUCCESS", 0),
        ]
        assert all(row["durationSeconds"] > 0 for row in rows)

    def the_log_is_there_afterwards(self) -> None:
        *_, oldest = self.operator.call("list", "--output", "json").json["tasks"]
        ended = self.operator.call("logs", oldest["id"][:10])
        assert ended.exit_code == 0, ended.stderr
        assert ended.stdout.splitlines()[-1].startswith("Result: SUCCESS, 4 applied")
        newest = self.operator.call("logs", "--output", "json").json
        assert newest["lines"][-1]["message"].startswith("Result: SUCCESS, 0 applied")

    def lines_arrive_before_the_end_and_a_second_process_attaches(self) -> None:
        with self.world.connect() as gate:
            gate.execute("SELECT pg_advisory_lock(4711)")
            with self.operator.calling("run", "--branch", "waiting") as process:
                before = read_until(process, 'to version "9 - Wait"')
                # The line is here, and the task cannot end: its migration waits for this test.
                assert self.running()["result"] == "RUNNING"
                with self.operator.calling("attach") as second:
                    seen = read_until(second, 'to version "9 - Wait"')
                    gate.execute("SELECT pg_advisory_unlock(4711)")
                    attached = self.operator.finish(second, before=seen)
                ended = self.operator.finish(process, before=before)
        assert (ended.exit_code, attached.exit_code) == (0, 0), ended.stderr + attached.stderr
        assert attached.stdout == ended.stdout
        assert ended.stdout.splitlines()[-1].startswith("Result: SUCCESS, 1 applied, schema version 9")

    def a_task_is_stopped(self) -> None:
        add_branch(self.world, "stopped", "sql/V10__Wait.sql", _WAITING, start="waiting")
        with self.world.connect() as gate:
            gate.execute("SELECT pg_advisory_lock(4711)")
            started = self.operator.call("run", "--branch", "stopped", "--detach")
            assert started.exit_code == 0, started.stderr
            task_id = started.stdout.strip()
            with self.operator.calling("attach", task_id) as watching:
                before = read_until(watching, 'to version "10 - Wait"')
                stopped = self.operator.call("stop", task_id[:12], "--reason", "Wrong branch", TAXIWAY_ACTOR="bob")
                watched = self.operator.finish(watching, before=before)
            gate.execute("SELECT pg_advisory_unlock(4711)")
        assert stopped.exit_code == 0, stopped.stderr
        assert "TERMINATED, exit code 143" in stopped.stdout
        assert watched.exit_code == 143
        assert "it was rolled back" in watched.stdout
        [row] = [one for one in self.operator.call("list", "-o", "json").json["tasks"] if one["id"] == task_id]
        assert row["result"] == "TERMINATED"
        with self.world.connect() as connection:
            rows = connection.execute("SELECT 1 FROM flyway_schema_history WHERE version = '10'").fetchall()
        assert rows == []

    def no_secret_went_anywhere(self) -> None:
        """Neither to the operator, nor into the account, nor into what a container leaves on its disk."""
        secrets = dict(enumerate(self.world.secrets))
        places = {"output": self.operator.outputs, "account": [*self.in_the_account()], "disk": [*self.on_disk()]}
        for place, texts in places.items():
            assert texts, place
            assert [found for text in texts if (found := find_secrets(secrets, text))] == [], place

    def in_the_account(self) -> Iterator[str]:
        """What everybody sees who may look at tasks, definitions and logs."""
        ecs, logs = self.world.aws.client("ecs"), self.world.aws.client("logs")
        account = self.world.account
        yield str(ecs.describe_task_definition(taskDefinition=account.family))
        arns = ecs.list_tasks(cluster=account.cluster, desiredStatus="STOPPED")["taskArns"]
        yield str(ecs.describe_tasks(cluster=account.cluster, tasks=arns, include=["TAGS"]))
        for arn in arns:
            stream = account.log_stream(arn)
            answer = logs.get_log_events(logGroupName=account.log_group, logStreamName=stream, startFromHead=True)
            assert answer["events"], stream
            yield "\n".join(event["message"] for event in answer["events"])

    def on_disk(self) -> Iterator[str]:
        """The files that tasks have left in HOME and TMPDIR, by their names and contents."""
        tasks = self.world.aws.task_directory("x").parent
        for path in tasks.rglob("*"):
            yield f"{path}\n{path.read_text(encoding='latin-1') if path.is_file() else ''}"

    def running(self) -> dict[str, object]:
        [row] = [
            one for one in self.operator.call("list", "-o", "json").json["tasks"] if one["status"] != "STOPPED"
        ]
        found: dict[str, object] = row
        return found
