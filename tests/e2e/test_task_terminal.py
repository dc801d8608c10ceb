"""Ctrl-C at a terminal asks what is to become of the task; the terminal is a real one (a pseudo-terminal)."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.operator import Operator
from tests.support.tasks import Tasks
from tests.support.terminal import Terminal

SUCCESS = "Result: SUCCESS, 1 applied, exit code 0"
CTRL_C = b"\x03"
QUESTION = "Type 's' to stop it"


@pytest.fixture
def terminal(tmp_path: Path, tasks: Tasks) -> Iterator[Terminal]:
    operator = Operator(tmp_path, tasks.account, tasks.aws.environment)
    script = (
        "trap 'echo \"Result: TERMINATED, 0 applied, exit code 143\"; exit 143' TERM; echo up; "
        f"for i in 1 2 3 4 5 6 7 8; do sleep 1 & wait; echo line $i; done; echo '{SUCCESS}'"
    )
    definition = tasks.register(container={"stopTimeout": 2})
    command = [sys.executable, "-m", "taxiway", "task", "run", "--task-definition", definition, "--", script]
    environment = {"PATH": os.defpath, "HOME": str(operator.directory), "LANG": "C.UTF-8", **operator.environment}
    made = Terminal(command, directory=operator.directory, environment=environment)
    yield made
    made.close()


def test_going_on_loses_and_doubles_no_line(terminal: Terminal) -> None:
    terminal.wait_for("up")
    terminal.type(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.type(b"c\n")
    assert terminal.end() == 0, terminal.shown
    # The terminal's own ^C may stand before the first of them.
    assert re.findall(r"line \d", terminal.shown) == [f"line {number}" for number in range(1, 9)]


def test_a_terminal_that_is_closed_leaves_the_task_alone(terminal: Terminal, tasks: Tasks) -> None:
    terminal.wait_for("up")
    assert terminal.hang_up() == -signal.SIGHUP
    [arn] = tasks.ecs.list_tasks(cluster=tasks.account.cluster, desiredStatus="RUNNING")["taskArns"]
    ended = tasks.wait(arn)
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("EssentialContainerExited", 0)


def test_what_has_ended_is_not_asked_about(tmp_path: Path, tasks: Tasks) -> None:
    """While the last lines are on their way, Ctrl-C means that somebody does not want to wait for them."""
    tasks.aws.add_fault("log-delay", seconds=30)
    operator = Operator(tmp_path, tasks.account, tasks.aws.environment)
    command = [
        sys.executable,
        "-m",
        "taxiway",
        "task",
        "run",
        "--task-definition",
        tasks.register(),
        "--",
        "echo up",
    ]
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "LANG": "C.UTF-8", **operator.environment}
    terminal = Terminal(command, directory=tmp_path, environment=environment)
    try:
        terminal.wait_for("STOPPED")
        terminal.type(CTRL_C)
        assert terminal.end() == 130, terminal.shown
    finally:
        terminal.close()
    assert "has ended; its log was not read to the end" in terminal.shown
    assert QUESTION not in terminal.shown


def test_what_is_no_answer_is_asked_again(terminal: Terminal) -> None:
    terminal.wait_for("up")
    terminal.type(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.type(b"zzz\n")
    terminal.wait_for("'zzz' is no answer to that.")
    terminal.type(b"c\n")
    assert terminal.end() == 0, terminal.shown


def test_stopping_shows_the_end_of_the_task(terminal: Terminal) -> None:
    terminal.wait_for("up")
    terminal.type(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.type(b"s\n")
    assert terminal.end() == 143, terminal.shown
    assert "TERMINATED, exit code 143" in terminal.shown


@pytest.mark.parametrize("answer", [b"d\n", b"\n", CTRL_C])
def test_detaching_enter_and_a_second_ctrl_c_leave_the_task_alone(
    terminal: Terminal, tasks: Tasks, answer: bytes
) -> None:
    terminal.wait_for("up")
    terminal.type(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.type(answer)
    assert terminal.end() == 130, terminal.shown
    assert "goes on running" in terminal.shown
    [arn] = tasks.ecs.list_tasks(cluster=tasks.account.cluster, desiredStatus="RUNNING")["taskArns"]
    assert tasks.wait(arn)["containers"][0]["exitCode"] == 0
