"""What is said when a command is stopped that has AWS change something: never that nothing was changed."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from taxiway.cli.commands import secrets, snapshot
from taxiway.cli.commands import task as task_commands
from taxiway.cli.commands.deploy_key import _changing
from taxiway.cli.infra_session import InfraSession
from taxiway.cli.invocation import Invocation
from taxiway.cli.secrets_session import SecretsSession
from taxiway.cli.snapshot_session import SnapshotSession
from taxiway.cli.task_session import TaskSession
from taxiway.model.deploy_key import KeyAction, KeyPlan
from taxiway.model.stored_secret import PutAction, PutPlan, PutWish, Rotation, Shape
from taxiway.model.task import TaskSettings
from taxiway.ops.run_task import Work
from tests.support.fake_aws import ID, TARGET, ScriptedTasks, task
from tests.support.fake_secrets import FakeSecrets

ROTATION = Rotation(secret_id="app", user="app", key="password", pending=None)
UNKNOWN = "whether it was is not known ('taxiway secrets list' tells)."


class CutOff(FakeSecrets):
    """The signal comes while Secrets Manager is being asked for a change."""

    region = "eu-west-1"

    def create(self, *_: object, **__: object) -> str:
        raise KeyboardInterrupt

    def put(self, *_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def take_stage(self, *_: object) -> None:
        raise KeyboardInterrupt


def keeper() -> SecretsSession:
    session = SecretsSession(Invocation(), {})
    session.store = CutOff({"app": '{"username": "app", "password": "x"}'})  # type: ignore[assignment]
    return session


def told(session: SecretsSession | InfraSession | SnapshotSession) -> str:
    return session.invocation.progress.render_stop("Interrupted")


@pytest.mark.parametrize("done", ["made", "changed", "deleted"])
def test_cloudformation_goes_on_and_nothing_else_is_claimed(done: str) -> None:
    session = InfraSession(Invocation(), {"stack": "shop"})
    with pytest.raises(KeyboardInterrupt), session.going_on(done):
        raise KeyboardInterrupt
    assert told(session).splitlines() == [
        f"Interrupted while stack shop was being {done}: CloudFormation goes on by itself.",
        "  Look at it:     taxiway infra status",
        "  Watch it again: the same command",
    ]


def test_a_stack_that_is_there_was_changed_also_when_the_telling_is_cut_short() -> None:
    session = InfraSession(Invocation(), {"stack": "shop"})
    with session.going_on("made"):
        pass
    assert told(session) == "Interrupted before the end; until then stack shop had been made."


def test_a_value_that_was_being_stored_may_be_there() -> None:
    session = keeper()
    wish = PutWish(name="new", shape=Shape.TEXT, user=None, is_generated=True)
    with pytest.raises(KeyboardInterrupt):
        secrets._put(session, PutPlan(wish=wish, action=PutAction.CREATE), has_value=False, is_confirmed=True)
    assert told(session) == f"Interrupted while the value of secret 'new' was being stored: {UNKNOWN}"


def test_a_rotation_that_was_being_begun_may_be_there() -> None:
    session = keeper()
    with pytest.raises(KeyboardInterrupt):
        secrets._begin(session, ROTATION, dry_run=False, is_confirmed=True)
    assert told(session) == f"Interrupted while a pending password of secret 'app' was being stored: {UNKNOWN}"


def test_a_rotation_that_was_being_given_up_may_be_gone() -> None:
    session = keeper()
    with pytest.raises(KeyboardInterrupt):
        secrets._cancel(session, replace(ROTATION, pending="v2"), dry_run=False, is_confirmed=True)
    assert told(session) == f"Interrupted while the rotation of secret 'app' was being given up: {UNKNOWN}"


@pytest.mark.parametrize(
    ("action", "host", "words"),
    [
        (KeyAction.CREATE, None, "while the key of secret 'app' was being stored"),
        (KeyAction.REPLACE, "github", "while the key of secret 'app' was being registered and stored"),
        (KeyAction.KEEP, "github", "while the key of secret 'app' was being registered"),
        (KeyAction.KEEP, None, "before anything was changed."),
    ],
)
def test_a_key_that_was_being_made_may_be_there(action: KeyAction, host: Any, words: str) -> None:
    session = keeper()
    with pytest.raises(KeyboardInterrupt), _changing(session, KeyPlan(secret_id="app", action=action), host):
        raise KeyboardInterrupt
    assert told(session).partition(":")[0] == f"Interrupted {words}"


def test_a_restore_that_is_over_has_changed_something_also_when_its_end_is_not_told() -> None:
    session = SnapshotSession(Invocation(), TaskSettings(database="shop"))
    nothing: Any = SimpleNamespace
    restorer: Any = SimpleNamespace(release=lambda **_: cut_off())
    with pytest.raises(KeyboardInterrupt):
        snapshot._run(session, restorer, nothing(), nothing, "snapshot restore")
    assert told(session) == "Interrupted before the end; until then RDS had been asked to change 'shop'."


def test_a_task_that_was_started_is_told_also_when_nobody_watches_it_yet() -> None:
    session = TaskSession(Invocation(), TaskSettings())
    session.ecs = ScriptedTasks([[]], answer=task("PROVISIONING"))  # type: ignore[assignment]
    session.target_with_network = lambda: TARGET  # type: ignore[method-assign]
    task_commands._start(session, Work(actor="alice"))
    words = session.invocation.progress.render_stop("Interrupted")
    assert words == f"Interrupted before the end; until then task {ID[:12]} had been started."


def test_a_task_that_was_being_stopped_may_end(monkeypatch: pytest.MonkeyPatch) -> None:
    session = TaskSession(Invocation(), TaskSettings())
    monkeypatch.setattr(TaskSession, "find", lambda *_: ID)
    monkeypatch.setattr(TaskSession, "describe", lambda *_: task())
    monkeypatch.setattr(TaskSession, "target", TARGET)
    monkeypatch.setattr(TaskSession, "ecs", SimpleNamespace(stop_task=lambda *_: cut_off()))
    stop: Any = task_commands.stop.callback
    with pytest.raises(KeyboardInterrupt):
        stop.__wrapped__(session.invocation, task_id=ID, reason=None)
    words = session.invocation.progress.render_stop("Interrupted")
    assert words.startswith(
        f"Interrupted while task {ID[:12]} was being asked to stop: it may end, or go on running."
    )


@pytest.mark.parametrize("is_asked", [False, True])
def test_only_a_snapshot_that_rds_was_asked_for_is_completed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_asked: bool
) -> None:
    def create(session: SnapshotSession, **_: object) -> None:
        if is_asked:
            session.progress.on_step("make snapshot one of shop")
        raise KeyboardInterrupt

    monkeypatch.setattr(SnapshotSession, "create", create)
    monkeypatch.setattr(TaskSession, "target_with_network", lambda _: TARGET)
    make: Any = snapshot.create.callback
    calls: list[Any] = [
        lambda: make.__wrapped__(Invocation(), reason=None, branch=None, commit=None, database="shop"),
        lambda: task_commands._make_snapshot(TaskSession(Invocation(), TaskSettings()), Work(actor="alice")),
    ]
    for call in calls:
        with nullcontext() if is_asked else pytest.raises(KeyboardInterrupt):
            assert call() == 130
        assert ("RDS completes" in capsys.readouterr().err) is is_asked


def cut_off(**_: object) -> None:
    raise KeyboardInterrupt
