"""Tables of ``taxiway.toml`` that are for whoever works with AWS: ``[task]``, ``[infra]`` and others.

Each may stand in an environment too, ``[environments.<name>.task]``, where it wins key by key. They mean nothing
to the commands on a database. Texts may refer to environment variables, ``${env:NAME}``, and to nothing else: what
names a cluster is no secret.

Terminology:

inner table
    A table in such a table, ``[infra.database]``. Its keys have its name before theirs: ``database.name``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypedDict

from taxiway import errors
from taxiway.config.files import FILE_NAME, FileReader
from taxiway.config.keys import KeyCheck
from taxiway.config.resolvers import parse_template
from taxiway.config.template import Reference
from taxiway.nearest import find_nearest
from taxiway.secret import reveal


class ValueKind(Enum):
    """What a value of a table is; the value is its name for people."""

    TEXT = "text"
    LIST = "list of texts"
    BOOLEAN = "true or false"
    INTEGER = "whole number"
    NUMBER = "number"
    MAP = "table of texts"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table: for the code, the command line and the reference page.

    Attributes:
        name: As it is written; that of an inner table with the table's name before it.
        flag: The option that wins over it; empty if it has none.
        metavar: What the value of that option is called.
        field: The field of the settings, where it has another name.
        variable: The variable of the job that wins over it; empty if there is none.
    """

    name: str
    kind: ValueKind
    help: str
    flag: str = ""
    metavar: str = "NAME"
    field: str = ""
    variable: str = ""

    @property
    def attribute(self) -> str:
        """The field of the settings."""
        return self.field or self.name


