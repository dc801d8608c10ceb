"""Callbacks: scripts that run at a moment of a command.

Terminology:

alone
    Outside of any migration, in a transaction of its own unless it is to have none.
inside
    In the transaction of a migration, or without one if the migration has none.

All callbacks run on the one session of the project (docs/adr/0015-callbacks.md).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from taxiway import errors
from taxiway.engine.failure import callback_failed
from taxiway.engine.ports import EventSink, Programs
from taxiway.engine.programs import ProgramFailed, run_program
from taxiway.engine.scripts import read_script
from taxiway.engine.statements import ScriptRun, StatementRefused
from taxiway.engine.survey import Scope
from taxiway.engine.tools import Tools
from taxiway.model.callback import Callback, CallbackEvent
from taxiway.model.event import CallbackStarted, Warned
from taxiway.model.rules import Placeholders
from taxiway.model.script import Script
from taxiway.model.settings import MigrationSettings
from taxiway.secret import Secret


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
        self._scripts: dict[int, Script] = {}

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
                self._script(callback)

    def fire(self, event: CallbackEvent) -> None:
        """Run the callbacks of an event alone, ordered by description (Flyway 13).

        Raises:
            CallbackFailed: One of them was refused; what it did is rolled back if it could be.
            ConnectionLost: The session is gone.
            LockNotAcquired: A script has given the lock back, and somebody else has taken it.
        """
        for callback in self._of(event):
            self._run_alone(callback)

    def fire_inside(self, event: CallbackEvent, run: ScriptRun) -> None:
        """Run the callbacks of an event as a part of a migration: role and search path stay as they are.

        Raises:
            CallbackFailed: One of them was refused. Nothing is rolled back here.
            ConnectionLost: The session is gone.
        """
        for callback in self._of(event):
            if failure := self._try_inside(callback, run):
                raise failure

    def fire_after_failure(self, event: CallbackEvent) -> None:
        """Run the callbacks of an error event alone; a failing one is a warning.

        Flyway 13 runs those of a migration in its aborted transaction, where SQL fails and hides the first error.
        """
        for callback in self._of(event):
            try:
                self._run_alone(callback)
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

    @staticmethod
    def before_connect(
        callbacks: Sequence[Callback],
        *,
        programs: Programs,
        environment: Mapping[str, str | Secret],
        placeholders: Placeholders,
        on_event: EventSink,
        redact: Callable[[str], str],
    ) -> None:
        """Run the programs for ``beforeConnect``, before there is a session.

        Flyway 13 runs them when it has connected once, and never runs SQL callbacks of that name.

        Raises:
            CallbackFailed: A program ended with a failure.
            ProgramUnavailable: A program could not be started.
        """
        for callback in _by_event(callbacks).get(CallbackEvent.BEFORE_CONNECT, ()):
            on_event(CallbackStarted(callback=callback))
            failure: ProgramFailed | None = None
            try:
                run_program(
                    callback,
                    programs=programs,
                    environment=environment,
                    placeholders=placeholders,
                    on_event=on_event,
                    redact=redact,
                )
            except ProgramFailed as failed:
                failure = failed
            if failure:
                raise callback_failed(callback, failure, user="", redact=redact, rolled_back=False)

    def _of(self, event: CallbackEvent) -> Sequence[Callback]:
        return self._by_event.get(event, ())

    def _script(self, callback: Callback) -> Script:
        """The script, read once: those of each migration or statement are run again and again."""
        script = self._scripts.get(id(callback))
        if script is None:
            script = read_script(callback, self._scope, self._settings, self._tools.session)
            self._scripts[id(callback)] = script
        return script

    def _run_alone(self, callback: Callback) -> None:
        script = self._script(callback)
        session, table = self._tools.session, self._scope.table
        run = ScriptRun(self._tools, self._settings, transactional=script.transactional)
        if callback.program is None:
            session.begin_script(table, transactional=run.transactional, keep_lock=self._holding_lock)
        is_committing = False
        try:
            failure = self._try_inside(callback, run)
            if failure is None:
                is_committing = True
                failure = self._try_commit(callback, script, run)
        except errors.ConnectionLost as error:
            failure = _cut_off(callback, run, error, is_committing=is_committing)
        finally:
            # Interrupts too: whatever ends a callback early must not leave its transaction open.
            session.rollback()
        # Raised here, where no handler would put the server's own words along as the context.
        if failure:
            raise failure

    def _try_inside(self, callback: Callback, run: ScriptRun) -> errors.TaxiwayError | None:
        """Run a callback. Returns why it failed, and raises whatever else ended it."""
        script = self._script(callback)
        self._tools.on_event(CallbackStarted(callback=callback))
        try:
            if callback.program is None:
                run.run(callback.script, script)
            else:
                self._run_program(callback)
        except (StatementRefused, ProgramFailed) as cause:
            return self._failed(callback, cause, run)
        return None

    def _try_commit(self, callback: Callback, script: Script, run: ScriptRun) -> errors.TaxiwayError | None:
        try:
            run.commit(script)
        except StatementRefused as cause:
            return self._failed(callback, cause, run)
        return None

    def _run_program(self, callback: Callback) -> None:
        run_program(
            callback,
            programs=self._tools.programs,
            environment=self._tools.program_environment,
            placeholders=self._scope.placeholders,
            on_event=self._tools.on_event,
            redact=self._tools.redact,
        )

    def _failed(
        self, callback: Callback, cause: StatementRefused | ProgramFailed, run: ScriptRun
    ) -> errors.CallbackFailed:
        return callback_failed(
            callback,
            cause,
            user=self._tools.session.facts.user,
            redact=self._tools.redact,
            rolled_back=run.can_be_undone and callback.program is None,
        )


def _by_event(callbacks: Iterable[Callback]) -> dict[CallbackEvent, list[Callback]]:
    """In description order, no description first; those with equal descriptions as they were found."""
    found: defaultdict[CallbackEvent, list[Callback]] = defaultdict(list)
    for callback in sorted(callbacks, key=lambda one: one.description.encode("utf-16-be", "surrogatepass")):
        found[callback.event].append(callback)
    return dict(found)


def _cut_off(
    callback: Callback, run: ScriptRun, error: errors.ConnectionLost, *, is_committing: bool
) -> errors.ConnectionLost:
    """The same error, saying what it means for a callback that ran alone."""
    message = f"{error.message}\nCallback {callback.script} was running."
    if run.has_sent and not run.can_be_undone:
        outcome = "What it had done before may have stayed."
    elif is_committing:
        outcome = "It was being committed: whether what it did was kept is not known."
    else:
        message = f"{message} The server rolls back what it had done."
        return errors.ConnectionLost(message, sqlstate=error.sqlstate, hint=error.hint)
    return errors.OutcomeUnknown(f"{message} {outcome}", sqlstate=error.sqlstate)
