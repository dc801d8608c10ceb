"""Whether a failed attempt to connect may be one to a database that is waking up.

Aurora at 0 ACUs is paused, and resumes when somebody connects: in about 15 seconds, and in 30 or more after a day
("Scaling to Zero ACUs with automatic pause and resume", Aurora User Guide). What clients see meanwhile are
timeouts, refused and closed connections, and at times a server without any rule that lets them in
(cyrilgdn/terraform-provider-postgresql#540).
"""

from collections.abc import Callable
from typing import Final

from taxiway import errors
from taxiway.engine.ports import Clock
from taxiway.model.endpoint import find_rds_endpoint
from taxiway.model.event import WakingDatabase

SECONDS: Final = 120
"""How long a database of RDS is waited for in the job, when nobody says."""
_SECONDS_BETWEEN: Final = 2.0
_SECONDS_BETWEEN_NEWS: Final = 10.0

# libpq's words, those of the system in its C locale, and the server's for SQLSTATE 57P03. Of a name that does not
# exist, the resolver says so for sure ("Name or service not known"), and nothing is waited for.
_PASSING: Final = (
    "Connection refused",
    "Connection reset by peer",
    "Connection timed out",
    "timeout expired",
    "closed the connection unexpectedly",
    "SSL connection has been closed unexpectedly",
    "Temporary failure in name resolution",
    "the database system is starting up",
    "the database system is not yet accepting connections",
    "the database system is not accepting connections",
    "the database system is in recovery mode",
)
# RDS lets everybody try who comes with TLS: there always is a rule, when it is awake.
_WITHOUT_RULES: Final = ("no pg_hba.conf entry", "SSL encryption")


def may_be_waking(error: errors.DatabaseError, host: str) -> bool:
    """Whether the error is one of a database that is not awake yet."""
    if isinstance(error, errors.ConnectionFailed):
        return any(words in error.message for words in _PASSING)
    return (
        isinstance(error, errors.AuthenticationFailed)
        and find_rds_endpoint(host) is not None
        and all(words in error.message for words in _WITHOUT_RULES)
    )


class Waking:
    """The patience with one database. It begins now."""

    def __init__(
        self, host: str, seconds: float, clock: Clock, on_event: Callable[[WakingDatabase], None]
    ) -> None:
        """``seconds`` is how long it lasts."""
        self._host, self._seconds, self._clock, self._on_event = host, seconds, clock, on_event
        self._started = clock.monotonic()
        self._told: float | None = None

    def takes_in(self, error: errors.DatabaseError) -> bool:
        """Whether another attempt may do better. When time is up, the error says how long was waited."""
        if not may_be_waking(error, self._host):
            return False
        if self._waited < self._seconds:
            return True
        error.message = f"{error.message.rstrip('.')}. It was waited for {self._waited:.0f} s (wakeTimeout)."
        error.args = (error.message,)
        return False

    def wait(self, reason: str) -> None:
        """Wait before the next attempt, and tell of it at first and then now and again."""
        waited = self._waited
        if self._told is None:
            self._tell(reason, 0)
        elif waited - self._told >= _SECONDS_BETWEEN_NEWS:
            self._tell(reason, waited)
        self._clock.sleep(max(min(_SECONDS_BETWEEN, self._seconds - waited), 0))

    @property
    def _waited(self) -> float:
        return self._clock.monotonic() - self._started

    def _tell(self, reason: str, waited: float) -> None:
        self._told = waited
        self._on_event(WakingDatabase(reason=reason, waited_seconds=waited, budget_seconds=self._seconds))
