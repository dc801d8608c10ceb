"""How far a command has come, as far as its events tell: what somebody has to know who has stopped it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from taxiway.model import event as events
from taxiway.model.migration import MigrationKind
from taxiway.model.version import MigrationVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from taxiway.model.info import InfoResult
    from taxiway.model.migration import ResolvedMigration
    from taxiway.model.result import MigrationOutput

# They come while a transaction of ours is on its way, too, and say nothing of how it ended.
_MEANWHILE: Final = (events.NoticeReceived, events.Warned)


@dataclass(slots=True)
class Progress:
    """What the events have told so far. ``applied`` has the migrations, undo scripts too, that are committed.

    ``schema_version`` is where the schema stands, or ``EMPTY_SCHEMA``; ``None`` before that was told, and after
    something was undone.

    Several commands of one call are told as one: what was cleaned may have been migrated just before.
    """

    applied: list[MigrationOutput] = field(default_factory=list)
    schema_version: str | None = None
    _version: str | None = None
    _done: list[str] = field(default_factory=list)
    _changed: list[str] = field(default_factory=list)
    _doubtful: Sequence[events.Event] = ()
    _in_doubt: Sequence[str] = ()
    _is_migrating: bool = False
    _running: events.MigrationStarted | None = None
    _recording: str | None = None
    _programs: list[str] = field(default_factory=list)
    _has_run_statements: bool = False
    _has_committed: bool = False
    _unknown: Sequence[str] = ()
    _elsewhere: str = ""

    def note(self, event: events.Event) -> None:
        """Take in the next event."""
        for one in self._certain_with(event):
            self._note(one)

    def note_info(self, result: InfoResult) -> None:
        """Take in the version that the schema history shows."""
        self._note_current(result.schema_version.text if result.schema_version else None)

    def note_done(self, change: str) -> None:
        """Take in what has been changed and comes as no event: ``a snapshot had been made``."""
        self._note_change(change)

    @contextmanager
    def changing(self, subject: str, done: str, *, leaves: str) -> Iterator[None]:
        """Something that AWS or another service is asked to change, and may do after we have stopped.

        Args:
            subject: ``stack shop``.
            done: What is done to it: ``deleted``.
            leaves: What a stop leaves behind meanwhile, and what tells more; with its full stop.
        """
        self._elsewhere = f"while {subject} was being {done}: {leaves}"
        yield
        self._elsewhere = ""
        self.note_done(f"{subject} had been {done}")

    def _certain_with(self, event: events.Event) -> Sequence[events.Event]:
        """What has happened now that this is told: the first of a transaction stands for all of it."""
        if self._doubtful and event is self._doubtful[0]:
            certain, self._doubtful = self._doubtful, ()
            return certain
        if not isinstance(event, _MEANWHILE):
            # The transaction was given up: that is over, and something else happens.
            self._doubtful = ()
        return (event,)

    def _note(self, event: events.Event) -> None:
        match event:
            case events.CommitInDoubt():
                self._in_doubt = event.scripts
            case events.ChangeBegun():
                self._doubtful = event.outcome
                self._is_migrating = False
            case events.SchemaCreated() | events.HistoryCreated():
                self._done.append(" had been ".join(_change(event)))
            case (
                events.SchemaCleaned()
                | events.Baselined()
                | events.RowRemoved()
                | events.RowMarkedDeleted()
                | events.RowAligned()
            ):
                self._note_change(" had been ".join(_change(event)))
            case events.RoleChanged():
                self._note_change("declared roles had been changed")
            case events.CurrentVersion():
                self._note_current(event.version)
            case events.CallbackStarted() if self._running is None:
                self._done.append(f"callback {event.callback.script} had begun")
            case events.MigrationStarted() | events.ExecutionSkipped():
                self._note_start(event)
            case events.StatementRun():
                self._has_run_statements = True
                self._has_committed = self._has_committed or event.command == "COMMIT"
            case events.CommitsUnknown():
                self._unknown = event.scripts
            case events.MigrationFinished():
                self._note_finish(event)

    def render_stop(self, word: str) -> str:
        """Where the command was stopped and what that has left behind. ``word`` says how: ``Terminated``.

        Says no more than is certain. That a COMMIT was on its way when the signal came cannot be known here, so
        the sentence leaves it open once the migration has run a statement.
        """
        if self._elsewhere:
            return f"{word} {self._elsewhere}"
        if self._unknown:
            first, *behind = self._unknown
            which = f"it and those behind it, up to {behind[-1]}, were" if behind else "it was"
            unknown = f"whether {which} applied is not known ('taxiway info' tells);"
            return f"{word} while {first} ran: {unknown} {self._before()} before it{self._changes()}."
        if self._in_doubt:
            return self._render_doubt(word)
        if self._recording is not None:
            return (
                f"{word} while {self._recording} was being recorded without running it: whether its row was "
                f"written is not known ('taxiway info' tells); {self._before()} before it{self._changes()}."
            )
        if self._running is not None:
            outcome = self._outcome(self._running)
            script = self._running.migration.script
            return (
                f"{word} while {script} ran: {outcome} {self._before()} before it{self._kept()}{self._changes()}."
            )
        if self.applied and self._is_migrating:
            return f"{word} between migrations: {self._before()}{self._changes()}."
        done = [*([self._before()] if self.applied else []), *self._done]
        if done or self._doubtful:
            until_then = [f"until then {' and '.join(dict.fromkeys(done))}"] if done else []
            return f"{word} before the end; {'; '.join([*until_then, *self._perhaps()])}."
        return f"{word} before anything was changed."

    def _render_doubt(self, word: str) -> str:
        """The history had been asked, and had not answered yet."""
        from taxiway.reports.text import name_scripts

        one = len(self._in_doubt) == 1
        return (
            f"{word} while asking whether {name_scripts(self._in_doubt)} {'was' if one else 'were'} applied: "
            f"the connection was lost at the commit, and 'taxiway info' tells; {self._before()} before "
            f"{'it' if one else 'them'}{self._kept()}{self._changes()}."
        )

    def _kept(self) -> str:
        """What programs of the group have done."""
        return f"; what {', '.join(self._programs)} did has stayed" if self._programs else ""

    def _perhaps(self) -> list[str]:
        """What a transaction was to do that was on its way: whether it was committed cannot be known here."""
        changes = [_change(event) for event in self._doubtful]
        subjects = " and ".join(dict.fromkeys(subject for subject, _ in changes))
        return [f"{subjects} may have been {changes[0][1]} just then ('taxiway info' tells)"] if changes else []

    def _note_current(self, version: str | None) -> None:
        from taxiway.reports.text import EMPTY_SCHEMA

        self._version, self.schema_version = version, version or EMPTY_SCHEMA

    def _note_version(self, migration: ResolvedMigration) -> None:
        if migration.kind is MigrationKind.UNDO:
            self._version = self.schema_version = None
        elif migration.version is not None and (
            self._version is None or migration.version > MigrationVersion(self._version)
        ):
            self._version = self.schema_version = migration.version.text

    def _note_start(self, event: events.MigrationStarted | events.ExecutionSkipped) -> None:
        self._is_migrating = True
        if isinstance(event, events.ExecutionSkipped):
            self._recording = event.migration.script
            return
        self._note_program()
        self._running, self._has_run_statements, self._has_committed = event, False, False

    def _note_finish(self, event: events.MigrationFinished) -> None:
        from taxiway.model.result import MigrationOutput

        self._running, self._recording, self._in_doubt = None, None, ()
        self._programs.clear()
        self.applied.append(MigrationOutput.of(event.migration, event.duration_ms))
        self._note_version(event.migration)

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


def _change(event: events.Event) -> tuple[str, str]:
    """What an event is about, and what was done to it."""
    match event:
        case events.SchemaCreated():
            return f'schema "{event.schema}"', "created"
        case events.HistoryCreated():
            return "the schema history", "created"
        case events.SchemaCleaned():
            return f'schema "{event.schema}"', "dropped" if event.dropped else "cleaned"
        case events.Baselined():
            return f'schema "{event.schema}"', "baselined"
        case _:
            return "the schema history", "repaired"
