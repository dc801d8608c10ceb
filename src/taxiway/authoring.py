"""New files: the script of the next migration, and the beginning of a project.

Terminology:

stamp
    A part of a version that is a moment in UTC, ``yyyyMMddHHmmss``. It keeps the versions of branches apart.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from taxiway import errors
from taxiway.config.conf import parse_conf
from taxiway.config.confidential import is_confidential
from taxiway.config.files import FILE_NAME
from taxiway.config.layers import Given
from taxiway.config.merge import convert
from taxiway.config.option import Kind, Option
from taxiway.config.toml import parse_toml
from taxiway.config.url import passwords_in
from taxiway.model.location import Location
from taxiway.model.migration import MigrationKind
from taxiway.model.result import AddResult, InitResult
from taxiway.model.rules import Naming
from taxiway.model.settings import MigrationSettings
from taxiway.model.version import MigrationVersion
from taxiway.scan.filename import MigrationName, parse_filename
from taxiway.sources.directory import DirectorySources

_FIRST_VERSION: Final = "001"
_STAMP: Final = re.compile(r"(?<![0-9])[0-9]{14}(?![0-9])")
_STAMP_FORMAT: Final = "%Y%m%d%H%M%S"
_FIRST_PART: Final = re.compile(r"[+-]?[0-9]+")
_WILDCARD: Final = re.compile(r"[*?]")
_CONF_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9_]+)\}", re.ASCII)
_BEHIND_DOLLAR: Final = re.compile(r"\$\$\{[A-Za-z0-9_]+\}", re.ASCII)
_UNFIT_IN_VARIABLE: Final = re.compile(r"[^A-Z0-9_]", re.ASCII)
# In a name of a file they would be folders, or break every list of files.
_UNFIT: Final = re.compile(r"[/\\\x00-\x1f\x7f]")


class Timestamp(Enum):
    """When a calculated version has a stamp; ``AUTO`` is when the version before has one (Flyway 13)."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMigration:
    """What is asked for. Without ``version`` it is calculated; without ``location`` it is the first folder."""

    kind: MigrationKind = MigrationKind.VERSIONED
    description: str = ""
    version: str | None = None
    location: str | None = None
    timestamp: Timestamp = Timestamp.AUTO


@dataclass(frozen=True, slots=True)
class _Existing:
    path: str
    name: MigrationName

    @property
    def version(self) -> MigrationVersion:
        """Only of those that have one."""
        if self.name.version is None:  # pragma: no cover - they are chosen so
            raise ValueError("a repeatable migration has no version")
        return self.name.version


def add_migration(
    new: NewMigration, settings: MigrationSettings, *, base: Path, now: datetime, write: bool, replace: bool
) -> AddResult:
    """Create an empty script, and tell its path; without ``write``, only tell.

    The next version is the highest one of the locations with its first number raised and the same zeros before it,
    ``001`` when there is none, and its stamp is ``now`` (Flyway 13, ``add``). An undo migration is for the highest
    versioned one; a baseline migration stands for everything up to that one.

    Raises:
        InvalidOption: The name would not be that of such a migration.
        FileAlreadyExists: The file is there and ``replace`` is not set, or the version is taken.
    """
    existing = _existing(settings, base)
    folder = _folder(new, settings, base)
    name = _file_name(new, settings.naming, existing, now)
    parsed = _checked(name, new, settings.naming)
    path = folder / name
    _refuse_taken_version(parsed, path, existing)
    if write:
        _create(path, replace=replace)
    return AddResult(path=str(path), version=parsed.version, description=parsed.description)


def _existing(settings: MigrationSettings, base: Path) -> list[_Existing]:
    sources = DirectorySources(settings.locations, base=base, fail_on_missing=False)
    parsed = ((file.path, parse_filename(file.name, settings.naming)) for file in sources.files())
    return [_Existing(path, name) for path, name in parsed if isinstance(name, MigrationName)]


