"""The question that Ctrl-C asks, and its answers."""

import io
import signal
import sys

import pytest

from taxiway.cli.interrupts import Interrupts
from taxiway.ops.seams import Wish


def answer(typed: str, monkeypatch: pytest.MonkeyPatch) -> Wish:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    interrupts = Interrupts(may_ask=True)
    with interrupts.listening():
        signal.raise_signal(signal.SIGINT)
        return interrupts.wish()


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("s\n", Wish.STOP),
        ("c\n", Wish.GO_ON),
        ("D\n", Wish.DETACH),
        ("\n", Wish.DETACH),
        ("", Wish.DETACH),
        ("zzz\nq\ns\n", Wish.STOP),
        ("zzz\n", Wish.DETACH),
    ],
)
def test_only_an_answer_ends_the_question(typed: str, wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(typed, monkeypatch) is wish


def test_a_typing_error_is_asked_about_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer("zzz\nc\n", monkeypatch)
    shown = capsys.readouterr().err
    assert shown.count("to detach [d]:") == 2
    assert "'zzz' is no answer to that." in shown
