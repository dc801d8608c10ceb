"""The seams of the engine: what it needs from the outside, as protocols.

Adapters: :mod:`taxiway.sources` (:class:`Sources`), :mod:`taxiway.postgres` (:class:`Session`), the command line
and programs (:data:`EventSink`), :mod:`time` (:class:`Clock`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from taxiway.model.event import Event, ResultTable
from taxiway.model.identifier import quote_identifier

if TYPE_CHECKING:
    from datetime import datetime

    from taxiway.model.migration import AppliedMigration, HistoryRow, Program
    from taxiway.model.plan import RepairPlan
    from taxiway.model.role import PasswordCheck, PendingPassword, RoleChange, RolesFound
    from taxiway.model.script import Statement
    from taxiway.model.settings import SecretReference
    from taxiway.model.source import SourceFile
    from taxiway.secret import Secret

type EventSink = Callable[[Event], None]


class Sources(Protocol):
    """What delivers the files of the locations."""

    def files(self) -> Iterable[SourceFile]:
        """Every file below every location, in location order, then by path.

        Raises:
            LocationNotFound: A location is not a readable directory.
        """
        ...


class Clock(Protocol):
    """Time, so that tests own it."""

    def now(self) -> datetime:
        """Local wall time, aware."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SessionFacts(NamedTuple):
    """What was asked once, when the session was opened.

    Attributes:
        label: ``host:port/database`` for people; never a password.
        user: ``current_user`` at connect time: the role that every migration starts with.
        current_schema: First existing schema of the search path; the path's text when there is none.
        server_version: As the server writes it (``17.10``); ``server_version_num`` as a number (``170010``).
        time_zone: The session's: what ``installed_on`` is in.
        host: The host that answered, by the name it was asked for; the directory of a socket. ``in_recovery``: the
            server follows another one, as standbys and readers of Aurora do. ``read_only``: transactions of the
            session begin as such that may only read.
        standard_strings: ``standard_conforming_strings`` is on: a backslash in ``'…'`` means itself.
        process_id: Of the server's process for the session, and ``process_started``, when it began (seconds since
            the epoch): together they are no other session's.
    """

    label: str
    user: str
    database: str
    current_schema: str
    search_path: str
    server_version: str
    server_version_num: int
    time_zone: str
    standard_strings: bool = True
    process_id: int = 0
    process_started: str = ""
    host: str = ""
    in_recovery: bool = False
    read_only: bool = False


