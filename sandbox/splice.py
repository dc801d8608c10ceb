"""What stand-ins for RDS have in common: messages of PostgreSQL's protocol over blocking sockets, one thread each.

(PostgreSQL manual, "Message Formats".)
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple, Self

_HOST: Final = "127.0.0.1"
_TLS_REQUEST: Final = 80877103
_GSS_REQUEST: Final = 80877104
_PROTOCOL_3: Final = 196608


class Message(NamedTuple):
    """The letter of a message, and its content."""

    type: bytes
    content: bytes

    def encode(self) -> bytes:
        """As it goes over the wire."""
        return self.type + struct.pack("!i", len(self.content) + 4) + self.content


class Peer:
    """One side of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection

    def read(self) -> Message:
        """The next message.

        Raises:
            EOFError: There are no more.
        """
        header = self._exactly(5)
        [size] = struct.unpack("!i", header[1:])
        return Message(header[:1], self._exactly(size - 4))

    def send(self, *messages: Message) -> None:
        """Messages, one after another."""
        self.socket.sendall(b"".join(message.encode() for message in messages))

    def read_startup(self) -> tuple[int, bytes]:
        """The number of the first message, which has no letter, and what follows it."""
        [size] = struct.unpack("!i", self._exactly(4))
        content = self._exactly(size - 4)
        return struct.unpack("!i", content[:4])[0], content[4:]

    def send_startup(self, parameters: dict[str, str]) -> None:
        """The first message of a session."""
        texts = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items())
        content = struct.pack("!i", _PROTOCOL_3) + texts + b"\0"
        self.socket.sendall(struct.pack("!i", len(content) + 4) + content)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


def parameters_of(content: bytes) -> dict[str, str]:
    """Those of a startup message."""
    texts = content.rstrip(b"\0").split(b"\0")
    return {name.decode(): value.decode() for name, value in zip(texts[::2], texts[1::2], strict=True)}


def read_request(client: Peer) -> tuple[str, dict[str, str]]:
    """What a client wants first: ``tls``, ``session`` with its parameters, or ``cancel``. GSS is refused."""
    while True:
        number, content = client.read_startup()
        if number == _TLS_REQUEST:
            return "tls", {}
        if number != _GSS_REQUEST:
            return ("session", parameters_of(content)) if number >> 16 == 3 else ("cancel", {})
        client.socket.sendall(b"N")


def refusal(sqlstate: str, message: str) -> Message:
    """An error that ends the session."""
    fields = (b"SFATAL", b"VFATAL", b"C" + sqlstate.encode(), b"M" + message.encode())
    return Message(b"E", b"\0".join(fields) + b"\0\0")


class Listener:
    """Gives every client that connects to a function of its subclass, each on a thread.

    Attributes:
        host: Where it listens, with ``port``.
    """

    def __init__(self) -> None:
        self.host = _HOST

    def __enter__(self) -> Self:
        self._server = socket.create_server((self.host, 0))
        self.port = int(self._server.getsockname()[1])
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._server, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def serve(self, client: Peer) -> None:
        """One connection, to its end."""
        raise NotImplementedError

    def connect(self, host: str, port: int) -> Peer:
        """A connection that ends with the listener."""
        connection = socket.create_connection((host, port))
        self._open.add(connection)
        return Peer(connection)

    def _accept(self) -> None:
        for connection in self._connections():
            self._open.add(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _connections(self) -> Iterator[socket.socket]:
        with suppress(OSError):
            while True:
                yield self._server.accept()[0]

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, EOFError), connection:
            self.serve(Peer(connection))


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """All bytes, to the end of the connection."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
