"""The page of rights has every action that the code asks AWS for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from taxiway.cli.group import taxiway
from tests.support.markdown import ROOT, read_page
from tools.reference import BESIDES, read_rights

_ACTION: Final = re.compile(r"(?!aws:)[a-z]+:[A-Z][A-Za-z]+")
RECORDED: Final = {action for actions in read_rights().values() for action in actions}


def actions_of_the_code() -> Iterator[str]:
    """The texts in ``aws`` that are actions, and the calls of RDS, which are named without their service."""
    from taxiway.aws.rds import _METHODS

    yield from (f"rds:{name}" for name in _METHODS)
    for path in (ROOT / "src" / "taxiway" / "aws").glob("*.py"):
        yield from _texts(path)


def _texts(path: Path) -> Iterator[str]:
    """The whole ones: not the parts of those that are put together."""
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield from [node.value] if _ACTION.fullmatch(node.value) else []


def test_every_action_that_the_code_asks_for_is_in_the_page() -> None:
    assert {*actions_of_the_code()} - RECORDED - BESIDES.keys() == set()
    page = read_page("docs/reference/rights.md")
    assert [action for action in RECORDED | BESIDES.keys() if f"`{action}`" not in page] == []


def test_nothing_is_recorded_and_an_exception_at_the_same_time() -> None:
    assert RECORDED & BESIDES.keys() == set()


@pytest.mark.parametrize("group", ["infra", "task", "snapshot", "secrets", "deploy-key"])
def test_every_command_that_asks_aws_has_its_row(group: str) -> None:
    found = taxiway.get_command(None, group)  # type: ignore[arg-type]
    names = {f"{group} {name}" for name in found.commands}  # type: ignore[union-attr]
    assert names <= read_rights().keys()
