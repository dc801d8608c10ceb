"""What the engine tells while it works. Results say what happened in the end; events, what happens now."""

from dataclasses import dataclass

from taxiway.model.callback import Callback
from taxiway.model.migration import AppliedMigration, ResolvedMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A database session is open. ``database`` has host, port and database name, never a password."""

    database: str
    server_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingForLock:
    """Somebody else holds the migration lock; told once."""

    table: str
    holder: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """Resolved and applied migrations agree."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaCreated:
    """A schema was created."""

    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryCreated:
    """The schema history table was created. ``table`` is quoted and qualified."""

    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentVersion:
    """Where the schema stands before the migrations run; ``None`` when nothing was applied yet."""

    schema: str
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationStarted:
    """A migration begins."""

    migration: ResolvedMigration
    schema: str
    out_of_order: bool
    transactional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRun:
    """A statement was run. ``line`` is 1-based in the script; ``command`` is the server's tag (``INSERT 0 1``)."""

    script: str
    line: int
    duration_ms: int
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeReceived:
    """The server sent a notice while a script ran. ``severity`` is not localised (``NOTICE``, ``WARNING``…)."""

    severity: str
    message: str
    sqlstate: str


def with_sqlstate(message: str, sqlstate: str) -> str:
    """A message of the server as a log has it. The error code is 0 for all of PostgreSQL's (Flyway 13)."""
    return f"{message} (SQL State: {sqlstate} - Error Code: 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationFinished:
    """A migration and its history row are committed."""

    migration: ResolvedMigration
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingForDatabase:
    """Nobody answered; another attempt follows after the wait. ``reason`` is what the attempt came to."""

    reason: str
    wait_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStarted:
    """A callback script begins."""

    callback: Callback


@dataclass(frozen=True, slots=True)
class ResultTable:
    """The rows that a statement returned, as texts; ``None`` is NULL."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsReturned:
    """A statement of a script returned rows."""

    script: str
    table: ResultTable


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPrinted:
    """A line of a program's output, standard error included."""

    script: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselined:
    """The schema history begins with this version now."""

    schema: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRemoved:
    """The row of a failed migration was removed from the schema history."""

    row: AppliedMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMarkedDeleted:
    """A row without a script was marked as deleted."""

    row: AppliedMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAligned:
    """A row was made to agree with its script."""

    before: AppliedMigration
    after: AppliedMigration


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaCleaned:
    """Every object of a schema was dropped; with ``dropped``, the schema too."""

    schema: str
    dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
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
    | StatementRun
    | NoticeReceived
    | MigrationFinished
    | WaitingForDatabase
    | CallbackStarted
    | RowsReturned
    | ProgramPrinted
    | Baselined
    | RowRemoved
    | RowMarkedDeleted
    | RowAligned
    | SchemaCleaned
    | Warned
)
