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
