"""Faults on the whole way of a task: each is found, and named with its fix, by the installed command."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import World
from tests.support.patient import Patient


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    with World() as world:
        yield Patient(world, tmp_path_factory.mktemp("patient"))


@pytest.fixture(autouse=True)
def as_before(patient: Patient) -> Iterator[None]:
    yield
    patient.write()


def test_a_healthy_set_up_gives_no_finding(patient: Patient) -> None:
    ended = patient.examine()
    assert (ended.exit_code, ended.json["findings"]) == (0, []), ended.stdout
    print(ended.stdout)
