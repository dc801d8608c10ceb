"""What counts as the 'yes' that a question asks for."""

import io

import pytest

from taxiway.cli.confirm import ask


@pytest.mark.parametrize("answer", ["yes\n", "yes", "  Yes \n", "YES\r\n"])
def test_yes_is_yes(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert ask("Delete it?")


@pytest.mark.parametrize("answer", ["y\n", "Y", "ye\n", "yess\n", "yes please\n", "no\n", "\n", ""])
def test_nothing_else_is(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert not ask("Delete it?")
