"""A pooler in the manner of PgBouncer: many clients, few sessions of a server that trusts this machine.

It speaks as much of the protocol as is needed to be taken for a server: clients need no password, and are told
a number of a process that it makes up.
"""

import secrets
import struct
import threading
from typing import Final

from sandbox.splice import Listener, Message, Peer, read_request

_AUTHENTICATED: Final = Message(b"R", b"\0\0\0\0")
_IDLE: Final = b"I"
_CONNECT_PARAMETERS: Final = ("user", "database")


class Pooler(Listener):
    """``with Pooler(host, port, per_transaction=True) as pooler``.

    ``per_transaction``: a session goes back to the pool with the end of each transaction; else with the client's.
    """

    def __init__(self, host: str, port: int, *, per_transaction: bool) -> None:
        super().__init__()
        self._target, self._per_transaction = (host, port), per_transaction
        self._idle: list[tuple[Peer, list[Message]]] = []
        self._lock = threading.Lock()

    def serve(self, client: Peer) -> None:
        """One client, to its end."""
        wanted, parameters = read_request(client)
        if wanted == "tls":
            client.socket.sendall(b"N")
            wanted, parameters = read_request(client)
        if wanted != "session":
            return
        server, greeting = self._take({name: parameters[name] for name in _CONNECT_PARAMETERS})
        made_up = Message(b"K", struct.pack("!ii", secrets.randbelow(1 << 30), secrets.randbelow(1 << 30)))
        client.send(_AUTHENTICATED, *greeting, made_up, Message(b"Z", _IDLE))
        held: Peer | None = server
        try:
            while (message := client.read()).type != b"X":
                held = held or self._take({name: parameters[name] for name in _CONNECT_PARAMETERS})[0]
                held.send(message)
                is_idle = self._answer(held, client)
                if is_idle and self._per_transaction:
                    self._give_back(held, greeting)
                    held = None
        finally:
            if held:
                self._give_back(held, greeting)

    def _take(self, parameters: dict[str, str]) -> tuple[Peer, list[Message]]:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        server = self.connect(*self._target)
        server.send_startup(parameters)
        greeting: list[Message] = []
        while (message := server.read()).type != b"Z":
            if message.type == b"S":
                greeting.append(message)
        return server, greeting

    def _give_back(self, server: Peer, greeting: list[Message]) -> None:
        with self._lock:
            self._idle.append((server, greeting))

    def _answer(self, server: Peer, client: Peer) -> bool:
        """Pass on all that answers one message of the simple protocol; whether no transaction is open then."""
        while True:
            message = server.read()
            client.send(message)
            if message.type == b"Z":
                return message.content == _IDLE
