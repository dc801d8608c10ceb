"""What a connection has when nobody says otherwise.

Below the URL and the settings, and below libpq's own: its environment variables and its service file (PostgreSQL
manual, "Environment Variables" and "The Connection Service File").
"""

import os
from collections.abc import Mapping
from typing import Final

from taxiway.postgres.libpq.conninfo import resolve_conninfo

# libpq waits for ever by default. Keepalives find a peer that is gone within about a minute.
_DEFAULTS: Final[Mapping[str, str]] = {
    "application_name": "taxiway",
    "connect_timeout": "15",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


# Where libpq has a default of its own, only the variable tells whether somebody has said something.
_OF_TLS: Final[Mapping[str, str]] = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
_RDS: Final = "amazonaws.com"


def add_defaults(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters, with ours where neither they nor libpq's variables nor the service file say anything."""
    service = {name: value for name, value in parameters.items() if name == "service"}
    said = resolve_conninfo(service)
    ours = {name: value for name, value in _DEFAULTS.items() if name not in said}
    return {**ours, **_trust(parameters), **parameters}


def _trust(parameters: Mapping[str, str]) -> dict[str, str]:
    """How a server of RDS proves who it is. With a service file all of that is libpq's."""
    host = parameters.get("host") or os.environ.get("PGHOST", "")
    if _RDS not in host.lower() or parameters.get("service") or os.environ.get("PGSERVICE"):
        return {}
    from taxiway.postgres.trust import rds_trust

    variables = {name: value for name, variable in _OF_TLS.items() if (value := os.environ.get(variable))}
    return rds_trust({**variables, **parameters}, host)
