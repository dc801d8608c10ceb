"""From the text of ``taxiway.toml`` or ``flyway.toml`` to a place.

``taxiway.toml`` belongs to a repository that many people read and nobody may learn a password from. So a password
in it must be a reference (:mod:`taxiway.config.resolvers`). ``flyway.toml`` is taken as Flyway takes it. No
message shows a value of either.

Terminology:

way
    The names that lead to a value: of the tables, then of the key.
section
    A table whose keys are options, such as ``[flyway]`` or ``[environments.prod]``.
leaf
    What stands in a section under one name.
dialect
    What differs between the two files.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final

from taxiway import errors
from taxiway.config.confidential import is_confidential
from taxiway.config.flyway_only import ROOT_TABLES, Foreign, find_of_environment, find_setting
from taxiway.config.keys import ENVIRONMENT_NAMES, OVERRIDE_NAMES, KeyCheck
from taxiway.config.layers import EVERYWHERE, Given, Place, Raw, Scope, invalid
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.config.resolvers import parse_flyway_template, parse_template
from taxiway.config.template import Template
from taxiway.config.url import passwords_in
from taxiway.nearest import find_nearest

_ROLES: Final = "roles"

type Way = tuple[str, ...]
type Names = Mapping[str, Option]

# Tables for whoever works with AWS. Each has a module of its name here, which has its keys.
_OPERATOR_TABLES: Final = ("task", "tunnel", "infra", "secrets")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
# Python's parser takes the square of the number of a key's parts: hours for the longest that a file has room for.
_MOST_PARTS: Final = 64
_LONG_KEY: Final = re.compile(
    rf"""(?:^|[{{,])[ \t[]*+(?:(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}""",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between the files.

    Attributes:
        sections: The tables for all environments.
        of_environment: What an environment has. A key of ours in Flyway's file was never meant for us.
        may_have_passwords: Otherwise a password must be a reference.
        is_flyways: Values of neighbouring types are accepted, empty ones count as not given, and what belongs to
            other products is left alone (Flyway 13).
    """

    sections: Mapping[str, Names]
    of_environment: Names
    parse_template: Callable[..., Template]
    may_have_passwords: bool
    is_flyways: bool

    @property
    def has_roles(self) -> bool:
        """It may declare database users."""
        return not self.is_flyways


def _names_in(table: str) -> Names:
    return {option.name or option.key: option for option in OPTIONS if option.table == table and option.in_files}


TAXIWAY: Final = Dialect(
    sections={"flyway": _names_in("flyway"), "database": _names_in("database"), "ledger": _names_in("ledger")},
    of_environment=ENVIRONMENT_NAMES,
    parse_template=parse_template,
    may_have_passwords=False,
    is_flyways=False,
)
FLYWAY: Final = Dialect(
    sections={"flyway": {name: one for name, one in _names_in("flyway").items() if not one.in_environment}},
    of_environment={name: one for name, one in ENVIRONMENT_NAMES.items() if not one.is_ours},
    parse_template=parse_flyway_template,
    may_have_passwords=True,
    is_flyways=True,
)


@dataclass(frozen=True, slots=True)
class _Section:
    way: Way
    table: Mapping[str, object]
    names: Names
    scope: Scope = EVERYWHERE

    @property
    def is_environment(self) -> bool:
        return self.scope.environment is not None and not self.scope.overrides


@dataclass(frozen=True, slots=True)
class _Leaf:
    section: _Section
    name: Way
    value: object

    @property
    def option(self) -> Option | None:
        return self.section.names.get(".".join(self.name))

    @property
    def way(self) -> Way:
        return (*self.section.way, *self.name)

    def find_foreign(self) -> Foreign | None:
        name = ".".join(self.name)
        if self.section.is_environment:
            return find_of_environment(name)
        return find_setting(name) if self.section.way[-1] == "flyway" else None


def parse_toml(text: str, *, name: str = "taxiway.toml", dialect: Dialect = TAXIWAY) -> Place:
    """What a file says; ``name`` is what messages call the file.

    All keys are checked before any value. References are checked and not looked up.

    Raises:
        ConfigFileUnreadable: Not TOML; says where.
        UnknownOption: Keys or tables that no option has, each with the nearest known one.
        ObsoleteOption: Keys that Flyway had once.
        UnsupportedOption: A key or a resolver of Flyway's that cannot be had here.
        InvalidOption: A value of the wrong type, a malformed reference, a password that is not a reference.
        UnknownResolver: A reference whose resolver does not exist.
    """
    document = parse_document(text, name, dialect)
    sections = tuple(_sections(document, name, dialect))
    leaves = tuple(leaf for section in sections for leaf in _leaves(section))
    check = KeyCheck(name)
    _check_roots(document, dialect, check)
    if not dialect.is_flyways:
        _check_operator_tables(document, text, check)
    for leaf in leaves:
        _check_key(leaf, sections, dialect, check)
    has_roles = dialect.has_roles and _ROLES in document
    if has_roles:
        from taxiway.config.roles import check_roles, parse_roles  # most projects declare none

        check_roles(document, name, check)
    check.finish()
    roles = parse_roles(document, name) if has_roles else ()
    reader = _ValueReader(name, dialect)
    given = tuple(one for leaf in leaves if leaf.option for one in reader.read(leaf, leaf.option))
    environments = frozenset(one.scope.environment for one in sections if one.scope.environment is not None)
    return Place(given=given, environments=environments, warnings=tuple(check.warnings), roles=roles)


def parse_document(text: str, name: str, dialect: Dialect) -> Mapping[str, Any]:
    """The text as TOML, with nothing of it checked.

    Raises:
        ConfigFileUnreadable: It is not TOML.
    """
    import tomllib

    if _LONG_KEY.search(text):
        raise errors.ConfigFileUnreadable(
            f"{name} has a key of more than {_MOST_PARTS} parts.",
            hint=f"Correct {name}; no key needs so many.",
        )
    try:
        # Flyway takes a version that is written as a number by its digits: 1.10 is not 1.1.
        return tomllib.loads(text, parse_float=str if dialect.is_flyways else float)
    except (ValueError, RecursionError) as error:
        # Not every ValueError is TOML's own: numbers of thousands of digits give int()'s.
        reason = (
            str(error).splitlines()[0] if isinstance(error, tomllib.TOMLDecodeError) else "values are too large"
        )
        raise errors.ConfigFileUnreadable(
            f"{name} is not TOML: {reason}.", hint=f"Correct {name}; texts stand in double quotes."
        ) from None


# --- sections and leaves


def _sections(document: Mapping[str, object], name: str, dialect: Dialect) -> Iterator[_Section]:
    for root, names in dialect.sections.items():
        yield _Section((root,), _table(document, (root,), name), names)
    environments = _table(document, ("environments",), name)
    for environment in environments:
        way = ("environments", environment)
        table = dict(_table(environments, way, name))
        overrides = _table(table, (*way, "flyway"), name)
        table.pop("flyway", None)
        if not dialect.is_flyways:
            for operator_table in _OPERATOR_TABLES:
                table.pop(operator_table, None)
        yield _Section(way, table, dialect.of_environment, Scope(environment))
        yield _Section((*way, "flyway"), overrides, OVERRIDE_NAMES, Scope(environment, overrides=True))


def _table(parent: Mapping[str, object], way: Way, name: str) -> Mapping[str, object]:
    value = parent.get(way[-1], {})
    if isinstance(value, dict):
        return value
    raise errors.InvalidOption(
        f"{name}: {_dotted(way)}: expected a table, found {_found(value)}.",
        hint=f"Write [{_dotted(way)}] on a line of its own.",
    )


def _leaves(section: _Section) -> Iterator[_Leaf]:
    """Everything in the section; tables that are part of a name, as in ``[flyway.postgresql]``, are walked."""
    inner = {part for name in section.names for part in _beginnings(tuple(name.split(".")))}

    def walk(table: Mapping[str, object], way: Way) -> Iterator[_Leaf]:
        for key, value in table.items():
            here = (*way, key)
            if isinstance(value, dict) and here in inner:
                yield from walk(value, here)
            else:
                yield _Leaf(section, here, value)

    return walk(section.table, ())


def _beginnings(way: Way) -> Iterator[Way]:
    return (way[:length] for length in range(1, len(way)))


# --- keys


def _check_roots(document: Mapping[str, object], dialect: Dialect, check: KeyCheck) -> None:
    ours = () if dialect.is_flyways else _OPERATOR_TABLES
    known = (*dialect.sections, "environments", *ours, *((_ROLES,) if dialect.has_roles else ()))
    for root in document:
        if dialect.is_flyways and root == "database":
            check.warnings.append(f"{check.origin}: [database] has no effect: it belongs in a taxiway.toml.")
            continue
        is_others = dialect.is_flyways and (root in ROOT_TABLES or not find_nearest(root, known))
        if root not in known and not is_others:
            nearest = check.suggest(partial(_nearest, (root,), (), dialect))
            check.unknown(_dotted((root,)), _dotted(nearest) if nearest else None)


def _check_operator_tables(document: Mapping[str, object], text: str, check: KeyCheck) -> None:
    """Only of tables that the text names: no other module is loaded."""
    for name in _OPERATOR_TABLES:
        if name in text:
            from taxiway.config.table import check_tables

            check_tables(document, import_module(f"taxiway.config.{name}").TABLE, check)


def _check_key(leaf: _Leaf, sections: tuple[_Section, ...], dialect: Dialect, check: KeyCheck) -> None:
    if leaf.option:
        return
    if foreign := leaf.find_foreign():
        check.foreign(_dotted(leaf.way), leaf.value, foreign)
        return
    way = check.suggest(lambda: _nearest(leaf.way, sections, dialect))
    nearest = _dotted(way) if way else None
    if leaf.section.is_environment and dialect.is_flyways:
        suggestion = f" Did you mean '{nearest}'?" if nearest else ""
        check.warnings.append(
            f"{check.origin}: unknown key '{_dotted(leaf.way)}' is ignored, as Flyway does.{suggestion}"
        )
    else:
        check.unknown(_dotted(leaf.way), nearest)


def _nearest(way: Way, sections: tuple[_Section, ...], dialect: Dialect) -> Way | None:
    """The same name in another table, else a similar one beside it, else a similar one anywhere."""
    known = [other for other in _known_ways(way, sections, dialect) if other]
    namesakes = {other[-1]: other for other in known}
    siblings = {other[-1]: other for other in known if other[:-1] == way[:-1]}
    if way[-1] in namesakes:
        return namesakes[way[-1]]
    for group in (siblings, namesakes):
        if near := find_nearest(way[-1], group):
            return group[near]
    return None


def _known_ways(way: Way, sections: tuple[_Section, ...], dialect: Dialect) -> Iterator[Way]:
    """Of all tables, the most likely last; of environments the one that the key stands in."""
    yield ("environments",)
    if not dialect.is_flyways:
        yield from ((name,) for name in _OPERATOR_TABLES)
    if dialect.has_roles:
        yield (_ROLES,)
    in_environment = way[0] == "environments"
    environment = way[1] if in_environment and len(way) > 1 else "default"
    if in_environment or dialect.is_flyways:
        yield from (("environments", environment, *name.split(".")) for name in dialect.of_environment)
    if in_environment:
        yield from (("environments", environment, "flyway", *name.split(".")) for name in OVERRIDE_NAMES)
    for section in sections:
        yield section.way
    for root, names in dialect.sections.items():
        yield (root,)
        for name in names:
            parts = (root, *name.split("."))
            yield from (parts[:length] for length in range(2, len(parts) + 1))


def _dotted(way: Way) -> str:
    return ".".join(key if _BARE_KEY.fullmatch(key) else json.dumps(key) for key in way)


# --- values


class _ValueReader:
    """Makes values of the leaves of one file, and refuses those of a wrong type."""

    def __init__(self, name: str, dialect: Dialect) -> None:
        self._name = name
        self._dialect = dialect

    def read(self, leaf: _Leaf, option: Option) -> Iterator[Given]:
        """The values of a leaf: for a map any number, else one or, when it is empty in Flyway's file, none."""
        origin = f"{self._name}: {_dotted(leaf.way)}"
        scope = leaf.section.scope
        if option.kind is Kind.MAP:
            for entry, text, place in self._entries(option, leaf.value, origin):
                yield Given(option=option, value=text, origin=place, entry=entry, scope=scope)
        elif not (self._dialect.is_flyways and self._is_nothing(option, leaf.value)):
            yield Given(option=option, value=self._checked(option, leaf.value, origin), origin=origin, scope=scope)

    def _is_nothing(self, option: Option, value: object) -> bool:
        """An empty list changes nothing, and neither does an empty text that has no meaning (Flyway 13)."""
        return (option.kind is Kind.LIST and value == []) or (value == "" and not option.may_be_empty)

    def _entries(self, option: Option, value: object, origin: str) -> Iterator[tuple[str, str | Template, str]]:
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
            yield entry, self._text(option, text, place, entry), place

    def _checked(self, option: Option, value: object, origin: str) -> Raw:
        """The value, if its type is right. A text with a reference is right for every kind but a map."""
        match option.kind, value:
            case (Kind.BOOLEAN, bool()):
                return str(value)
            case (Kind.INTEGER, int()) if not isinstance(value, bool):
                return str(value)
            case (Kind.LIST, list()):
                return tuple(self._text(option, item, f"{origin}[{index}]") for index, item in enumerate(value))
            case (Kind.STRING | Kind.SECRET, _):
                return self._text(option, value, origin)
            case (_, str()) if (template := self._parse(value, origin)).references:
                return template
            case (Kind.BOOLEAN | Kind.INTEGER, str()) if self._dialect.is_flyways:
                return value
        raise invalid(option, origin, f"expected {option.kind.value}, found {_found(value)}")

    def _text(self, option: Option, value: object, origin: str, entry: str = "") -> str | Template:
        if self._dialect.is_flyways and isinstance(value, bool | int):
            value = str(value).lower()
        if not isinstance(value, str):
            raise invalid(option, origin, f"expected text in quotes, found {_found(value)}")
        if not option.resolved:
            return value
        template = self._parse(value, origin)
        if not self._dialect.may_have_passwords:
            _refuse_password(option, template, origin, entry)
        return template

    def _parse(self, text: str, origin: str) -> Template:
        return self._dialect.parse_template(text, origin=origin)


def _refuse_password(option: Option, template: Template, origin: str, entry: str) -> None:
    """No literal password, and none in a URL, where a reference would lack the percent-encoding besides."""
    is_password = option.kind is Kind.SECRET or (option.key == "jdbcProperties" and is_confidential(entry))
    if (is_password and not template.references) or (option.key == "url" and passwords_in(template.form)):
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
