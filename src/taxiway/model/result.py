"""What each command returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taxiway.model.info import InfoResult
    from taxiway.model.migration import MigrationKind, ResolvedMigration
    from taxiway.model.plan import RepairPlan
    from taxiway.model.role import RoleChange
    from taxiway.model.version import MigrationVersion
    from taxiway.model.why import WhyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationProblem:
    """One disagreement between a script and the history.

    ``code`` is Flyway's (``CHECKSUM_MISMATCH``, …); ``path`` is where the script lies, empty if there is none.
    """

    code: str
    message: str
    version: MigrationVersion | None
    description: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateResult:
    """The outcome of ``validate``: successful when there are no problems. ``count`` entries were compared."""

    database: str
    problems: tuple[ValidationProblem, ...]
    count: int
    warnings: tuple[str, ...] = ()

    @property
    def successful(self) -> bool:
        """No problem was found."""
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOutput:
    """A migration that this run applied."""

    kind: MigrationKind
    version: MigrationVersion | None
    description: str
    type: str
    path: str
    execution_time_ms: int

    @classmethod
    def of(cls, migration: ResolvedMigration, execution_time_ms: int) -> Self:
        """What a run says of a migration that it applied."""
        return cls(
            kind=migration.kind,
            version=migration.version,
            description=migration.description,
            type=migration.type.value,
            path=migration.path,
            execution_time_ms=execution_time_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptsResult:
    """What a command that runs scripts did, in the order in which it did it. A failed one has a result too."""

    database: str
    schema: str
    schemas: tuple[str, ...]
    initial_version: MigrationVersion | None
    target_version: MigrationVersion | None
    migrations: tuple[MigrationOutput, ...]
    duration_ms: int
    warnings: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many migrations were applied, or undone."""
        return len(self.migrations)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateResult(ScriptsResult):
    """What ``migrate`` did: what came before a failure is applied and stays.

    ``roles`` has the changes of declared roles; ``None`` when none is declared.
    """

    roles: tuple[RoleChange, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResult(ScriptsResult):
    """What ``undo`` did: what came before a failure stays undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineResult:
    """The version that the history begins with. ``was_there`` says that it began with it before."""

    database: str
    schema: str
    version: MigrationVersion
    was_there: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairResult:
    """What ``repair`` did to the history, or would do: ``carried_out`` tells which.

    ``paths`` has, by ``installed_rank``, where the script behind a row lies, if there is one.
    """

    database: str
    schema: str
    plan: RepairPlan
    paths: Mapping[int, str]
    carried_out: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanResult:
    """Schemas whose objects were dropped, and those that were dropped themselves."""

    database: str
    cleaned: tuple[str, ...]
    dropped: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesResult:
    """What was changed of the declared roles, or would be: ``carried_out`` tells which. ``count`` are declared."""

    database: str
    count: int
    changes: tuple[RoleChange, ...]
    carried_out: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTestResult:
    """A session was opened. ``label`` is ``host:port/database``; ``user`` is the role of the session."""

    label: str
    user: str
    server_version: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddResult:
    """A new migration file."""

    path: str
    version: MigrationVersion | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """A new project: its configuration file, and its folder of scripts unless a configuration names others.

    Attributes:
        beside: The files of Flyway's that lie beside the new one, and are read as well.
        overrules: The new file has settings, which win over theirs.
    """

    path: str
    project_id: str
    location: str | None
    beside: tuple[str, ...] = ()
    overrules: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What the job in the container did: the commit that it ran from, and the three results."""

    repository: str
    branch: str
    commit: str
    before: InfoResult
    migrate: MigrateResult
    after: InfoResult


type CommandResult = (
    InfoResult
    | MigrateResult
    | ValidateResult
    | UndoResult
    | BaselineResult
    | RepairResult
    | CleanResult
    | RolesResult
    | ConnectionTestResult
    | WhyResult
)
"""What a command on a database returns: all of these have ``warnings``."""
