"""The image that "make image" has built, and ways to run it."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from uuid import uuid4

import pytest

from sandbox.account import BuiltImage
from sandbox.image import IMAGE, Container, ContainerSpec, Engine
from tests.support.job import Outcome
from tests.support.markdown import ROOT

Run = Callable[[ContainerSpec], Outcome]
Start = Callable[[ContainerSpec], Container]
Derive = Callable[[Path], BuiltImage]

_PAGE = ROOT / "docs/how-to/build-the-image.md"


@pytest.fixture(scope="session")
def engine() -> Engine:
    """podman with the image in it."""
    engine = Engine()
    assert engine.has_image(IMAGE), "There is no image. Build it first: make image"
    return engine


@pytest.fixture
def start(engine: Engine) -> Iterator[Start]:
    """Start a container. It has ended when the test has."""
    started: list[Container] = []

    def start(spec: ContainerSpec) -> Container:
        started.append(engine.start(spec, stdout=PIPE, stderr=PIPE))
        return started[-1]

    yield start
    for container in started:
        container.kill()
        container.process.communicate(timeout=100)


@pytest.fixture
def run(start: Start) -> Run:
    """Run a container to its end."""

    def run(spec: ContainerSpec) -> Outcome:
        process = start(spec).process
        stdout, stderr = process.communicate(timeout=100)
        return Outcome(process.returncode, stdout.decode(), stderr.decode())

    return run


@pytest.fixture(scope="session")
def derive(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Derive]:
    """Make an image with an authority for servers in it, as the how-to page tells to. Gone at the end."""
    found = re.search(r"```dockerfile\n(FROM taxiway\n.*?)```", _PAGE.read_text(), re.DOTALL)
    assert found
    made: list[str] = []

    def derive(authority: Path) -> BuiltImage:
        context = tmp_path_factory.mktemp("derived")
        (context / "Dockerfile").write_text(found[1].replace("FROM taxiway", f"FROM {IMAGE}"))
        (context / "global-bundle.pem").write_bytes(authority.read_bytes())
        name = f"localhost/taxiway-derived:{uuid4().hex}"
        options = ("--isolation", "chroot", "--pull-never", "--quiet", "--tag", name)
        subprocess.run([*engine.command("buildah"), "build", *options, context], check=True, capture_output=True)
        made.append(name)
        return BuiltImage(name=name, digest=engine.run("inspect", "--format", "{{.Digest}}", name).strip())

    yield derive
    for name in made:
        engine.run("rmi", name)