def _folder(new: NewMigration, settings: MigrationSettings, base: Path) -> Path:
    if new.location is not None:
        return base / _parse_location(new.location).path
    plain = (one for one in settings.locations if one.prefix == "filesystem" and not _WILDCARD.search(one.path))
    location = next(plain, None)
    if location is None:
        raise errors.MissingOption(
            "None of the locations is a folder that the file could be created in.",
            hint="Name one with --location.",
        )
    return base / location.path


def _parse_location(text: str) -> Location:
    try:
        return Location.parse(text)
    except ValueError as error:
        raise errors.InvalidOption(f"--location: {error}.", hint="Name a folder, such as 'sql'.") from None


def _file_name(new: NewMigration, naming: Naming, existing: Iterable[_Existing], now: datetime) -> str:
    counted = {MigrationKind.VERSIONED, MigrationKind.BASELINE}
    numbered = [one for one in existing if one.name.kind in counted]
    highest = max(numbered, key=lambda one: one.version, default=None)
    described = _description(new, numbered)
    # A separator at the end of a name would be noise; a repeatable migration is nothing without what follows it.
    tail = f"{naming.separator}{described.replace(' ', '_')}" if described else ""
    prefix, suffix = _prefix(new.kind, naming), next(iter(naming.suffixes), ".sql")
    version = "" if new.kind is MigrationKind.REPEATABLE else _version(new, highest, now)
    return f"{prefix}{version}{tail}{suffix}"


def _prefix(kind: MigrationKind, naming: Naming) -> str:
    match kind:
        case MigrationKind.VERSIONED:
            return naming.versioned_prefix
        case MigrationKind.REPEATABLE:
            return naming.repeatable_prefix
        case MigrationKind.BASELINE:
            return naming.baseline_prefix
        case MigrationKind.UNDO:
            return naming.undo_prefix


def _description(new: NewMigration, numbered: Iterable[_Existing]) -> str:
    """That of an undo migration is that of what it undoes, unless it is given."""
    if new.kind is not MigrationKind.UNDO or new.description:
        return new.description
    undone = _undone(new, numbered)
    return undone.name.description if undone else ""


def _undone(new: NewMigration, numbered: Iterable[_Existing]) -> _Existing | None:
    """The migration that a new undo migration is for."""
    versioned = [one for one in numbered if one.name.kind is MigrationKind.VERSIONED]
    if new.version is None:
        return max(versioned, key=lambda one: one.version, default=None)
    wanted = _parse_version(new.version)
    return next((one for one in versioned if one.version == wanted), None)


def _version(new: NewMigration, highest: _Existing | None, now: datetime) -> str:
    if new.version is not None:
        _parse_version(new.version)
        return new.version
    if highest is None and new.kind is MigrationKind.UNDO:
        raise errors.InvalidOption(
            "There is no versioned migration that could be undone.", hint="Add that one first, or give --version."
        )
    if highest is None:
        return _stamped(_FIRST_VERSION, now) if new.timestamp is Timestamp.ALWAYS else _FIRST_VERSION
    if new.kind is not MigrationKind.VERSIONED:
        return highest.version.raw
    return next_version(highest.version, timestamp=new.timestamp, now=now)


def _parse_version(text: str) -> MigrationVersion:
    try:
        return MigrationVersion(text)
    except ValueError as error:
        raise errors.InvalidOption(f"--version: {error}.", hint="Give a version such as 1.2.") from None


def next_version(highest: MigrationVersion, *, timestamp: Timestamp, now: datetime) -> str:
    """The text of the version after the highest one; ``now`` is in UTC."""
    stamp = _STAMP.search(highest.raw)
    if stamp and not stamp.start() and timestamp is not Timestamp.NEVER:
        return _next_stamp(stamp[0], now)
    found = _FIRST_PART.match(highest.raw)
    first = found[0] if found else _FIRST_VERSION
    raised = f"{int(first) + 1:0{len(first)}d}"
    if timestamp is Timestamp.ALWAYS or (timestamp is Timestamp.AUTO and stamp):
        return _stamped(raised, now)
    return raised


def _stamped(number: str, now: datetime) -> str:
    return f"{number}_{now.strftime(_STAMP_FORMAT)}"


