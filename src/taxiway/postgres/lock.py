"""The advisory lock that Flyway and Taxiway share: its number, and who holds it.

Flyway 13 (``PostgreSQLAdvisoryLockTemplate``): the bytes of ``Flyway`` as a big-endian integer, plus Java's 32-bit
``String.hashCode`` of the quoted and qualified table name, sign included.
"""

from functools import cache
from typing import Final

from taxiway.engine.ports import HistoryTable
from taxiway.postgres.sql import Sql, fill, literal

_FLYWAY: Final = int.from_bytes(b"Flyway", "big")

# The two halves of a 64-bit advisory key as pg_locks shows them (PostgreSQL manual, pg_locks).
_HOLDER: Final = """
SELECT a.pid, a.usename, a.application_name, a.client_addr::text, a.backend_start::timestamptz(0)::text
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.classid::bigint = ({number}::bigint >> 32) & 4294967295
  AND l.objid::bigint = {number}::bigint & 4294967295
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
LIMIT 1
"""


@cache
def lock_number(table: HistoryTable) -> int:
    """The key of ``pg_try_advisory_lock`` for this history table: a signed 64-bit integer."""
    return _FLYWAY + java_hash(str(table))


def java_hash(text: str) -> int:
    """Java's ``String.hashCode``: over UTF-16 code units, in signed 32-bit arithmetic."""
    value = 0
    units = text.encode("utf-16-be")
    for index in range(0, len(units), 2):
        value = (31 * value + int.from_bytes(units[index : index + 2], "big")) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def select_holder(table: HistoryTable) -> Sql:
    """Who holds the lock: what :func:`holder_in_words` takes, or no row."""
    return fill(_HOLDER, number=literal(lock_number(table)))


def holder_in_words(
    pid: str | None, user: str | None, program: str | None, address: str | None, since: str | None
) -> str:
    """Process, user, program, address, since when; less if the server hides it from us."""
    # Without a time, the server hides the rest from us too (PostgreSQL manual, pg_stat_activity).
    if since is None:
        known = f"user {user}; " if user else ""
        return f"process {pid} ({known}a member of pg_read_all_stats would see more)"
    return f"process {pid} (user {user}, program '{program}', from {address or 'a local socket'}, since {since})"
