"""The list has what ECS knows, and what only the log still has."""

from datetime import timedelta

import pytest

from taxiway import errors
from taxiway.model.task import LogStream
from taxiway.ops.list_tasks import find_running_id, find_task_id, list_tasks
from taxiway.ops.seams import Aws
from taxiway.reports.result_line import parse_result_line
from tests.support.fake_aws import ARN, ID, MOMENT, RESULT, TARGET, ScriptedLogs, ScriptedTasks, ended, task

OLD = "fedcba98" * 4


def logs(**ends: tuple[str, ...]) -> ScriptedLogs:
    stream = LogStream(name=f"run/taxiway/{OLD}", first_at=MOMENT, last_at=MOMENT + timedelta(seconds=9))
    return ScriptedLogs([], streams=[stream], ends={f"run/taxiway/{name}": lines for name, lines in ends.items()})


def test_a_running_task_has_its_status_and_what_it_was_started_with() -> None:
    environment = (("TAXIWAY_ACTOR", "alice"), ("TAXIWAY_BRANCH", "develop"))
    running = task("RUNNING", environment=environment, started_by="taxiway-alice")
    [row] = list_tasks(
        Aws(ScriptedTasks([[running]]), logs()), TARGET, parse_report=parse_result_line, forgotten=0
    )
    assert (row.result, row.actor, row.branch) == ("RUNNING", "alice", "develop")


def test_the_result_of_an_ended_task_is_judged() -> None:
    aws = Aws(ScriptedTasks([[ended(0)]]), logs(**{ID: ("one", RESULT)}))
    [row] = list_tasks(aws, TARGET, parse_report=parse_result_line, forgotten=0)
    assert (row.result, row.branch, row.exit_code) == ("SUCCESS", "main", 0)


def test_a_task_that_cannot_be_believed_is_no_success_in_the_list() -> None:
    aws = Aws(ScriptedTasks([[ended(1)]]), logs(**{ID: (RESULT,)}))
    [row] = list_tasks(aws, TARGET, parse_report=parse_result_line, forgotten=0)
    assert row.result == "task-disagrees"


def test_what_ecs_has_forgotten_comes_from_the_log() -> None:
    aws = Aws(ScriptedTasks([[]]), logs(**{OLD: (RESULT,)}))
    [row] = list_tasks(aws, TARGET, parse_report=parse_result_line, forgotten=9)
    assert (row.id, row.result, row.branch, row.is_remembered) == (OLD, "SUCCESS, as logged", "main", False)
    assert (row.started_at, row.stopped_at) == (MOMENT, MOMENT + timedelta(seconds=9))


def test_a_forgotten_task_without_a_result_is_unknown() -> None:
    aws = Aws(ScriptedTasks([[]]), logs(**{OLD: ("killed here",)}))
    [row] = list_tasks(aws, TARGET, parse_report=parse_result_line, forgotten=9)
    assert row.result == "unknown"


@pytest.mark.parametrize("wanted", [ID[:4], ID, f"{ARN}{ID}", ID[:6].upper()])
def test_the_beginning_of_an_id_is_enough(wanted: str) -> None:
    assert find_task_id(wanted, Aws(ScriptedTasks([[task()]]), logs()), TARGET) == ID


def test_a_forgotten_task_is_found_in_the_log() -> None:
    assert find_task_id("fedc", Aws(ScriptedTasks([[]]), logs()), TARGET) == OLD


def test_a_beginning_that_nobody_or_two_have_is_an_error() -> None:
    two = ScriptedTasks([[task(), task(arn=f"{ARN}0123ffff")]])
    with pytest.raises(errors.TaskAmbiguous, match="2 tasks begin with '0123'"):
        find_task_id("0123", Aws(two, logs()), TARGET)
    with pytest.raises(errors.TaskNotFound, match="knows a task 'abc'"):
        find_task_id("abc", Aws(two, logs()), TARGET)


def test_the_only_running_task_needs_no_name() -> None:
    other = task(arn=f"{ARN}0123ffff")
    assert find_running_id(Aws(ScriptedTasks([[ended(0, arn=f"{ARN}1"), task()]]), logs()), TARGET) == ID
    with pytest.raises(errors.TaskAmbiguous):
        find_running_id(Aws(ScriptedTasks([[task(), other]]), logs()), TARGET)
    with pytest.raises(errors.TaskNotFound, match="No task of taxiway is running"):
        find_running_id(Aws(ScriptedTasks([[ended(0)]]), logs()), TARGET)
