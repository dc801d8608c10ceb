"""How far a command has come, as far as its events tell: what somebody has to know who has stopped it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taxiway.model import event as events
from taxiway.model.migration import MigrationKind
from taxiway.model.version import MigrationVersion

if TYPE_CHECKING:
    from taxiway.model.migration import ResolvedMigration
    from taxiway.model.result import MigrationOutput


@dataclass(slots=True)
class Progress:
    """What the events have told so far. ``applied`` has the migrations, undo scripts too, that are committed.

    ``schema_version`` is where the schema stands; ``None`` before that was told, and after something was undone.

    Several commands of one call are told as one: what was cleaned may have been migrated just before.
    """

    applied: list[MigrationOutput] = field(default_factory=list)
    schema_version: str | None = None
    _done: list[str] = field(default_factory=list)
    _changed: list[str] = field(default_factory=list)
    _is_migrating: bool = False
    _running: events.MigrationStarted | None = None
    _programs: list[str] = field(default_factory=list)
    _has_run_statements: bool = False
    _has_committed: bool = False

    def note(self, event: events.Event) -> None:
        """Take in the next event."""
        match event:
            case events.SchemaCreated():
                self._done.append(f'schema "{event.schema}" had been created')
            case events.HistoryCreated():
                self._done.append("the schema history had been created")
            case events.SchemaCleaned():
                self._note_change(f'schema "{event.schema}" had been {"dropped" if event.dropped else "cleaned"}')
            case events.Baselined():
                self._note_change(f'schema "{event.schema}" had been baselined')
            case events.RowRemoved() | events.RowMarkedDeleted() | events.RowAligned():
                self._note_change("the schema history had been repaired")
            case events.CurrentVersion():
                self.schema_version = event.version
            case events.CallbackStarted() if self._running is None:
                self._done.append(f"callback {event.callback.script} had begun")
            case events.MigrationStarted():
                self._note_program()
                self._running, self._has_run_statements, self._has_committed = event, False, False
                self._is_migrating = True
            case events.StatementRun():
                self._has_run_statements = True
                self._has_committed = self._has_committed or event.command == "COMMIT"
            case events.MigrationFinished():
                from taxiway.model.result import MigrationOutput

                self._running = None
                self._programs.clear()
                self.applied.append(MigrationOutput.of(event.migration, event.duration_ms))
                self._note_version(event.migration)

    def render_stop(self, word: str) -> str:
        """Where the command was stopped and what that has left behind. ``word`` says how: ``Terminated``.

        Says no more than is certain. That a COMMIT was on its way when the signal came cannot be known here, so
        the sentence leaves it open once the migration has run a statement.
        """
        if self._running is not None:
            outcome = self._outcome(self._running)
            programs = f"; what {', '.join(self._programs)} did has stayed" if self._programs else ""
            script = self._running.migration.script
            return f"{word} while {script} ran: {outcome} {self._before()} before it{programs}{self._changes()}."
        if self.applied and self._is_migrating:
            return f"{word} between migrations: {self._before()}{self._changes()}."
        done = [*([self._before()] if self.applied else []), *self._done]
        if done:
            return f"{word} before the end; until then {' and '.join(dict.fromkeys(done))}."
        return f"{word} before anything was changed."

    def _note_version(self, migration: ResolvedMigration) -> None:
        if migration.kind is MigrationKind.UNDO:
            self.schema_version = None
        elif migration.version is not None and (
            self.schema_version is None or migration.version > MigrationVersion(self.schema_version)
        ):
            self.schema_version = migration.version.text

    def _note_change(self, change: str) -> None:
        self._done.append(change)
        self._changed.append(change)
        self._is_migrating = False

    def _changes(self) -> str:
        """What other commands of this call have done."""
        return f"; until then {' and '.join(dict.fromkeys(self._changed))}" if self._changed else ""

    def _note_program(self) -> None:
        """One of a group, not on record yet: another migration begins before it is told to be finished."""
        if self._running is not None and self._running.migration.program:
            self._programs.append(self._running.migration.script)

    def _outcome(self, running: events.MigrationStarted) -> str:
        if running.migration.program:
            return (
                "it is a program, so what it had done has stayed, and the history has no row for it unless it had "
                "just ended. Look at the database and at 'taxiway info' before you run again;"
            )
        if not running.transactional:
            return (
                "it ran outside a transaction, so what it had done has stayed, and the history shows it as failed "
                "if it had begun. Look at the database and at 'taxiway info' before you run again;"
            )
        if self._has_committed:
            return "it had ended its own transaction, so what it did before that has stayed;"
        if self._has_run_statements:
            return "it was rolled back, unless it was being committed just then ('taxiway info' tells);"
        return "it was rolled back;"

    def _before(self) -> str:
        undone = sum(one.kind is MigrationKind.UNDO for one in self.applied)
        applied = len(self.applied) - undone
        counts = ((applied, "applied"), *([(undone, "undone")] if undone else []))
        return " and ".join(
            f"{count or 'no'} migration{'s were' if count > 1 else ' was'} {word}"
            for count, word in counts
            if count or not undone
        )
