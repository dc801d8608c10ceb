"""The system's clock: the real :class:`taxiway.engine.ports.Clock`."""

import time
from datetime import datetime

from taxiway.interruption import sleep


class SystemClock:
    """Time as the machine tells it."""

    def now(self) -> datetime:
        """Local wall time, aware."""
        return datetime.now().astimezone()

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        sleep(seconds)
