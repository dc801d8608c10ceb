"""Migrations that were begun without a transaction, and whose end nobody could write."""

from typing import Final

from taxiway.model.info import MigrationInfo
from taxiway.planning.history import BEGUN

UNFINISHED: Final = (
    "was begun without a transaction, and nobody could write how that ended: its process or its connection was "
    "cut off. Some of its statements may have been carried out."
)
MEND_UNFINISHED: Final = (
    "Take back what it did (an index that CREATE INDEX CONCURRENTLY has left invalid is dropped, for example), "
    "then run 'taxiway repair' to remove its row"
)


def is_unfinished(info: MigrationInfo) -> bool:
    """Whether its row was written before it ran, and not again."""
    return info.state.is_failed and info.applied is not None and info.applied.execution_time_ms == BEGUN
