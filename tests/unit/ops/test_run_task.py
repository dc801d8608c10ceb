"""Exactly one task, which says who started it and what it runs."""

import re

import pytest

from taxiway import errors
from taxiway.model.task import Refusal
from taxiway.ops.run_task import Work, make_request, start_task
from tests.support.fake_aws import TARGET, ScriptedTasks, task


def test_a_branch_is_an_argument_and_a_variable_of_the_container() -> None:
    request = make_request(Work(actor="alice", branch="feature/$(id)", more=("--debug",)))
    assert request.command == ("feature/$(id)", "--debug")
    assert dict(request.environment) == {"TAXIWAY_ACTOR": "alice", "TAXIWAY_BRANCH": "feature/$(id)"}


def test_a_commit_is_named_as_one() -> None:
    request = make_request(Work(actor="alice", commit="a" * 40))
    assert request.command == ("--commit", "a" * 40)
    assert dict(request.tags) == {"taxiway:actor": "alice", "taxiway:commit": "a" * 40}


def test_without_either_the_definition_decides() -> None:
    assert make_request(Work(actor="alice")).command == ()
    assert make_request(Work(actor="alice"), ("develop",)).command == ()


@pytest.mark.parametrize(
    ("work", "command"),
    [
        (Work(actor="a", more=("--debug",)), ("develop", "--quiet", "--debug")),
        (Work(actor="a", more=("main", "--debug")), ("main", "--debug")),
        (Work(actor="a", branch="main", more=("--debug",)), ("main", "--debug")),
        (Work(actor="a", commit="a" * 40, more=("--debug",)), ("--commit", "a" * 40, "--debug")),
    ],
)
def test_options_alone_do_not_change_the_branch_of_the_definition(work: Work, command: tuple[str, ...]) -> None:
    """A command that is sent takes the place of the definition's; the default branch would be run instead."""
    assert make_request(work, ("develop", "--quiet")).command == command


@pytest.mark.parametrize("actor", ["Zoë Quinn <zoe@example.com>", "github-actions[bot]", "x" * 500])
def test_names_are_made_to_fit_where_ecs_is_choosy(actor: str) -> None:
    request = make_request(Work(actor=actor, branch="a(b)#c"))
    assert re.fullmatch(r"taxiway/[A-Za-z0-9/_-]{1,120}", request.started_by)
    for _, value in request.tags:
        assert re.fullmatch(r"[\w +\-=.:/@]{1,256}", value)
    assert dict(request.environment)["TAXIWAY_ACTOR"] == actor


def test_every_request_has_a_token_of_its_own() -> None:
    one, other = make_request(Work(actor="a")), make_request(Work(actor="a"))
    assert one.client_token != other.client_token
    assert len(one.client_token) <= 64


def test_the_task_that_was_started_is_returned() -> None:
    tasks = ScriptedTasks([[]], answer=task("PROVISIONING"))
    assert start_task(make_request(Work(actor="a")), TARGET, tasks).status == "PROVISIONING"
    assert len(tasks.requests) == 1


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal("RESOURCE:ENI"), errors.TaskWithoutCapacity),
        (Refusal("MISSING", "gone"), errors.TaskNotStarted),
    ],
)
def test_a_refusal_is_an_error(refusal: Refusal, error: type[errors.TaskError]) -> None:
    with pytest.raises(error):
        start_task(make_request(Work(actor="a")), TARGET, ScriptedTasks([[]], answer=refusal))


def test_a_start_that_nobody_has_answered_is_not_one_that_failed() -> None:
    """Whoever tries again may start a second one beside it."""
    silent = errors.AwsUnreachable("AWS did not answer ecs:RunTask: timeout")
    with pytest.raises(errors.TaskStartUnknown, match="is not known: AWS did not answer ecs:RunTask") as caught:
        start_task(make_request(Work(actor="alice")), TARGET, ScriptedTasks([[]], answer=silent))
    assert caught.value.hint == "See 'taxiway task list' for a task of alice before you run it again."
