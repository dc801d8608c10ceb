"""The image that "make image" has built, and ways to run it."""

from collections.abc import Callable, Iterator
from subprocess import PIPE

import pytest

from sandbox.image import IMAGE, Container, ContainerSpec, Engine
from tests.support.job import Outcome

Run = Callable[[ContainerSpec], Outcome]
Start = Callable[[ContainerSpec], Container]


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
