"""A stand-in for the official base image, for machines that cannot fetch it.

It is made of Debian's own packages and of the Python on this machine, laid out as the official image is: the same
release of Debian, Python in /usr/local with pip and without tests. What differs is told in
docs/how-to/build-the-image.md.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from sandbox.image import Engine

STAND_IN: Final = "localhost/python-stand-in:debian-13"

_RELEASE: Final = "trixie"
# Those of the official image: what it installs by name, and what its Python is linked with.
_PACKAGES: Final = (
    "ca-certificates",
    "libbz2-1.0",
    "libffi8",
    "liblzma5",
    "libncursesw6",
    "libreadline8t64",
    "libsqlite3-0",
    "libssl3t64",
    "libuuid1",
    "netbase",
    "tzdata",
    "zlib1g",
)
# As in the slim images of Debian
_LEFT_OUT: Final = ("man/*", "doc/*", "locale/*", "info/*")
# As in the official image
_NOT_OF_PYTHON: Final = shutil.ignore_patterns("__pycache__", "test", "tests", "idle_test", "libpython*.a")


class NoStandIn(Exception):
    """The stand-in cannot be made on this machine."""


def make_stand_in(engine: Engine) -> str:
    """Make the stand-in once, and return its name. It is kept with the engine's other images.

    Raises:
        NoStandIn: The Python of this machine cannot be copied.
    """
    if engine.has_image(STAND_IN):
        return STAND_IN
    python = Path(sys.base_prefix)
    if python in {Path("/usr"), Path("/usr/local")}:
        raise NoStandIn(
            f"The Python in {python} is not in a directory of its own, so it cannot be copied. Set up the project"
            " with one that is (pyenv, uv): PYTHON=/path/to/python3.13 make setup, after make clean."
        )
    print("image: making the stand-in for the base image: one to three minutes, once ...", flush=True)
    archive = _debian(engine.directory)
    with tempfile.TemporaryDirectory(dir=engine.directory) as directory:
        root = Path(directory)
        subprocess.run(["tar", "--extract", "--file", archive, "--directory", root], check=True)
        _add_python(python, root)
        _commit(engine, root)
    return STAND_IN


def _debian(directory: Path) -> Path:
    """Debian's smallest system with the packages, as an archive that is made once."""
    archive = directory / f"debian-{_RELEASE}.tar"
    if not archive.exists():
        draft = directory / f"debian-{_RELEASE}.draft.tar"
        kept = ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
        left_out = [f"--dpkgopt=path-exclude=/usr/share/{pattern}" for pattern in _LEFT_OUT]
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_PACKAGES)}"]
        subprocess.run([*command, *left_out, *kept, _RELEASE, draft], check=True)
        draft.rename(archive)
    return archive


def _add_python(python: Path, root: Path) -> None:
    target = root / "usr/local"
    shutil.copytree(python, target, symlinks=True, dirs_exist_ok=True, ignore=_NOT_OF_PYTHON)
    name = f"python3.{sys.version_info.minor}"
    for link in ("python3", "python"):
        (target / "bin" / link).unlink(missing_ok=True)
        (target / "bin" / link).symlink_to(name)
    # The official one is stripped too. Without a tool for it the image is only larger.
    if strip := shutil.which("strip"):
        libraries = [path for path in (target / "lib").rglob("*.so*") if not path.is_symlink()]
        subprocess.run([strip, "--strip-all", target / "bin" / name, *libraries], check=True)
    subprocess.run(["chroot", root, "ldconfig"], check=True)
    subprocess.run(["chroot", root, f"/usr/local/bin/{name}", "-c", "import ssl, ctypes, zlib"], check=True)


def _commit(engine: Engine, root: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=engine.directory, suffix=".tar") as archive:
        subprocess.run(["tar", "--create", "--file", archive.name, "--directory", root, "."], check=True)
        path = "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        engine.run("import", "--change", path, "--change", 'CMD ["python3"]', archive.name, STAND_IN)
