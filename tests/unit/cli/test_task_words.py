"""Small things of ``taxiway task``: durations, dashes, who somebody is, what a terminal is spared."""

import pytest

from taxiway import errors
from taxiway.cli.duration import parse_duration
from taxiway.cli.flyway_args import parse_command_line, wants_json
from taxiway.cli.task_options import find_actor
from taxiway.reports.task_text import render_log_line


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("2H", 7200)])
def test_a_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0m", "1d", "-1", "1.5h", "m"])
def test_no_duration(text: str) -> None:
    with pytest.raises(errors.InvalidOption):
        parse_duration(text)


def test_what_stands_behind_the_dashes_is_for_somebody_else() -> None:
    line = parse_command_line(["task", "run", "--", "-X", "-url=x", "help", "", "--output", "json"])
    assert line.rest == ("task", "run", "--", "-X", "-url=x", "help", "", "--output", "json")
    assert not line.settings
    assert not wants_json(["task", "run", "--", "--output", "json"])
    assert wants_json(["task", "run", "--output", "json", "--"])


def test_what_is_empty_behind_task_stays_so_that_nothing_takes_its_place() -> None:
    """``--branch "$BRANCH" --detach`` and ``stop "$ID"``, where the variable is not set."""
    assert parse_command_line(["task", "stop", ""]).rest == ("task", "stop", "")
    line = parse_command_line(["", "task", "run", "--branch", "", "--detach"])
    assert line.rest == ("task", "run", "--branch", "", "--detach")
    assert parse_command_line(["info", ""]).rest == ("info",)


@pytest.mark.parametrize("word", ["help", "--version", "-v"])
def test_a_task_is_run_whatever_its_branch_is_called(word: str) -> None:
    """Help and version end with 0, as if something had been run."""
    assert parse_command_line(["task", "run", "--branch", word]).rest[:3] == ("task", "run", "--branch")
    assert parse_command_line(["task", "help"]).rest == ("task", "--help")
    assert parse_command_line(["help", "task"]).rest == ("task", "--help")


def test_the_actor_is_named_or_that_of_the_workflow_or_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN"):
        monkeypatch.delenv(name, raising=False)
    assert find_actor() == "somebody"
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    assert find_actor() == "octocat"
    monkeypatch.setenv("TAXIWAY_ACTOR", "alice")
    assert find_actor() == "alice"


def test_a_line_of_a_task_cannot_take_over_the_terminal() -> None:
    assert render_log_line("a\tb\x1b[2Jc\n") == "a\tb\\x1b[2Jc"
