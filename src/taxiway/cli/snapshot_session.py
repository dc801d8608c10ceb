"""One call of ``taxiway snapshot``: where the database is, who asks, and what is shown meanwhile."""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from taxiway.cli.confirm import ask
from taxiway.cli.interrupts import has_terminal
from taxiway.cli.output import print_aside
from taxiway.cli.task_options import find_actor
from taxiway.clock import SystemClock
from taxiway.model.snapshot import Difference, Origin, Snapshot
from taxiway.model.task import TaskSettings
from taxiway.ops.lease import Lease, Worker
from taxiway.ops.restore import Restorer
from taxiway.ops.snapshots import create_snapshot
from taxiway.reports.snapshot_text import render_differences

if TYPE_CHECKING:
    from taxiway.aws.rds import Rds
    from taxiway.cli.invocation import Invocation

# A line about the same wait again after so many seconds, then after twice as many.
_FIRST_LINE_SECONDS: Final = 10.0


@dataclass
class SnapshotSession:
    """The service of a call, made when it is needed."""

    invocation: "Invocation"
    settings: TaskSettings
    actor: str = field(default_factory=find_actor)

    def __post_init__(self) -> None:
        self.progress = Lines(is_quiet=self.invocation.quiet)

    @cached_property
    def rds(self) -> "Rds":
        """RDS where the settings say."""
        from taxiway.aws.rds import Rds
        from taxiway.aws.session import Place

        return Rds(Place(self.settings.region, self.settings.profile))

    @cached_property
    def database(self) -> str:
        """The identifier of the database.

        Raises:
            TaxiwayError: None is named, or the stack cannot be asked.
        """
        from taxiway.ops.resolve_target import resolve_database, with_stack

        if self.settings.stack is not None and self.settings.database is None:
            from taxiway.aws.cloudformation import CloudFormation
            from taxiway.aws.session import Place

            place = Place(self.settings.region, self.settings.profile)
            self.settings = with_stack(self.settings, CloudFormation(place))
        return resolve_database(self.settings)

    def create(self, *, branch: str | None, commit: str | None, reason: str | None) -> Snapshot:
        """Make a snapshot, and wait for it. Raises as :func:`taxiway.ops.snapshots.create_snapshot`."""
        return create_snapshot(
            self.rds,
            self.database,
            Origin(actor=self.actor, branch=branch, commit=commit, reason=reason),
            clock=SystemClock(),
            progress=self.progress,
            now=now(),
            token=secrets.token_hex(2),
        )

    def restorer(self, *, takes_over: bool, accepts_differences: bool) -> Restorer:
        """What restores this database, confirms it and takes it back."""
        clock = SystemClock()
        machine = socket.gethostname() or "unknown"
        worker = Worker(actor=self.actor, machine=machine, token=f"{os.getpid()}-{secrets.token_hex(4)}")
        lease = Lease(
            databases=self.rds,
            worker=worker,
            clock=clock,
            now=now,
            is_gone=_is_gone_from(machine),
            takes_over=takes_over,
        )

        def accepts(differences: tuple[Difference, ...]) -> bool:
            print_aside(f"Settings that could not be restored:\n{render_differences(differences)}")
            return accepts_differences or (has_terminal() and ask("Go on with these differences?"))

        return Restorer(
            databases=self.rds,
            name=self.database,
            lease=lease,
            clock=clock,
            progress=self.progress,
            accepts=accepts,
        )


def now() -> datetime:
    """The present time, UTC."""
    return datetime.now(UTC)


def find_revision(environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Branch and commit of the workflow that runs, if one does."""
    return environ.get("GITHUB_REF_NAME") or None, environ.get("GITHUB_SHA") or None


def _is_gone_from(here: str) -> Callable[[str, str], bool]:
    """Whether a run on this machine has ended; of other machines nobody knows."""

    def is_gone(machine: str, token: str) -> bool:
        pid = token.partition("-")[0]
        if machine != Worker(actor="", machine=here, token="").words.split(" ")[1] or not pid.isdecimal():
            return False
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    return is_gone


@dataclass
class Lines:
    """Shows what happens, a line for each, on standard error. What takes long is said again, ever less often."""

    is_quiet: bool
    last_step: str = ""
    _waits_for: str = field(default="", init=False)
    _next: float = field(default=0.0, init=False)

    def on_step(self, words: str) -> None:
        """It is asked for now."""
        self.last_step = words
        self._print(f"{words[:1].upper()}{words[1:]} ...")

    def on_wait(self, words: str, seconds: float) -> None:
        """RDS is at it."""
        if words != self._waits_for:
            self._waits_for, self._next = words, _FIRST_LINE_SECONDS
            self._print(f"  {words}")
        elif seconds >= self._next:
            self._next = seconds * 2
            self._print(f"  {words}, for {seconds:.0f} s now")

    def on_trouble(self, message: str) -> None:
        """Something to know."""
        print_aside(f"  {message}")

    def _print(self, text: str) -> None:
        if not self.is_quiet:
            print_aside(text)
