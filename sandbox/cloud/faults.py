"""What goes wrong on AWS now and then, switched on as data: ``POST /sandbox/faults``.

A fault is a name, its settings, and how often it happens. What is about a task is decided when the task is
started, so that tasks of other callers do not take it away half-way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

_REQUIRED: Final = object()

# The settings of each fault, with the value that holds when none is given.
FAULTS: Final[Mapping[str, Mapping[str, object]]] = {
    # The answer to calls of an action, such as "ecs:DescribeTasks"; with a role: only to who has assumed it
    "api-error": {
        "action": _REQUIRED,
        "code": "ThrottlingException",
        "message": "Rate exceeded",
        "role": None,
    },
    # RunTask answers with failures[] and starts nothing
    "run-task-failure": {"reason": "Capacity is unavailable at this time", "arn": None, "detail": None},
    # RunTask answers when the task has stopped already
    "shorter-than-a-poll": {},
    # DescribeTasks does not know any task yet
    "task-not-visible": {},
    # The task stays in PROVISIONING until somebody stops it
    "stuck-in-provisioning": {},
    # The registry does not have the image, whatever it is
    "cannot-pull-image": {"reason": "not found"},
    # The kernel kills the container after so many lines of output
    "out-of-memory": {"after_lines": 0},
    # The host is lost after so many lines: nobody learns the exit code
    "host-failure": {"after_lines": 0},
    # Somebody deletes the log stream after so many lines
    "log-stream-deleted": {"after_lines": 1},
    # Every line reaches the log stream that much later, also when the task has stopped
    "log-delay": {"seconds": 2},
    # The container gets the share of a CPU that the task definition says; needs writable cgroups
    "cpu-quota": {},
}
_OF_A_TASK: Final = (
    "shorter-than-a-poll",
    "stuck-in-provisioning",
    "cannot-pull-image",
    "out-of-memory",
    "host-failure",
    "log-stream-deleted",
    "log-delay",
    "cpu-quota",
)

type Settings = Mapping[str, Any]


class FaultUnknown(ValueError):
    """There is no such fault, or it has no such setting."""


@dataclass(slots=True)
class Fault:
    """A fault that is switched on.

    Attributes:
        times: How often it still happens; None means always.
    """

    name: str
    settings: Settings
    times: int | None

    def describe(self) -> dict[str, Any]:
        """As :func:`parse_fault` reads it."""
        return {"name": self.name, "times": self.times, **self.settings}


def parse_fault(description: Mapping[str, Any]) -> Fault:
    """A fault from ``{"name": …, "times": 1, …}``.

    Raises:
        FaultUnknown: There is no such fault, or a setting is unknown or missing.
    """
    given = dict(description)
    name, times = given.pop("name", None), given.pop("times", 1)
    if name not in FAULTS:
        raise FaultUnknown(f"no fault '{name}'; there are: {', '.join(FAULTS)}")
    settings = {**FAULTS[name], **given}
    if settings.keys() != FAULTS[name].keys() or _REQUIRED in settings.values():
        raise FaultUnknown(f"the settings of '{name}' are: {', '.join(FAULTS[name]) or 'none'}")
    return Fault(name, settings, times)


class Faults:
    """The faults that are switched on. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch one on, beside those that are on."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Switch all off. Tasks that have got theirs keep them."""
        with self._lock:
            self._faults.clear()

    def describe(self) -> list[dict[str, Any]]:
        """Those that have not happened yet as often as they shall."""
        with self._lock:
            return [fault.describe() for fault in self._faults]

    def take(self, name: str, **where: str | None) -> Settings | None:
        """Let the first fault of that name happen; None when there is none.

        ``where`` has what its settings have to be; a setting that is None in the fault fits everything.
        """
        with self._lock:
            for fault in self._faults:
                if fault.name == name and all(
                    fault.settings[key] in {None, wanted} for key, wanted in where.items()
                ):
                    self._count(fault)
                    return fault.settings
        return None

    def take_for_task(self) -> dict[str, Settings]:
        """What shall happen to a task that is about to start, by the name of the fault."""
        taken = {name: self.take(name) for name in _OF_A_TASK}
        return {name: settings for name, settings in taken.items() if settings is not None}

    def _count(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)
