"""Migrations as they are found in the locations, and as the schema history records them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, NamedTuple

from taxiway.model.version import MigrationVersion

_ELLIPSIS: Final = "..."
_LONGEST_DESCRIPTION: Final = 200


def recorded_description(text: str) -> str:
    """A description as the history holds it: cut at the end when longer than 200 characters (Flyway 13)."""
    if len(text) <= _LONGEST_DESCRIPTION:
        return text
    return text[: _LONGEST_DESCRIPTION - len(_ELLIPSIS)] + _ELLIPSIS


class MigrationKind(Enum):
    """What a script is for. The value is the ``category`` that Flyway shows."""

    __hash__ = object.__hash__  # Enum's own is written in Python: a twentieth of info on 10,000 migrations

    VERSIONED = "Versioned"
    REPEATABLE = "Repeatable"
    BASELINE = "Baseline"
    UNDO = "Undo"


_KIND_ORDER: Final = (MigrationKind.VERSIONED, MigrationKind.BASELINE, MigrationKind.UNDO)
_NO_VERSION: Final = MigrationVersion("0")


class MigrationType(Enum):
    """The ``type`` column of the schema history. Values that Flyway wrote once are read as today's."""

    __hash__ = object.__hash__  # as above

    SCHEMA = "SCHEMA"
    BASELINE = "BASELINE"
    DELETE = "DELETE"
    SQL = "SQL"
    SQL_BASELINE = "SQL_BASELINE"
    JDBC = "JDBC"
    JDBC_BASELINE = "JDBC_BASELINE"
    SCRIPT = "SCRIPT"
    CUSTOM = "CUSTOM"
    UNDO_SQL = "UNDO_SQL"
    UNDO_JDBC = "UNDO_JDBC"
    UNDO_SCRIPT = "UNDO_SCRIPT"
    UNDO_CUSTOM = "UNDO_CUSTOM"

    @property
    def is_synthetic(self) -> bool:
        """Written by a command itself; never resolved from a file."""
        return self in _SYNTHETIC

    @property
    def is_undo(self) -> bool:
        """An undo migration of some sort."""
        return self in _UNDO

    @property
    def is_baseline(self) -> bool:
        """Everything up to its version counts as done."""
        return self in _BASELINES


_SYNTHETIC: Final = frozenset({MigrationType.SCHEMA, MigrationType.BASELINE, MigrationType.DELETE})
_UNDO: Final = frozenset(
    {MigrationType.UNDO_SQL, MigrationType.UNDO_JDBC, MigrationType.UNDO_SCRIPT, MigrationType.UNDO_CUSTOM}
)
_BASELINES: Final = frozenset({MigrationType.BASELINE, MigrationType.SQL_BASELINE, MigrationType.JDBC_BASELINE})


class ScriptConfiguration(NamedTuple):
    """What the ``.conf`` file beside a script says of it; ``None`` where it leaves that to the settings.

    ``should_execute`` is the outcome of ``should_execute_expression``, which is kept as it was written.
    """

    execute_in_transaction: bool | None = None
    placeholder_replacement: bool | None = None
    encoding: str | None = None
    should_execute: bool = True
    should_execute_expression: str | None = None


_NOT_CONFIGURED: Final = ScriptConfiguration()


class Program(NamedTuple):
    """A script that is not SQL: the command that runs it, empty if the file is a program itself, and its path."""

    command: tuple[str, ...]
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedMigration:
    """A migration script found in the locations.

    Attributes:
        script: Path relative to the location, with ``/``: what the ``script`` column holds.
        path: Where the file lies, for people and for reading it.
        checksum: Flyway's number for the content (:mod:`taxiway.scan.checksum`).
        equivalent_checksum: A second number that matches as well (repeatables: of the text before placeholders).
        configuration: What the ``.conf`` file beside it says.
        program: How to run it, if it is not SQL.
        read: Yields the text of the script in chunks, without a byte order mark, placeholders not replaced. Raises
            UnreadableScript at the end when that was no longer the text of the checksum.
        look: The same without that, for those who read it once more in the end.
    """

    kind: MigrationKind
    type: MigrationType
    version: MigrationVersion | None
    description: str
    script: str
    path: str
    checksum: int
    equivalent_checksum: int | None = None
    configuration: ScriptConfiguration = _NOT_CONFIGURED
    program: Program | None = None
    read: Callable[[], Iterable[str]]
    look: Callable[[], Iterable[str]]

    @property
    def recorded_description(self) -> str:
        """The description as the history holds it."""
        return recorded_description(self.description)

    @property
    def sort_key(self) -> tuple[bool, MigrationVersion, int, bytes]:
        """Flyway's order of files; equal for migrations that claim the same place.

        Versioned by version (at equal versions the migration, its baseline, its undo), then repeatable by
        description, compared by UTF-16 code units as Java does. Descriptions that the history could not tell apart
        are equal: Flyway 13 would take the row of one for that of the other.
        """
        if self.version is None:
            return True, _NO_VERSION, 0, self.recorded_description.encode("utf-16-be", "surrogatepass")
        return False, self.version, _KIND_ORDER.index(self.kind), b""

    def checksum_matches(self, stored: int | None) -> bool:
        """Whether a stored checksum is that of this script."""
        return stored == self.checksum or (
            self.equivalent_checksum is not None and stored == self.equivalent_checksum
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedMigration:
    """One row of the schema history. ``installed_on`` is naive, in the session's time zone, as stored."""

    installed_rank: int
    version: MigrationVersion | None
    description: str
    type: MigrationType
    script: str
    checksum: int | None
    installed_by: str
    installed_on: datetime
    execution_time_ms: int
    success: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """A row to be added to the schema history: the columns other than ``installed_on``."""

    installed_rank: int
    version: str | None
    description: str
    type: MigrationType
    script: str
    checksum: int | None
    installed_by: str
    execution_time_ms: int
    success: bool
