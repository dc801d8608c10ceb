"""Whether a server can be reached at all, before anybody logs in."""

import socket
from ipaddress import ip_address
from typing import Final

from taxiway.model.doctor import Reach, ReachFacts

_SECONDS: Final = 5


def reach(host: str, port: int) -> ReachFacts:
    """What becomes of a connection from here within five seconds. Nothing is said over it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ReachFacts(host=host, port=port, reach=Reach.NAME_UNKNOWN)
    # The scope of a link-local address is no part of it.
    addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    is_private = all(one.is_private and not one.is_loopback for one in addresses)
    return ReachFacts(host=host, port=port, reach=_connect(host, port), is_private=is_private)


def _connect(host: str, port: int) -> Reach:
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except ConnectionRefusedError:
        return Reach.REFUSED
    except OSError:
        return Reach.SILENT
    return Reach.CONNECTED
