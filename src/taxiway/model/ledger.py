"""The run ledger: what is recorded of a run, besides the schema history (docs/adr/0050-run-ledger.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from taxiway.model.migration import ResolvedMigration

ROLES_APPLY: Final = "roles apply"
"""The command of a run that has looked after declared roles, and nothing else."""


class RunOutcome(Enum):
    """How a run ended. ``UNKNOWN`` is that of one whose session is gone and which nobody has ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TERMINATED = "terminated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrigin:
    """Who runs what, as far as that is known when it begins.

    Attributes:
        run_id: A UUID whose order is that of time (:func:`make_run_id`).
        command: ``run``, or the commands of one call as in ``clean migrate``.
        repository: Its address for people, without credentials.
        actor: Who asked for it: a person, a workflow.
        task_arn, image_digest: Of the ECS task and its image.
    """

    run_id: str
    version: str
    command: str
    repository: str | None = None
    branch: str | None = None
    commit: str | None = None
    actor: str | None = None
    task_arn: str | None = None
    image_digest: str | None = None


class StatementRecord(NamedTuple):
    """A statement that was run: where it stands, and what the server said. Its text may hold passwords."""

    script: str
    line: int
    duration_ms: int
    command: str

    @property
    def rows(self) -> int | None:
        """How many rows it concerned, if its tag says so: ``INSERT 0 5``, ``SELECT 3``."""
        *_, last = self.command.split(" ")
        return int(last) if last.isdecimal() else None


@dataclass(slots=True)
class MigrationRecord:
    """A migration that was begun. ``duration_ms`` is ``None`` as long as it is not known to be applied."""

    migration: ResolvedMigration
    transactional: bool
    duration_ms: int | None = None
    statements: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a run has done, for its end."""

    outcome: RunOutcome
    error_code: str | None
    migrations: tuple[MigrationRecord, ...]
    statements: tuple[StatementRecord, ...]
    statements_left_out: int


def make_run_id(now: datetime, randomness: bytes) -> str:
    """A UUID of version 7: its order is that of time (RFC 9562, 5.7). Takes ten random bytes."""
    milliseconds = int(now.timestamp() * 1000)
    number = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(randomness[:10])
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
