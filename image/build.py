"""Building the Dockerfile without a daemon: on the base image that it names, or on a stand-in for it."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from image.base import make_stand_in
from sandbox.directory import REPOSITORY_ROOT
from sandbox.image import IMAGE, Engine
from taxiway import __version__

SBOM: Final = "usr/share/taxiway/sbom.cdx.json"

_DOCKERFILE: Final = REPOSITORY_ROOT / "Dockerfile"
_BASE: Final = re.compile(r"^ARG PYTHON_IMAGE=(\S+)$", re.MULTILINE)
# Handed on to pip: which index, and whose certificate it has.
_PIP_CERT: Final = "PIP_CERT"
_PIP_INDEX_URL: Final = "PIP_INDEX_URL"
_CERT_IN_BUILD: Final = "/run/pip-cert.pem"


class NoBaseImage(Exception):
    """The base image is not to be had from here."""


def base_of_dockerfile() -> str:
    """The base image that the Dockerfile names."""
    found = _BASE.search(_DOCKERFILE.read_text())
    if found is None:
        raise ValueError(f"{_DOCKERFILE} names no base image")
    return found[1]


def find_base(engine: Engine, wanted: str) -> str:
    """The base image to build on, fetched or made: ``official``, ``stand-in``, or ``auto`` for the first of these.

    Raises:
        NoBaseImage: The official one was asked for and cannot be fetched.
        NoStandIn: The other one cannot be made.
    """
    official = base_of_dockerfile()
    if wanted == "stand-in":
        return make_stand_in(engine)
    # buildah takes no name with both, and the digest is what counts.
    by_digest = re.sub(r":[^:@/]+@", "@", official)
    pulled = subprocess.run([*engine.command(), "pull", "--quiet", by_digest], check=False, capture_output=True)
    if pulled.returncode == 0:
        return by_digest
    reason = pulled.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    if wanted == "official":
        raise NoBaseImage(f"{official} cannot be fetched: {reason}")
    print(f"image: {official} cannot be fetched from here, so this is built on a STAND-IN, not to be published.")
    return make_stand_in(engine)


def build(engine: Engine, base: str, *, cached: bool = True) -> None:
    """Build the image as ``IMAGE``.

    Raises:
        subprocess.CalledProcessError: A step of the build failed; its output was shown.
    """
    arguments = {
        "PYTHON_IMAGE": base,
        "REVISION": _revision(),
        "SOURCE": os.environ.get("IMAGE_SOURCE", "unknown"),
        "SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct"),
        "VERSION": __version__,
    }
    options = ["--isolation", "chroot", "--pull-never", "--format", "oci", "--quiet", "--layers", "--force-rm"]
    options += ["--timestamp", arguments["SOURCE_DATE_EPOCH"], "--tag", IMAGE]
    if not cached:
        options.append("--no-cache")
    pip_options, pip_arguments = _for_pip(os.environ)
    for name, text in (arguments | pip_arguments).items():
        options += ["--build-arg", f"{name}={text}"]
    command = [*engine.command("buildah"), "build", *options, *pip_options, str(REPOSITORY_ROOT)]
    subprocess.run(command, check=True)


def write_sbom(engine: Engine, file: Path) -> None:
    """Take the list of contents out of the image."""
    container = engine.run("create", "--pull", "never", IMAGE).strip()
    try:
        engine.run("cp", f"{container}:/{SBOM}", str(file))
    finally:
        engine.run("rm", "--volumes", container)


def _for_pip(environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The options and arguments that let pip in the build come to the index that this machine uses."""
    options, arguments = [], {}
    if index := environment.get(_PIP_INDEX_URL):
        arguments[_PIP_INDEX_URL] = index
    if certificate := environment.get(_PIP_CERT):
        options += ["--volume", f"{certificate}:{_CERT_IN_BUILD}:ro"]
        arguments[_PIP_CERT] = _CERT_IN_BUILD
    return options, arguments


def _revision() -> str:
    """The commit, with a mark if what is built is not what was committed."""
    changed = _git("status", "--porcelain", "--", "Dockerfile", "image", "requirements", "src", "pyproject.toml")
    return _git("rev-parse", "HEAD") + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY_ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()
