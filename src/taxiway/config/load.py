"""Makes settings of the command line, the environment, ``taxiway.toml`` and the files of Flyway."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from taxiway import errors
from taxiway.config.arguments import read_arguments
from taxiway.config.files import FILE_NAME, FileReader, FlywayFiles, find_flyway_files
from taxiway.config.layers import Layer, Place, Raw
from taxiway.config.merge import Loaded, convert, merge
from taxiway.config.option import Group
from taxiway.config.precedence import find_layers
from taxiway.config.resolvers import Reference, ReferenceReader, SecretReader, Template
from taxiway.config.variables import read_variables
from taxiway.secret import Secret


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
    nothing outside of it is read. Options of other ``groups`` than those keep their defaults: a command that needs
    no database must not need its secrets either.

    Raises:
        ConfigError: A file, a variable or an argument cannot be used.
        TaxiwayError: Whatever ``secret`` raises.
    """
    upper = (read_arguments(arguments), read_variables(environ))
    reader = FileReader(
        directory=directory,
        environ=environ,
        home=home,
        inside=inside,
        encoding=_first_text("configFileEncoding", upper) or "UTF-8",
        read_stdin=read_stdin,
    )
    ours = _find_ours(file, directory)
    flyways = _find_flyways(reader, *upper)
    places = (*upper, *map(reader.read_taxiway, ours), *reversed([*map(reader.read_flyway, flyways.paths)]))
    read = _reference_reader(environ, secret)
    layers = [_only(groups, layer) for layer in find_layers(places, _environment(places, read))]
    warnings = (*(warning for place in places for warning in place.warnings), *_beaten(upper[0], layers[0]))
    return replace(
        merge(layers, read=read), files=(*flyways.paths, *ours), warnings=(*flyways.warnings, *warnings)
    )


def _beaten(arguments: Place, overrides: Layer) -> Iterator[str]:
    """Nobody expects that a file beats the command line, as overrides of an environment do (Flyway 13)."""
    for key, given in arguments.layer().items():
        if winner := overrides.get(key):
            yield f"{given.origin} has no effect: {winner.origin} wins."


def _only(groups: Collection[Group], layer: Layer) -> Layer:
    return {key: given for key, given in layer.items() if given.option.group in groups}


def _find_ours(file: Path | None, directory: Path) -> tuple[Path, ...]:
    path = file or directory / FILE_NAME
    # A dangling link is there: reading it fails, which is better than to go on without the settings.
    return (path,) if file is not None or os.path.lexists(path) else ()


def _find_flyways(reader: FileReader, arguments: Place, variables: Place) -> FlywayFiles:
    return find_flyway_files(
        reader,
        working_directory=_first_text("workingDirectory", (arguments, variables)),
        named_by_variable=_names(variables),
        named_by_argument=_names(arguments),
    )


def _first_text(key: str, places: Sequence[Place]) -> str | None:
    """A text that tells which files are read, checked before any is."""
    found = (place.layer().get(key.lower()) for place in places)
    return next((str(convert(given, _plain(given.value))) for given in found if given), None)


def _names(place: Place) -> tuple[str, ...]:
    given = place.layer().get("configfiles")
    names = convert(given, _plain(given.value)) if given else ()
    return names if isinstance(names, tuple) else ()


def _plain(value: Raw) -> str | Secret | tuple[str, ...]:
    """Arguments and variables have no references."""
    match value:
        case Template() as template:
            return template.form
        case tuple() as items:
            return tuple(item.form if isinstance(item, Template) else item for item in items)
    return value


def _environment(places: Sequence[Place], read: ReferenceReader) -> str:
    """The environment that the highest place names; no environment may name another."""
    for place in places:
        if given := place.layer().get("environment"):
            value = given.value
            text = value.fill(read, given.origin) if isinstance(value, Template) else value
            return str(convert(given, text if isinstance(text, str | Secret) else ""))
    return "default"


def _reference_reader(environ: Mapping[str, str], secret: SecretReader) -> ReferenceReader:
    def read(reference: Reference, origin: str) -> str | Secret:
        if reference.resolver == "secret":
            return secret(reference.name, reference.key)
        if reference.name in environ:
            return environ[reference.name]
        raise errors.VariableNotSet(
            f"{origin}: the environment variable {reference.name} is not set.",
            hint=f"Set {reference.name} in the environment of this command, or change the value in the file.",
        )

    return read
