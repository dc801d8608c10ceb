"""A server that keeps what it has committed, and a database on it to break things in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.case import Case
from faults.place import Place, open_place, open_server


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    with open_server() as server, open_place(server, "faulty") as place:
        yield place


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Path]:
    """The scripts of a case, written once."""
    root = tmp_path_factory.mktemp("cases")

    def lay_out(case: Case) -> Path:
        if not (root / case.name).exists():
            case.lay_out(root / case.name)
        return root / case.name

    return lay_out
