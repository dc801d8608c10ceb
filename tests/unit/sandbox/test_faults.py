"""Faults happen as often as was said, to whom was said, and are spelt correctly."""

from typing import Any

import pytest

from sandbox.cloud.faults import Faults, FaultUnknown, parse_fault


def switched_on(*descriptions: dict[str, Any]) -> Faults:
    faults = Faults()
    for description in descriptions:
        faults.add(parse_fault(description))
    return faults


def test_a_fault_happens_once_unless_said_otherwise() -> None:
    faults = switched_on({"name": "task-not-visible"})
    assert [faults.take("task-not-visible") for _ in range(2)] == [{}, None]


def test_a_fault_happens_so_many_times() -> None:
    faults = switched_on({"name": "task-not-visible", "times": 2})
    assert [faults.take("task-not-visible") for _ in range(3)] == [{}, {}, None]


def test_a_fault_without_a_number_happens_until_it_is_cleared() -> None:
    faults = switched_on({"name": "task-not-visible", "times": None})
    assert [faults.take("task-not-visible") for _ in range(5)] == [{}] * 5
    faults.clear()
    assert faults.take("task-not-visible") is None


def test_a_fault_is_for_its_action_and_for_its_role() -> None:
    faults = switched_on({"name": "api-error", "action": "ecs:RunTask", "role": "reader"})
    assert faults.take("api-error", action="ecs:StopTask", role="reader") is None
    assert faults.take("api-error", action="ecs:RunTask", role=None) is None
    taken = faults.take("api-error", action="ecs:RunTask", role="reader")
    assert taken is not None
    assert taken["code"] == "ThrottlingException"


def test_what_is_still_to_happen_can_be_read() -> None:
    faults = switched_on({"name": "log-delay", "times": 2, "seconds": 1})
    faults.take("log-delay")
    assert faults.describe() == [{"name": "log-delay", "times": 1, "seconds": 1}]


def test_a_task_takes_what_is_about_tasks_and_nothing_else() -> None:
    faults = switched_on({"name": "task-not-visible"}, {"name": "host-failure", "after_lines": 3})
    assert faults.take_for_task() == {"host-failure": {"after_lines": 3}}
    assert faults.take_for_task() == {}


@pytest.mark.parametrize(
    "description",
    [{}, {"name": "moon"}, {"name": "log-delay", "minutes": 1}, {"name": "api-error"}],
)
def test_a_misspelt_fault_is_refused(description: dict[str, Any]) -> None:
    with pytest.raises(FaultUnknown):
        parse_fault(description)
