"""What a trial plays: a command on a project, what it may leave behind, and how the job is finished after it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import override

from faults.case import Case
from faults.command import Ended, Run, start
from faults.finish import Finished, finish
from faults.place import Place
from faults.truth import find_lies, find_wrong_loss, find_wrong_state
from sandbox.protocol_proxy import FaultAt, Policy


class Job(ABC):
    """A command to break, and the judge of what it leaves.

    Attributes:
        connection: The one whose messages are the points; None for all that there are.
    """

    connection: int | None = None

    def __init__(self, name: str, command: str, case: Case) -> None:
        self.name, self.command, self.case = name, command, case

    def prepare(self, place: Place, directory: Path) -> None:  # noqa: ARG002 - for subclasses
        """Make the database what it is before the command. ``directory`` has the scripts."""
        place.reset(self.case.setup)

    def start(self, url: str, directory: Path, *options: str) -> Run:
        """Begin the run that is to be broken."""
        return start(self.command, self.case, url, directory, *options)

    def policy(self, place: Place, fault: FaultAt | None) -> Policy | None:  # noqa: ARG002 - for subclasses
        """What the proxy does: the fault of the trial, or nothing but what belongs to the job."""
        return fault

    def learn(self, ended: Ended, place: Place, directory: Path) -> None:  # noqa: ARG002 - for subclasses
        """Find out what has to be known for the judgement, after a run without a fault.

        Raises:
            RuntimeError: It did not succeed.
        """
        if ended.exit_code:
            raise RuntimeError(f"{self.name}: {ended.in_short}: {ended.message} {ended.stderr}")

    @abstractmethod
    def find_wrong_state(self, place: Place) -> Iterator[str]:
        """What is not at a boundary right after the fault."""

    @abstractmethod
    def find_lies(self, ended: Ended, place: Place) -> Iterator[str]:
        """What the run has said that the database does not confirm."""

    @abstractmethod
    def find_wrong_loss(self, ended: Ended, *, can_ask: bool) -> Iterator[str]:
        """What is wrong with how a run speaks of a lost connection. ``can_ask``: there could be another one."""

    @abstractmethod
    def finish(self, place: Place, directory: Path) -> Finished:
        """Do what somebody has to do after the fault, until the job is done."""


class Migrate(Job):
    """``migrate`` on a fresh database."""

    def __init__(self, case: Case, *, name: str = "") -> None:
        super().__init__(name or case.name, "migrate", case)

    @override
    def find_wrong_state(self, place: Place) -> Iterator[str]:
        return find_wrong_state(self.case, place.look())

    @override
    def find_lies(self, ended: Ended, place: Place) -> Iterator[str]:
        return find_lies(self.case, ended, place.look())

    @override
    def find_wrong_loss(self, ended: Ended, *, can_ask: bool) -> Iterator[str]:
        return find_wrong_loss(self.case, ended, can_ask=can_ask)

    @override
    def finish(self, place: Place, directory: Path) -> Finished:
        return finish(self.case, place, place.look(), directory)
