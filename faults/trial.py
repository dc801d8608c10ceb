"""What a trial came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Part(Enum):
    """The chapters of the campaign, with the title that each has on the page."""

    CUT = "The connection is cut"
    KILL = "The process is killed (SIGKILL)"
    STOP = "The process is asked to stop (SIGTERM, SIGINT)"
    SILENCE = "Nothing is passed on any more, and nobody is told"
    RUNNERS = "Several runs at once"
    SERVER = "The server fails"
    SECRETS = "Secrets"


class Lost(str):
    """A problem: what a run has recorded, or was to finish, is not there."""

    __slots__ = ()


class Doubled(str):
    """A problem: something was done or recorded more than once."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial.

    Attributes:
        what: What was done.
        group: Trials of one group are counted together.
        outcome: How the run with the fault ended.
        then: What the next run came to.
        problems: What was not as it has to be.
        runs: How many runs it had at once.
    """

    part: Part
    group: str
    what: str
    outcome: str
    then: str
    problems: Sequence[str] = ()
    runs: int = 1


def give_up(part: Part, group: str, what: str, error: Exception) -> Trial:
    """What there is to tell of a trial that could not be carried out itself."""
    problem = f"the trial failed: {type(error).__name__}: {error}"
    return Trial(part=part, group=group, what=what, outcome="not known", then="not known", problems=(problem,))
