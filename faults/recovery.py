"""A run that loses its connection at a commit, and is broken once more while it finds out what came of that."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, override

from faults.case import Case
from faults.command import Ended
from faults.job import Migrate
from sandbox.protocol_framing import Direction
from sandbox.protocol_proxy import Action, Cut, FaultAt, Message, Moment, Policy

if TYPE_CHECKING:
    from faults.place import Place

_FIRST: Final = 1
_SECOND: Final = 2


class Recovering(Migrate):
    """``migrate`` that loses its connection when a migration is committed and the run has not heard of it.

    The points are those of the second connection, with which it asks what has become of that.
    """

    connection = _SECOND

    def __init__(self, case: Case, script: str) -> None:
        super().__init__(case, name=f"{case.name}, connection lost at the commit of {script}")
        self._script = script

    @override
    def policy(self, place: "Place", fault: FaultAt | None) -> Policy:
        return _Twice(place, self._script, fault)

    @override
    def learn(self, ended: Ended, place: "Place", directory: Path) -> None:
        """See to it that there was something to find out: after that it may go on, or end and say run again.

        Raises:
            RuntimeError: The first connection was not lost at a commit.
        """
        if ended.code != "connection-lost":
            super().learn(ended, place, directory)
        if self._script not in ended.applied:
            raise RuntimeError(f"{self.name}: it was not found out that it was committed: {ended.message}")

    @override
    def find_wrong_loss(self, ended: Ended, *, can_ask: bool) -> Iterator[str]:
        """Who has lost the connection twice may leave it open what was committed, if that is said."""
        return super().find_wrong_loss(ended, can_ask=False)


class _Twice:
    """Resets the first connection at a commit that the client has not heard of; then does ``second``."""

    def __init__(self, place: "Place", script: str, second: FaultAt | None) -> None:
        self._place, self._script, self._second = place, script, second
        self._is_lost = False

    def find_action(self, message: Message, moment: Moment) -> Action | None:
        """The reset, and later on the second fault."""
        if message.connection != _FIRST:
            return self._second.find_action(message, moment) if self._second else None
        if self._is_lost or moment is Moment.AFTER or message.direction is Direction.TO_SERVER:
            return None
        self._is_lost = self._script in self._place.look().applied
        return Cut.RESET if self._is_lost else None
