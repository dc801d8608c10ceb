"""Nobody alone is believed: log, exit code and stop reason have to agree."""

from dataclasses import replace
from itertools import product

import pytest

from taxiway import errors
from taxiway.model.run_report import RunReport
from taxiway.model.task import LogEnd, LogLoss, Task
from taxiway.ops.judge_task import judge
from tests.support.fake_aws import DONE, ended

FAILED = RunReport(exit_code=1, code="migration-failed")
TERMINATED = RunReport(exit_code=143)


def log(report: RunReport | None = None, lines: int = 5, loss: LogLoss | None = None) -> LogEnd:
    return LogEnd(report=report, lines=lines, loss=loss)


@pytest.mark.parametrize("report", [DONE, FAILED, RunReport(exit_code=70), RunReport(exit_code=4)])
def test_a_result_that_all_three_tell_is_the_result(report: RunReport) -> None:
    result = judge(ended(report.exit_code), log(report))
    assert result.report == report


def test_a_task_that_was_stopped_and_says_so_has_that_result() -> None:
    stopped = ended(143, stop_code="UserInitiated", stopped_reason="Stopped by alice")
    assert judge(stopped, log(TERMINATED)).report.exit_code == 143


@pytest.mark.parametrize(
    ("task", "report"),
    [
        (ended(1), DONE),
        (ended(0), FAILED),
        (ended(137), DONE),
        (ended(0), None),
        (ended(None), DONE),
        (ended(0, stop_code="UserInitiated", stopped_reason="Stopped by bob"), DONE),
        (ended(0, container_reason="OutOfMemoryError: Container killed due to memory usage"), DONE),
        (ended(0, stop_code="SpotInterruption", stopped_reason="Your Spot Task was interrupted."), DONE),
    ],
)
def test_a_contradiction_is_its_own_error(task: Task, report: RunReport | None) -> None:
    with pytest.raises(errors.TaskDisagrees, match="cannot be believed"):
        judge(task, log(report))


@pytest.mark.parametrize(
    ("name", "asked", "report", "is_believed"),
    [
        ("BRANCH", "main", DONE, True),
        ("BRANCH", "develop", DONE, False),
        ("BRANCH", "develop", replace(DONE, branch=None), False),
        ("BRANCH", "of-hunter2", replace(DONE, branch="of-****"), True),
        ("COMMIT", "0123456789ab" + "0" * 28, DONE, True),
        ("COMMIT", "f" * 40, DONE, False),
        ("COMMIT", "0123456789ab" + "0" * 28, replace(DONE, commit=None), False),
    ],
)
def test_a_success_is_one_of_what_was_asked_for(
    name: str, asked: str, report: RunReport, *, is_believed: bool
) -> None:
    """The entry point of another image may have a branch of its own."""
    task = ended(0, environment=((f"TAXIWAY_{name}", asked),))
    if is_believed:
        assert judge(task, log(report)).report == report
    else:
        with pytest.raises(errors.TaskDisagrees, match=f"it was started for {name.lower()} {asked}"):
            judge(task, log(report))


def test_a_failure_need_not_know_its_branch() -> None:
    """It may have failed before it had fetched it."""
    assert judge(ended(1, environment=(("TAXIWAY_BRANCH", "main"),)), log(FAILED)).report == FAILED


def test_a_task_without_exit_code_and_output_never_started() -> None:
    never = ended(
        None, stop_code="TaskFailedToStart", stopped_reason="CannotPullContainerError: x: not found", others=()
    )
    with pytest.raises(errors.TaskNotStarted, match=r"never started\. The image of the task definition") as caught:
        judge(never, log(None, 0, LogLoss.NEVER_APPEARED))
    assert caught.value.hint == "Push the image, or correct its name and tag in the task definition."


def test_no_capacity_is_worth_another_try() -> None:
    full = ended(None, stop_code="TaskFailedToStart", stopped_reason="Capacity is unavailable at this time.")
    with pytest.raises(errors.TaskWithoutCapacity):
        judge(full, log(None, 0))


def test_a_task_without_exit_code_that_printed_something_was_stopped() -> None:
    with pytest.raises(errors.TaskStopped, match="no exit code"):
        judge(ended(None), log(None, 3))


def test_a_task_that_was_killed_has_the_reason() -> None:
    with pytest.raises(errors.TaskStopped, match="more memory than it has"):
        judge(ended(137, container_reason="OutOfMemoryError: Container killed due to memory usage"), log())


@pytest.mark.parametrize("loss", LogLoss)
@pytest.mark.parametrize("exit_code", [0, 1])
def test_without_its_log_the_result_is_not_known(loss: LogLoss, exit_code: int) -> None:
    with pytest.raises(errors.TaskLogLost, match=loss.value):
        judge(ended(exit_code), log(None, 3, loss))


STOPS: list[dict[str, object]] = [
    {},
    {"stop_code": "UserInitiated", "stopped_reason": "x"},
    {"stop_code": "TaskFailedToStart", "stopped_reason": "CannotPullContainerError"},
    {"stop_code": "SpotInterruption"},
    {"stop_code": "TerminationNotice"},
    {"stop_code": None, "stopped_reason": None},
    {"container_reason": "OutOfMemoryError: Container killed due to memory usage"},
]


@pytest.mark.parametrize("fields", STOPS)
def test_success_needs_all_of_a_result_an_exit_code_of_0_and_an_end_by_itself(fields: dict[str, object]) -> None:
    """Every combination: what is a success is exactly what is named here."""
    reports = (None, DONE, FAILED, TERMINATED)
    for exit_code, report, lines, loss in product((None, 0, 1, 137, 143), reports, (0, 5), (None, *LogLoss)):
        task = replace(ended(exit_code), **fields)  # type: ignore[arg-type]
        by_itself = task.stop_code in {"EssentialContainerExited", None} and task.container_reason is None
        expected = exit_code == 0 and report is DONE and by_itself
        try:
            is_success = judge(task, log(report, lines, loss)).report.is_success
        except errors.TaskError:
            is_success = False
        assert is_success is expected, (exit_code, report, fields)
