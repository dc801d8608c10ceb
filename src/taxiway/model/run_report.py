"""How a call ended: what the last line of its log says, and what whoever started it goes by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Outcome(Enum):
    """How a run ended, in one word; the value is that word."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"
    TERMINATED = "TERMINATED"


# docs/adr/0006-exit-codes.md; every other number is a failure.
_BY_EXIT_CODE: Final = {
    0: Outcome.SUCCESS,
    130: Outcome.INTERRUPTED,
    143: Outcome.TERMINATED,
}
# Enough to find a commit by, and what is shown of it.
COMMIT_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """The end of a run. What is not known, or has no meaning for the command, is ``None``.

    Attributes:
        exit_code: The number that the process ends with, 0 to 255.
        applied: How many migrations are known to be committed; undone ones count too.
        schema_version: Where the schema stands, as far as the run has seen.
        commit: Its id; the first twelve digits where they were read from a line of text.
        code: That of the error that ended the run (``migration-failed``).
        run_id: That of its rows in the run ledger. A line of text does not say it.
    """

    exit_code: int
    applied: int = 0
    schema_version: str | None = None
    branch: str | None = None
    commit: str | None = None
    code: str | None = None
    run_id: str | None = None

    @property
    def outcome(self) -> Outcome:
        """The exit code in a word, so that the two can never disagree."""
        return _BY_EXIT_CODE.get(self.exit_code, Outcome.FAILED)

    @property
    def is_success(self) -> bool:
        """Everything that was asked for is done."""
        return self.outcome is Outcome.SUCCESS

    @property
    def words(self) -> str:
        """``SUCCESS``, or ``FAILED (migration-failed)``."""
        return f"{self.outcome.value} ({self.code})" if self.code else self.outcome.value
