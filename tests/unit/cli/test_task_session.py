"""What is said of a task that could not be watched: what to mend, and never to start another one."""

import pytest

from taxiway import errors
from taxiway.cli.interrupts import Interrupts
from taxiway.cli.invocation import Invocation
from taxiway.cli.task_session import TaskSession, Terminal, unwatched
from taxiway.model.run_report import RunReport
from taxiway.model.task import Task, TaskSettings
from tests.support.fake_aws import DONE, ID, RESULT, ended, event, task

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


@pytest.mark.parametrize(
    ("of", "report", "text"),
    [
        (ended(0), DONE, "has ended; its log says SUCCESS, which is not confirmed."),
        (ended(0), None, "has ended; its log was not read to the end, so that its result is not known."),
        (task(), DONE, "was running when it was last looked at; its log says SUCCESS, which is not confirmed."),
        (task(), None, "goes on running; its result is not known."),
    ],
)
def test_who_detaches_is_told_what_the_log_has_said(
    of: Task, report: RunReport | None, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    TaskSession(Invocation(), TaskSettings(), actor="ann").say_detached(of, report)
    assert f"Task {ID[:12]} {text}\n" in capsys.readouterr().err


def test_what_was_shown_is_known_when_it_is_cut_off() -> None:
    shown = Terminal(Invocation(quiet=True), Interrupts(may_ask=False), shows_log=False)
    shown.on_status(task("RUNNING"))
    shown.on_line(event(RESULT))
    shown.on_line(event("one more line"))
    shown.on_status(ended(0))
    assert (shown.task, shown.report) == (ended(0), DONE)
