"""What a connection has when nobody says otherwise.

Below the URL and the settings, and below libpq's own: its environment variables and its service file (PostgreSQL
manual, "Environment Variables" and "The Connection Service File").
"""

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


def add_defaults(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters, with ours where neither they nor libpq's variables nor the service file say anything."""
    service = {name: value for name, value in parameters.items() if name == "service"}
    said = resolve_conninfo(service)
    return {**{name: value for name, value in _DEFAULTS.items() if name not in said}, **parameters}
