"""A stack that is not there, or not ready, is told once, and not as settings that somebody has to add."""

from types import SimpleNamespace
from typing import Any

from taxiway.model.doctor import CallerFacts
from taxiway.model.infra import Stack
from taxiway.model.task import TaskSettings
from taxiway.ops.diagnose import diagnose
from tests.support.fake_stacks import stack

CALLER = CallerFacts(arn="arn:aws:iam::111122223333:user/a", account="111122223333", region="eu-west-1")


class Stacks:
    def get_stack(self, _stack: str) -> Stack:
        return stack("ROLLBACK_COMPLETE")


def test_a_creation_that_has_failed_is_the_one_finding_with_the_command_that_makes_it_anew() -> None:
    services: Any = SimpleNamespace(stacks=Stacks(), task=SimpleNamespace(get_caller=lambda: CALLER))
    nothing: Any = None
    found = diagnose(TaskSettings(stack="shop"), lambda: services, nothing)
    [finding] = found.findings
    assert finding.code == "stack-not-ready"
    assert finding.message == "The stack 'shop' is ROLLBACK_COMPLETE. Its creation has failed."
    assert "Correct the cause, then run 'taxiway infra deploy' again" in finding.fix
    [gap] = found.gaps
    assert gap.what == "cluster, task definition, network and what hangs on them"
