"""The whole product: ``taxiway task run`` from outside, and the image as the task that it starts.

The command is the installed one, the container is one of the image, with the limits of Fargate; PostgreSQL, git and ssh
are real, AWS is emulated. The steps depend on each other, so they are one test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.account import BuiltImage
from sandbox.world import World
from tests.image.conftest import Derive
from tests.support.branches import add_branch
from tests.support.operator import Ended, Operator, read_until

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

AGREED = "log, exit code and stop reason agree"
# A migration that waits for the test, so that nothing here depends on a clock.
WAITING = "CREATE TABLE half (id int);\nSELECT pg_advisory_xact_lock(4711);\n"
# More than the task has memory for.
LARGE = "SELECT repeat('x', 1000000) FROM generate_series(1, 800);\n"


@pytest.fixture
def own_world() -> Iterator[World]:
    """A world of this test alone: it counts every task."""
    with World() as world:
        add_branch(world, "waiting", "sql/V9__Wait.sql", WAITING)
        add_branch(world, "large", "sql/V9__Large.sql", LARGE)
        add_branch(world, "info", "sql/V1.1.1__Nothing.sql", "SELECT 1;\n")
        yield world


def test_main_develop_broken_stopped_and_out_of_memory(own_world: World, derive: Derive, tmp_path: Path) -> None:
    image = derive(own_world.postgres.authority)
    account = own_world.build_account(image)
    story = Story(own_world, image, Operator(tmp_path, account, own_world.operator_environment()))
    story.main_is_a_success()
    story.develop_is_a_success()
    story.broken_is_a_failure()
    story.what_is_no_branch_is_refused()
    story.a_task_is_stopped()
    story.a_task_is_killed_for_memory()
    story.a_branch_is_called_like_a_command()
    story.the_list_tells_of_all()
    story.no_secret_was_printed()


def result_line(ended: Ended) -> str:
    """The last one. Standard output and error of a container are two pipes: a line of the other may come behind."""
    return [line for line in ended.stdout.splitlines() if line.startswith("Result: ")][-1]


class Story:
    """Its steps."""

    def __init__(self, world: World, image: BuiltImage, operator: Operator) -> None:
        self.world, self.image, self.operator = world, image, operator

    def versions(self) -> list[str]:
        with self.world.connect() as connection:
            rows = connection.execute(
                "SELECT version FROM flyway_schema_history WHERE version IS NOT NULL ORDER BY 1"
            )
            return [row[0] for row in rows]

    def main_is_a_success(self) -> None:
        ended = self.operator.call("run", "--branch", "main", "--output", "json")
        assert ended.exit_code == 0, ended.stdout + ended.stderr
        commit = self.world.commits["main"]
        result = ended.json["result"]
        assert (result["outcome"], result["applied"], result["exitCode"]) == ("SUCCESS", 4, 0)
        assert commit.startswith(result["commit"])
        assert (ended.json["task"]["exitCode"], ended.json["task"]["stopCode"]) == (0, "EssentialContainerExited")
        with self.world.connect() as connection:
            [row] = connection.execute("SELECT commit, image_digest, task_arn FROM taxiway.run").fetchall()
        assert row[:2] == (commit, self.image.digest)
        assert row[2].endswith(ended.json["task"]["id"])

    def develop_is_a_success(self) -> None:
        ended = self.operator.call("run", "--branch", "develop")
        self.must_agree(ended, 0, "Result: SUCCESS, 1 applied, schema version 1.1.0, branch develop")

    def broken_is_a_failure(self) -> None:
        ended = self.operator.call("run", "--branch", "broken")
        self.must_agree(ended, 1, "Result: FAILED (migration-failed), 0 applied")
        assert "sql/V1.2.0__AddProductPrice.sql:11:26:" in ended.stdout
        assert self.versions()[-1] == "1.1.0"

    def what_is_no_branch_is_refused(self) -> None:
        ended = self.operator.call("run", "--", "sh", "-c", "id")
        self.must_agree(ended, 2, "Result: FAILED (configuration), 0 applied")
        assert "There is no option '-c' of 'taxiway run'" in ended.stdout

    def a_task_is_stopped(self) -> None:
        with self.world.connect() as gate:
            gate.execute("SELECT pg_advisory_lock(4711)")
            with self.operator.calling("run", "--branch", "waiting") as process:
                before = read_until(process, 'to version "9 - Wait"')
                stopped = self.operator.call("stop", "--reason", "Wrong branch", TAXIWAY_ACTOR="bob")
                ended = self.operator.finish(process, before=before)
        assert stopped.exit_code == 0, stopped.stderr
        assert "TERMINATED, exit code 143" in stopped.stdout
        assert ended.exit_code == 143
        assert "it was rolled back" in ended.stdout
        assert result_line(ended).startswith("Result: TERMINATED, 0 applied")
        with self.world.connect() as connection:
            assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)
            locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            assert connection.execute(locks).fetchone() == (0,)

    def a_task_is_killed_for_memory(self) -> None:
        ended = self.operator.call("run", "--branch", "large")
        assert (ended.exit_code, ended.code) == (1, "task-stopped"), ended.stdout + ended.stderr
        assert "more memory than it has" in ended.stderr
        assert "exit code 137" in ended.stderr
        assert "Result: " not in ended.stdout
        assert "9" not in self.versions()

    def a_branch_is_called_like_a_command(self) -> None:
        ended = self.operator.call("run", "--branch", "info", "--", "--debug")
        self.must_agree(ended, 0, "Result: SUCCESS, 1 applied, schema version 1.1.1, branch info")
        assert "DEBUG: " in ended.stdout

    def the_list_tells_of_all(self) -> None:
        rows = self.operator.call("list", "--output", "json").json["tasks"]
        assert [(row["branch"], row["exitCode"]) for row in reversed(rows)] == [
            ("main", 0),
            ("develop", 0),
            ("broken", 1),
            (None, 2),
            ("waiting", 143),
            ("large", 137),
            ("info", 0),
        ]

    def must_agree(self, ended: Ended, exit_code: int, last: str) -> None:
        assert ended.exit_code == exit_code, ended.stdout + ended.stderr
        assert result_line(ended).startswith(last)
        assert AGREED in ended.stderr

    def no_secret_was_printed(self) -> None:
        for output in self.operator.outputs:
            assert [secret for secret in self.world.secrets if secret in output] == []
