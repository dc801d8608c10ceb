"""Whether a server can be reached at all, before anybody logs in."""

import socket
import ssl
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from taxiway.model.doctor import Reach, ReachFacts

_SECONDS: Final = 5
# "SSLRequest" (PostgreSQL, "Message Formats"): its length, and its number.
_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
# What OpenSSL calls X509_V_ERR_CERT_HAS_EXPIRED
_HAS_EXPIRED: Final = 10


def reach(host: str, port: int, address: str = "") -> ReachFacts:
    """What becomes of a connection from here within five seconds. Nothing is said over it.

    ``address`` is where to connect instead of looking up the name (``hostaddr`` of libpq).
    """
    place = address or host
    if not _addresses(place):
        return ReachFacts(host=host, port=port, reach=Reach.NAME_UNKNOWN)
    return ReachFacts(host=host, port=port, reach=_connect(place, port), is_private=is_private(place))


def has_expired_certificate(host: str, port: int, address: str = "", *, authorities: str = "") -> bool:
    """Whether the server shows a certificate that has expired: libpq says only that it was rejected.

    ``authorities`` is the file of those that are trusted; without it, or with ``system``, those of the system are.
    """
    context = ssl.create_default_context(cafile=authorities if authorities not in {"", "system"} else None)
    context.check_hostname = False
    try:
        with socket.create_connection((address or host, port), timeout=_SECONDS) as connection:
            connection.sendall(_SSL_REQUEST)
            if connection.recv(1) != b"S":
                return False
            with context.wrap_socket(connection, server_hostname=host):
                return False
    except ssl.SSLCertVerificationError as error:
        return error.verify_code == _HAS_EXPIRED
    except OSError:
        return False


def is_private(host: str) -> bool:
    """Whether a name or an address leads nowhere but into private networks; so does one that is not known here."""
    return all(one.is_private and not one.is_loopback for one in _addresses(host))


def _addresses(host: str) -> list[IPv4Address | IPv6Address]:
    """Where a name leads to; nowhere if it is not known."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    # The scope of a link-local address is no part of it.
    return [ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def _connect(host: str, port: int) -> Reach:
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except ConnectionRefusedError:
        return Reach.REFUSED
    except OSError:
        return Reach.SILENT
    return Reach.CONNECTED
