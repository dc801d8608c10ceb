"""What is said of a task that could not be watched: what to mend, and never to start another one."""

import pytest

from taxiway import errors
from taxiway.cli.invocation import Invocation
from taxiway.cli.task_session import TaskSession, unwatched
from taxiway.model.task import TaskSettings
from tests.support.fake_aws import ID, task

WATCH = f"Watch it again, which starts nothing: taxiway task attach {ID[:12]}"


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (errors.AwsThrottled("AWS is throttling.", hint="Try again later."), WATCH),
        (errors.AwsUnreachable("AWS did not answer.", hint="Check the network, then try again."), WATCH),
        (errors.CredentialsExpired("They have expired.", hint="Log in again."), f"Log in again. {WATCH}"),
        (errors.AwsFailed("It failed."), WATCH),
    ],
)
def test_the_hint_leads_back_to_the_task(error: errors.AwsError, hint: str) -> None:
    found = unwatched(task(), error)
    assert found.hint == hint
    assert found.task == ID
    assert found.message.endswith(f"its result is not known: {error.message}")


@pytest.mark.parametrize(("asked", "words"), [(False, "goes on running"), (True, "was asked to stop")])
def test_who_detaches_is_told_what_becomes_of_the_task(
    capsys: pytest.CaptureFixture[str], asked: bool, words: str
) -> None:
    TaskSession(Invocation(), TaskSettings(), has_asked_to_stop=asked).say_detached(task())
    assert capsys.readouterr().err.startswith(f"Detached. Task {ID[:12]} {words}; its result is not known.")
