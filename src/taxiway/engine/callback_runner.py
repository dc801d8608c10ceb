"""Running one callback: alone, or inside of a migration.

For the terms see :mod:`taxiway.engine.callbacks`. Most projects have no callbacks, and load none of this.
"""

from collections.abc import Callable, Mapping, Sequence

from taxiway import errors
from taxiway.engine.failure import callback_failed
from taxiway.engine.ports import EventSink, Programs
from taxiway.engine.programs import ProgramFailed, run_program
from taxiway.engine.scripts import read_script
from taxiway.engine.statements import ScriptRun, StatementRefused
from taxiway.engine.survey import Scope
from taxiway.engine.tools import Tools
from taxiway.model.callback import Callback
from taxiway.model.event import CallbackStarted
from taxiway.model.rules import Placeholders
from taxiway.model.script import Script
from taxiway.model.settings import MigrationSettings
from taxiway.secret import Secret


class CallbackRunner:
    """Runs the callbacks of one project on its session."""

    def __init__(self, scope: Scope, settings: MigrationSettings, tools: Tools, *, holding_lock: bool) -> None:
        self._scope, self._settings, self._tools = scope, settings, tools
        self._holding_lock = holding_lock
        self._scripts: dict[int, Script] = {}

    def script(self, callback: Callback) -> Script:
        """The script, read once: those of each migration or statement are run again and again."""
        script = self._scripts.get(id(callback))
        if script is None:
            script = read_script(callback, self._scope, self._settings, self._tools.session)
            self._scripts[id(callback)] = script
        return script

    def run_alone(self, callback: Callback) -> None:
        """Run a callback in a transaction of its own, unless it is to have none.

        Raises:
            CallbackFailed, ConnectionLost, LockNotAcquired: As :meth:`taxiway.engine.callbacks.Callbacks.fire`.
        """
        script = self.script(callback)
        session, table = self._tools.session, self._scope.table
        run = ScriptRun(self._tools, self._settings, transactional=script.transactional)
        if callback.program is None:
            session.begin_script(table, transactional=run.transactional, keep_lock=self._holding_lock)
        is_committing = False
        try:
            failure = self.try_inside(callback, run)
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

    def try_inside(self, callback: Callback, run: ScriptRun) -> errors.TaxiwayError | None:
        """Run a callback. Returns why it failed, and raises whatever else ended it."""
        script = self.script(callback)
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


def run_before_connect(
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
    for callback in callbacks:
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
