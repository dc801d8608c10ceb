"""Both tools, and where they play."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from conformance.database import Playground
from conformance.oracle import Oracle
from conformance.play import Play, play
from conformance.scenario import Scenario
from conformance.tools import Flyway, Taxiway
from sandbox.directory import temporary_directory
from sandbox.postgres import PostgresServer

# Long enough for everything but a hang.
_PATIENCE_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A server, and Flyway."""

    playground: Playground
    oracle: Oracle

    def play(self, scenario: Scenario) -> tuple[Play, Play]:
        """Play with Flyway and with Taxiway, at the same time."""
        flyway = Flyway(self.oracle, patience_seconds=_PATIENCE_SECONDS)
        with ThreadPoolExecutor(1) as pool:
            theirs = pool.submit(play, scenario, flyway, self.playground)
            ours = play(scenario, Taxiway(), self.playground)
            return theirs.result(), ours


@contextmanager
def open_bench() -> Iterator[Bench]:
    """Start both."""
    with temporary_directory() as directory:
        trusting = directory / "hba.conf"
        trusting.write_text("host all all 127.0.0.1/32 trust\n")
        trusting.chmod(0o644)
        settings = {"hba_file": str(trusting)}
        with PostgresServer(directory / "postgres", settings=settings) as server, Oracle() as oracle:
            yield Bench(playground=Playground(server, plain=True), oracle=oracle)
