"""What the command line says, or a program."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from taxiway import errors
from taxiway.config.keys import FlatKey, KeyCheck
from taxiway.config.layers import EVERYWHERE, Given, Layer, Place, Raw, invalid, to_place
from taxiway.config.option import Kind, Option
from taxiway.secret import Secret


def arguments_layer(arguments: Mapping[str, object]) -> Layer:
    """What the command line, or a program, says for all environments. Raises as :func:`read_arguments`."""
    return read_arguments(arguments).layer()


def read_arguments(arguments: Mapping[str, object]) -> Place:
    """What the command line says, or a program: a mapping by key of the option.

    Every option accepts text, read like that of an environment variable, and a program may pass booleans, whole
    numbers, lists or tuples of texts, and secrets. Placeholders are a mapping, or single keys
    ``placeholders.<NAME>``. ``environments.<name>.<key>`` and ``environments.<name>.flyway.<key>`` are keys as
    well. ``None`` counts as not given.

    Raises:
        UnknownOption: Keys that no option has.
        ObsoleteOption: Keys that Flyway had once.
        UnsupportedOption: A key of Flyway's that would change what a command does.
        InvalidOption: A value of another type.
    """
    check = KeyCheck("arguments")
    values = {key: value for key, value in arguments.items() if value is not None}
    known = {key: found for key, value in values.items() if (found := _find_argument(key, value, check))}
    check.finish()
    given = [
        one for key, (option, entry) in known.items() for one in _from_argument(key, option, entry, values[key])
    ]
    return to_place(given, check.warnings)


def read_command_line(arguments: Mapping[str, object]) -> Place:
    """What the command line says; an empty text counts as not given where the option accepts nothing empty.

    Scripts write ``-password=$PASSWORD``, and the other places have the same rule. A program that passes an empty
    text is told. Raises as :func:`read_arguments`.
    """
    place = read_arguments(arguments)
    return replace(place, given=tuple(one for one in place.given if one.value or one.option.may_be_empty))


def _find_argument(key: str, value: object, check: KeyCheck) -> tuple[Option, str] | None:
    flat = FlatKey.parse(key)
    if found := flat.find_option():
        return found
    if foreign := flat.find_foreign():
        check.foreign(key, value, foreign)
    else:
        check.unknown(key, flat.find_nearest())
    return None


def _from_argument(key: str, option: Option, entry: str, value: object) -> Iterator[Given]:
    scope = FlatKey.parse(key).scope
    origin = (option.flag or key) if scope is EVERYWHERE else key
    if option.kind is not Kind.MAP:
        yield Given(option=option, value=_raw(option, origin, value), origin=origin, scope=scope)
        return
    entries = {entry: value} if entry else value
    if not isinstance(entries, Mapping):
        raise _wrong_type(option, origin, value)
    for name, text in entries.items():
        if not isinstance(text, str | Secret):
            raise _wrong_type(option, origin, text)
        place = key if scope is not EVERYWHERE and entry else f"{origin} {name}"
        yield Given(option=option, value=text, origin=place, entry=str(name), scope=scope)


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
