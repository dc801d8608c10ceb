"""``python -m image``: build the image, run it, measure it. Behind ``make image`` and ``make image-test``."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from image.base import NoStandIn
from image.build import NoBaseImage, build, find_base, write_sbom
from image.figures import print_figures
from sandbox.directory import REPOSITORY_ROOT
from sandbox.image import DIRECTORY, Engine

_PARTS: Final = "tools/image-parts.sh"
_WORKERS: Final = 3
_RULE: Final = "*" * 100


def _why_not() -> str | None:
    """What is missing on this machine for building and running images; None if nothing is, or can be installed."""
    if sys.platform != "linux":
        return "images are built and run on Linux only."
    if os.geteuid() != 0:
        return "mounting the file system of an image needs root."
    if not shutil.which("buildah") and not shutil.which("apt-get"):
        return "buildah, podman, runc and mmdebstrap are not installed, and there is no apt-get to install them."
    return None


def _build(engine: Engine, options: argparse.Namespace) -> None:
    subprocess.run([REPOSITORY_ROOT / _PARTS], check=True)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    build(engine, find_base(engine, options.base), cached=not options.no_cache)
    sbom = DIRECTORY / "sbom.cdx.json"
    write_sbom(engine, sbom)
    print(f"image: built; what is in it: {sbom.relative_to(REPOSITORY_ROOT)}", flush=True)


def _test() -> int:
    # Each container has a quarter of a processor, so that the files can be tested side by side.
    beside = ["-n", str(_WORKERS), "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "image", *beside, "tests/image"]
    return subprocess.run(command, cwd=REPOSITORY_ROOT, check=False).returncode


def _give_up(reason: str, *, may_skip: bool) -> int:
    """Say that there is no image, and why; so that nobody overlooks it where that is no failure. The exit code."""
    if not may_skip:
        print(f"image: not possible: {reason}", file=sys.stderr)
        return 1
    lost = "The image was NOT built and NOT run, and no task was run with it: tests/image is not tested here."
    print(f"{_RULE}\nimage: SKIPPED: {reason}\n{lost}\n{_RULE}", file=sys.stderr, flush=True)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Do what was asked for; see ``--help``."""
    parser = argparse.ArgumentParser(prog="python -m image", description=__doc__)
    parser.add_argument("command", choices=("build", "test"))
    parser.add_argument("--base", choices=("auto", "official", "stand-in"), default="auto")
    parser.add_argument("--no-cache", action="store_true", help="build every step anew")
    parser.add_argument("--may-skip", action="store_true", help="succeed where images cannot be built")
    options = parser.parse_args(arguments)
    if reason := _why_not():
        return _give_up(reason, may_skip=options.may_skip)
    engine = Engine()
    try:
        _build(engine, options)
    except (NoBaseImage, NoStandIn) as error:
        return _give_up(str(error), may_skip=options.may_skip)
    except subprocess.CalledProcessError as error:
        print(f"image: '{error.cmd[0]}' failed with {error.returncode}.\n{error.stderr or ''}", file=sys.stderr)
        return 1
    if options.command == "build":
        return 0
    print_figures(engine)
    return _test()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
