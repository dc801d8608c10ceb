"""The rules that a project may set: how files are named, what placeholders mean, what counts as an error.

Plain values; where they were configured is the business of :mod:`taxiway.config`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from taxiway.model.info import MigrationState
from taxiway.model.version import MigrationVersion
from taxiway.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How migration files are named. Defaults are Flyway's."""

    versioned_prefix: str = "V"
    repeatable_prefix: str = "R"
    baseline_prefix: str = "B"
    undo_prefix: str = "U"
    separator: str = "__"
    suffixes: tuple[str, ...] = (".sql",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholders:
    """Names and values that are replaced in scripts. Names are looked up regardless of case.

    ``values`` has the user's; ``built_in`` those that start with ``flyway`` and the separator, which win.
    """

    values: Mapping[str, str | Secret] = field(default_factory=dict)
    built_in: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "${"
    suffix: str = "}"
    separator: str = ":"
    enabled: bool = True


class TargetKind(Enum):
    """The special values of ``target``, and a plain version."""

    LATEST = "latest"
    CURRENT = "current"
    NEXT = "next"
    VERSION = "version"


@dataclass(frozen=True, slots=True)
class Target:
    """Where ``migrate`` stops. ``must_exist`` is false when it was written with a trailing ``?``."""

    kind: TargetKind = TargetKind.LATEST
    version: MigrationVersion | None = None
    must_exist: bool = True


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    """One item of ``ignoreMigrationPatterns``; ``None`` stands for ``*``.

    A state is compared by its name, so ``missing`` matches Missing and not Failed (Missing).
    """

    repeatable: bool | None
    state: MigrationState | None

    def matches(self, *, repeatable: bool, state: MigrationState) -> bool:
        """Whether this pattern covers a migration in that state."""
        return self.repeatable in {None, repeatable} and self.state in {None, state}


FUTURE_IGNORED = (IgnorePattern(None, MigrationState.FUTURE_SUCCESS),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is pending, what is an error."""

    out_of_order: bool = False
    target: Target = Target()
    ignore_patterns: tuple[IgnorePattern, ...] = FUTURE_IGNORED
