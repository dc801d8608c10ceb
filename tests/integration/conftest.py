"""What tests of whole commands start from."""

from pathlib import Path

import pytest

from tests.support.pytest_sandbox import Database
from tests.support.workspace import Workspace


@pytest.fixture
def workspace(database: Database, tmp_path: Path) -> Workspace:
    """An empty folder for scripts, and an empty database."""
    made = Workspace(database, tmp_path)
    made.scripts.mkdir()
    return made
