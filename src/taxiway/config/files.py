"""Reads configuration files, and finds those of Flyway.

Where Flyway 13 looks, the later the higher: ``conf`` in its installation (``FLYWAY_HOME``), the home directory,
the directory of the process, the working directory; then the files that ``FLYWAY_CONFIG_FILES`` and
``configFiles`` name. In each place ``flyway.toml`` and ``flyway.user.toml`` are read, or ``flyway.conf``; the two
syntaxes never mix.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from taxiway import errors
from taxiway.config.layers import Place
from taxiway.scan.encoding import decode

if TYPE_CHECKING:
    from taxiway.config.toml import Dialect

FILE_NAME: Final = "taxiway.toml"
# The files of each of Flyway's two syntaxes; the first syntax wins over the other.
FLYWAY_NAMES: Final = (("flyway.toml", "flyway.user.toml"), ("flyway.conf",))
_BY_IS_TOML: Final = dict(zip((True, False), FLYWAY_NAMES, strict=True))
_STANDARD_INPUT: Final = "-"

# Far more than anybody writes. A link to /dev/zero would be read until the memory is full.
_MOST_BYTES: Final = 1024 * 1024


class FileReader(NamedTuple):
    """Reads the files of one call.

    Attributes:
        directory: The directory of the process, which relative paths start from.
        home: Of the user; ``None`` when it is nobody's business.
        inside: The clone that all files belong to, if they belong to one: no path and no symbolic link may lead
            out of it, or a repository could make a task show files of its container, or wait for a pipe.
        read_stdin: Standard input as text; ``None`` when there is none.
    """

    directory: Path
    environ: Mapping[str, str]
    home: Path | None = None
    inside: Path | None = None
    encoding: str = "UTF-8"
    read_stdin: Callable[[], str] | None = None

    def read_taxiway(self, path: Path) -> Place:
        """What ``taxiway.toml``, or the file in its place, says.

        Raises:
            ConfigFileUnreadable: It cannot be read, is larger than 1 MiB, not UTF-8 or not TOML.
            ConfigError: See :func:`taxiway.config.toml.parse_toml`.
        """
        from taxiway.config.toml import TAXIWAY

        return self._accepted(self._read_toml(path, TAXIWAY))

    def read_document(self, path: Path) -> Mapping[str, Any]:
        """What ``taxiway.toml`` says as TOML, after all of it was checked. Raises as :meth:`read_taxiway`."""
        from taxiway.config.toml import TAXIWAY, parse_document, parse_toml

        text, name = self._read_text(path, "UTF-8"), self.name_of(path)
        parse_toml(text, name=name, dialect=TAXIWAY)
        return parse_document(text, name, TAXIWAY)

    def read_flyway(self, path: Path) -> Place:
        """What a file of Flyway's says, in the syntax that its name tells. Raises as :meth:`read_taxiway`."""
        return self._accepted(self._read_flyway(path))

    def _read_flyway(self, path: Path) -> Place:
        if path.name.endswith(".toml"):
            from taxiway.config.toml import FLYWAY

            return self._read_toml(path, FLYWAY)
        from taxiway.config.conf import parse_conf

        if path.name == _STANDARD_INPUT:
            text = self.read_stdin() if self.read_stdin else ""
            return parse_conf(text, name=self.name_of(path), environ=self.environ)
        return parse_conf(self._read_text(path, self.encoding), name=self.name_of(path), environ=self.environ)

    def _read_toml(self, path: Path, dialect: "Dialect") -> Place:
        from taxiway.config.toml import parse_toml

        return parse_toml(self._read_text(path, "UTF-8"), name=self.name_of(path), dialect=dialect)

    def _read_text(self, path: Path, encoding: str) -> str:
        """The text without a byte order mark at its start."""
        if self.inside is not None:
            _check_inside(path, self.inside)
        name = self.name_of(path)
        try:
            return decode(_read_bytes(path), encoding, path=name).removeprefix("\ufeff")
        except errors.UnreadableScript as error:
            raise errors.ConfigFileUnreadable(error.message, hint=f"Save the file in {encoding}.") from None

    def _accepted(self, place: Place) -> Place:
        """What a file may say; standard input, too, is a file here."""
        refused = [one for one in place.given if self.inside is not None and not one.option.for_repositories]
        warnings = (
            f"{one.origin} is passed over: {one.option.environment_variable} sets it, no file of the repository."
            for one in refused
        )
        kept = tuple(one for one in place.given if one not in refused)
        return place._replace(given=kept, warnings=(*place.warnings, *warnings))

    def name_of(self, path: Path) -> str:
        """What messages call a file: its path from the directory, or from the home directory."""
        if path.name == _STANDARD_INPUT:
            return "standard input"
        for start, prefix in ((self.directory, ""), (self.home, "~/")):
            if start is not None and path.is_relative_to(start):
                return f"{prefix}{path.relative_to(start)}"
        return str(path)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise errors.ConfigFileUnreadable(
            f"{path} cannot be read: {error.strerror}.", hint="Name a file that exists and is readable."
        ) from error
    if len(content) > _MOST_BYTES:
        raise errors.ConfigFileUnreadable(
            f"{path.name} is larger than 1 MiB.", hint="Name the configuration file of the project."
        )
    return content


