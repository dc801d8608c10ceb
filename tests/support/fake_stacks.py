"""CloudFormation as a script: each look shows the next state. Time stands still unless somebody waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from taxiway.model.infra import ChangeSet, Drift, Stack, StackEvent, StackResource
from tests.support.fake_aws import Answer

MOMENT = datetime(2026, 1, 2, 12, tzinfo=UTC)
ID = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1"
KIND = "AWS::CloudFormation::Stack"


def stack(status: str, **fields: object) -> Stack:
    return Stack(id=ID, name="shop", status=status, **fields)  # type: ignore[arg-type]


def event(number: int, status: str, name: str = "shop", kind: str = KIND, reason: str | None = None) -> StackEvent:
    return StackEvent(id=f"e{number}", moment=MOMENT, logical_id=name, type=kind, status=status, reason=reason)


def _next[T](answers: list[Answer[T]]) -> T:
    """The next answer; the last one again and again."""
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, BaseException):
        raise answer
    return answer


@dataclass
class ScriptedStacks:
    """Answers in turn, and writes down what was asked to be done."""

    states: list[Answer[Stack | None]]
    events: list[Answer[tuple[StackEvent, ...]]] = field(default_factory=lambda: [()])
    change_sets: list[Answer[ChangeSet | None]] = field(default_factory=list)
    template: Mapping[str, object] = field(default_factory=dict)
    resources: tuple[StackResource, ...] = ()
    done: list[str] = field(default_factory=list)
    templates: list[Mapping[str, object]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    region: str = "eu-west-1"

    def find_stack(self, stack: str) -> Stack | None:
        return _next(self.states)

    def list_resources(self, stack: str) -> tuple[StackResource, ...]:
        return self.resources

    def get_template(self, stack: str) -> Mapping[str, object]:
        return self.template

    def list_events(self, stack: str, after: str | None) -> tuple[StackEvent, ...]:
        return _next(self.events)

    def create_change_set(
        self, stack: str, name: str, template: Mapping[str, object], *, is_new: bool, tags: Mapping[str, str]
    ) -> str:
        self.done.append(f"plan {'new' if is_new else 'old'}")
        self.templates.append(template)
        return "changes"

    def find_change_set(self, change_set: str, stack: str) -> ChangeSet | None:
        return _next(self.change_sets)

    def delete_change_set(self, change_set: str, stack: str) -> None:
        self.done.append("forget")

    def execute_change_set(self, change_set: str, stack: str, token: str) -> None:
        self.done.append("execute")
        self.tokens.append(token)

    def delete_stack(self, stack: str, token: str) -> None:
        self.done.append("delete")

    def start_drift_detection(self, stack: str) -> str:
        return "detection"

    def is_drift_detected(self, detection: str) -> bool:
        return True

    def list_drifts(self, stack: str) -> tuple[Drift, ...]:
        return ()


@dataclass
class Notes:
    """Writes down everything in the order in which it came."""

    seen: list[str] = field(default_factory=list)

    def on_event(self, event: StackEvent) -> None:
        self.seen.append(f"{event.logical_id} {event.status}")

    def on_trouble(self, message: str) -> None:
        self.seen.append(f"! {message}")
