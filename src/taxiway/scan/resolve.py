"""From the scripts that count to migrations and callbacks: configuration, checksums, duplicates, order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from typing import Final, NamedTuple

from taxiway import errors
from taxiway.model.callback import Callback, CallbackEvent
from taxiway.model.migration import (
    MigrationKind,
    MigrationType,
    Program,
    ResolvedMigration,
    ScriptConfiguration,
)
from taxiway.model.rules import Placeholders
from taxiway.model.settings import MigrationSettings
from taxiway.model.source import SourceFile
from taxiway.scan.checksum import Checksum, checksum, without_bom
from taxiway.scan.encoding import decode_chunks, encode_chunks
from taxiway.scan.filename import CallbackName, MigrationName
from taxiway.scan.inventory import Found, Inventory, printable

_SQL_TYPES: Final = {
    MigrationKind.VERSIONED: MigrationType.SQL,
    MigrationKind.REPEATABLE: MigrationType.SQL,
    MigrationKind.BASELINE: MigrationType.SQL_BASELINE,
    MigrationKind.UNDO: MigrationType.UNDO_SQL,
}
# Flyway 13 has no type of its own for a baseline migration that is a program.
_PROGRAM_TYPES: Final = {
    **dict.fromkeys(MigrationKind, MigrationType.SCRIPT),
    MigrationKind.BASELINE: MigrationType.SQL_BASELINE,
}

# What runs a file, by its extension (Flyway 13); a file without one is run itself.
_COMMANDS: Final = {
    ".cmd": ("cmd", "/c"),
    ".bat": ("cmd", "/c"),
    ".py": ("python",),
    ".sh": ("sh",),
    ".bash": ("bash",),
}
_POWERSHELL: Final = "pwsh"


@dataclass(frozen=True)
class Resolution:
    """Callbacks by event and description, and migrations, which are read when they are asked for.

    ``callbacks`` has neither those of ``beforeConnect``, which is over when this is known, nor those whose
    configuration says that they are not to run.
    """

    callbacks: tuple[Callback, ...]
    read_migrations: Callable[[], tuple[ResolvedMigration, ...]] = field(repr=False)

    @cached_property
    def migrations(self) -> tuple[ResolvedMigration, ...]:
        """In the order in which Flyway lists files.

        Raises:
            DuplicateMigration: Two files of one kind have the same version or, repeatable, the same description.
            InvalidScriptConfiguration: The ``.conf`` file beside a script is not in order.
            UnreadableScript: A file cannot be read, or is not text in its encoding.
            UnknownPlaceholder: A repeatable migration or a ``.conf`` file uses one.
        """
        return self.read_migrations()


def resolve(
    inventory: Inventory,
    settings: MigrationSettings,
    *,
    placeholders: Placeholders,
    environment: Mapping[str, str],
) -> Resolution:
    """Find the callbacks, and say how to read the migrations: commands such as ``clean`` need none (Flyway 13).

    The texts of migrations are not kept; a pending one is read again when it is run. Identical files at the same
    relative path, below two locations, are one migration (Flyway 13, ``CompositeMigrationResolver``). Callbacks
    are not read before they run. ``environment`` has the variables that script configuration may use.

    Raises:
        InvalidScriptConfiguration, UnknownPlaceholder: The ``.conf`` file beside a callback is not in order.
    """
    scripts = _Scripts(inventory, settings, placeholders, environment)
    callbacks = scripts.callbacks(one for one in inventory.callbacks if not _is_before_connect(one))
    return Resolution(callbacks, scripts.migrations)


def before_connect_callbacks(
    inventory: Inventory,
    settings: MigrationSettings,
    *,
    placeholders: Placeholders,
    environment: Mapping[str, str],
) -> tuple[Callback, ...]:
    """The programs to run before there is a connection.

    Raises:
        InvalidScriptConfiguration, UnknownPlaceholder: The ``.conf`` file beside one is not in order.
    """
    scripts = _Scripts(inventory, settings, placeholders, environment)
    return scripts.callbacks(one for one in inventory.callbacks if _is_before_connect(one))


def _is_before_connect(found: Found[CallbackName]) -> bool:
    return found.name.event is CallbackEvent.BEFORE_CONNECT


class _Scripts(NamedTuple):
    """Reads scripts, by the rules of one project."""

    inventory: Inventory
    settings: MigrationSettings
    placeholders: Placeholders
    environment: Mapping[str, str]

    def migrations(self) -> tuple[ResolvedMigration, ...]:
        """All of them, in order."""
        found = map(self._migration, self.inventory.migrations)
        migrations = sorted(_without_copies(found), key=lambda migration: migration.sort_key)
        _refuse_duplicates(migrations)
        return tuple(migrations)

    def _migration(self, found: Found[MigrationName]) -> ResolvedMigration:
        file, name = found.file, found.name
        configuration = self._configuration(file)
        own, equivalent = self._checksums(found, configuration)
        types = _SQL_TYPES if found.extension is None else _PROGRAM_TYPES
        return ResolvedMigration(
            kind=name.kind,
            type=types[name.kind],
            version=name.version,
            description=name.description,
            script=file.script,
            path=file.path,
            checksum=own,
            equivalent_checksum=equivalent,
            configuration=configuration,
            program=self._program(found),
            look=partial(self._read, file, configuration),
            read=partial(self._read_again, file, configuration, own if equivalent is None else equivalent),
        )

    def _checksums(
        self, found: Found[MigrationName], configuration: ScriptConfiguration
    ) -> tuple[int, int | None]:
        """The checksum, and the equivalent one if there is another.

        A changed value has to run a repeatable migration again. The raw number is what a history has that was
        written without replacement.
        """
        raw = Checksum()
        if found.name.kind is not MigrationKind.REPEATABLE:
            for chunk in self._decoding(encode_chunks, found.file, configuration):
                raw.add_encoded(chunk)
            return raw.number, None
        chunks = self._chunks(found.file, configuration)
        return checksum(self._replaced(_passing(chunks, raw), found, configuration)), raw.number

    def callbacks(self, found: Iterable[Found[CallbackName]]) -> tuple[Callback, ...]:
        callbacks = map(self._callback, found)
        return tuple(one for one in callbacks if one.configuration.should_execute)

    def _callback(self, found: Found[CallbackName]) -> Callback:
        file = found.file
        configuration = self._configuration(file)
        return Callback(
            event=found.name.event,
            description=found.name.description,
            script=file.script,
            path=file.path,
            configuration=configuration,
            program=self._program(found),
            read=partial(self._read, file, configuration),
        )

    def _configuration(self, file: SourceFile) -> ScriptConfiguration:
        found = self.inventory.configurations.find(file)
        if found is None:
            return ScriptConfiguration()
        from taxiway.scan.script_config import parse_script_configuration

        return parse_script_configuration(
            "".join(self._chunks(found, ScriptConfiguration())),
            placeholders=self.placeholders,
            environment=self.environment,
            path=printable(found.path),
            filename=file.name,
        )

    def _program(self, found: Found[MigrationName] | Found[CallbackName]) -> Program | None:
        if found.extension is None:
            return None
        if found.extension == ".ps1":
            return Program((self.settings.powershell_executable or _POWERSHELL, "-File"), found.file.file)
        return Program(_COMMANDS.get(found.extension, ()), found.file.file)

    def _replaced(
        self, chunks: Iterable[str], found: Found[MigrationName], configuration: ScriptConfiguration
    ) -> Iterator[str]:
        """The text with the values that it will run with; a program finds them in variables of its environment."""
        placeholders = self.placeholders if found.extension is None else _as_variables(self.placeholders)
        if configuration.placeholder_replacement is not None:
            placeholders = placeholders._replace(enabled=configuration.placeholder_replacement)
        from taxiway.sql.pieces import cut_between_placeholders
        from taxiway.sql.placeholders import replace as replace_placeholders

        file = found.file
        for piece, start in cut_between_placeholders(chunks, placeholders):
            yield replace_placeholders(piece, placeholders, path=file.path, filename=file.name, start=start).text

    def _read_again(
        self, file: SourceFile, configuration: ScriptConfiguration, expected_checksum: int
    ) -> Iterator[str]:
        """The text of the script, if it is still what was looked at: the history will have that checksum."""
        seen = Checksum()
        yield from _without_bom(_passing(self._chunks(file, configuration), seen))
        if seen.number != expected_checksum:
            raise errors.UnreadableScript(
                "the file has changed while this run was waiting or at work.",
                path=file.path,
                hint="Run again when nobody changes the scripts.",
            )

    def _read(self, file: SourceFile, configuration: ScriptConfiguration) -> Iterator[str]:
        return _without_bom(self._chunks(file, configuration))

    def _chunks(self, file: SourceFile, configuration: ScriptConfiguration) -> Iterator[str]:
        return self._decoding(decode_chunks, file, configuration)

    def _decoding[T](
        self, decoded: Callable[..., Iterator[T]], file: SourceFile, configuration: ScriptConfiguration
    ) -> Iterator[T]:
        """The decoded content. An encoding of its own switches detection off (Flyway 13)."""
        encoding = configuration.encoding or self.settings.encoding
        detect = self.settings.detect_encoding and configuration.encoding is None
        return decoded(partial(_content, file), encoding, path=printable(file.path), detect=detect)


def _passing(chunks: Iterable[str], seen: Checksum) -> Iterator[str]:
    """The same chunks, taken into account as they pass by."""
    for chunk in chunks:
        seen.add(chunk)
        yield chunk


def _without_bom(chunks: Iterator[str]) -> Iterator[str]:
    yield without_bom(next(chunks, ""))
    yield from chunks


def _content(file: SourceFile) -> Iterator[bytes]:
    try:
        yield from file.chunks()
    except OSError as error:
        raise errors.UnreadableScript(
            f"the file cannot be read: {error.strerror or error}.",
            path=printable(file.path),
            hint="Make the file readable for the user that runs Taxiway.",
        ) from error


def _as_variables(placeholders: Placeholders) -> Placeholders:
    """The placeholders as programs know them: ``${flyway:table}`` is ``FP__flyway_table__`` there (Flyway 13)."""
    return placeholders._replace(
        values={name.replace(":", "_"): value for name, value in placeholders.values.items()},
        built_in={name.replace(":", "_"): value for name, value in placeholders.built_in.items()},
        prefix=placeholders.script_prefix,
        suffix=placeholders.script_suffix,
        separator="_",
    )


def _without_copies(migrations: Iterable[ResolvedMigration]) -> Iterable[ResolvedMigration]:
    """The first of each group that differs in nothing but the location."""
    unique: dict[object, ResolvedMigration] = {}
    for one in migrations:
        # Version, description and type follow from the script's name.
        unique.setdefault((one.script, one.checksum, one.equivalent_checksum, one.configuration), one)
    return unique.values()


def _refuse_duplicates(migrations: Sequence[ResolvedMigration]) -> None:
    for first, second in pairwise(migrations):
        # Equal keys are neighbours, and only migrations of one kind have equal keys: V3 and B3 get along.
        if first.sort_key == second.sort_key:
            raise _duplicate(first, second)


def _duplicate(first: ResolvedMigration, second: ResolvedMigration) -> errors.DuplicateMigration:
    kind = second.kind.value.lower()
    if second.version is None:
        claim, remedy = f"the description '{second.description}'", "description"
    else:
        claim, remedy = f"the version {second.version}", "version"
    return errors.DuplicateMigration(
        f"this {kind} migration has {claim}, which {first.path} has already.",
        kind=second.kind,
        path=second.path,
        hint=f"Give one of the two files another {remedy}, or delete it.",
    )
