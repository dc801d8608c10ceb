"""Who is asked before a stack is made may say no, or go away; the terminal is a real one (a pseudo-terminal)."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.world import World
from tests.support.infra import infra_file
from tests.support.terminal import Terminal

QUESTION = "Create stack shop in eu-central-1? Type 'yes':"
CTRL_C = b"\x03"

type Start = Callable[..., Terminal]


@pytest.fixture
def stacks(world: World) -> Iterator[Any]:
    client = world.aws.client("cloudformation")
    yield client
    client.delete_stack(StackName="shop")
    wait_until(lambda: not client.describe_stacks()["Stacks"])


@pytest.fixture
def start(world: World, stacks: Any, tmp_path: Path) -> Iterator[Start]:
    """``taxiway infra …`` at a terminal."""
    (tmp_path / "taxiway.toml").write_text(infra_file(world, world.account))
    environment = {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        **world.operator_environment(),
    }
    started: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        command = [sys.executable, "-m", "taxiway", "infra", *arguments]
        started.append(Terminal(command, directory=tmp_path, environment=environment))
        return started[-1]

    yield start
    for one in started:
        one.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(("answer", "exit_code"), [(b"no\n", 2), (b"\n", 2), (CTRL_C, 130)])
def test_without_a_yes_nothing_is_made_and_nothing_is_left(
    start: Start, stacks: Any, answer: bytes, exit_code: int
) -> None:
    terminal = start("deploy")
    terminal.wait_for(QUESTION)
    assert "+ add          TaskRole" in terminal.shown
    terminal.type(answer)
    assert terminal.end() == exit_code, terminal.shown
    assert stacks.describe_stacks()["Stacks"] == []


def test_ctrl_c_ends_the_watching_and_the_same_command_takes_it_up_again(start: Start, stacks: Any) -> None:
    terminal = start("deploy")
    terminal.wait_for(QUESTION)
    terminal.type(b"yes\n")
    terminal.wait_for("CREATE_IN_PROGRESS")
    terminal.type(CTRL_C)
    assert terminal.end() == 130, terminal.shown
    assert "Interrupted while stack shop was being made: CloudFormation goes on by itself." in terminal.shown
    assert "before anything was changed" not in terminal.shown
    again = start("deploy")
    assert again.end() == 0, again.shown
    assert "Stack shop in eu-central-1 is up to date." in again.shown
    [stack] = stacks.describe_stacks(StackName="shop")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_a_stack_is_deleted_after_a_yes_only(start: Start, stacks: Any) -> None:
    assert start("deploy", "--yes").end() == 0
    for answer, exit_code, count in ((b"no\n", 2, 1), (CTRL_C, 130, 1), (b"yes\n", 0, 0)):
        terminal = start("destroy")
        terminal.wait_for("Delete stack shop in eu-central-1? Type 'yes':")
        terminal.type(answer)
        assert terminal.end() == exit_code, terminal.shown
        assert len(stacks.describe_stacks()["Stacks"]) == count
