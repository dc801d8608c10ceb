"""Values as they were given, from the command line, the environment and the defaults, each with its origin.

Terminology:

layer
    What one origin gave. ``taxiway.toml`` has its own module, :mod:`taxiway.config.toml`.
entry
    One name and value of an option that is a map, such as a placeholder.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from taxiway import errors
from taxiway.config.option import Kind, Option
from taxiway.config.options import BY_KEY, OPTIONS
from taxiway.nearest import find_nearest
from taxiway.secret import Secret

type Raw = str | Secret | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value, not yet converted.

    Attributes:
        value: Text, secret text, or the items of a list.
        origin: ``--target``, ``FLYWAY_TARGET`` or ``taxiway.toml: flyway.target``.
        entry: The name of a map's entry, as it was written.
        may_refer: ``${…}`` in the value is a reference.
    """

    option: Option
    value: Raw = field(repr=False)
    origin: str
    entry: str = ""
    may_refer: bool = False

    @property
    def key(self) -> str:
        """Key of the option; for a map with the entry, as in ``placeholders.DATABASE_NAME``."""
        return f"{self.option.key}.{self.entry}" if self.option.kind is Kind.MAP else self.option.key

    @property
    def field(self) -> tuple[str, ...]:
        """The way to the value in the settings."""
        way = tuple(self.option.field.split("."))
        return (*way, self.entry) if self.option.kind is Kind.MAP else way


type Layer = Mapping[str, Given]
"""By key in lower case, because names of placeholders are the same in any case."""


def to_layer(given: Iterable[Given]) -> Layer:
    """A layer of these values; of two for the same key the later one stays."""
    return {one.key.lower(): one for one in given}


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


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """What the environment variables say, ``FLYWAY_PLACEHOLDERS_<NAME>`` in lower case as Flyway does it.

    Variables that no option has are ignored (Flyway 13, and they may be meant for other programs). An empty
    variable counts as not set where the option accepts nothing empty: deployment tools like to set all of them.
    """
    return to_layer(given for option in OPTIONS for given in _from_environment(option, environ))


def _from_environment(option: Option, environ: Mapping[str, str]) -> Iterator[Given]:
    start = option.environment_variable
    if option.kind is Kind.MAP:
        for name in sorted(environ):
            if entry := name.removeprefix(start) if name.startswith(start) else "":
                yield Given(option=option, value=environ[name], origin=name, entry=entry.lower())
    elif (text := environ.get(start)) is not None and (text or option.may_be_empty):
        yield Given(option=option, value=text, origin=start)


def arguments_layer(arguments: Mapping[str, object]) -> Layer:
    """What the command line says, or a program: a mapping by key of the option.

    Every option accepts text, read like that of an environment variable, and a program may pass booleans, whole
    numbers, lists or tuples of texts, and secrets; placeholders are a mapping. ``None`` counts as not given.

    Raises:
        UnknownOption: A key that no option has.
        InvalidOption: A value of another type.
    """
    return to_layer(
        given
        for key, value in arguments.items()
        if value is not None
        for given in _from_argument(_get_option(key), value)
    )


def _get_option(key: str) -> Option:
    try:
        return BY_KEY[key]
    except KeyError:
        raise errors.UnknownOption(key, origin="arguments", nearest=find_nearest(key, BY_KEY)) from None


def _from_argument(option: Option, value: object) -> Iterator[Given]:
    origin = option.flag or option.key
    if option.kind is not Kind.MAP:
        yield Given(option=option, value=_raw(option, origin, value), origin=origin)
        return
    if not isinstance(value, Mapping):
        raise _wrong_type(option, origin, value)
    for entry, text in value.items():
        if not isinstance(text, str | Secret):
            raise _wrong_type(option, origin, text)
        yield Given(option=option, value=text, origin=f"{origin} {entry}", entry=str(entry))


def _raw(option: Option, origin: str, value: object) -> Raw:
    match option.kind, value:
        case (_, str() | Secret() as text):
            return text
        case (Kind.BOOLEAN, bool()):
            return str(value)
        case (Kind.INTEGER, int()) if not isinstance(value, bool):
            return str(value)
        case (Kind.LIST, list() | tuple() as items) if all(isinstance(item, str) for item in items):
            return tuple(items)
    raise _wrong_type(option, origin, value)


def _wrong_type(option: Option, origin: str, value: object) -> errors.InvalidOption:
    return invalid(option, origin, f"expected {option.kind.value}, found {type(value).__name__}")
