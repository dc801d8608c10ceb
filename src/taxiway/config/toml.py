"""From the text of ``taxiway.toml`` to a layer.

The file belongs to a repository that many people read and nobody may learn a password from. So a password in it
must be a reference (:mod:`taxiway.config.resolvers`), and no message shows a value of the file.

Terminology:

way
    The names that lead to a value: of the tables, then of the key.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from taxiway import errors
from taxiway.config.layers import Given, Layer, Raw, invalid, to_layer
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.config.resolvers import references, without_references
from taxiway.config.url import passwords_in
from taxiway.nearest import find_nearest

type Way = tuple[str, ...]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_OPTIONS: Final[Mapping[Way, Option]] = {tuple(option.path.split(".")): option for option in OPTIONS}
_TABLES: Final = frozenset(way[:length] for way in _OPTIONS for length in range(len(way)))


def parse_toml(text: str, *, name: str = "taxiway.toml") -> Layer:
    """The layer of a file; ``name`` is what messages call the file.

    All keys are checked before any value. References are checked and not looked up.

    Raises:
        ConfigFileUnreadable: Not TOML; says where.
        UnknownOption: A key or table that no option has, with the nearest known one.
        InvalidOption: A value of the wrong type, a malformed reference, a password that is not a reference.
        UnknownResolver: A reference whose resolver does not exist.
    """
    leaves = dict(_leaves(_document(text, name), ()))
    for way in leaves:
        if way not in _OPTIONS and way not in _TABLES:
            nearest = _nearest(way)
            raise errors.UnknownOption(_dotted(way), origin=name, nearest=_dotted(nearest) if nearest else None)
    return to_layer(given for way, value in leaves.items() for given in _given(way, value, name))


def _document(text: str, name: str) -> Mapping[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Not every ValueError is TOML's own: numbers of thousands of digits give int()'s.
        reason = (
            str(error).splitlines()[0] if isinstance(error, tomllib.TOMLDecodeError) else "values are too large"
        )
        raise errors.ConfigFileUnreadable(
            f"{name} is not TOML: {reason}.", hint=f"Correct {name}; texts stand in double quotes."
        ) from None


def _leaves(table: Mapping[str, object], way: Way) -> Iterator[tuple[Way, object]]:
    """Everything in the tables that we know, and whatever else there is as it is."""
    for key, value in table.items():
        here = (*way, key)
        if isinstance(value, dict) and here in _TABLES:
            yield from _leaves(value, here)
        else:
            yield here, value


def _nearest(way: Way) -> Way | None:
    """The same name in another table, else a similar one beside it, else a similar one anywhere."""
    known = [*_OPTIONS, *_TABLES]
    namesakes = {other[-1]: other for other in known if other}
    siblings = {other[-1]: other for other in known if other and other[:-1] == way[:-1]}
    if way[-1] in namesakes:
        return namesakes[way[-1]]
    for group in (siblings, namesakes):
        if near := find_nearest(way[-1], group):
            return group[near]
    return None


def _dotted(way: Way) -> str:
    return ".".join(key if _BARE_KEY.fullmatch(key) else json.dumps(key) for key in way)


def _given(way: Way, value: object, name: str) -> Iterator[Given]:
    origin = f"{name}: {_dotted(way)}"
    if way in _TABLES:
        raise errors.InvalidOption(
            f"{origin}: expected a table, found {_found(value)}.",
            hint=f"Write [{_dotted(way)}] on a line of its own.",
        )
    option = _OPTIONS[way]
    if option.kind is Kind.MAP:
        yield from _entries(option, value, origin)
    else:
        yield Given(option=option, value=_checked(option, value, origin), origin=origin, may_refer=option.resolved)


def _entries(option: Option, value: object, origin: str) -> Iterator[Given]:
    if not isinstance(value, dict):
        raise invalid(option, origin, f"expected {option.kind.value}, found {_found(value)}")
    names: set[str] = set()
    for entry, text in value.items():
        place = f"{origin}.{_dotted((entry,))}"
        if not entry or entry.lower() in names:
            raise invalid(
                option, place, "the name is there twice, in another case" if entry else "the name is empty"
            )
        names.add(entry.lower())
        yield Given(option=option, value=_text(option, text, place), origin=place, entry=entry, may_refer=True)


def _checked(option: Option, value: object, origin: str) -> Raw:
    """The value, if its type is right. A text with a reference is right for every kind but a map."""
    match option.kind, value:
        case (Kind.BOOLEAN, bool()):
            return str(value)
        case (Kind.INTEGER, int()) if not isinstance(value, bool):
            return str(value)
        case (Kind.LIST, list()):
            return tuple(_text(option, item, f"{origin}[{index}]") for index, item in enumerate(value))
        case (Kind.STRING | Kind.SECRET, _):
            return _text(option, value, origin)
        case (_, str()) if references(value, origin=origin):
            return value
    raise invalid(option, origin, f"expected {option.kind.value}, found {_found(value)}")


def _text(option: Option, value: object, origin: str) -> str:
    if not isinstance(value, str):
        raise invalid(option, origin, f"expected text in quotes, found {_found(value)}")
    if option.resolved:
        _refuse_password(option, value, origin)
    return value


def _refuse_password(option: Option, text: str, origin: str) -> None:
    """No literal password, and none in a URL, where a reference would lack the percent-encoding besides."""
    is_literal = not references(text, origin=origin)
    if (option.kind is Kind.SECRET and is_literal) or (
        option.key == "url" and passwords_in(without_references(text, origin=origin))
    ):
        raise invalid(
            option,
            origin,
            "a password must not be written in this file",
            hint='Write database.password = "${secret:ID#KEY}" or "${env:NAME}" instead.',
        )


def _found(value: object) -> str:
    """The type of a value in TOML's words, never the value."""
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")