# Of the tables that fall back to [task].
ACCOUNT_KEYS: Final = (
    Key(
        "region",
        ValueKind.TEXT,
        "AWS region; without it, that of `[task]`, of the environment or of the profile.",
        flag="--region",
    ),
    Key(
        "profile",
        ValueKind.TEXT,
        "Profile of the AWS configuration; without it, that of `[task]`, or AWS_PROFILE.",
        flag="--profile",
    ),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its name, and the keys that it may have."""

    name: str
    keys: Sequence[Key]

    @property
    def by_name(self) -> dict[str, Key]:
        """The keys by their names."""
        return {key.name: key for key in self.keys}

    @property
    def inner(self) -> frozenset[str]:
        """The names of the inner tables, those of texts left out."""
        return frozenset(key.name.partition(".")[0] for key in self.keys if "." in key.name)


class FilePlace(TypedDict):
    """Where a table is read from, as :func:`load_table` takes it."""

    environ: Mapping[str, str]
    directory: Path
    file: Path | None
    environment: str | None


def check_tables(document: Mapping[str, Any], table: Table, check: KeyCheck) -> None:
    """Note what is wrong with the keys of every such table.

    Raises:
        InvalidOption: What should be a table is none.
    """
    known = (*table.by_name, *table.inner)
    for way, content in _tables(document, table.name):
        for name in _flat(table, content, f"{check.origin}: {way}"):
            if name not in known:
                near = check.suggest(lambda name=name: find_nearest(name, known))  # type: ignore[misc]
                check.unknown(f"{way}.{name}", f"{way}.{near}" if near else None)


def load_table(
    table: Table, *, environ: Mapping[str, str], directory: Path, file: Path | None, environment: str | None
) -> dict[str, Any]:
    """The values of the table by key, those of the environment over the others.

    An inner table that is there and empty is an empty dict under its own name.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    path = file or directory / FILE_NAME
    if file is None and not path.is_file():
        if environment is not None:
            raise _unknown_environment(environment, FILE_NAME, (), table)
        return {}
    reader = FileReader(directory=directory, environ=environ)
    document = reader.read_document(path)
    name = reader.name_of(path)
    values = _read(table, document.get(table.name, {}), f"{name}: {table.name}", environ)
    if environment is None:
        return values
    environments = document.get("environments", {})
    if environment not in environments:
        raise _unknown_environment(environment, name, environments, table)
    over = environments[environment].get(table.name, {})
    return values | _read(table, over, f"{name}: environments.{environment}.{table.name}", environ)


def _tables(document: Mapping[str, Any], table: str) -> Iterator[tuple[str, object]]:
    if table in document:
        yield table, document[table]
    environments = document.get("environments")
    if isinstance(environments, dict):
        for name, environment in environments.items():
            if isinstance(environment, dict) and table in environment:
                yield f"environments.{name}.{table}", environment[table]


def _flat(table: Table, content: object, way: str) -> dict[str, object]:
    """The values by key: inner tables taken apart, and named besides when they are empty."""
    values: dict[str, object] = {}
    for name, value in _as_table(content, way).items():
        if name in table.inner:
            inner = _as_table(value, f"{way}.{name}")
            values |= {f"{name}.{key}": one for key, one in inner.items()} or {name: {}}
        else:
            values[name] = value
    return values


def _as_table(content: object, way: str) -> Mapping[str, object]:
    if isinstance(content, dict):
        return content
    name = way.rpartition(": ")[2]
    raise errors.InvalidOption(f"{way}: expected a table.", hint=f"Write [{name}] on a line of its own.")


def _read(table: Table, content: object, origin: str, environ: Mapping[str, str]) -> dict[str, Any]:
    reader = _ValueReader(environ)
    keys = table.by_name
    return {
        name: reader.read(keys[name].kind, value, f"{origin}.{name}") if name in keys else value
        for name, value in _flat(table, content, origin).items()
    }


@dataclass(frozen=True, slots=True)
class _ValueReader:
    environ: Mapping[str, str]

    def read(self, kind: ValueKind, value: object, origin: str) -> object:
        """The value, of the right kind."""
        match kind, value:
            case ValueKind.TEXT, str():
                return self._text(value, origin)
            case ValueKind.LIST, str():
                return tuple(item.strip() for item in self._text(value, origin).split(",") if item.strip())
            case ValueKind.LIST, list() if all(isinstance(item, str) for item in value):
                return tuple(self._text(str(item), origin) for item in value)
            case ValueKind.BOOLEAN, bool():
                return value
            case ValueKind.INTEGER, int() if not isinstance(value, bool):
                return value
            case ValueKind.NUMBER, int() | float() if not isinstance(value, bool):
                return float(value)
            case ValueKind.MAP, dict() if all(isinstance(item, str) for item in value.values()):
                return {name: self._text(str(item), f"{origin}.{name}") for name, item in value.items()}
        raise errors.InvalidOption(
            f"{origin}: expected {kind.value}.", hint="Texts stand in double quotes, lists in brackets."
        )

    def _text(self, value: str, origin: str) -> str:
        filled = reveal(parse_template(value, origin=origin).fill(self._look_up, origin)).strip()
        if not filled:
            raise errors.InvalidOption(f"{origin}: the value is empty.", hint="Give a name, or remove the key.")
        return filled

    def _look_up(self, reference: Reference, origin: str) -> str:
        if reference.resolver != "env":
            raise errors.InvalidOption(
                f"{origin}: only environment variables can be referred to here.", hint="Write ${env:NAME}."
            )
        if reference.name not in self.environ:
            raise errors.VariableNotSet(
                f"{origin}: the environment variable {reference.name} is not set.",
                hint=f"Set {reference.name} in the environment of this command, or change the value in the file.",
            )
        return self.environ[reference.name]


def _unknown_environment(
    environment: str, name: str, known: Mapping[str, object] | tuple[()], table: Table
) -> errors.UnknownEnvironment:
    near = find_nearest(environment, known)
    return errors.UnknownEnvironment(
        f"{name} has no environment '{environment}'.",
        hint=f"Did you mean '{near}'?"
        if near
        else f"Write [environments.{environment}.{table.name}] into {name}.",
    )
