"""What is behind the databases of the emulated RDS: real PostgreSQL servers, and real copies of their data."""

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from sandbox.cloud.endpoint_port import EndpointPort
from sandbox.copied_server import CopiedServer, copy_to
from sandbox.postgres import PostgresServer, reachable_programs, unpacked_programs

_logger: Final = logging.getLogger(__name__)

# Called when it has come to its end: whether that was a good one.
type Done = Callable[[bool], None]


class DatabaseServers:
    """Servers by the resource id of their database, copies by the name of their snapshot."""

    def __init__(self, directory: Path, *, certificate_name: str) -> None:
        """Everything lies below the directory; every server is certified for the name."""
        self._directory, self._certificate_name = directory, certificate_name
        # Of all servers, as the bundle that AWS publishes is of all regions.
        self.authorities = directory / "authorities.pem"
        self._lock = Lock()
        self._servers: dict[str, PostgresServer] = {}
        self._passwords: dict[str, str] = {}
        self._ports: dict[str, EndpointPort] = {}

    # --- servers

    def create(self, resource_id: str, *, user: str, password: str, database: str | None, done: Done) -> None:
        """Start an empty one, meanwhile."""

        def work() -> None:
            server = PostgresServer(self._directory / resource_id, names=(self._certificate_name,)).start()
            server.create_user(user, password)
            if database:
                server.create_database(database, user)
            self._servers[resource_id] = server
            with self._lock, self.authorities.open("ab") as bundle:
                bundle.write(server.authority.read_bytes())

        self._meanwhile(work, done)

    def set_password(self, resource_id: str, user: str, password: str) -> None:
        """Give a user another password, as RDS does when it begins to manage that of the master user."""
        self._servers[resource_id].set_password(user, password)

    def restore(self, resource_id: str, snapshot: str, done: Done) -> None:
        """Start one with the data of a snapshot, meanwhile."""

        def work() -> None:
            self._servers[resource_id] = CopiedServer(
                self._directory / resource_id,
                self._directory / "snapshots" / snapshot,
                superuser_password=self._passwords[snapshot],
            ).start()

        self._meanwhile(work, done)

    def copy(self, resource_id: str, snapshot: str, done: Done) -> None:
        """Make a snapshot's copy of the data as of now, meanwhile."""

        def work() -> None:
            server = self._servers[resource_id]
            programs = reachable_programs(unpacked_programs(), self._directory / resource_id)
            copy_to(server, self._directory / "snapshots" / snapshot, programs=programs)
            self._passwords[snapshot] = server.superuser_password

        self._meanwhile(work, done)

    def end(self, resource_id: str) -> None:
        """End one: its data is gone."""
        server = self._servers.pop(resource_id, None)
        if server:
            server.stop()

    def end_all(self) -> None:
        """When the whole cloud ends."""
        for resource_id in list(self._servers):
            self.end(resource_id)

    # --- endpoints

    def open_endpoint(self, name: str, find_database: Callable[[], str | None], *, port: int) -> None:
        """Let a name have a port, if possible this one; ``find_database`` tells the resource id of what has it."""
        with self._lock:
            if name not in self._ports:
                self._ports[name] = EndpointPort(lambda: self._port_of(find_database()), wanted=port)

    def cut(self, resource_id: str) -> None:
        """End the connections to a database, as a restart does."""
        server = self._servers.get(resource_id)
        for port in self._ports.values() if server else ():
            assert server is not None  # looked at above
            port.cut(server.port)

    def describe(self) -> dict[str, int]:
        """The port of each name that was ever in use."""
        return {name: port.port for name, port in self._ports.items()}

    def authority(self, resource_id: str) -> str:
        """The file with the certificate that a client has to trust."""
        return str(self._servers[resource_id].authority)

    def _port_of(self, resource_id: str | None) -> int | None:
        server = self._servers.get(resource_id or "")
        return server.port if server else None

    def _meanwhile(self, work: Callable[[], None], done: Done) -> None:
        def run() -> None:
            try:
                work()
            except Exception:
                _logger.exception("a server of the sandbox")
                done(False)
            else:
                done(True)

        Thread(target=run, daemon=True).start()
