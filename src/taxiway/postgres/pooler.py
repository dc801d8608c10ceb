"""Whether a pooler answers in the place of the server.

The lock of a migration is one of its session, as are its search path and role. A pooler in transaction mode gives
each transaction whatever session of the server is free: the lock stays with one that somebody else uses next.

A server names its process when it greets the client (PostgreSQL manual, "Message Formats", BackendKeyData). A
pooler makes up a number, since it has no server yet. So a server that calls its process by another number in its
first answer is behind a pooler. Only then more is asked.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from taxiway import errors
from taxiway.model.endpoint import find_rds_endpoint
from taxiway.postgres.libpq.connection import Connection
from taxiway.postgres.libpq.result import ConnectionBroken, ServerError

_PROCESS: Final = b"SELECT pg_catalog.pg_backend_pid()"
# A pooler may hand out its sessions in turn.
_QUESTIONS: Final = 3


def find_pooler(
    connection: Connection, process_id: int, target: str, open_another: Callable[[], Connection]
) -> str | None:
    """What to say of a pooler; ``None`` if there is none, or one that leaves each client its own session.

    ``process_id`` is the server's own number for the process that has answered first.
    """
    endpoint = find_rds_endpoint(connection.host)
    if endpoint and endpoint.is_proxy:
        return (
            f"{target} is an RDS Proxy: it gives the run a session for as long as it is pinned, and may end it. "
            "Connect to the writer endpoint of the cluster instead."
        )
    if connection.process_id == process_id or not _is_shared(connection, process_id, open_another):
        return None
    return (
        f"{target} is a pooler that gives each transaction another session of the server: neither the migration "
        "lock nor session settings hold there. Connect to the server itself, or to a pool in session mode."
    )


def pooler_refused(message: str) -> errors.PoolerRefused:
    """The error where ``pooler`` says that there may be none."""
    return errors.PoolerRefused(
        message, hint="Change host and port, or set pooler=warn (FLYWAY_POOLER, --pooler)."
    )


def _is_shared(connection: Connection, process_id: int, open_another: Callable[[], Connection]) -> bool:
    """Whether two of our connections are given the same process, or one of them two."""
    with suppress(ConnectionBroken, ServerError):
        other = open_another()
        try:
            theirs = {_process(other) for _ in range(_QUESTIONS)}
            ours = {process_id, *(_process(connection) for _ in range(_QUESTIONS))}
        finally:
            other.close()
        return len(ours) > 1 or len(theirs) > 1 or bool(ours & theirs)
    return False


def _process(connection: Connection) -> int:
    [result] = connection.execute(_PROCESS)
    return int(result.rows[0][0] or b"0")