class HistoryTable(NamedTuple):
    """The name of the schema history table."""

    schema: str
    name: str

    def __str__(self) -> str:
        """Quoted and qualified, as in ``"public"."flyway_schema_history"``: what the lock number is made of."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"


class SchemaFacts(NamedTuple):
    """Which of the schemas asked for exist, which hold objects, and whether the history table is there."""

    existing: frozenset[str]
    non_empty: frozenset[str]
    history_exists: bool


class StatementOutcome(NamedTuple):
    """What a statement came to: its command tag (``INSERT 0 1``), and the rows that it returned, if wanted."""

    command: str
    tables: tuple[ResultTable, ...] = ()


class BeginStep(NamedTuple):
    """Do what :meth:`Session.begin_script` does, the lock kept.

    ``opens`` a transaction, or is in an open one. With ``without_snapshot``, one that it opens has none yet.
    """

    opens: bool
    without_snapshot: bool


class StatementStep(NamedTuple):
    """Run a statement: one of a script that can be sent ahead."""

    statement: Statement


class RecordStep(NamedTuple):
    """Do what :meth:`Session.record` does, with the lock only. The server measures how long it took."""

    row: HistoryRow
    commit: bool


type Step = BeginStep | StatementStep | RecordStep
"""A part of the way through several migrations that can be sent ahead (docs/adr/0020-pipelining.md)."""


class StepOutcome(NamedTuple):
    """What a step came to. ``execution_time_ms`` is what the row of a :class:`RecordStep` says."""

    command: str = ""
    tables: tuple[ResultTable, ...] = ()
    execution_time_ms: int = 0


class Programs(Protocol):
    """What runs scripts that are not SQL."""

    def run(
        self, program: Program, environment: Mapping[str, str | Secret], *, on_line: Callable[[str], None]
    ) -> int:
        """Run a program with these variables besides our own environment, and return its exit status.

        Each line that it prints, to standard error too, is told at once. An interruption ends the program.

        Raises:
            ProgramUnavailable: It cannot be started.
        """
        ...


type Seen = tuple[SchemaFacts, list[AppliedMigration]]
"""What there is of schemas and history; no rows without a history table."""


class Session(Protocol):
    """One database session. Statement errors are StatementFailed, a broken connection is ConnectionLost."""

    @property
    def facts(self) -> SessionFacts:
        """What was asked at connect time."""
        ...

    @property
    def in_transaction(self) -> bool:
        """A transaction block is open (failed ones included)."""
        ...

    def reconnect(self) -> None:
        """Open another session in the place of a lost one, and see to it that the server has ended that one.

        Raises:
            DatabaseError: There is no other one, or the server is not rid of the lost one.
        """
        ...

    def look(self, schemas: Sequence[str], table: HistoryTable) -> SchemaFacts:
        """Look at the schemas and the history table, in one round trip."""
        ...

    def history_rows(self, table: HistoryTable) -> list[AppliedMigration]:
        """All rows of the history table, by rank.

        Raises:
            HistoryUnreadable: A row has a type or version that nobody knows.
        """
        ...

    def look_and_read(self, schemas: Sequence[str], table: HistoryTable) -> Seen:
        """What :meth:`look` and :meth:`history_rows` say; no rows without a history.

        One round trip once this session has seen the history table, which Taxiway never drops without its schema.
        """
        ...

    def try_lock(self, table: HistoryTable) -> bool:
        """Take Flyway's advisory lock for this table on this session if it is free; never waits."""
        ...

    def lock_and_look(self, schemas: Sequence[str], table: HistoryTable) -> Seen | None:
        """Take the lock as :meth:`try_lock` does, and say what :meth:`look_and_read` does, seen under the lock.

        One round trip less than both. ``None``, without the lock, if somebody else has it.
        """
        ...

    def unlock(self, table: HistoryTable) -> None:
        """Give the lock back. Does nothing on a broken connection: the server has done it already."""
        ...

    def lock_holder(self, table: HistoryTable) -> str | None:
        """Who holds the lock, in words, if the server tells."""
        ...

    def create_schemas_and_history(
        self,
        schemas: Sequence[str],
        table: HistoryTable,
        rows: Sequence[HistoryRow],
        *,
        create_table: bool,
        tablespace: str | None,
    ) -> None:
        """Create the schemas, the history table if wanted, and add the rows, in one transaction.

        This and the other methods that change something keep the lock of the table, as :meth:`begin_script` does.

        Raises:
            LockNotAcquired: Somebody else has taken it meanwhile; nothing was changed.
        """
        ...

    def begin_script(
        self, table: HistoryTable, *, transactional: bool, keep_lock: bool, begun: HistoryRow | None = None
    ) -> None:
        """Reset role and search path, and open a transaction if wanted, in one round trip.

        ``begun`` is a row to be added before that: of a migration that no transaction will hold.

        The transaction has no snapshot yet, so that a script may set its isolation level. With ``keep_lock``, the
        lock is taken again if the script before has given it back.

        Raises:
            LockNotAcquired: Somebody else has taken it meanwhile.
        """
        ...

    def begin(self) -> None:
        """Open a transaction, and change nothing else."""
        ...

    def commit(self) -> None:
        """Commit an open transaction; does nothing without one."""
        ...

    def run(self, statement: Statement, *, keep_rows: bool = False) -> StatementOutcome:
        """Run one statement; its rows are kept if that is wanted."""
        ...

    def send_ahead(
        self, table: HistoryTable, steps: Iterable[Step], *, keep_rows: bool = False
    ) -> Generator[StepOutcome]:
        """Carry out steps without waiting for each other's answers; yield what each came to, in order.

        They are taken as the server keeps up with them. The first that fails ends it: those behind it are not
        carried out. What taking one raises is raised when those before it are carried out. When the iteration is
        given up, the server is stopped where it is.

        Raises:
            StatementFailed, PermissionDenied: The server refused the step that is next to have an outcome.
            LockNotAcquired: Somebody else has the lock.
            ConnectionLost: The session is over.
        """
        ...

    def record(self, table: HistoryTable, row: HistoryRow, *, only_with_lock: bool, commit: bool = True) -> None:
        """Add a history row as the connect-time role, and commit an open transaction, in one round trip.

        ``only_with_lock`` is for a transaction that holds all of its migration, and can still be given up. Without
        ``commit`` the transaction stays open.

        Raises:
            LockNotAcquired: The script has given the lock back, and somebody else has it; nothing was committed.
        """
        ...

    def end_begun(self, table: HistoryTable, row: HistoryRow) -> None:
        """Write how a migration has ended that :meth:`begin_script` has added a row for."""
        ...

    def remove_begun(self, table: HistoryTable, rank: int) -> None:
        """Remove such a row: nothing of its migration was run."""
        ...

    def repair_history(self, table: HistoryTable, plan: RepairPlan) -> None:
        """Carry out a plan, in one transaction."""
        ...

    def clean_schema(self, schema: str, table: HistoryTable) -> None:
        """Drop every object of a schema and keep the schema, in one transaction."""
        ...

    def drop_schema(self, schema: str, table: HistoryTable) -> None:
        """Drop a schema with all that is in it; does nothing if there is none."""
        ...

    def find_roles(self, names: Sequence[str], schemas: Sequence[str]) -> RolesFound:
        """Look at roles, and at what they may do in these schemas, and where our new objects are granted."""
        ...

    def check_password(self, role: str, password: Secret) -> PasswordCheck:
        """Whether the server has that password for a role that exists. The server does not learn it."""
        ...

    def change_roles(
        self,
        table: HistoryTable,
        changes: Sequence[RoleChange],
        *,
        before_commit: Callable[[], None] | None = None,
    ) -> None:
        """Carry out changes, in one transaction. No password leaves this process: its verifier does.

        ``before_commit`` is called when the server has accepted them all. If it raises, nothing is changed.
        """
        ...

    def rollback(self) -> None:
        """Roll back an open transaction; does nothing without one or on a broken connection."""
        ...


class Rotations(Protocol):
    """Rotations of the secrets of declared roles (:class:`taxiway.aws.rotations.AwsRotations`)."""

    def find_pending(self, secret: SecretReference) -> PendingPassword | None:
        """The password that is to become the current one, if a rotation of ours is under way."""
        ...

    def read_current(self, secret: SecretReference) -> Secret:
        """The password that is the current one now: it may have changed since the roles were read."""
        ...

    def finish(self, pending: PendingPassword) -> None:
        """Make a pending version the current one."""
        ...
