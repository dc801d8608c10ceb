"""The endpoint of a database by its name: a port of this machine that leads to whatever has the name now.

On AWS that is a DNS name. Who is connected stays connected to the same server when the name goes to another one,
as on AWS, until that server's instances are restarted.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

_HOST: Final = "127.0.0.1"
_SIZE: Final = 65536


class EndpointPort:
    """Listens for ever. ``find_server`` tells the port of the server with the name; None while there is none."""

    def __init__(self, find_server: Callable[[], int | None], *, wanted: int = 0) -> None:
        """``wanted``: the port of the database. Another one where it is taken: all names are one address here."""
        self._find_server = find_server
        self._lock = Lock()
        self._connections: list[tuple[int, socket.socket]] = []
        self._listener = _listen(wanted)
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def cut(self, server: int) -> None:
        """End the connections to a server."""
        with self._lock:
            gone = [one for port, one in self._connections if port == server]
            self._connections = [pair for pair in self._connections if pair[0] != server]
        for connection in gone:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        port = self._find_server()
        with client:
            if port is None:
                return
            try:
                server = socket.create_connection((_HOST, port))
            except OSError:
                return
            with self._lock:
                self._connections.append((port, client))
            with server:
                back = Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()


def _listen(wanted: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, wanted))
    except OSError:
        return socket.create_server((_HOST, 0))


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_SIZE):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
