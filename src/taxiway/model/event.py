"""What the engine tells while it works. Results say what happened in the end; events, what happens now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from taxiway.model.callback import Callback
    from taxiway.model.migration import AppliedMigration, ResolvedMigration
    from taxiway.model.role import RoleChange


class Connected(NamedTuple):
    """A database session is open. ``database`` has host, port and database name, never a password."""

    database: str
    server_version: str


class WaitingForLock(NamedTuple):
    """Somebody else holds the migration lock; told once."""

    table: str
    holder: str | None


class Validated(NamedTuple):
    """Resolved and applied migrations agree."""

    count: int  # type: ignore[assignment]  # a field in the place of the method of tuples


class SchemaCreated(NamedTuple):
    """A schema was created."""

    schema: str


class HistoryCreated(NamedTuple):
    """The schema history table was created. ``table`` is quoted and qualified."""

    table: str


class CurrentVersion(NamedTuple):
    """Where the schema stands before the migrations run; ``None`` when nothing was applied yet."""

    schema: str
    version: str | None


class MigrationStarted(NamedTuple):
    """A migration begins."""

    migration: ResolvedMigration
    schema: str
    out_of_order: bool
    transactional: bool


class ExecutionSkipped(NamedTuple):
    """A migration is being recorded as applied, and is not run (``skipExecutingMigrations``)."""

    migration: ResolvedMigration
    schema: str


class StatementRun(NamedTuple):
    """A statement was run. ``line`` is 1-based in the script; ``command`` is the server's tag (``INSERT 0 1``)."""

    script: str
    line: int
    duration_ms: int
    command: str


class NoticeReceived(NamedTuple):
    """The server sent a notice while a script ran. ``severity`` is not localised (``NOTICE``, ``WARNING``…)."""

    severity: str
    message: str
    sqlstate: str


def with_sqlstate(message: str, sqlstate: str) -> str:
    """A message of the server as a log has it. The error code is 0 for all of PostgreSQL's (Flyway 13)."""
    return f"{message} (SQL State: {sqlstate} - Error Code: 0)"


class MigrationFinished(NamedTuple):
    """A migration and its history row are committed."""

    migration: ResolvedMigration
    duration_ms: int


class CommitsUnknown(NamedTuple):
    """The run is given up, and nobody could ask the history which of these scripts are committed."""

    scripts: tuple[str, ...]


class WaitingForDatabase(NamedTuple):
    """Nobody answered; another attempt follows after the wait. ``reason`` is what the attempt came to."""

    reason: str
    wait_seconds: float


class WakingDatabase(NamedTuple):
    """A database that may be paused is waited for, ``budget_seconds`` at most. Told at first, and now and then."""

    reason: str
    waited_seconds: float
    budget_seconds: float


class SecretReadAgain(NamedTuple):
    """The server refused what was read from a secret, which has changed since: its new value is tried."""

    secret: str


class CallbackStarted(NamedTuple):
    """A callback script begins."""

    callback: Callback


class ResultTable(NamedTuple):
    """The rows that a statement returned, as texts; ``None`` is NULL."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


class RowsReturned(NamedTuple):
    """A statement of a script returned rows."""

    script: str
    table: ResultTable


class ProgramPrinted(NamedTuple):
    """A line of a program's output, standard error included."""

    script: str
    line: str


class Baselined(NamedTuple):
    """The schema history begins with this version now."""

    schema: str
    version: str


class RowRemoved(NamedTuple):
    """The row of a failed migration was removed from the schema history."""

    row: AppliedMigration


class RowMarkedDeleted(NamedTuple):
    """A row without a script was marked as deleted."""

    row: AppliedMigration


class RowAligned(NamedTuple):
    """A row was made to agree with its script."""

    before: AppliedMigration
    after: AppliedMigration


class SchemaCleaned(NamedTuple):
    """Every object of a schema was dropped; with ``dropped``, the schema too."""

    schema: str
    dropped: bool = False


class ChangeBegun(NamedTuple):
    """A transaction of ours is sent that changes something. ``outcome`` is told when it is committed, at once."""

    outcome: tuple[Event, ...]


class CommitInDoubt(NamedTuple):
    """The connection was lost while these scripts were being committed; the history is asked with another one."""

    scripts: tuple[str, ...]


class RoleChanged(NamedTuple):
    """A declared role, or what it may do, was changed, and that is committed."""

    change: RoleChange


class Warned(NamedTuple):
    """Something that a person should look at, and that does not stop the command."""

    message: str


type Event = (
    Connected
    | WaitingForLock
    | Validated
    | SchemaCreated
    | HistoryCreated
    | CurrentVersion
    | MigrationStarted
    | ExecutionSkipped
    | StatementRun
    | NoticeReceived
    | MigrationFinished
    | CommitsUnknown
    | WaitingForDatabase
    | WakingDatabase
    | SecretReadAgain
    | CallbackStarted
    | RowsReturned
    | ProgramPrinted
    | Baselined
    | RowRemoved
    | RowMarkedDeleted
    | RowAligned
    | SchemaCleaned
    | ChangeBegun
    | CommitInDoubt
    | RoleChanged
    | Warned
)
