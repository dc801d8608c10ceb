"""Makes settings of the command line, the environment, ``taxiway.toml`` and the files of Flyway."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from taxiway import errors
from taxiway.config.arguments import read_command_line
from taxiway.config.confidential import is_confidential
from taxiway.config.files import FILE_NAME, FileReader, FlywayFiles, NamedFile, find_flyway_files
from taxiway.config.merge import Loaded, convert, merge, only
from taxiway.config.option import Group
from taxiway.config.precedence import choose, find_layers, pass_over_parts
from taxiway.config.template import Reference, ReferenceReader, SecretReader, Template
from taxiway.config.variables import read_variables, without_dotted
from taxiway.secret import Secret, reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from taxiway.config.layers import Given, Layer, Place, Raw
    from taxiway.config.roles import DeclaredRole


def load(
    arguments: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    directory: Path,
    secret: SecretReader,
    file: Path | None = None,
    inside: Path | None = None,
    home: Path | None = None,
    read_stdin: Callable[[], str] | None = None,
    groups: Collection[Group] = tuple(Group),
) -> Loaded:
    """Settings from the command line, the environment, ``taxiway.toml``, the files of Flyway and the defaults.

    Without ``file`` our own file is ``taxiway.toml`` in ``directory``, if there is one. It wins over those of
    Flyway, which are found as Flyway finds them, in ``home`` if that is given (:mod:`taxiway.config.files`).
    Parent folders are not searched. ``inside`` is the clone that the files belong to, when they belong to one:
    nothing outside of it is read, and what a repository must not decide is passed over. Options of other
    ``groups`` than those keep their defaults: a command that needs no database must not need its secrets either.

    Raises:
        ConfigError: A file, a variable or an argument cannot be used.
        TaxiwayError: Whatever ``secret`` raises.
    """
    upper = (read_command_line(arguments), read_variables(environ))
    reader = FileReader(
        directory=directory,
        environ=environ,
        home=home,
        inside=inside,
        encoding=_first_text("configFileEncoding", upper) or "UTF-8",
        read_stdin=read_stdin,
    )
    sources = _find_sources(reader, *upper, file)
    read = _reference_reader(environ, secret)
    layers = find_layers(sources.places, *_environment(sources.places, read))
    kept, passed_over = pass_over_parts(layers, weaker=sources.of_the_project)
    beaten = _beaten(upper[0], only(groups, layers[0]))
    warnings = (*sources.warnings, *beaten, *(passed_over if Group.DATABASE in groups else ()))
    roles = tuple(role for place in sources.places for role in place.roles)
    merged = merge(kept, read=read, groups=groups)
    return replace(
        merged,
        effective=(*merged.effective, *(line for role in roles for line in role.effective())),
        files=sources.files,
        warnings=warnings,
        read_roles=lambda: tuple(role.resolve(read) for role in roles),
    )


def choose_values(
    *, environ: Mapping[str, str], directory: Path, file: Path | None, environment: str | None
) -> tuple[tuple[Given, ...], tuple[DeclaredRole, ...]]:
    """The values that win, and the declared roles, with nothing looked up in them.

    ``environment`` is that of the call; without it, the one that the configuration names.

    Raises:
        ConfigError: A file or a variable cannot be used, or there is no such environment.
    """

    def refuse_secret(secret_id: str, _key: str | None) -> str:
        raise errors.InvalidOption(
            f"The secret '{secret_id}' chooses the environment, and is not read here.",
            hint="Name the environment with --env.",
        )

    reader = FileReader(directory=directory, environ=environ)
    sources = _find_sources(reader, read_command_line({}), read_variables(environ), file)
    # That of the call may be there for the tables of those who work with AWS only.
    known = {name for place in sources.places for name in place.environments}
    wanted = (environment if environment in known else "default", "--env") if environment else None
    layers = find_layers(
        sources.places, *(wanted or _environment(sources.places, _reference_reader(environ, refuse_secret)))
    )
    kept, _ = pass_over_parts(layers, weaker=sources.of_the_project)
    return choose(kept), tuple(role for place in sources.places for role in place.roles)


class _Sources(NamedTuple):
    """All places, the highest first, the files among them, the lowest first, and what is odd about them.

    ``of_the_project`` is what is said by ``taxiway.toml``, and in a clone by any file.
    """

    places: tuple[Place, ...]
    of_the_project: tuple[Given, ...]
    files: tuple[Path, ...]
    warnings: tuple[str, ...]


def _find_sources(reader: FileReader, arguments: Place, variables: Place, file: Path | None) -> _Sources:
    ours = _find_ours(file, reader.directory)
    flyways = _find_flyways(reader, arguments, variables)
    variables = variables if flyways.is_toml else without_dotted(variables)
    our_places = tuple(map(reader.read_taxiway, ours))
    flyway_places = tuple(reversed([*map(reader.read_flyway, flyways.paths)]))
    places = (arguments, variables, *our_places, *flyway_places)
    of_the_project = (*our_places, *(flyway_places if reader.inside else ()))
    return _Sources(
        places=places,
        of_the_project=tuple(given for place in of_the_project for given in place.given),
        files=(*flyways.paths, *ours),
        warnings=(*flyways.warnings, *(warning for place in places for warning in place.warnings)),
    )


def _beaten(arguments: Place, overrides: Layer) -> Iterator[str]:
    """Nobody expects that a file beats the command line, as overrides of an environment do (Flyway 13)."""
    for key, given in arguments.layer().items():
        if winner := overrides.get(key):
            yield f"{given.origin} has no effect: {winner.origin} wins."


def _find_ours(file: Path | None, directory: Path) -> tuple[Path, ...]:
    path = file or directory / FILE_NAME
    # A dangling link is there: reading it fails, which is better than to go on without the settings.
    return (path,) if file is not None or os.path.lexists(path) else ()


def _find_flyways(reader: FileReader, arguments: Place, variables: Place) -> FlywayFiles:
    return find_flyway_files(
        reader,
        working_directory=_first_text("workingDirectory", (arguments, variables)),
        by_variable=_named_files(reader, variables),
        by_argument=_named_files(reader, arguments),
    )


def _first_text(key: str, places: Sequence[Place]) -> str | None:
    """A text that tells which files are read, checked before any is."""
    found = (place.layer().get(key.lower()) for place in places)
    return next((str(convert(given, _plain(given.value))) for given in found if given), None)


def _named_files(reader: FileReader, place: Place) -> tuple[NamedFile, ...]:
    given = place.layer().get("configfiles")
    names = convert(given, _plain(given.value)) if given else ()
    if not given or not isinstance(names, tuple):
        return ()
    return tuple(NamedFile(reader.directory / name, given.origin) for name in names)


def _plain(value: Raw) -> str | Secret | tuple[str, ...]:
    """Arguments and variables have no references."""
    match value:
        case Template() as template:
            return template.form
        case tuple() as items:
            return tuple(item.form if isinstance(item, Template) else item for item in items)
    return value


def _environment(places: Sequence[Place], read: ReferenceReader) -> tuple[str, str]:
    """The environment that the highest place names, and where; no environment may name another."""
    for place in places:
        if given := place.layer().get("environment"):
            value = given.value
            text = value.fill(read, given.origin) if isinstance(value, Template) else value
            if not isinstance(text, str | Secret):
                text = ""
            return str(convert(given, Secret(reveal(text)) if _is_confidential(given) else text)), given.origin
    return "default", "default"


def _is_confidential(given: Given) -> bool:
    """It comes from a variable whose name speaks of a secret."""
    references = given.value.references if isinstance(given.value, Template) else ()
    return bool(given.confidential) or any(
        reference.resolver == "env" and is_confidential(reference.name) for reference in references
    )


def _reference_reader(environ: Mapping[str, str], secret: SecretReader) -> ReferenceReader:
    def read(reference: Reference, origin: str) -> str | Secret:
        if reference.resolver == "secret":
            return secret(reference.name, reference.key)
        if reference.resolver == "placeholder":
            # Those of the settings are found by the merge, which comes after the choice of the environment.
            raise errors.InvalidOption(
                f"{origin}: a placeholder cannot choose the environment.",
                hint="Write the name of the environment, or ${env:NAME}.",
            )
        if reference.name in environ:
            return environ[reference.name]
        raise errors.VariableNotSet(
            f"{origin}: the environment variable {reference.name} is not set.",
            hint=f"Set {reference.name} in the environment of this command, or change the value in the file.",
        )

    return read
