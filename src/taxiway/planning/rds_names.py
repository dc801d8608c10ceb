"""Names for what a snapshot or a restore makes: unique, telling, and such that RDS takes them.

"Must contain from 1 to 63 letters, numbers, or hyphens", the first a letter, the last no hyphen, and no two
hyphens in a row (CreateDBCluster, CreateDBClusterSnapshot, API reference).
"""

import hashlib
from datetime import UTC, datetime
from typing import Final

_LENGTH: Final = 63
_HASH_LENGTH: Final = 6


def stamp_of(moment: datetime) -> str:
    """The UTC time to the second, as it stands in names."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def snapshot_name(database: str, moment: datetime, token: str) -> str:
    """``token`` keeps apart two that are made in the same second."""
    return _join(database, f"{moment.astimezone(UTC):%Y%m%dt%H%M%Sz}-{token}")


def old_name(name: str, stamp: str) -> str:
    """Of an original, or of an instance of it, while the restored one has the live name."""
    return _join(name, f"old-{stamp}")


def new_name(name: str, stamp: str) -> str:
    """Of what was restored, while the original has the live name."""
    return _join(name, f"new-{stamp}")


def final_name(name: str, stamp: str) -> str:
    """Of the snapshot that is made of a database before it is deleted for good."""
    return _join(name, f"final-{stamp}")


def _join(name: str, ending: str) -> str:
    room = _LENGTH - len(ending) - 1
    if len(name) <= room:
        return f"{name}-{ending}"
    # Two long names that begin alike must not become one.
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: room - _HASH_LENGTH - 1].rstrip('-')}-{digest}-{ending}"
