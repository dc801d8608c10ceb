"""What ``taxiway tunnel`` accepts: the keys of ``[tunnel]`` as options."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from taxiway.cli.commands.options import call_options
from taxiway.config.table import ValueKind
from taxiway.config.tunnel import KEYS, TunnelKey, load_tunnel
from taxiway.errors import InvalidOption
from taxiway.model.tunnel import TunnelSettings

type Command = Callable[..., Any]

_MOST_PORT = 65535


def tunnel_options(command: Command) -> Command:
    """Give a command every key of ``[tunnel]``, ``--env``, ``--config``, and how the call answers."""
    for key in reversed(KEYS):
        command = _option(key)(command)
    return call_options(_env_option(_config_option(command)))


_env_option = click.option(
    "--env", "environment", metavar="NAME", help="Let [environments.NAME.tunnel] win over [tunnel]."
)
_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file instead of ./taxiway.toml.",
)


def _option(key: TunnelKey) -> Callable[[Command], Command]:
    match key.kind:
        case ValueKind.BOOLEAN:
            return click.option(f"{key.flag}/--no-{key.name}", key.attribute, default=None, help=key.help)
        case ValueKind.LIST:
            more = " May be given several times."
            return click.option(key.flag, key.attribute, multiple=True, metavar=key.metavar, help=key.help + more)
        case ValueKind.INTEGER:
            return click.option(key.flag, key.attribute, type=int, metavar=key.metavar, help=key.help)
        case _:
            return click.option(key.flag, key.attribute, metavar=key.metavar, help=key.help)


def read_settings(options: Mapping[str, object]) -> TunnelSettings:
    """The settings of a call, of those options that :func:`tunnel_options` gave it.

    A cluster or an endpoint of the call puts the other one of the file out of force.

    Raises:
        ConfigError: The file cannot be used, or a port is none.
    """
    environment, config_file = options["environment"], options["config_file"]
    settings = load_tunnel(
        environ=os.environ,
        directory=Path.cwd(),
        file=config_file if isinstance(config_file, Path) else None,
        environment=environment if isinstance(environment, str) else None,
    )
    given: dict[str, Any] = {
        key.attribute: options[key.attribute] for key in KEYS if options[key.attribute] not in (None, ())
    }
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