def _next_stamp(highest: str, now: datetime) -> str:
    """A version that is only a stamp: now, or just after the highest one if that is not in the past."""
    stamp = now.strftime(_STAMP_FORMAT)
    if stamp > highest:
        return stamp
    try:
        moment = datetime.strptime(highest, _STAMP_FORMAT).replace(tzinfo=now.tzinfo)
    except ValueError:
        return str(int(highest) + 1)
    return (moment + timedelta(seconds=1)).strftime(_STAMP_FORMAT)


def _checked(name: str, new: NewMigration, naming: Naming) -> MigrationName:
    """What the commands will make of the name: it must be what was asked for."""
    unfit = _UNFIT.search(name)
    parsed = None if unfit else parse_filename(name, naming)
    if isinstance(parsed, MigrationName) and parsed.kind is new.kind:
        return parsed
    if new.kind is MigrationKind.REPEATABLE and not new.description:
        reason = "a repeatable migration needs a description"
    elif unfit:
        reason = f"the character {unfit[0]!r} cannot be in it"
    else:
        reason = f"'{name}' would not be the name of such a migration"
    raise errors.InvalidOption(
        f"The file cannot be created: {reason}.", hint="Give another description or version."
    )


def _refuse_taken_version(new: MigrationName, path: Path, existing: Iterable[_Existing]) -> None:
    for one in existing:
        is_same_place = one.name.kind is new.kind and (
            one.name.version == new.version if new.version else one.name.description == new.description
        )
        if is_same_place and Path(one.path) != path:
            raise errors.FileAlreadyExists(
                f"{one.path} has that {'version' if new.version else 'description'} already.",
                hint="Give another one with --version or --description.",
            )


