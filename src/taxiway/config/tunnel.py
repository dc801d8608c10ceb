"""``[tunnel]`` and ``[environments.<name>.tunnel]`` of ``taxiway.toml``: where tunnels lead, and by which way.

They are for whoever opens tunnels; :mod:`taxiway.config.table` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from taxiway.config.keys import KeyCheck
from taxiway.config.table import Table, ValueKind, check_tables, load_table
from taxiway.config.task import load_task
from taxiway.model.tunnel import TunnelSettings


@dataclass(frozen=True, slots=True)
class TunnelKey:
    """A key of the table, for the code and for the reference page; a field of :class:`TunnelSettings`.

    Attributes:
        name: As in the file.
        field: The name of the field, where it is another one.
        metavar: What the value of the option is called.
    """

    name: str
    kind: ValueKind
    flag: str
    help: str
    field: str = ""
    metavar: str = "NAME"

    @property
    def attribute(self) -> str:
        """The field of :class:`TunnelSettings`."""
        return self.field or self.name


_TEXT: Final = ValueKind.TEXT
KEYS: Final = (
    TunnelKey("cluster", _TEXT, "--cluster", "Aurora cluster or RDS instance, by its identifier."),
    TunnelKey(
        "endpoint",
        _TEXT,
        "--endpoint",
        "Name of the database server; RDS is not asked then.",
        metavar="HOST",
    ),
    TunnelKey(
        "endpoint_port",
        ValueKind.INTEGER,
        "--endpoint-port",
        "Port of that server; 5432 without it.",
        metavar="PORT",
    ),
    TunnelKey(
        "reader", ValueKind.BOOLEAN, "--reader", "Lead to the readers of the cluster instead of the writer."
    ),
    TunnelKey(
        "via",
        _TEXT,
        "--via",
        "ssm (Systems Manager) or ssh; without it ssh if there is a bastion, else ssm.",
        metavar="WAY",
    ),
    TunnelKey(
        "target",
        _TEXT,
        "--target",
        "For ssm: the instance to go through, by id or Name tag, or ecs:CLUSTER_TASK_RUNTIME.",
    ),
    TunnelKey("bastion", _TEXT, "--bastion", "For ssh: USER@HOST or USER@HOST:PORT.", metavar="ADDRESS"),
    TunnelKey(
        "key_secret",
        _TEXT,
        "--key-secret",
        "For ssh: the secret with the private key; without it, the keys and the agent of the user.",
    ),
    TunnelKey(
        "host_key",
        ValueKind.LIST,
        "--host-key",
        "For ssh: the public key of the bastion; without it, the known_hosts of the user.",
        field="host_keys",
        metavar="KEY",
    ),
    TunnelKey(
        "port", ValueKind.INTEGER, "--port", "Port of this machine; without it, a free one.", metavar="PORT"
    ),
    TunnelKey("database", _TEXT, "--database", "Name of the database; without it, the one RDS tells."),
    TunnelKey("user", _TEXT, "--user", "Database user; without it, PGUSER or the one RDS tells."),
    TunnelKey(
        "login_secret",
        _TEXT,
        "--login-secret",
        "The secret with username and password, for a program that is run through the tunnel.",
    ),
    TunnelKey(
        "sslrootcert",
        _TEXT,
        "--sslrootcert",
        "Authorities that the server's certificate is checked against; without it, those of RDS.",
        metavar="FILE",
    ),
    TunnelKey(
        "stack",
        _TEXT,
        "--stack",
        "A CloudFormation stack whose outputs tell what is set nowhere else; without it, that of `[task]`, if "
        "neither cluster nor endpoint is named.",
    ),
    TunnelKey(
        "region",
        _TEXT,
        "--region",
        "AWS region; without it, that of `[task]`, of the environment or of the profile.",
    ),
    TunnelKey(
        "profile",
        _TEXT,
        "--profile",
        "Profile of the AWS configuration; without it, that of `[task]`, or AWS_PROFILE.",
    ),
)
TABLE: Final = Table("tunnel", KEYS)


def check_tunnel_tables(document: Mapping[str, Any], check: KeyCheck) -> None:
    """Note what is wrong with the keys of every such table."""
    check_tables(document, TABLE, check)


def load_tunnel(
    *, environ: Mapping[str, str], directory: Path, file: Path | None, environment: str | None
) -> TunnelSettings:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    Region and profile are those of ``[task]`` where the table has none; so is the stack, where it names neither
    cluster nor endpoint.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    values = load_table(TABLE, environ=environ, directory=directory, file=file, environment=environment)
    task = load_task(environ=environ, directory=directory, file=file, environment=environment)
    stack = None if {"cluster", "endpoint"} & values.keys() else task.stack
    shared = {"stack": stack, "region": task.region, "profile": task.profile}
    given = {key.attribute: values[key.name] for key in KEYS if key.name in values}
    return TunnelSettings(**{**shared, **given})
