"""Files below directories, by the rules of Flyway 13 for ``filesystem:`` locations.

Terminology:

base
    Directory that relative locations start from.
inside
    The clone that scripts come from, when they come from one. Nothing outside of it is read: a repository could
    otherwise make the task print the files of the container that it runs in.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from taxiway.errors import InvalidOption, LocationNotFound, UnreadableScript
from taxiway.model.location import Location
from taxiway.model.source import SourceFile

# A directory, whatever it is called: device and inode.
type _Identity = tuple[int, int]


@final
class DirectorySources:
    """The files of local directories; a :class:`taxiway.engine.ports.Sources`.

    Locations are taken in the order of their text. One that is listed twice, or lies below another one, is
    dropped: its files would be found twice. Directories are searched to any depth, through symbolic links;
    hidden ones are left out, unless the location itself is hidden. What cannot be read is left out.

    ``warnings`` says what was left out; it is complete when :meth:`files` has returned.
    """

    def __init__(
        self,
        locations: Sequence[Location],
        *,
        base: Path,
        fail_on_missing: bool,
        inside: Path | None = None,
    ) -> None:
        """Check the locations; the disk is not looked at before :meth:`files`.

        Raises:
            InvalidOption: A location has a wildcard.
        """
        for location in locations:
            _refuse_wildcards(location)
        self.warnings: list[str] = []
        self._locations = sorted(locations, key=str)
        self._base = base.absolute()
        self._fail_on_missing = fail_on_missing
        self._inside = _resolved(inside) if inside else None

    def files(self) -> list[SourceFile]:
        """Every file, in location order, then by path.

        Raises:
            LocationNotFound: A location is not a readable directory, or not in the repository.
            UnreadableScript: A symbolic link leads out of the repository.
        """
        self.warnings.clear()
        return [file for location in self._distinct_locations() for file in self._files_of(location)]

    def _distinct_locations(self) -> Iterator[Location]:
        resolved = {location: _resolved(self._root(location)) for location in self._locations}
        kept: set[Path] = set()
        for location in self._locations:
            path = resolved[location]
            if path in kept:
                self.warnings.append(f"Location {location} is listed more than once; it is read once.")
            elif parent := _parent_of(path, resolved):
                self.warnings.append(f"Location {location} is dropped: it lies below {parent}.")
            else:
                kept.add(path)
                yield location

    def _files_of(self, location: Location) -> list[SourceFile]:
        root = self._root(location)
        reason = self._why_unusable(root)
        if reason is None:
            walk = _Walk(shown_root=self._shown(location), inside=self._inside, warn=self.warnings.append)
            return sorted(walk.files(os.fspath(root), "", ()), key=lambda file: file.script)
        if self._fail_on_missing:
            raise self._not_found(location, reason)
        self.warnings.append(f"{self._not_found(location, reason).message} It is skipped.")
        return []

    def _root(self, location: Location) -> Path:
        return self._base / location.path

    def _why_unusable(self, root: Path) -> str | None:
        if self._inside and not _resolved(root).is_relative_to(self._inside):
            return "not in the repository"
        try:
            mode = root.stat().st_mode
        except PermissionError:
            return "not readable"
        except OSError:
            return "not found"
        if not stat.S_ISDIR(mode):
            return "not a directory"
        return None if os.access(root, os.R_OK | os.X_OK) else "not readable"

    def _not_found(self, location: Location, reason: str) -> LocationNotFound:
        place = "" if self._inside else f" ({self._root(location)}, base directory {self._base})"
        return LocationNotFound(
            f"Location {location}: {reason}{place}.",
            hint="Set 'locations' to directories that exist, or failOnMissingLocations=false to skip missing ones "
            "as Flyway does.",
        )

    def _shown(self, location: Location) -> str:
        if self._inside is None:
            return os.fspath(self._root(location))
        # The clone is a temporary directory: its absolute path would mean nothing to anybody.
        return os.path.relpath(_resolved(self._base) / location.path, self._inside)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One search below one location. ``shown_root`` is the location as people know it."""

    shown_root: str
    inside: Path | None
    warn: Callable[[str], None]

    def files(self, directory: str, prefix: str, above: tuple[_Identity, ...]) -> Iterator[SourceFile]:
        """The files below a directory that was reached through the directories ``above``.

        ``prefix`` is the directory's path relative to the location, with a closing slash.
        """
        identity = _identity(directory)
        if identity in above:
            return  # A symbolic link that leads back up: everything below it is being found already.
        for entry in self._entries(directory, prefix):
            script = prefix + entry.name
            if entry.is_symlink():
                self._check_link(entry.path, script)
            if not _is_directory(entry):
                yield from self._file(entry, script)
            elif not entry.name.startswith("."):
                yield from self.files(entry.path, script + "/", (*above, identity))

    def _entries(self, directory: str, prefix: str) -> Iterable[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                return list(entries)
        except OSError as error:
            self.warn(f"{self._shown(prefix)}: directory skipped, it cannot be read ({error.strerror}).")
            return ()

    def _file(self, entry: os.DirEntry[str], script: str) -> Iterator[SourceFile]:
        # Only regular files: to open a pipe would wait for its other end.
        if not _is_regular_file(entry):
            return
        if os.access(entry.path, os.R_OK):
            yield SourceFile(script, self._shown(script), partial(_read, entry.path))
        else:
            self.warn(f"{self._shown(script)}: file skipped, it cannot be read.")

    def _check_link(self, path: str, script: str) -> None:
        if self.inside is None or _resolved(Path(path)).is_relative_to(self.inside):
            return
        raise UnreadableScript(
            "symbolic link that points outside the repository.",
            path=self._shown(script),
            hint="Commit the file itself in the place of the link.",
        )

    def _shown(self, script: str) -> str:
        return script if self.shown_root == "." else f"{self.shown_root}/{script}"


def _refuse_wildcards(location: Location) -> None:
    if any(character in location.path for character in "*?"):
        raise InvalidOption(
            f"Location {location}: wildcards are not supported.",
            hint="Name the directory above the wildcard: directories are searched to any depth.",
        )


def _parent_of(path: Path, resolved: dict[Location, Path]) -> Location | None:
    return next((location for location, other in resolved.items() if other in path.parents), None)


def _resolved(path: Path) -> Path:
    # Not Path.resolve(): that of Python 3.12 raises RuntimeError for a link that leads to itself.
    return Path(os.path.realpath(path))


def _identity(directory: str) -> _Identity:
    status = Path(directory).stat()
    return status.st_dev, status.st_ino


# DirEntry raises for a link that leads to itself, and for one into a directory that we may not search.
def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_regular_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _read(path: str) -> bytes:
    return Path(path).read_bytes()
