"""Values as they were given, each with its origin.

Terminology:

place
    A file, the environment variables, or the command line. Each has its module: :mod:`taxiway.config.toml`,
    :mod:`taxiway.config.conf`, :mod:`taxiway.config.variables` and :mod:`taxiway.config.arguments`.
layer
    What one place gave for all environments, or for one.
entry
    One name and value of an option that is a map, such as a placeholder.
overrides
    What stands in ``[environments.<name>.flyway]``. It beats even the command line (Flyway 13).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from taxiway import errors
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.config.template import Template
from taxiway.secret import Secret

if TYPE_CHECKING:
    from taxiway.config.roles import DeclaredRole

type Raw = str | Secret | Template | tuple[str | Template, ...]
"""As it was given."""
type Resolved = str | Secret | tuple[str, ...]
"""With the texts that its references stand for."""


class Scope(NamedTuple):
    """Where in a place a value stands: for all environments, or in that of one, or in its overrides."""

    environment: str | None = None
    overrides: bool = False


EVERYWHERE: Final = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value, not yet converted.

    Attributes:
        value: Text, secret text, text with references, or the items of a list.
        origin: ``--target``, ``FLYWAY_TARGET`` or ``taxiway.toml: flyway.target``.
        entry: The name of a map's entry, as it was written.
        confidential: Parts of the value that came from variables whose names speak of secrets.
    """

    option: Option
    value: Raw = field(repr=False)
    origin: str
    entry: str = ""
    scope: Scope = EVERYWHERE
    confidential: tuple[Secret, ...] = ()

    @property
    def key(self) -> str:
        """Key of the option; for a map with the entry, as in ``placeholders.DATABASE_NAME``."""
        return f"{self.option.key}.{self.entry}" if self.option.kind is Kind.MAP else self.option.key

    @property
    def field(self) -> tuple[str, ...]:
        """The way to the value in the settings; empty when it has none."""
        way = tuple(self.option.field.split(".")) if self.option.field else ()
        return (*way, self.entry) if self.option.kind is Kind.MAP else way


type Layer = Mapping[str, Given]
"""By key in lower case, because names of placeholders are the same in any case."""


def to_layer(given: Iterable[Given]) -> Layer:
    """A layer of these values; of two for the same key the later one stays."""
    return {one.key.lower(): one for one in given}


class Place(NamedTuple):
    """What one place says. ``environments`` are those that it names, with something in them or not."""

    given: tuple[Given, ...] = ()
    environments: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    roles: "tuple[DeclaredRole, ...]" = ()

    def layer(self, scope: Scope = EVERYWHERE) -> Layer:
        """What it says in that scope."""
        return to_layer(given for given in self.given if given.scope == scope)


def to_place(given: Sequence[Given], warnings: Sequence[str]) -> Place:
    """A place that names no more environments than its values stand in."""
    environments = frozenset(one.scope.environment for one in given if one.scope.environment is not None)
    return Place(given=tuple(given), environments=environments, warnings=tuple(warnings))


def invalid(option: Option, origin: str, phrase: str, *, hint: str | None = None) -> errors.InvalidOption:
    """The error for a value that its option does not accept. The phrase has no full stop and no secret."""
    usual = f"Give {option.kind.value}; docs/reference/configuration.md says what '{option.key}' accepts."
    return errors.InvalidOption(f"{origin}: {phrase}.", hint=hint or usual)


def defaults_layer() -> Layer:
    """What the table of options says."""
    return to_layer(
        Given(option=option, value=option.default, origin="default")
        for option in OPTIONS
        if option.default is not None
    )
