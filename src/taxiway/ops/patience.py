"""Waiting for RDS: looking less and less often, and bearing what passes by itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from taxiway import errors
from taxiway.ops.seams import Clock, Progress

_FIRST_SECONDS: Final = 0.5
_MOST_SECONDS: Final = 15.0
_GROWTH: Final = 1.4
# How long RDS may be throttling, silent, or in a state that does not allow the next step.
_PATIENCE_SECONDS: Final = 900.0
# The same trouble is told again after so many seconds, then after twice as many.
_TELL_AGAIN_SECONDS: Final = 60.0


@dataclass
class Waiting:
    """One thing that is waited for. A new reason begins anew."""

    clock: Clock
    progress: Progress
    _words: str = field(default="", init=False)
    _since: float = field(default=0.0, init=False)
    _pause: float = field(default=_FIRST_SECONDS, init=False)

    def __post_init__(self) -> None:
        self._since = self.clock.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been waited for the present reason."""
        return self.clock.monotonic() - self._since

    def seconds_of(self, words: str) -> float:
        """How long it has been waited for that reason."""
        return self.seconds if words == self._words else 0.0

    def wait(self, words: str) -> None:
        """Wait a while for a reason."""
        if words != self._words:
            self._words, self._since, self._pause = words, self.clock.monotonic(), _FIRST_SECONDS
        self.progress.on_wait(words, self.seconds)
        self.clock.sleep(self._pause)
        self._pause = min(self._pause * _GROWTH, _MOST_SECONDS)


@dataclass
class Patience:
    """Bears what passes by itself, for a quarter of an hour without a success; told again ever less often."""

    clock: Clock
    progress: Progress
    _since: float | None = field(default=None, init=False)
    _told: str = field(default="", init=False)
    _tell_again_after: float = field(default=_TELL_AGAIN_SECONDS, init=False)
    _pause: float = field(default=_FIRST_SECONDS, init=False)

    def ask[T](self, question: Callable[[], T]) -> T | None:
        """The answer; ``None`` where AWS is throttling or silent for the moment, after a while.

        Raises:
            AwsError: AWS refuses, or there was no answer for too long.
        """
        try:
            answer = question()
        except (errors.AwsThrottled, errors.AwsUnreachable) as error:
            self.bear(error)
            return None
        self.calm()
        return answer

    def bear(self, error: errors.AwsError, *, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait a while, if the error may pass within so many seconds; its reason is told.

        Raises:
            AwsError: The error, if it has been there for too long.
        """
        now = self.clock.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since > seconds:
            raise error
        self._tell(error.message, now - self._since)
        self.clock.sleep(self._pause)
        self._pause = min(self._pause * _GROWTH, _MOST_SECONDS)

    def _tell(self, message: str, seconds: float) -> None:
        if message != self._told:
            self._told, self._tell_again_after = message, seconds + _TELL_AGAIN_SECONDS
            self.progress.on_trouble(f"{message} Trying again.")
        elif seconds >= self._tell_again_after:
            self._tell_again_after = seconds * 2
            self.progress.on_trouble(f"{message} Trying again, for {seconds:.0f} s now.")

    def calm(self) -> None:
        """It went well."""
        self._since, self._told, self._pause = None, "", _FIRST_SECONDS
