"""Tunnels for people and programs."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from taxiway.model.tunnel import (
    DatabaseAwaited,
    Destination,
    LinkLost,
    LinkRestored,
    LinkStillLost,
    TunnelEvent,
    TunnelOpened,
)

_LOCAL: Final = "127.0.0.1"
# What libpq calls its parameters, and its variables for them (PostgreSQL manual, "Environment Variables").
VARIABLES: Final[Mapping[str, str]] = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


def connection_parameters(
    destination: Destination, port: int, *, database: str | None, user: str | None, sslrootcert: str
) -> dict[str, str]:
    """What libpq needs to get through: the real name, which the certificate has, at the local address."""
    parameters = {
        "host": destination.host,
        "hostaddr": _LOCAL,
        "port": str(port),
        "dbname": database,
        "user": user,
        "sslmode": "verify-full",
        "sslrootcert": sslrootcert,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def render_psql(parameters: Mapping[str, str]) -> str:
    """A line for a shell, without a password: psql asks, or finds it in ``~/.pgpass`` under the real name."""
    conninfo = " ".join(f"{name}={_quote(value)}" for name, value in parameters.items())
    return f"psql {shlex.quote(conninfo)}"


def _quote(value: str) -> str:
    """As a connection string has it (PostgreSQL manual, "Keyword/Value Connection Strings")."""
    if value and not any(character in value for character in " \t\n'\\"):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def render_beginning(destination: Destination, way: str) -> str:
    """Said before anything is opened."""
    return f"Opening a tunnel to {destination.words} ({destination.host}:{destination.port}) {way} ..."


def render_event(event: TunnelEvent) -> str:
    """What has become of it."""
    match event:
        case TunnelOpened(port):
            return f"The tunnel is open: {_LOCAL}:{port}."
        case DatabaseAwaited(seconds):
            return f"The database has not answered for {seconds:g} s; it may be waking up. Waiting ..."
        case LinkLost(reason):
            return f"The connection was lost ({reason}); reconnecting ..."
        case LinkRestored(is_same=True):
            return "Connected again; open database connections go on."
        case LinkRestored():
            return "Connected again on the same port; database connections that were open have ended."
        case LinkStillLost(reason, seconds):
            return f"{reason} Trying again in {seconds:g} s ..."


def tunnel_json(destination: Destination, way: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """One object, as soon as the tunnel is open."""
    return {
        "operation": "tunnel",
        "way": way,
        "role": destination.role.value,
        "endpoint": destination.host,
        "endpointPort": destination.port,
        "host": _LOCAL,
        "port": int(parameters["port"]),
        "connection": dict(parameters),
        "psql": render_psql(parameters),
    }
