"""What a key means that stands in one line, and what is wrong with the keys of a place.

Arguments, variables and ``flyway.conf`` write the whole way to a value in one name, with dots. Files in TOML have
tables instead, and share the check with them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple, Self

from taxiway import errors
from taxiway.config.flyway_only import (
    Foreign,
    Ignored,
    Obsolete,
    Unsupported,
    find_of_environment,
    find_setting,
)
from taxiway.config.layers import EVERYWHERE, Scope
from taxiway.config.option import Kind, Option
from taxiway.config.options import BY_KEY, OPTIONS
from taxiway.nearest import find_nearest

ENVIRONMENT_NAMES: Final[Mapping[str, Option]] = {
    option.name or option.key: option for option in OPTIONS if option.in_environment and option.in_files
}
OVERRIDE_NAMES: Final[Mapping[str, Option]] = {
    option.key: option
    for option in OPTIONS
    if option.in_files and option.overridable and not option.in_environment
}


class FlatKey(NamedTuple):
    """A key such as ``placeholders.X`` or ``environments.prod.flyway.target``, in its parts."""

    name: str
    scope: Scope

    @classmethod
    def parse(cls, key: str) -> Self:
        """Take a key apart. A name of an environment has no dot (Flyway 13)."""
        root, _, rest = key.partition(".")
        environment, _, name = rest.partition(".")
        if root != "environments" or not (environment and name):
            return cls(key, EVERYWHERE)
        overridden = name.removeprefix("flyway.")
        return cls(overridden, Scope(environment, overrides=overridden != name))

    @property
    def options(self) -> Mapping[str, Option]:
        """The options that its scope has."""
        if self.scope is EVERYWHERE:
            return BY_KEY
        return OVERRIDE_NAMES if self.scope.overrides else ENVIRONMENT_NAMES

    def find_option(self) -> tuple[Option, str] | None:
        """The option, and the entry if it is a map and the key names one."""
        if option := self.options.get(self.name):
            return option, ""
        table, dot, entry = self.name.partition(".")
        option = self.options.get(table) if dot and entry else None
        return (option, entry) if option and option.kind is Kind.MAP else None

    def find_foreign(self) -> Foreign | None:
        """What becomes of it when it is Flyway's and no option."""
        in_environment = self.scope.environment is not None and not self.scope.overrides
        return find_of_environment(self.name) if in_environment else find_setting(self.name)

    def find_nearest(self) -> str | None:
        """The key that was probably meant, as it would be written here."""
        near = find_nearest_key(self.name, self.options)
        if near is None or self.scope.environment is None:
            return near
        return f"environments.{self.scope.environment}.{'flyway.' if self.scope.overrides else ''}{near}"


def find_nearest_key(name: str, options: Mapping[str, Option]) -> str | None:
    """The key that was probably meant; of a map with its entry, or with ``NAME`` in its place.

    Maven's and Gradle's ``flyway.`` before the key, which no command line has, is passed over.
    """
    name = name.removeprefix("flyway.")
    maps = [key for key, option in options.items() if option.kind is Kind.MAP]
    table, dot, entry = name.partition(".")
    near = (find_nearest(table, maps) if dot else None) or find_nearest(name, options)
    return f"{near}.{entry or 'NAME'}" if near in maps else near


# To look for a similar name takes a millisecond, and a file may have 200,000 wrong ones.
_MOST_SUGGESTIONS: Final = 50


class KeyCheck:
    """Collects what is wrong with the keys of one place, so that all of it can be told at once."""

    def __init__(self, origin: str) -> None:
        self.warnings: list[str] = []
        self.origin = origin
        self._suggestions_left = _MOST_SUGGESTIONS
        self._unknown: list[tuple[str, str | None]] = []
        self._obsolete: list[tuple[str, str | None]] = []
        self._unsupported: list[errors.UnsupportedOption] = []

    def unknown(self, key: str, nearest: str | None) -> None:
        """A key that nobody knows."""
        self._unknown.append((key, nearest))

    def suggest[T](self, find: Callable[[], T | None]) -> T | None:
        """What ``find`` finds that was probably meant; for the first keys of a place only."""
        self._suggestions_left -= 1
        return find() if self._suggestions_left >= 0 else None

    def foreign(self, key: str, value: object, foreign: Foreign) -> None:
        """A key of Flyway's that is no option here."""
        match foreign:
            case Ignored(warning) if foreign.warns(value):
                self.warnings.append(f"{self.origin}: {key} {warning}.")
            case Unsupported(hint):
                message = f"{self.origin}: {key} cannot be had here."
                self._unsupported.append(errors.UnsupportedOption(message, hint=hint))
            case Obsolete(present):
                self._obsolete.append((key, present))

    def finish(self) -> None:
        """Raise what was found: the first of these, with what the others say.

        Raises:
            UnknownOption: Keys that nobody knows.
            ObsoleteOption: Keys that Flyway has no more.
            UnsupportedOption: Keys that would change what a command does.
        """
        found = [*self._errors()]
        if found:
            first, *others = found
            raise first.with_others(others)

    def _errors(self) -> Iterator[errors.ConfigError]:
        if self._unknown:
            (key, nearest), *further = self._unknown
            yield errors.UnknownOption(key, origin=self.origin, nearest=nearest, further=further)
        if self._obsolete:
            yield errors.ObsoleteOption(self._obsolete, origin=self.origin)
        yield from self._unsupported
