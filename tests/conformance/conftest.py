"""A server to play in."""

import pytest

from conformance.database import Playground
from sandbox.postgres import PostgresServer


@pytest.fixture(scope="session")
def playground(postgres_server: PostgresServer) -> Playground:
    """Databases on the server of this worker."""
    return Playground(postgres_server)
