"""Two operators at once are noticed: a tag says who is at work, where, and when they were last seen.

RDS has no lock. The tag is read again after a moment: of two who wrote it at the same time, the one whose text is
there goes on. Whoever was not seen for some minutes has ended; one on this machine is looked for.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from taxiway import errors
from taxiway.model.snapshot import AT_WORK_TAG, Database, Snapshot
from taxiway.ops.seams import Clock, Databases
from taxiway.ops.snapshots import as_tag

_RENEW_SECONDS: Final = 30.0
_FORGOTTEN: Final = timedelta(seconds=180)
# How long RDS may hide what it was asked for.
_HIDDEN: Final = timedelta(minutes=15)
# Longer than two writers need who have both read "nobody" before they wrote.
_SETTLE_SECONDS: Final = 1.0
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_FREE: Final = "free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One run: who, on which machine, and a text that no other run has."""

    actor: str
    machine: str
    token: str

    @property
    def words(self) -> str:
        """As it stands in the tag: without spaces, which separate."""
        return " ".join(as_tag(text).replace(" ", "_") for text in (self.token, self.machine, self.actor))


@dataclass(frozen=True, slots=True)
class _Tag:
    """What the tag says."""

    stamp: str
    token: str
    machine: str
    actor: str
    seen: str

    @property
    def moment(self) -> datetime | None:
        """When whoever wrote it was there; None if it is no time."""
        try:
            return datetime.strptime(self.seen, _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None


def _parse(tags: Mapping[str, str]) -> _Tag | None:
    parts = tags.get(AT_WORK_TAG, "").split(" ")
    return _Tag(*parts) if len(parts) == len(_Tag.__slots__) else None


@dataclass(kw_only=True)
class Lease:
    """Who is at work. ``is_gone`` tells of a machine and a token whether that run has certainly ended."""

    databases: Databases
    worker: Worker
    clock: Clock
    now: Callable[[], datetime]
    is_gone: Callable[[str, str], bool]
    takes_over: bool = False
    is_inherited: bool = field(default=False, init=False)
    """Its stamp is that of an earlier run, which may have made what RDS does not show yet."""
    _holder: Database | Snapshot | None = field(default=None, init=False)
    _stamp: str = field(default="", init=False)
    _renewed: float = field(default=0.0, init=False)

    def stamp_of(self, tags: Mapping[str, str]) -> str | None:
        """The stamp of a run that ended before RDS has shown what it made: the same names are used again."""
        tag = _parse(tags)
        return tag.stamp if tag and tag.moment and self.now() - tag.moment < _HIDDEN else None

    def take(self, holder: Database | Snapshot, stamp: str) -> None:
        """Be the only one from now on.

        Raises:
            RestoreBusy: Somebody else is.
            AwsError: AWS refused or could not be asked.
        """
        self._check(holder.tags)
        self.is_inherited = self.stamp_of(holder.tags) is not None
        self._holder, self._stamp = holder, stamp
        self._write(holder.arn, self.worker)
        self.clock.sleep(_SETTLE_SECONDS)
        present = self._look()
        self._check(present.tags if present else {})

    def renew(self) -> None:
        """Say from time to time that we are still there; what cannot be said now is said the next time.

        Raises:
            RestoreBusy: Somebody has taken it over.
        """
        if self._holder is None or self.clock.monotonic() - self._renewed <= _RENEW_SECONDS:
            return
        with suppress(errors.AwsBusy, errors.AwsNotFound, errors.AwsThrottled, errors.AwsUnreachable):
            present = self._look()
            if present:
                self._check(present.tags)
                self._write(present.arn, self.worker)

    def release(self, *, is_done: bool) -> None:
        """Nobody is at work any more. What is not done is gone on with under the same names."""
        if self._holder is None:
            return
        with suppress(errors.AwsError):
            present = self._look()
            if present and is_done:
                self.databases.remove_tags(present.arn, [AT_WORK_TAG])
            elif present:
                self._write(present.arn, replace(self.worker, token=_FREE))
        self._holder = None

    def _write(self, arn: str, worker: Worker) -> None:
        text = f"{self._stamp} {worker.words} {self.now().astimezone(UTC).strftime(_TIME)}"
        self.databases.add_tags(arn, {AT_WORK_TAG: text})
        self._renewed = self.clock.monotonic()

    def _look(self) -> Database | Snapshot | None:
        """What has the tag, as it is now: its ARN changes with its name."""
        holder = self._holder
        if not isinstance(holder, Database):
            return holder
        there = self.databases.list_databases()
        return next((one for one in there if one.resource_id == holder.resource_id), None)

    def _check(self, tags: Mapping[str, str]) -> None:
        tag = _parse(tags)
        if tag is None or tag.token in {_FREE, self.worker.token} or self.takes_over:
            return
        is_forgotten = tag.moment is None or self.now() - tag.moment > _FORGOTTEN
        if is_forgotten or self.is_gone(tag.machine, tag.token):
            return
        self._holder = None  # the tag is theirs now: nothing of ours is to be given back
        raise errors.RestoreBusy(
            f"{tag.actor} is at work on it, on {tag.machine}, and was last seen at {tag.seen}.",
            hint="Wait until that has ended, or take it over with --take-over if you know that it has.",
        )
