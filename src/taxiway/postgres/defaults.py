"""What a connection has when nobody says otherwise.

Below the URL and the settings, and below libpq's own: its environment variables and its service file (PostgreSQL
manual, "Environment Variables" and "The Connection Service File").
"""

from collections.abc import Mapping
from typing import Final

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn

# libpq waits for ever by default. Keepalives find a peer that is gone within about a minute.
_DEFAULTS: Final[Mapping[str, str]] = {
    "application_name": "taxiway",
    "connect_timeout": "15",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}

# libpq checks it after it has read everything else, and before it looks for the server.
_NO_MODE: Final = "none"


def add_defaults(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters, with ours where neither they nor libpq's variables nor the service file say anything.

    What libpq's variables and the service file say of ours is added too: psycopg does the waiting by itself, and
    does not look for ``connect_timeout`` in a service file.
    """
    return {**_DEFAULTS, **_find_said(parameters.get("service")), **parameters}


def _find_said(service: str | None) -> dict[str, str]:
    """What libpq finds, without a connection, in its variables and this service, or in the one of ``PGSERVICE``.

    Nothing if there is no such service, which the attempt to connect will tell.
    """
    connection = PGconn.connect_start(make_conninfo(service=service, sslmode=_NO_MODE).encode())
    try:
        options = {option.keyword.decode(): option.val for option in connection.info}
    finally:
        connection.finish()
    return {name: value.decode(errors="replace") for name in _DEFAULTS if (value := options.get(name))}
