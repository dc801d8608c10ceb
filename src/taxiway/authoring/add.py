"""The script of the next migration: its name, and an empty file.

Terminology:

stamp
    A part of a version that is a moment in UTC, ``yyyyMMddHHmmss``. It keeps the versions of branches apart.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from taxiway import errors
from taxiway.model.location import Location
from taxiway.model.migration import MigrationKind
from taxiway.model.result import AddResult
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
            hint="Name a folder as location (--location), or set locations to one.",
        )
    return base / location.path


def _parse_location(text: str) -> Location:
    try:
        return Location.parse(text)
    except ValueError as error:
        raise errors.InvalidOption(f"location: {error}.", hint="Name a folder, such as 'sql'.") from None


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
            "There is no versioned migration that could be undone.",
            hint="Add that one first, or give a version (--version).",
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
        raise errors.InvalidOption(f"version: {error}.", hint="Give a version such as 1.2.") from None


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
                hint="Give another version (--version) or description (--description).",
            )


def _create(path: Path, *, replace: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Exclusive: of two that are started at once, one is told.
        with path.open("w" if replace else "x", encoding="utf-8"):
            pass
    except FileExistsError:
        raise errors.FileAlreadyExists(
            f"{path} is there already.",
            hint="Give another version or description, or replace the file by force (--force).",
        ) from None
    except OSError as error:
        raise errors.InvalidOption(
            f"{path} cannot be written: {error.strerror}.", hint="Name another place, or mend its rights."
        ) from error
