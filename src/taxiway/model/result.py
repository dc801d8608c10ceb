"""What each command returns."""

from dataclasses import dataclass
from typing import Self

from taxiway.model.info import MigrationInfo
from taxiway.model.migration import MigrationKind, ResolvedMigration
from taxiway.model.version import MigrationVersion


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
class InfoResult:
    """Every migration with its state, in the order in which Flyway lists them.

    ``time_zone`` is the session's: what :attr:`MigrationInfo.installed_on` is to be read in.
    """

    database: str
    schema: str
    schemas: tuple[str, ...]
    schema_version: MigrationVersion | None
    migrations: tuple[MigrationInfo, ...]
    all_schemas_empty: bool
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateResult:
    """The outcome of ``validate``: successful when there are no problems. ``count`` entries were compared."""

    database: str
    problems: tuple[ValidationProblem, ...]
    count: int

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
class MigrateResult:
    """What ``migrate`` did. A failed run has one too: what came before the failure is applied and stays."""

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
        """How many migrations were applied."""
        return len(self.migrations)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What the job in the container did: the commit that it ran from, and the three results."""

    repository: str
    branch: str
    commit: str
    before: InfoResult
    migrate: MigrateResult
    after: InfoResult