def _create(path: Path, *, replace: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive: of two that are started at once, one is told.
        with path.open("w" if replace else "x", encoding="utf-8"):
            pass
    except FileExistsError:
        raise errors.FileAlreadyExists(
            f"{path} is there already.", hint="Give another name, or --force to replace it."
        ) from None
    except OSError as error:
        raise errors.InvalidOption(
            f"{path} cannot be written: {error.strerror}.", hint="Name another place, or mend its rights."
        ) from error


# --- a new project ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """What is asked for. ``source`` is a flyway.conf whose settings are taken over."""

    name: str | None = None
    file_name: str = FILE_NAME
    source: Path | None = None


def init_project(new: NewProject, *, directory: Path) -> InitResult:
    """Write the configuration file, and make the folder of scripts. What is there is never replaced.

    The file is read before it is written: one that the other commands would refuse is refused here.

    Raises:
        FileAlreadyExists: The configuration file is there.
        ConfigFileUnreadable: The file to convert cannot be read.
        ConfigError: It has a setting that does not exist, that cannot be had here, or that our file cannot say.
        InvalidOption: Another file than a ``taxiway.toml`` is asked for.
    """
    path = directory / new.file_name
    _refuse_other_files(path)
    name = new.name or directory.resolve().name
    project_id = str(uuid.uuid4())
    settings = _converted(new.source) if new.source else dict(_EXAMPLE)
    text = render_project(name, project_id, settings)
    parse_toml(text)
    _write_new(path, text)
    location = None if "flyway.locations" in settings else _make_folder(directory / "sql")
    return InitResult(path=str(path), project_id=project_id, location=location)


def _refuse_other_files(path: Path) -> None:
    """Under another name it would be read as a file of Flyway's, where ``[database]`` means nothing."""
    if path.name != FILE_NAME:
        raise errors.InvalidOption(
            f"{path.name} cannot be made: files of Flyway's are read here, and not written.",
            hint=f"Leave out --file-name, or name a {FILE_NAME}.",
        )


def _make_folder(path: Path) -> str:
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise errors.InvalidOption(
            f"The folder {path} cannot be made: {error.strerror}.",
            hint="Make a folder for the scripts, and name it in flyway.locations.",
        ) from error
    return str(path)


_EXAMPLE: Final[Mapping[str, object]] = {
    "database.host": "${env:DB_HOST}",
    "database.name": "${env:DB_NAME}",
    "database.user": "${env:DB_USER}",
    "database.password": "${env:DB_PASSWORD}",
}


def render_project(name: str, project_id: str, settings: Mapping[str, object]) -> str:
    """The text of ``taxiway.toml``: tables and keys in the order given."""
    lines = [f"# Project {' '.join(name.split())}, {project_id}", "# All settings: taxiway config"]
    for table in dict.fromkeys(path.partition(".")[0] for path in settings):
        lines += ["", f"[{table}]"]
        lines += [
            f"{path.partition('.')[2]} = {_quoted(value)}"
            for path, value in settings.items()
            if path.partition(".")[0] == table
        ]
    return "\n".join(lines) + "\n"


def _quoted(value: object) -> str:
    """As TOML has it, which is as JSON has it but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _converted(source: Path) -> dict[str, object]:
    """The settings of a flyway.conf by their places in our file. What has no meaning here is left out.

    Raises:
        ConfigFileUnreadable: It cannot be read.
        ConfigError: It has a setting that does not exist, cannot be had here, or has a wrong value.
    """
    text = _read_text(source)
    # Variables stand for themselves: what they are today does not belong into the new file.
    themselves = {name: f"${{{name}}}" for name in _CONF_VARIABLE.findall(text)}
    given = parse_conf(text, name=source.name, environ=themselves).layer().values()
    return {_place(one): _value(one, str(one.value)) for one in given}


def _place(given: Given) -> str:
    return f"{given.option.path}.{_quoted(given.entry)}" if given.entry else str(given.option.path)


def _value(given: Given, text: str) -> object:
    """As TOML has it. What is confidential cannot lie in a file of a repository: the environment will have it."""
    option = given.option
    if _is_confidential(given, text):
        only = _CONF_VARIABLE.fullmatch(text)
        return f"${{env:{only[1] if only and option.key != 'url' else _variable(given)}}}"
    if _CONF_VARIABLE.search(text):
        _refuse_unwritable(given, text)
        # A list too: what the variable holds may have commas.
        return _referring(text)
    value = convert(given, text)
    match option.kind:
        case Kind.BOOLEAN:
            return value
        case Kind.INTEGER:
            return int(text)
        case Kind.LIST:
            return [_literal(option, item.strip()) for item in text.split(",") if item.strip()]
        case _:
            return _literal(option, text)


def _is_confidential(given: Given, text: str) -> bool:
    return (
        given.option.kind is Kind.SECRET
        or is_confidential(given.entry)
        or (given.option.key == "url" and bool(passwords_in(text)))
    )


def _variable(given: Given) -> str:
    """The variable that sets it without any file; of an entry, the nearest name that a variable can have."""
    return f"{given.option.environment_variable}{_UNFIT_IN_VARIABLE.sub('_', given.entry.upper())}"


def _refuse_unwritable(given: Given, text: str) -> None:
    """Our file has no references in some settings, and none right behind a dollar sign."""
    if not given.option.resolved or _BEHIND_DOLLAR.search(text):
        raise errors.InvalidOption(
            f"{given.origin}: {FILE_NAME} cannot have a variable in this place.",
            hint="Write the value in the place of the variable, and run 'taxiway init' again.",
        )


def _referring(text: str) -> str:
    """The variables as references, and what only looks like one as it is."""
    end = 0
    parts: list[str] = []
    for found in _CONF_VARIABLE.finditer(text):
        parts += text[end : found.start()].replace("${", "$${"), f"${{env:{found[1]}}}"
        end = found.end()
    return "".join([*parts, text[end:].replace("${", "$${")])


def _literal(option: Option, text: str) -> str:
    return text.replace("${", "$${") if option.resolved else text


def _read_text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise errors.ConfigFileUnreadable(
            f"{source} cannot be read: {reason}.", hint="Name a flyway.conf with --from."
        ) from error


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise errors.FileAlreadyExists(
            f"{path} is there already.", hint="Edit it, or start in another folder."
        ) from None
    except OSError as error:
        raise errors.InvalidOption(
            f"{path} cannot be written: {error.strerror}.", hint="Name another place, or mend its rights."
        ) from error
