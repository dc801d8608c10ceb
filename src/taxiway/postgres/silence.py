"""Whether a server that says nothing is still there.

A statement may run for hours and say nothing all the while, so silence alone means nothing. A connection that no
packet gets through any more looks the same: keepalives find that out only while nothing is on its way, and not
where something in between (a proxy, a load balancer) answers them. So the server is asked with another connection.

Terminology:

at work
    The server's process for our session runs something, or waits for anything else than for us.
"""

from collections.abc import Callable
from typing import Final

from taxiway.engine.ports import SessionFacts
from taxiway.postgres.libpq.connection import Connection
from taxiway.postgres.libpq.result import ConnectionBroken, ServerError
from taxiway.postgres.sql import fill, literal

# What a process waits for that has sent us an answer, or wants something from us. Others of the type Client are
# about other servers: those of a subscription, for example.
_IS_AT_WORK: Final = """
SELECT a.state = 'active' AND coalesce(a.wait_event, '') NOT IN ('ClientRead', 'ClientWrite')
FROM pg_catalog.pg_stat_activity a
WHERE a.pid = {process_id} AND extract(epoch FROM a.backend_start)::text = {started}
"""

# Once is no proof: the answer may have come between silence and question.
_PATIENCE: Final = 2


class SilenceWatch:
    """What to do when a session has been silent for a while: :attr:`Connection.on_silence`."""

    def __init__(self, facts: SessionFacts, connect: Callable[[], Connection], *, seconds: float) -> None:
        """``connect`` opens another connection to the same server; ``seconds`` is how long a silence is."""
        self._facts, self._connect, self._seconds = facts, connect, seconds
        self._doubts = 0

    def __call__(self, silences: int) -> None:
        """Ask the server about the session. ``silences`` counts them since it was heard of last, from 1.

        Raises:
            ConnectionBroken: It does not answer, or is not at work for us, for the second time in a row.
        """
        reason = self._find_reason()
        before = self._doubts if silences > 1 else 0
        self._doubts = before + 1 if reason else 0
        if self._doubts >= _PATIENCE:
            raise ConnectionBroken(f"no answer for {self._seconds * silences:g} seconds; {reason}")

    def _find_reason(self) -> str | None:
        """Why the session seems to be lost; ``None`` if the server is at work."""
        try:
            connection = self._connect()
        except ConnectionBroken:
            return "a new connection is not answered either"
        try:
            query = fill(
                _IS_AT_WORK,
                process_id=literal(self._facts.process_id),
                started=literal(self._facts.process_started),
            )
            [result] = connection.execute(query.encode())
        except (ServerError, ConnectionBroken):
            return "a new connection is not answered either"
        finally:
            connection.close()
        if not result.rows:
            return "the server has no such session any more"
        return None if result.rows[0] == (b"t",) else "the server has answered, and waits for us"
