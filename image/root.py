"""Make a root file system with what the task needs, and nothing else: ``python root.py DIRECTORY``.

Runs in the build of the image, in a stage that has Python in /usr/local, Taxiway in /opt/taxiway, and the Debian
packages of the programs below. Copied are these programs, the libraries that they and Python are linked with, and
data that libraries read. There is no package manager in the result, so the packages that files were taken from are
written down where scanners look for them.

It uses the standard library alone, and no module of ours.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

# The shell is git's, which starts ssh through one.
PROGRAMS: Final = (
    "/usr/bin/git",
    "/usr/bin/git-upload-pack",
    "/usr/bin/sh",
    "/usr/bin/ssh",
    "/usr/bin/tini",
    "/usr/lib/git-core/git-remote-https",
)

# Certificate authorities, names of hosts and ports, time zones, what system this is.
_DATA: Final = (
    "/etc/debian_version",
    "/etc/host.conf",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl",
    "/usr/lib/ssl",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
)
_LINKS_TO_USR: Final = ("/bin", "/lib", "/lib64", "/sbin")
# The C library loads it when a thread ends; nothing is linked with it.
_LOADED_LATER: Final = "libgcc_s.so.1"

_PYTHON: Final = Path("/usr/local")
# What is for developers, for graphical programs, for a prompt, for databases that are files, or for installing.
_NOT_OF_PYTHON: Final = (
    "__pycache__",
    "_ctypes_test.*",
    "_curses*",
    "_dbm.*",
    "_gdbm.*",
    "_sqlite3.*",
    "_test*",
    "_tkinter.*",
    "_xxtestfuzz.*",
    "config-3*",
    "curses",
    "dbm",
    "ensurepip",
    "idle_test",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "readline.*",
    "site-packages",
    "sqlite3",
    "test",
    "tests",
    "tkinter",
    "turtle.py",
    "turtledemo",
    "xxlimited*",
    "xxsubtype.*",
)

_UID: Final = 10001
_PASSWD: Final = f"""\
root:x:0:0:root:/root:/usr/sbin/nologin
taxiway:x:{_UID}:{_UID}::/home/taxiway:/usr/sbin/nologin
"""
_GROUP: Final = f"root:x:0:\ntaxiway:x:{_UID}:\n"


class Root:
    """The new root file system.

    Attributes:
        directory: Where it grows.
        sources: The real path of every file and link that was copied.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sources: set[Path] = set()

    def copy(self, path: Path) -> None:
        """Copy a file, or a link with all that it leads to, or a directory with all that is in it.

        What is not there is passed over: releases of Debian differ in it.
        """
        path = path.parent.resolve() / path.name
        if path in self.sources or not (path.is_symlink() or path.exists()):
            return
        self._make_parents(path)
        if path.is_symlink():
            self.sources.add(path)
            self._at(path).symlink_to(path.readlink())
            self.copy(path.parent / path.readlink())
        elif path.is_dir():
            self._at(path).mkdir(exist_ok=True)
            for name in sorted(os.listdir(path)):  # noqa: PTH208 - the order must not depend on the disk
                self.copy(path / name)
        else:
            self.sources.add(path)
            shutil.copy2(path, self._at(path))

    def copy_link(self, path: Path) -> None:
        """Copy a link, and not what it leads to; nothing if it is none."""
        if path.is_symlink():
            self.sources.add(path)
            self._at(path).symlink_to(path.readlink())

    def write(self, path: str, text: str) -> None:
        """Write a file that is not taken from anywhere."""
        self._make_parents(Path(path))
        self._at(Path(path)).write_text(text)

    def make_directory(self, path: str, *, uid: int = 0, mode: int = 0o755) -> None:
        """Make a directory of that owner."""
        made = self._at(Path(path))
        made.mkdir(parents=True, exist_ok=True)
        os.chown(made, uid, uid)
        made.chmod(mode)

    def _make_parents(self, path: Path) -> None:
        self._at(path.parent).mkdir(parents=True, exist_ok=True)

    def _at(self, path: Path) -> Path:
        return self.directory / path.relative_to("/")


