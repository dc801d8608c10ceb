"""The number of the advisory lock that Flyway and Taxiway share.

Flyway 13 (``PostgreSQLAdvisoryLockTemplate``): the bytes of ``Flyway`` as a big-endian integer, plus Java's 32-bit
``String.hashCode`` of the quoted and qualified table name, sign included.
"""

from functools import cache
from typing import Final

from taxiway.engine.ports import HistoryTable

_FLYWAY: Final = int.from_bytes(b"Flyway", "big")


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
