"""Tasks as JSON have the keys that the page tells, and no others."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from taxiway.model.task import TaskResult, TaskSummary
from taxiway.reports.task_json import task_json, task_list_json, task_logs_json, task_result_json
from tests.support.fake_aws import DONE, ID, MOMENT, ended, event, task
from tests.support.markdown import read_page

RESULT = task_result_json("task run", TaskResult(task=ended(0), report=DONE, lines=7), snapshot="s")
ROW = TaskSummary(
    id=ID,
    status="STOPPED",
    result="SUCCESS",
    actor="alice",
    branch="main",
    commit="0123456789ab",
    exit_code=0,
    started_at=MOMENT,
    stopped_at=MOMENT + timedelta(seconds=90),
)
LIST = task_list_json([ROW])
LOGS = task_logs_json(ID, [event("one")])


def keys(value: Any) -> Iterator[str]:
    """Those of an object and of all that is in it."""
    if isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from keys(one)
    elif isinstance(value, list):
        for one in value:
            yield from keys(one)


def keys_of_the_page(*commands: str) -> set[str]:
    [section] = re.findall(
        r"## Answers for programs\n(.*?)\n## ", read_page("docs/how-to/run-a-task.md"), re.DOTALL
    )
    rows = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("|")]
    return {name for first, text in rows if first.strip() in commands for name in re.findall(r"`(\w+)`", text)}


@pytest.mark.parametrize(
    ("answer", "commands"),
    [(RESULT, ("`run`, `attach`, `stop`", "")), (LIST, ("`list`",)), (LOGS, ("`logs`",))],
)
def test_the_page_tells_all_keys(answer: dict[str, object], commands: tuple[str, ...]) -> None:
    assert keys_of_the_page(*commands) == {*keys(answer)}


def test_nobody_can_tell_the_result_of_a_task_that_runs() -> None:
    assert task_json("task run", task("RUNNING"))["result"] is None


def test_durations_are_seconds_and_times_have_their_zone() -> None:
    [row] = LIST["tasks"]
    assert (row["durationSeconds"], row["startedAt"]) == (90.0, "2026-01-02T12:00:00.000+00:00")
