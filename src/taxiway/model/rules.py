"""The rules that a project may set: how files are named, what placeholders mean, what counts as an error.

Plain values; where they were configured is the business of :mod:`taxiway.config`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple, Self

from taxiway.model.info import MigrationState
from taxiway.model.version import MigrationVersion
from taxiway.secret import Secret

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Naming(NamedTuple):
    """How migration files are named. Defaults are Flyway's."""

    versioned_prefix: str = "V"
    repeatable_prefix: str = "R"
    baseline_prefix: str = "B"
    undo_prefix: str = "U"
    separator: str = "__"
    suffixes: tuple[str, ...] = (".sql",)


class Placeholders(NamedTuple):
    """Names and values that are replaced in scripts. Names are looked up regardless of case.

    ``values`` has the user's; ``built_in`` those that start with ``flyway`` and the separator, which win. Programs
    get them as environment variables, between ``script_prefix`` and ``script_suffix``.
    """

    values: Mapping[str, str | Secret] = _NONE
    built_in: Mapping[str, str] = _NONE
    prefix: str = "${"
    suffix: str = "}"
    separator: str = ":"
    script_prefix: str = "FP__"
    script_suffix: str = "__"
    enabled: bool = True


class TargetKind(Enum):
    """The special values of ``target``, and a plain version."""

    LATEST = "latest"
    CURRENT = "current"
    NEXT = "next"
    VERSION = "version"


_TARGET_WORDS: Final = frozenset({TargetKind.LATEST.value, TargetKind.CURRENT.value, TargetKind.NEXT.value})


class Target(NamedTuple):
    """Where ``migrate`` stops. ``must_exist`` is false when it was written with a trailing ``?``."""

    kind: TargetKind = TargetKind.LATEST
    version: MigrationVersion | None = None
    must_exist: bool = True

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``latest``, ``current``, ``next`` (any case), a version, or a version with a trailing ``?``.

        Raises:
            ValueError: It is none of these.
        """
        word = text.strip()
        if word.lower() in _TARGET_WORDS:
            return cls(TargetKind(word.lower()))
        try:
            version = MigrationVersion(word.removesuffix("?"))
        except ValueError:
            raise ValueError(
                f"'{text}' is not a target: use latest, current, next, a version such as 1.2, "
                "or 1.2? for a version that need not exist"
            ) from None
        return cls(TargetKind.VERSION, version, must_exist=not word.endswith("?"))


_PATTERN_TYPES: Final = {"*": None, "versioned": False, "repeatable": True}
_PATTERN_STATES: Final = {
    "*": None,
    "missing": MigrationState.MISSING_SUCCESS,
    "pending": MigrationState.PENDING,
    "ignored": MigrationState.IGNORED,
    "future": MigrationState.FUTURE_SUCCESS,
}


class IgnorePattern(NamedTuple):
    """One item of ``ignoreMigrationPatterns``; ``None`` stands for ``*``.

    A state is compared by its name, so ``missing`` matches Missing and not Failed (Missing).
    """

    repeatable: bool | None
    state: MigrationState | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``type:state``, in any case and with blanks around each part (Flyway 13).

        Raises:
            ValueError: It is not of that form, or a word is not known.
        """
        words = [word.strip().lower() for word in text.split(":")]
        if len(words) != 2 or words[0] not in _PATTERN_TYPES or words[1] not in _PATTERN_STATES:
            raise ValueError(
                f"'{text}' is not a pattern of migrations: use type:state, where type is one of "
                f"{', '.join(_PATTERN_TYPES)} and state is one of {', '.join(_PATTERN_STATES)}"
            )
        return cls(_PATTERN_TYPES[words[0]], _PATTERN_STATES[words[1]])

    def matches(self, *, repeatable: bool, state: MigrationState) -> bool:
        """Whether this pattern covers a migration in that state."""
        return self.repeatable in {None, repeatable} and self.state in {None, state}


_SIGNED_VERSION: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)*", re.ASCII)


class MigrationPattern(NamedTuple):
    """One item of ``cherryPick``: a version, or the description of a repeatable migration (Flyway 13)."""

    text: str

    def matches(self, version: MigrationVersion | None, description: str) -> bool:
        """Whether this names a migration. A text that is no version is compared with the description exactly."""
        dotted = self.text.replace("_", ".")
        if version is not None and _SIGNED_VERSION.fullmatch(dotted):
            return MigrationVersion(dotted) == version
        return self.text.replace("_", " ") == description


class ErrorAction(Enum):
    """What an error override makes of a server's message; the value is its letter."""

    DEBUG = "D"
    INFO = "I"
    WARNING = "W"
    ERROR = "E"


class ErrorOverride(NamedTuple):
    """One item of ``errorOverrides``. ``sqlstate`` is ``None`` for any; ``hidden`` leaves the state out of a text.

    The error code, the middle part, is always 0 on PostgreSQL (Flyway 13): ``matches_code`` is false for another.
    """

    sqlstate: str | None
    matches_code: bool
    action: ErrorAction
    hidden: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``STATE:CODE:ACTION``, where the first two may be ``*`` and a ``-`` may follow the action.

        Raises:
            ValueError: It is not of that form.
        """
        words = [word.strip().upper() for word in text.split(":")]
        actions = {action.value: action for action in ErrorAction}
        if (
            len(words) != 3
            or not re.fullmatch(r"\*|[0-9A-Z]{5}", words[0], re.ASCII)
            or not re.fullmatch(r"\*|[+-]?[0-9]{1,18}", words[1], re.ASCII)
            or words[2].removesuffix("-") not in actions
        ):
            raise ValueError(
                f"'{text}' is not an error override: use STATE:CODE:ACTION, with an SQLSTATE or *, a number or *, "
                "and D, I, W or E"
            )
        return cls(
            sqlstate=None if words[0] == "*" else words[0],
            matches_code=words[1] == "*" or int(words[1]) == 0,
            action=actions[words[2].removesuffix("-")],
            hidden=words[2].endswith("-"),
        )

    def matches(self, sqlstate: str) -> bool:
        """Whether this is about a message of that state."""
        return self.matches_code and self.sqlstate in {None, sqlstate}


class InfoFilter(NamedTuple):
    """Which entries ``info`` shows; ``None`` and an empty set let all pass. Dates are in the session's zone."""

    since_date: datetime | None = None
    until_date: datetime | None = None
    since_version: MigrationVersion | None = None
    until_version: MigrationVersion | None = None
    states: frozenset[MigrationState] = frozenset()


FUTURE_IGNORED = (IgnorePattern(None, MigrationState.FUTURE_SUCCESS),)


class Policy(NamedTuple):
    """What is pending, what is an error."""

    out_of_order: bool = False
    target: Target = Target()
    ignore_patterns: tuple[IgnorePattern, ...] = FUTURE_IGNORED
    cherry_pick: tuple[MigrationPattern, ...] = ()

    def ignores(self, state: MigrationState, *, repeatable: bool | None = None) -> bool:
        """Whether the patterns cover that state, for one sort of migration or, by default, for both."""
        sorts = (False, True) if repeatable is None else (repeatable,)
        return all(
            any(pattern.matches(repeatable=sort, state=state) for pattern in self.ignore_patterns)
            for sort in sorts
        )
