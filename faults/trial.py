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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial.

    Attributes:
        what: What was done.
        group: Trials of one group are counted together.
        outcome: How the run with the fault ended.
        then: What the next run came to.
        problems: What was not as it has to be.
    """

    part: Part
    group: str
    what: str
    outcome: str
    then: str
    problems: Sequence[str] = ()
