"""``[task]`` and ``[environments.<name>.task]`` of ``taxiway.toml``: where tasks run.

They are for whoever starts tasks, and mean nothing to the commands on a database. Texts may refer to environment
variables, ``${env:NAME}``, and to nothing else: what names a cluster is no secret.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

from taxiway import errors
from taxiway.config.files import FILE_NAME, FileReader
from taxiway.config.keys import KeyCheck
from taxiway.config.resolvers import parse_template
from taxiway.config.template import Reference
from taxiway.model.task import TaskSettings
from taxiway.nearest import find_nearest
from taxiway.secret import reveal

TABLE: Final = "task"


class ValueKind(Enum):
    """What a value of the table is; the value is its name for people."""

    TEXT = "text"
    LIST = "list of texts"
    BOOLEAN = "true or false"


@dataclass(frozen=True, slots=True)
class TaskKey:
    """A key of the table, for the code and for the reference page; it is a field of :class:`TaskSettings`."""

    name: str
    kind: ValueKind
    flag: str
    help: str


KEYS: Final = (
    TaskKey("cluster", ValueKind.TEXT, "--cluster", "Name or ARN of the ECS cluster."),
    TaskKey(
        "task_definition",
        ValueKind.TEXT,
        "--task-definition",
        "Family of the task definition, whose newest revision runs; or family:revision, or an ARN.",
    ),
    TaskKey(
        "container",
        ValueKind.TEXT,
        "--container",
        "The container that runs Taxiway; needed when several are essential.",
    ),
    TaskKey("subnets", ValueKind.LIST, "--subnet", "Subnets of the task, by id or Name tag."),
    TaskKey(
        "security_groups",
        ValueKind.LIST,
        "--security-group",
        "Its security groups, by id, group name or Name tag; without any, that of the VPC.",
    ),
    TaskKey(
        "assign_public_ip",
        ValueKind.BOOLEAN,
        "--assign-public-ip",
        "Give it a public address, for public subnets without a NAT gateway.",
    ),
    TaskKey(
        "stack",
        ValueKind.TEXT,
        "--stack",
        "A CloudFormation stack whose outputs tell what is set nowhere else.",
    ),
    TaskKey(
        "database",
        ValueKind.TEXT,
        "--database",
        "Identifier of the Aurora cluster, or of the RDS instance, that snapshots are made of.",
    ),
    TaskKey("region", ValueKind.TEXT, "--region", "AWS region; without it, that of the environment or profile."),
    TaskKey("profile", ValueKind.TEXT, "--profile", "Profile of the AWS configuration; without it, AWS_PROFILE."),
)
_BY_NAME: Final = {key.name: key for key in KEYS}


def check_task_tables(document: Mapping[str, Any], check: KeyCheck) -> None:
    """Note what is wrong with the keys of every such table."""
    for way, table in _tables(document):
        if not isinstance(table, dict):
            raise errors.InvalidOption(
                f"{check.origin}: {way}: expected a table.", hint=f"Write [{way}] on a line of its own."
            )
        for name in table:
            if name not in _BY_NAME:
                near = check.suggest(lambda name=name: find_nearest(name, _BY_NAME))  # type: ignore[misc]
                check.unknown(f"{way}.{name}", f"{way}.{near}" if near else None)


def load_task(
    *, environ: Mapping[str, str], directory: Path, file: Path | None, environment: str | None
) -> TaskSettings:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    path = file or directory / FILE_NAME
    if file is None and not path.is_file():
        if environment is not None:
            raise _unknown_environment(environment, FILE_NAME, ())
        return TaskSettings()
    reader = FileReader(directory=directory, environ=environ)
    document = reader.read_document(path)
    name = reader.name_of(path)
    settings = _overlaid(TaskSettings(), _Values(document.get(TABLE, {}), f"{name}: {TABLE}", environ))
    if environment is None:
        return settings
    environments = document.get("environments", {})
    if environment not in environments:
        raise _unknown_environment(environment, name, environments)
    table = environments[environment].get(TABLE, {})
    return _overlaid(settings, _Values(table, f"{name}: environments.{environment}.{TABLE}", environ))


def _tables(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    if TABLE in document:
        yield TABLE, document[TABLE]
    environments = document.get("environments")
    if isinstance(environments, dict):
        for name, environment in environments.items():
            if isinstance(environment, dict) and TABLE in environment:
                yield f"environments.{name}.{TABLE}", environment[TABLE]


@dataclass(frozen=True, slots=True)
class _Values:
    table: Mapping[str, object]
    origin: str
    environ: Mapping[str, str]

    def read(self, key: TaskKey) -> object:
        """The value, of the right kind."""
        value, origin = self.table[key.name], f"{self.origin}.{key.name}"
        match key.kind, value:
            case ValueKind.TEXT, str():
                return self._text(value, origin)
            case ValueKind.LIST, str():
                return tuple(item.strip() for item in self._text(value, origin).split(",") if item.strip())
            case ValueKind.LIST, list() if all(isinstance(item, str) for item in value):
                return tuple(self._text(str(item), origin) for item in value)
            case ValueKind.BOOLEAN, bool():
                return value
        raise errors.InvalidOption(
            f"{origin}: expected {key.kind.value}.", hint="Texts stand in double quotes, lists in brackets."
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


def _overlaid(settings: TaskSettings, values: _Values) -> TaskSettings:
    given: dict[str, Any] = {key.name: values.read(key) for key in KEYS if key.name in values.table}
    return replace(settings, **given)


def _unknown_environment(
    environment: str, name: str, known: Mapping[str, object] | tuple[()]
) -> errors.UnknownEnvironment:
    near = find_nearest(environment, known)
    return errors.UnknownEnvironment(
        f"{name} has no environment '{environment}'.",
        hint=f"Did you mean '{near}'?" if near else f"Write [environments.{environment}.task] into {name}.",
    )
