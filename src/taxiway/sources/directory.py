"""Files below directories, by the rules of Flyway 13 for ``filesystem:`` and ``classpath:`` locations.

Terminology:

base
    Directory that relative locations start from.
inside
    The clone that scripts come from, when they come from one. Nothing outside of it is read: a repository could
    otherwise make the task print the files of the container that it runs in.
root
    The directory where the search of a location starts: its path up to the first wildcard.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple, final

from taxiway.errors import LocationNotFound, UnreadableScript
from taxiway.model.location import CLASSPATH, Location
from taxiway.model.source import SourceFile
from taxiway.scan.wildcard import State, Wildcard, split_pattern

# A directory, whatever it is called: device and inode.
type _Identity = tuple[int, int]

# Where Maven and Gradle projects keep what is on the class path of Java.
_RESOURCES: Final = "src/main/resources"


class _Place(NamedTuple):
    """A location on this machine. ``paths`` are where its root may be, as they start from the base."""

    location: Location
    paths: tuple[str, ...]
    path: str
    root: Path
    wildcard: Wildcard


@final
class DirectorySources:
    """The files of local directories; a :class:`taxiway.engine.ports.Sources`.

    Locations are taken in the order of their text. One that is listed twice, or lies below another one, is
    dropped: its files would be found twice. Directories are searched to any depth, through symbolic links;
    hidden ones are left out, unless the location names them. What cannot be read is left out.

    A location with wildcards finds what :mod:`taxiway.scan.wildcard` says; the path of a script starts below the
    directory that matched, or below the root if the pattern is one of files. A ``classpath:`` location is looked
    for in ``src/main/resources``, then in the base.

    ``setting`` is what an error names as the place to correct. ``warnings`` says what was left out; it is complete
    when :meth:`files` has returned.
    """

    def __init__(
        self,
        locations: Sequence[Location],
        *,
        base: Path,
        fail_on_missing: bool,
        inside: Path | None = None,
        setting: str = "locations",
    ) -> None:
        self.warnings: list[str] = []
        self._locations = sorted(locations, key=str)
        self._base = base.absolute()
        self._fail_on_missing = fail_on_missing
        self._inside = _resolved(inside) if inside else None
        self._setting = setting

    def files(self) -> list[SourceFile]:
        """Every file once, in location order, then by path.

        Raises:
            LocationNotFound: A location is not a readable directory, or not in the repository.
            UnreadableScript: A symbolic link leads out of the repository.
        """
        self.warnings.clear()
        found: dict[str, SourceFile] = {}
        for place in self._distinct_places():
            for file in self._files_of(place):
                # Locations with wildcards may overlap.
                found.setdefault(file.file, file)
        return list(found.values())

    def _distinct_places(self) -> Iterator[_Place]:
        places = [self._place(location) for location in self._locations]
        plain = {place.root: place.location for place in reversed(places) if not place.wildcard.pattern}
        kept: set[tuple[Path, Wildcard]] = set()
        for place in places:
            identity = place.root, place.wildcard
            parent = next((plain[path] for path in place.root.parents if path in plain), None)
            if identity in kept:
                self.warnings.append(f"Location {place.location} is listed more than once; it is read once.")
            elif parent and not place.wildcard.pattern:
                self.warnings.append(f"Location {place.location} is dropped: it lies below {parent}.")
            else:
                kept.add(identity)
                yield place

    def _place(self, location: Location) -> _Place:
        on_classpath = location.prefix == CLASSPATH
        path, pattern = split_pattern(location.path.lstrip("/") if on_classpath else location.path)
        paths = (f"{_RESOURCES}/{path}".rstrip("/"), path) if on_classpath else (path,)
        found = next((one for one in paths if self._why_unusable(self._base / one) != _NOT_FOUND), paths[0])
        return _Place(location, paths, found, _resolved(self._base / found), Wildcard(pattern))

    def _files_of(self, place: _Place) -> list[SourceFile]:
        reason = self._why_unusable(self._base / place.path)
        if reason is None:
            return self._search(place)
        if self._fail_on_missing:
            raise self._not_found(place, reason)
        self.warnings.append(f"{self._not_found(place, reason).message} It is skipped.")
        return []

    def _search(self, place: _Place) -> list[SourceFile]:
        walk = _Walk(
            root=os.fspath(place.root),
            shown_root=self._shown(place),
            wildcard=place.wildcard,
            inside=self._inside,
            warn=self.warnings.append,
        )
        files = sorted(walk.files(), key=lambda file: (file.script, file.path))
        if place.wildcard.pattern and not files:
            self.warnings.append(f"Location {place.location}: nothing matches.")
        return files

    def _why_unusable(self, root: Path) -> str | None:
        if self._inside and not _resolved(root).is_relative_to(self._inside):
            return "not in the repository"
        try:
            mode = root.stat().st_mode
        except PermissionError:
            return "not readable"
        except OSError:
            return _NOT_FOUND
        if not stat.S_ISDIR(mode):
            return "not a directory"
        return None if os.access(root, os.R_OK | os.X_OK) else "not readable"

    def _not_found(self, place: _Place, reason: str) -> LocationNotFound:
        # The clone is a temporary directory, which means nothing to anybody.
        paths = place.paths if self._inside else [str(self._base / path) for path in place.paths]
        base = "" if self._inside else f", base directory {self._base}"
        shown = f" ({', '.join(paths)}{base})" if base or len(paths) > 1 else ""
        return LocationNotFound(
            f"Location {place.location}: {reason}{shown}.",
            hint=f"Set '{self._setting}' to directories that exist, or failOnMissingLocations=false to skip "
            "missing ones as Flyway does.",
        )

    def _shown(self, place: _Place) -> str:
        if self._inside is None:
            return os.fspath(self._base / place.path)
        return os.path.relpath(_resolved(self._base) / place.path, self._inside)


_NOT_FOUND: Final = "not found"


class _Directory(NamedTuple):
    """A directory that a search has come to.

    Attributes:
        prefix: Its path below the root, with a closing slash.
        above: The directories that it was reached through.
        state: How far the wildcards are matched.
        script_start: Length of what is not part of a script's path; ``None`` before the wildcards have matched.
    """

    path: str
    prefix: str
    above: tuple[_Identity, ...]
    state: State
    script_start: int | None


class _Walk(NamedTuple):
    """One search below one location. ``shown_root`` is its root as people know it."""

    root: str
    shown_root: str
    wildcard: Wildcard
    inside: Path | None
    warn: Callable[[str], None]

    def files(self) -> Iterator[SourceFile]:
        """The files that the location means."""
        start = self.wildcard.start
        script_start = 0 if self.wildcard.matches_folder(start) else None
        yield from self._files(_Directory(self.root, "", (), start, script_start))

    def _files(self, directory: _Directory) -> Iterator[SourceFile]:
        identity = _identity(directory.path)
        if identity in directory.above:
            return  # A symbolic link that leads back up: everything below it is being found already.
        for entry in self._entries(directory):
            if entry.is_symlink():
                self._check_link(entry.path, directory.prefix + entry.name)
            if not _is_directory(entry):
                yield from self._file(directory, entry)
            elif below := self._enter(directory, entry, identity):
                yield from self._files(below)

    def _enter(self, directory: _Directory, entry: os.DirEntry[str], identity: _Identity) -> _Directory | None:
        """The directory below, if there may be anything for us."""
        prefix = f"{directory.prefix}{entry.name}/"
        above = (*directory.above, identity)
        if directory.script_start is not None:
            is_hidden = entry.name.startswith(".")
            return (
                None if is_hidden else _Directory(entry.path, prefix, above, frozenset(), directory.script_start)
            )
        state = self.wildcard.enter(directory.state, entry.name)
        script_start = len(prefix) if self.wildcard.matches_folder(state) else None
        return _Directory(entry.path, prefix, above, state, script_start) if state else None

    def _entries(self, directory: _Directory) -> Iterable[os.DirEntry[str]]:
        try:
            with os.scandir(directory.path) as entries:
                return list(entries)
        except OSError as error:
            shown = self._shown(directory.prefix)
            self.warn(f"{shown}: directory skipped, it cannot be read ({error.strerror}).")
            return ()

    def _file(self, directory: _Directory, entry: os.DirEntry[str]) -> Iterator[SourceFile]:
        script_start = directory.script_start
        if script_start is None and self._is_meant(directory, entry.name):
            script_start = 0
        # Only regular files: to open a pipe would wait for its other end.
        if script_start is None or not _is_regular_file(entry):
            return
        path = directory.prefix + entry.name
        shown = self._shown(path)
        if os.access(entry.path, os.R_OK):
            # What is read at once is long: a buffer in between would be one more copy.
            yield SourceFile(path[script_start:], shown, partial(FileIO, entry.path), entry.path)
        else:
            self.warn(f"{shown}: file skipped, it cannot be read.")

    def _is_meant(self, directory: _Directory, name: str) -> bool:
        """Whether the wildcards match this file, or the script that it configures."""
        names = {name, name.removesuffix(".conf")}
        return any(self.wildcard.matches_file(directory.state, one) for one in names)

    def _check_link(self, path: str, script: str) -> None:
        if self.inside is None or _resolved(Path(path)).is_relative_to(self.inside):
            return
        raise UnreadableScript(
            "symbolic link that points outside the repository.",
            path=self._shown(script),
            hint="Commit the file itself in the place of the link.",
        )

    def _shown(self, path: str) -> str:
        return path if self.shown_root == "." else f"{self.shown_root}/{path}"


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
