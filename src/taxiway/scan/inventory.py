"""What the files are, by their names: migrations, callbacks, script configuration. No file is read here.

Terminology:

found
    A file whose name is understood, with that name.
program
    A script in another language than SQL. Programs run only where that is asked for (``scriptMigrations``), which
    is not so in Flyway: whoever may add a file could otherwise run anything where the migrations run.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from taxiway import errors
from taxiway.model.callback import CallbackEvent
from taxiway.model.rules import Naming
from taxiway.model.settings import MigrationSettings
from taxiway.model.source import SourceFile
from taxiway.scan.filename import (
    CallbackName,
    InvalidName,
    MigrationName,
    ParsedName,
    parse_filename,
    parse_program_name,
)

_CONFIGURATION_SUFFIX: Final = ".conf"
_EVENT_ORDER: Final = {event: index for index, event in enumerate(CallbackEvent)}


class Found[Name: MigrationName | CallbackName](NamedTuple):
    """A script and its name. ``extension`` is a program's, in small letters; ``None`` for SQL."""

    file: SourceFile
    name: Name
    extension: str | None = None


class Configurations:
    """The script configuration files of a set of files."""

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self._by_script: dict[str, list[SourceFile]] = {}
        for file in files:
            self._by_script.setdefault(_without_suffix(file.script).lower(), []).append(file)

    def find(self, script: SourceFile) -> SourceFile | None:
        """The file beside the script, in any case; else the last one at the same place below another location.

        Flyway 13 always takes the last one, also where there is one beside the script.
        """
        candidates = self._by_script.get(script.script.lower(), [])
        beside = (file for file in candidates if _without_suffix(file.path).lower() == script.path.lower())
        return next(beside, candidates[-1] if candidates else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The scripts that count.

    Attributes:
        callbacks: By event, then by description, none first.
        invalid_names: Path and reason of each SQL file whose name is not understood.
        warnings: What else a person should look at.
    """

    migrations: tuple[Found[MigrationName], ...] = ()
    callbacks: tuple[Found[CallbackName], ...] = ()
    configurations: Configurations = field(default_factory=lambda: Configurations(()))
    invalid_names: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def has_programs(self) -> bool:
        """Some script is no SQL."""
        return any(one.extension is not None for one in self.migrations) or any(
            one.extension is not None for one in self.callbacks
        )


def take_inventory(
    files: Iterable[SourceFile], settings: MigrationSettings, *, callback_files: Iterable[SourceFile] | None = None
) -> Inventory:
    """Sort out the files of the locations, and those of ``callbackLocations`` where these are set.

    With ``callback_files``, only ``beforeConnect`` is looked for among ``files`` (Flyway 13). Files that are none
    of our business are passed over.

    Raises:
        InvalidMigrationName: With ``validate_migration_naming``, some SQL file is neither migration nor callback,
            or its path is no text.
        ScriptMigrationsDisabled: There are programs, and ``script_migrations`` is not set.
        DuplicateCallback: Two SQL files are for one event, with the same description.
    """
    sorted_out = _sort_out(files, settings.naming)
    if settings.validate_migration_naming and sorted_out.invalid_names:
        raise errors.InvalidMigrationName(sorted_out.invalid_names)
    elsewhere = None if callback_files is None else _sort_out(callback_files, settings.naming)
    callbacks = sorted(_callbacks(sorted_out, elsewhere), key=_callback_order)
    _refuse_programs([*sorted_out.migrations, *callbacks], settings)
    _refuse_duplicate_callbacks(callbacks)
    both = [sorted_out, elsewhere] if elsewhere else [sorted_out]
    return Inventory(
        migrations=tuple(sorted_out.migrations),
        callbacks=tuple(one for one in callbacks if _can_run(one, settings)),
        configurations=Configurations(file for one in both for file in one.configurations),
        invalid_names=tuple(sorted_out.invalid_names),
        warnings=tuple(warning for one in both for warning in _warnings(one, settings.naming)),
    )


def printable(path: str) -> str:
    """The path, with the bytes that the file system could not decode (lone surrogates) shown as escapes."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(slots=True)
class _Sorted:
    """The files of one search."""

    migrations: list[Found[MigrationName]] = field(default_factory=list)
    callbacks: list[Found[CallbackName]] = field(default_factory=list)
    configurations: list[SourceFile] = field(default_factory=list)
    invalid_names: list[tuple[str, str]] = field(default_factory=list)

    def add(self, file: SourceFile, name: ParsedName, extension: str | None) -> None:
        match name:
            case MigrationName():
                self.migrations.append(Found(file, name, extension))
            case CallbackName():
                self.callbacks.append(Found(file, name, extension))
            case InvalidName(reason):
                self.invalid_names.append((printable(file.path), reason))


def _sort_out(files: Iterable[SourceFile], naming: Naming) -> _Sorted:
    sorted_out = _Sorted()
    for file in files:
        if name := parse_filename(file.name, naming):
            sorted_out.add(file, _as_text(file, name), None)
        elif file.name.lower().endswith(_CONFIGURATION_SUFFIX):
            sorted_out.configurations.append(file)
        elif program := parse_program_name(file.name, naming):
            sorted_out.add(file, _as_text(file, program.name), program.extension)
    return sorted_out


def _as_text(file: SourceFile, name: ParsedName) -> ParsedName:
    """The name, if the whole path is text, which the history is to hold."""
    if printable(file.script) == file.script:
        return name
    return InvalidName("its path has bytes that are not text in UTF-8, shown escaped here")


def _callbacks(in_locations: _Sorted, elsewhere: _Sorted | None) -> list[Found[CallbackName]]:
    if elsewhere is None:
        return in_locations.callbacks
    before_connect = [one for one in in_locations.callbacks if one.name.event is CallbackEvent.BEFORE_CONNECT]
    others = [one for one in elsewhere.callbacks if one.name.event is not CallbackEvent.BEFORE_CONNECT]
    return before_connect + others


def _callback_order(found: Found[CallbackName]) -> tuple[int, bytes]:
    # Java compares texts by their UTF-16 code units.
    return _EVENT_ORDER[found.name.event], found.name.description.encode("utf-16-be", "surrogatepass")


def _can_run(found: Found[CallbackName], settings: MigrationSettings) -> bool:
    """There is no connection yet for the SQL of ``beforeConnect``; ``skipDefaultCallbacks`` is about SQL alone."""
    is_sql = found.extension is None
    return not is_sql or not (settings.skip_default_callbacks or found.name.event is CallbackEvent.BEFORE_CONNECT)


def _refuse_programs(
    found: Sequence[Found[MigrationName] | Found[CallbackName]], settings: MigrationSettings
) -> None:
    programs = [printable(one.file.path) for one in found if one.extension is not None]
    if programs and not settings.script_migrations:
        raise errors.ScriptMigrationsDisabled(programs)


def _refuse_duplicate_callbacks(callbacks: Sequence[Found[CallbackName]]) -> None:
    for first, second in pairwise(one for one in callbacks if one.extension is None):
        if first.name == second.name:
            raise errors.DuplicateCallback(
                f"this callback is for {second.name.event.value} with the description "
                f"'{second.name.description}', and so is {first.file.path}.",
                path=second.file.path,
                hint=f"Give one of the two files another description ({second.name.event.value}__name.sql), "
                "or delete it.",
            )


def _warnings(sorted_out: _Sorted, naming: Naming) -> Iterator[str]:
    for one in sorted_out.callbacks:
        if one.name.event is CallbackEvent.BEFORE_CONNECT and one.extension is None:
            yield f"{one.file.path} never runs: before there is a connection, only programs can."
    scripts = {one.file.script.lower() for one in sorted_out.migrations}
    scripts |= {one.file.script.lower() for one in sorted_out.callbacks}
    for file in sorted_out.configurations:
        is_claimed = _without_suffix(file.script).lower() in scripts
        if not is_claimed and _names_a_script(_without_suffix(file.name), naming):
            yield f"{printable(file.path)} has no effect: the script that it configures is not there."


def _without_suffix(path: str) -> str:
    """The script that a configuration file is for."""
    return path[: -len(_CONFIGURATION_SUFFIX)]


def _names_a_script(name: str, naming: Naming) -> bool:
    return isinstance(parse_filename(name, naming), MigrationName | CallbackName) or (
        parse_program_name(name, naming) is not None
    )