def copy_python(root: Root) -> None:
    """Copy the interpreter and its library, without ``_NOT_OF_PYTHON``; the one that runs this."""
    name = f"python3.{sys.version_info.minor}"
    for program in (name, "python3", "python"):
        root.copy(_PYTHON / "bin" / program)
    for library in sorted((_PYTHON / "lib").glob("libpython*.so*")):
        root.copy(library)
    for path in _modules(_PYTHON / "lib" / name):
        root.copy(path)


def _modules(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if any(path.match(pattern) for pattern in _NOT_OF_PYTHON):
            continue
        if path.is_dir():
            yield from _modules(path)
        else:
            yield path


def linked_libraries(root: Root) -> set[Path]:
    """The libraries that everything copied so far is linked with, as the loader names and finds them."""
    found: set[Path] = set()
    for path in sorted(root.sources):
        if not path.is_symlink() and _is_elf(path):
            found.update(_libraries_of(path))
    return found


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _libraries_of(path: Path) -> Iterator[Path]:
    """Of ``name => /path (0x…)`` and ``/path/of/the/loader (0x…)``, the paths."""
    answer = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    for line in answer.splitlines():
        before, arrow, after = line.strip().partition(" => ")
        found = (after if arrow else before).split(" ")[0]
        if found.startswith("/"):
            yield Path(found)
        elif arrow:
            raise SystemExit(f"root.py: {path} is linked with {before}, which is not installed.")


def owning_packages(sources: set[Path]) -> set[str]:
    """The Debian packages that these files belong to. Files of no package, such as Python's, have none."""
    packages = set()
    for listing in Path("/var/lib/dpkg/info").glob("*.list"):
        files = map(Path, listing.read_text().splitlines())
        # dpkg may know as /lib/x what lies in /usr/lib.
        if any(_real_directory(file.parent) / file.name in sources for file in files):
            packages.add(listing.stem.partition(":")[0])
    return packages


@cache
def _real_directory(directory: Path) -> Path:
    return directory.resolve()


def write_package_list(root: Root, packages: set[str]) -> None:
    """Write dpkg's status file with these packages alone, and copy their licences."""
    stanzas = Path("/var/lib/dpkg/status").read_text().strip().split("\n\n")
    kept = [stanza for stanza in stanzas if stanza.partition("\n")[0].removeprefix("Package: ") in packages]
    root.write("/var/lib/dpkg/status", "\n\n".join(kept) + "\n")
    for package in packages:
        root.copy(Path("/usr/share/doc", package, "copyright"))
    root.copy(Path("/usr/share/common-licenses"))


def main(directory: str) -> None:
    """Make the root file system in a new directory."""
    root = Root(Path(directory))
    root.make_directory("/")
    for path in _LINKS_TO_USR:
        root.copy_link(Path(path))
    for path in PROGRAMS:
        root.copy(Path(path))
    copy_python(root)
    root.copy(Path("/opt/taxiway"))
    libraries = linked_libraries(root)
    for library in (*sorted(libraries), *(path.with_name(_LOADED_LATER) for path in libraries)):
        root.copy(library)
    for path in _DATA:
        root.copy(Path(path))
    subprocess.run(["ldconfig", "-r", directory, "-X"], check=True)
    write_package_list(root, owning_packages(root.sources))
    root.write("/etc/passwd", _PASSWD)
    root.write("/etc/group", _GROUP)
    # ssh, libpq and boto3 look for settings there; a task cannot leave any behind.
    root.make_directory("/home/taxiway")
    # Where Fargate mounts a volume that the image declares, owner and mode are those of the image.
    root.make_directory("/tmp", uid=_UID, mode=0o1777)


if __name__ == "__main__":
    main(sys.argv[1])
