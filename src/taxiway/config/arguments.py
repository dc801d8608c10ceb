"""What the command line says, or a program, which differ in what they call an option."""

from collections.abc import Callable, Iterator, Mapping

from taxiway import errors
from taxiway.config.keys import FlatKey, KeyCheck
from taxiway.config.layers import EVERYWHERE, Given, Layer, Place, Raw, Scope, invalid, to_place
from taxiway.config.option import Kind, Option
from taxiway.secret import Secret


def program_layer(arguments: Mapping[str, object]) -> Layer:
    """What a program says, which calls an option by its identifier. Raises as :func:`read_arguments`."""
    return _read(arguments, call=lambda option: option.identifier).layer()


def read_arguments(arguments: Mapping[str, object]) -> Place:
    """What the command line says: a mapping by key of the option.

    Every option accepts text, read like that of an environment variable, and besides booleans, whole numbers,
    lists or tuples of texts, and secrets. Placeholders are a mapping, or single keys ``placeholders.<NAME>``.
    ``environments.<name>.<key>`` and ``environments.<name>.flyway.<key>`` are keys as well. ``None`` counts as not
    given.

    Raises:
        UnknownOption: Keys that no option has.
        ObsoleteOption: Keys that Flyway had once.
        UnsupportedOption: A key of Flyway's that would change what a command does.
        InvalidOption: A value of another type.
    """
    return _read(arguments, call=lambda option: option.flag or f"-{option.key}")


def _read(arguments: Mapping[str, object], *, call: Callable[[Option], str]) -> Place:
    check = KeyCheck("arguments")
    values = {key: value for key, value in arguments.items() if value is not None}
    known = {key: found for key, value in values.items() if (found := _find_argument(key, value, check))}
    check.finish()
    given = [
        one
        for key, (option, entry) in known.items()
        for one in _from_argument(key, option, entry, values[key], called=call(option))
    ]
    return to_place(given, check.warnings)


def read_command_line(arguments: Mapping[str, object]) -> Place:
    """What the command line says; an empty text counts as not given where the option accepts nothing empty.

    Scripts write ``-password=$PASSWORD``, and the other places have the same rule. A program that passes an empty
    text is told. Raises as :func:`read_arguments`.
    """
    place = read_arguments(arguments)
    return place._replace(given=tuple(one for one in place.given if one.value or one.option.may_be_empty))


def _find_argument(key: str, value: object, check: KeyCheck) -> tuple[Option, str] | None:
    flat = FlatKey.parse(key)
    if found := flat.find_option():
        return found
    if foreign := flat.find_foreign():
        check.foreign(key, value, foreign)
    else:
        check.unknown(key, _as_written(check.suggest(flat.find_nearest)))
    return None


def _as_written(key: str | None) -> str | None:
    """The whole argument for an entry of a map: its name stands on the other side of "=" in our style."""
    found = FlatKey.parse(key).find_option() if key else None
    return f"-{key}=VALUE" if found and found[0].kind is Kind.MAP else key


def _from_argument(key: str, option: Option, entry: str, value: object, *, called: str) -> Iterator[Given]:
    scope = FlatKey.parse(key).scope
    origin = called if scope is EVERYWHERE else key
    if option.kind is not Kind.MAP:
        yield Given(option=option, value=_raw(option, origin, value), origin=origin, scope=scope)
        return
    entries = {entry: value} if entry else value
    if not isinstance(entries, Mapping):
        hint = _how_to_name(option, key, scope) if isinstance(entries, str) and called == option.flag else None
        raise _wrong_type(option, origin, value, hint=hint)
    for name, text in entries.items():
        if not isinstance(text, str | Secret):
            raise _wrong_type(option, origin, text)
        place = key if scope is not EVERYWHERE and entry else f"{origin} {name}"
        yield Given(option=option, value=text, origin=place, entry=str(name), scope=scope)


def _how_to_name(option: Option, key: str, scope: Scope) -> str:
    """For ``-placeholders=x``, which names no entry."""
    ours = f", or {option.flag} NAME=VALUE" if scope is EVERYWHERE else ""
    return f"Write -{key}.NAME=VALUE{ours}."


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


def _wrong_type(option: Option, origin: str, value: object, *, hint: str | None = None) -> errors.InvalidOption:
    found = "a text" if isinstance(value, str) else type(value).__name__
    return invalid(option, origin, f"expected {option.kind.value}, found {found}", hint=hint)