def _check_inside(path: Path, inside: Path) -> None:
    # Not Path.resolve(): that of Python 3.12 raises RuntimeError for a link that leads to itself.
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(inside)):
        raise errors.ConfigFileUnreadable(
            f"{path.name} is a path or a symbolic link that points outside the repository.",
            hint="Commit the file itself, and name it by its path in the repository.",
        )
    if not real.is_file():
        raise errors.ConfigFileUnreadable(
            f"{path.name} is not a file.", hint=f"Commit {path.name} as a regular file, or remove it."
        )


class NamedFile(NamedTuple):
    """A file that was named, and where: ``--config-files`` or ``FLYWAY_CONFIG_FILES``."""

    path: Path
    origin: str

    @property
    def is_toml(self) -> bool:
        """Otherwise it has the syntax of ``flyway.conf``, whatever it is called (Flyway 13)."""
        return self.path.name.endswith(".toml")


class FlywayFiles(NamedTuple):
    """The files to read, the lowest first, their syntax, and what is odd about them."""

    paths: tuple[Path, ...]
    is_toml: bool
    warnings: tuple[str, ...] = ()


def find_flyway_files(
    reader: FileReader,
    *,
    working_directory: str | None,
    by_variable: Sequence[NamedFile],
    by_argument: Sequence[NamedFile],
) -> FlywayFiles:
    """The files of Flyway that hold here.

    A file that is named and not there is an error in both syntaxes: without it, the migrations might run in
    another database. Flyway 13 only warns when it would be one in TOML.

    Raises:
        InvalidOption: Files of both syntaxes are named together.
        ConfigFileUnreadable: A file is named and not there.
    """
    folders = tuple(_folders(reader, working_directory))
    usual = {is_toml: _without_repetition(_existing(folders, names)) for is_toml, names in _BY_IS_TOML.items()}
    decisive = by_argument or by_variable
    is_toml = _common_syntax(decisive) if decisive else bool(usual[True] or not usual[False])
    named = (*by_variable, *by_argument)
    _refuse_missing(one for one in named if one.is_toml is is_toml)
    read, passed_over = (
        (*usual[syntax], *(one.path for one in named if one.is_toml is syntax))
        for syntax in (is_toml, not is_toml)
    )
    winners = [one.path for one in decisive] or usual[is_toml]
    return FlywayFiles(
        paths=_without_repetition(read),
        is_toml=is_toml,
        warnings=tuple(_passed_over(reader, path, winners) for path in passed_over),
    )


def _folders(reader: FileReader, working_directory: str | None) -> Iterator[Path]:
    installation = reader.environ.get("FLYWAY_HOME")
    if installation and reader.inside is None:
        yield Path(installation) / "conf"
    if reader.home is not None and reader.inside is None:
        yield reader.home
    yield reader.directory
    if working_directory:
        yield reader.directory / working_directory


def _common_syntax(named: Sequence[NamedFile]) -> bool:
    """Whether files that are named together are in TOML."""
    if len({one.is_toml for one in named}) > 1:
        raise errors.InvalidOption(
            f"{named[0].origin}: files in TOML and in the syntax of flyway.conf are named together.",
            hint="Name files of one syntax only.",
        )
    return named[0].is_toml


def _existing(folders: Sequence[Path], names: Sequence[str]) -> Iterator[Path]:
    """A dangling link is there: reading it fails, which is better than to go on without the settings."""
    return (folder / name for folder in folders for name in names if os.path.lexists(folder / name))


def _refuse_missing(named: Iterable[NamedFile]) -> None:
    for one in named:
        if one.path.name != _STANDARD_INPUT and not os.path.lexists(one.path):
            raise errors.ConfigFileUnreadable(
                f"{one.origin}: {one.path} cannot be read: there is no such file.",
                hint=f"Name a file that exists in {one.origin}, or nothing.",
            )


def _passed_over(reader: FileReader, path: Path, winners: Sequence[Path]) -> str:
    names = " and ".join(map(reader.name_of, winners))
    verb = "wins" if len(winners) == 1 else "win"
    return f"{reader.name_of(path)} is not read: {names} {verb}, and Flyway's two syntaxes never mix."


def _without_repetition(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Each file at its highest place: the home directory may be the working directory."""
    latest = {os.path.realpath(path): path for path in reversed([*paths])}
    return tuple(reversed(latest.values()))
