"""The exit code of a status, for scripts that ask whether tasks can run there."""

from typing import Any

import pytest

from taxiway.cli.commands import infra
from taxiway.cli.infra_session import InfraSession
from taxiway.cli.invocation import Invocation
from tests.support.fake_stacks import ScriptedStacks, stack


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [("CREATE_COMPLETE", 0), ("UPDATE_ROLLBACK_COMPLETE", 0), ("ROLLBACK_COMPLETE", 4), ("CREATE_IN_PROGRESS", 4)],
)
def test_a_stack_that_is_not_complete_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: str, exit_code: int
) -> None:
    stacks: Any = ScriptedStacks([stack(status)])
    monkeypatch.setattr(InfraSession, "stacks", stacks)
    monkeypatch.setattr(InfraSession, "configured", None)
    show: Any = infra.status.callback
    assert show.__wrapped__(Invocation(), drift=False, stack="shop") == exit_code
    assert f"Stack shop is {status}." in capsys.readouterr().out
