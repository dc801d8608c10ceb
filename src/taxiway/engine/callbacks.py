"""Callbacks: scripts that run at a moment of a command.

Terminology:

alone
    Outside of any migration, in a transaction of its own unless it is to have none.
inside
    In the transaction of a migration, or without one if the migration has none.

All callbacks run on the one session of the project (docs/adr/0015-callbacks.md).
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from taxiway import errors
from taxiway.model.event import Warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from taxiway.engine.callback_runner import CallbackRunner
    from taxiway.engine.statements import ScriptRun
    from taxiway.engine.survey import Scope
    from taxiway.engine.tools import Tools
    from taxiway.model.callback import Callback, CallbackEvent
    from taxiway.model.settings import MigrationSettings


class Callbacks:
    """The callbacks of one project, and what runs them.

    ``holding_lock`` is for commands that hold the migration lock: it is taken again if a script has given it back.
    """

    def __init__(
        self, scope: Scope, settings: MigrationSettings, tools: Tools, *, holding_lock: bool = False
    ) -> None:
        self._scope, self._settings, self._tools = scope, settings, tools
        self._holding_lock = holding_lock
        self._by_event = _by_event(scope.resolution.callbacks)

    def has(self, *events: CallbackEvent) -> bool:
        """Whether there is a callback for one of these events."""
        return any(event in self._by_event for event in events)

    def prepare(self, events: Iterable[CallbackEvent]) -> None:
        """Read and split the callbacks of these events now, so that what is wrong with them changes nothing.

        Raises:
            ScriptError: One of them is not in order.
        """
        for event in events:
            for callback in self._of(event):
                self._runner.script(callback)

    def fire(self, event: CallbackEvent) -> None:
        """Run the callbacks of an event alone, ordered by description (Flyway 13).

        Raises:
            CallbackFailed: One of them was refused; what it did is rolled back if it could be.
            ConnectionLost: The session is gone.
            LockNotAcquired: A script has given the lock back, and somebody else has taken it.
        """
        for callback in self._of(event):
            self._runner.run_alone(callback)

    def fire_inside(self, event: CallbackEvent, run: ScriptRun) -> None:
        """Run the callbacks of an event as a part of a migration: role and search path stay as they are.

        Raises:
            CallbackFailed: One of them was refused. Nothing is rolled back here.
            ConnectionLost: The session is gone.
        """
        for callback in self._of(event):
            if failure := self._runner.try_inside(callback, run):
                raise failure

    def fire_after_failure(self, event: CallbackEvent) -> None:
        """Run the callbacks of an error event alone; a failing one is a warning.

        Flyway 13 runs those of a migration in its aborted transaction, where SQL fails and hides the first error.
        """
        for callback in self._of(event):
            try:
                self._runner.run_alone(callback)
            except errors.TaxiwayError as error:
                message = self._tools.redact(error.message)
                self._tools.on_event(Warned(message=f"After the failure that follows, this failed too: {message}"))

    @contextmanager
    def around(self, before: CallbackEvent, after: CallbackEvent, after_error: CallbackEvent) -> Iterator[None]:
        """Fire ``before``, run the block, fire ``after``, or ``after_error`` when the block has failed."""
        self.fire(before)
        try:
            yield
        except errors.TaxiwayError:
            self.fire_after_failure(after_error)
            raise
        self.fire(after)

    @cached_property
    def _runner(self) -> CallbackRunner:
        from taxiway.engine.callback_runner import CallbackRunner

        return CallbackRunner(self._scope, self._settings, self._tools, holding_lock=self._holding_lock)

    def _of(self, event: CallbackEvent) -> Sequence[Callback]:
        return self._by_event.get(event, ())


def _by_event(callbacks: Iterable[Callback]) -> dict[CallbackEvent, list[Callback]]:
    """In description order, no description first; those with equal descriptions as they were found."""
    found: defaultdict[CallbackEvent, list[Callback]] = defaultdict(list)
    for callback in sorted(callbacks, key=lambda one: one.description.encode("utf-16-be", "surrogatepass")):
        found[callback.event].append(callback)
    return dict(found)
