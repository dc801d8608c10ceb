"""What ``taxiway tunnel`` accepts: the keys of ``[tunnel]`` as options."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from taxiway.cli.table_options import given_values, place_of_file, table_options
from taxiway.config.tunnel import TABLE, load_tunnel
from taxiway.errors import InvalidOption
from taxiway.model.tunnel import TunnelSettings

_MOST_PORT: Final = 65535

tunnel_options = table_options(TABLE)


def read_settings(options: Mapping[str, object]) -> TunnelSettings:
    """The settings of a call, of those options that :func:`tunnel_options` gave it.

    A cluster or an endpoint of the call puts the other one of the file out of force.

    Raises:
        ConfigError: The file cannot be used, or a port is none.
    """
    settings, given = load_tunnel(**place_of_file(options)), given_values(TABLE, options)
    if "cluster" in given and "endpoint" not in given:
        settings = replace(settings, endpoint=None, endpoint_port=None)
    settings = replace(settings, **given)
    for name in ("port", "endpoint_port"):
        _check_port(name, getattr(settings, name))
    if settings.via not in {None, "ssm", "ssh"}:
        raise InvalidOption(f"via: '{settings.via}' is no way to go.", hint="Write ssm or ssh.")
    return settings


def _check_port(name: str, port: int | None) -> None:
    if port is not None and not 0 < port <= _MOST_PORT:
        raise InvalidOption(f"{name}: {port} is no port.", hint=f"Give one from 1 to {_MOST_PORT}.")
