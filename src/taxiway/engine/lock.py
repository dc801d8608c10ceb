"""Holding the one lock that lets a single process migrate a history table."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from taxiway import errors
from taxiway.engine.ports import HistoryTable, Seen
from taxiway.engine.tools import Tools
from taxiway.model.event import WaitingForLock
from taxiway.model.settings import MigrationSettings

# Flyway 13 asks once a second.
_POLL_SECONDS: Final = 1.0


@contextmanager
def migration_lock(table: HistoryTable, settings: MigrationSettings, tools: Tools) -> Iterator[None]:
    """Hold the lock while the block runs.

    Waits by asking again, never by blocking in the server: a blocked request keeps a snapshot open,
    ``CREATE INDEX CONCURRENTLY`` in the holder's script waits for that snapshot, and PostgreSQL ends one of the
    two as a deadlock. ``lock_retry_count`` attempts follow the first, a second apart; a negative number is no
    limit.

    Released on the way out even when the block was interrupted.

    Raises:
        LockNotAcquired: Somebody else held it all that time. Says who, if the server tells.
    """
    session = tools.session
    _take(table, settings, tools, first=lambda: session.try_lock(table))
    try:
        yield
    finally:
        session.unlock(table)


@contextmanager
def lock_and_look(
    table: HistoryTable, settings: MigrationSettings, tools: Tools, *, schemas: Sequence[str]
) -> Iterator[Seen]:
    """Hold the lock as :func:`migration_lock` does, and say what there is to see under it.

    Where the lock is free, both are one message.
    """
    session = tools.session
    seen: Seen | None = None

    def take() -> bool:
        nonlocal seen
        seen = session.lock_and_look(schemas, table)
        return seen is not None

    _take(table, settings, tools, first=take)
    try:
        yield seen or session.look_and_read(schemas, table)
    finally:
        session.unlock(table)


def _take(table: HistoryTable, settings: MigrationSettings, tools: Tools, *, first: Callable[[], bool]) -> None:
    """Wait until the lock is ours. ``first`` is the first attempt."""
    session, clock, retry_count = tools.session, tools.clock, settings.lock_retry_count
    started = clock.monotonic()
    attempts = 0
    is_taken = first()
    while not is_taken:
        if attempts == 0:
            tools.on_event(WaitingForLock(table=str(table), holder=session.lock_holder(table)))
        if 0 <= retry_count <= attempts:
            raise errors.LockNotAcquired(
                str(table), waited_seconds=clock.monotonic() - started, holder=session.lock_holder(table)
            )
        attempts += 1
        clock.sleep(_POLL_SECONDS)
        is_taken = session.try_lock(table)
