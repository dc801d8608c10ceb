"""From the files of the locations to resolved migrations: names, checksums, duplicates, order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

from taxiway import errors
from taxiway.model.migration import MigrationKind, MigrationType, ResolvedMigration
from taxiway.model.rules import Naming, Placeholders
from taxiway.model.source import SourceFile
from taxiway.scan.checksum import checksum, decode, without_bom
from taxiway.scan.filename import CallbackName, InvalidName, MigrationName, ParsedName, parse_filename
from taxiway.sql.placeholders import replace

_TYPES: Final = {
    MigrationKind.VERSIONED: MigrationType.SQL,
    MigrationKind.REPEATABLE: MigrationType.SQL,
    MigrationKind.BASELINE: MigrationType.SQL_BASELINE,
    MigrationKind.UNDO: MigrationType.UNDO_SQL,
}


# The ending of a file that configures the script beside it (Flyway 13).
_SCRIPT_CONFIGURATION: Final = ".conf"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The migrations in the order in which Flyway lists files, and the files that are none.

    Attributes:
        invalid_names: Path and reason of each SQL file whose name is not understood.
        passed_over: Paths of files that mean something to Flyway and nothing to us: callbacks, ``.conf`` files.
    """

    migrations: tuple[ResolvedMigration, ...]
    invalid_names: tuple[tuple[str, str], ...] = ()
    passed_over: tuple[str, ...] = ()


def resolve(
    files: Iterable[SourceFile],
    *,
    naming: Naming,
    placeholders: Placeholders,
    encoding: str,
    validate_naming: bool,
) -> Resolution:
    """Find the migrations among the files. Their texts are not kept; a pending one is read again when it is run.

    Identical files at the same relative path, below two locations, are one migration (Flyway 13,
    ``CompositeMigrationResolver``). Files without an SQL suffix are passed over.

    Raises:
        InvalidMigrationName: ``validate_naming`` is set, and some SQL file is neither migration nor callback, or
            its path is no text.
        DuplicateMigration: Two files of one kind have the same version or, repeatable, the same description.
        UnreadableScript: A file cannot be read, or is not text in ``encoding``.
        UnknownPlaceholder: A repeatable migration uses one; its checksum is made of the replaced text.
    """
    named, invalid, passed_over = _sort_out(files, naming)
    if validate_naming and invalid:
        raise errors.InvalidMigrationName(invalid)
    found = [_resolved(file, name, placeholders, encoding) for file, name in named]
    migrations = sorted(_without_copies(found), key=lambda migration: migration.sort_key)
    _refuse_duplicates(migrations)
    return Resolution(tuple(migrations), tuple(invalid), tuple(passed_over))


def _sort_out(
    files: Iterable[SourceFile], naming: Naming
) -> tuple[list[tuple[SourceFile, MigrationName]], list[tuple[str, str]], list[str]]:
    named: list[tuple[SourceFile, MigrationName]] = []
    invalid: list[tuple[str, str]] = []
    passed_over: list[str] = []
    for file in files:
        match _parse_path(file, naming):
            case MigrationName() as name:
                named.append((file, name))
            case CallbackName():
                passed_over.append(_printable(file.path))
            case InvalidName(reason):
                invalid.append((_printable(file.path), reason))
            case None if _configures_a_script(file.name, naming):
                passed_over.append(_printable(file.path))
    return named, invalid, passed_over


def _parse_path(file: SourceFile, naming: Naming) -> ParsedName | None:
    """What a file is by its name. The history holds its path, so that has to be text."""
    name = parse_filename(file.name, naming)
    if name is not None and _printable(file.script) != file.script:
        return InvalidName("its path has bytes that are not text in UTF-8, shown escaped here")
    return name


def _printable(path: str) -> str:
    """The path, with the bytes that the file system could not decode (lone surrogates) shown as escapes."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _configures_a_script(name: str, naming: Naming) -> bool:
    script = name.removesuffix(_SCRIPT_CONFIGURATION)
    return script != name and isinstance(parse_filename(script, naming), MigrationName | CallbackName)


def _resolved(
    file: SourceFile, name: MigrationName, placeholders: Placeholders, encoding: str
) -> ResolvedMigration:
    text = _decoded(file, encoding)
    raw_checksum = checksum(text)
    repeatable = name.kind is MigrationKind.REPEATABLE
    # A changed value has to run a repeatable migration again. The raw number is what a history has that was
    # written without replacement.
    if repeatable and placeholders.enabled:
        number = checksum(replace(text, placeholders, path=file.path, filename=file.name).text)
    else:
        number = raw_checksum
    return ResolvedMigration(
        kind=name.kind,
        type=_TYPES[name.kind],
        version=name.version,
        description=name.description,
        script=file.script,
        path=file.path,
        checksum=number,
        equivalent_checksum=raw_checksum if repeatable else None,
        read=partial(_read_again, file, encoding, raw_checksum),
    )


def _read_again(file: SourceFile, encoding: str, expected_checksum: int) -> str:
    """The text of the script, if it is still the one that was looked at: the history will have that checksum."""
    text = _decoded(file, encoding)
    if checksum(text) != expected_checksum:
        raise errors.UnreadableScript(
            "the file has changed while this run was waiting or at work.",
            path=file.path,
            hint="Run again when nobody changes the scripts.",
        )
    return without_bom(text)


def _decoded(file: SourceFile, encoding: str) -> str:
    try:
        data = file.read()
    except OSError as error:
        raise errors.UnreadableScript(
            f"the file cannot be read: {error.strerror or error}.",
            path=file.path,
            hint="Make the file readable for the user that runs Taxiway.",
        ) from error
    return decode(data, encoding, path=file.path)


def _without_copies(migrations: Iterable[ResolvedMigration]) -> Iterable[ResolvedMigration]:
    """The first of each group that differs in nothing but the location."""
    unique: dict[object, ResolvedMigration] = {}
    for one in migrations:
        # Version and description follow from the script's name, the type from the kind.
        unique.setdefault((one.script, one.checksum, one.equivalent_checksum), one)
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
        path=second.path,
        hint=f"Give one of the two files another {remedy}, or delete it.",
    )
