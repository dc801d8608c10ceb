"""``[tunnel]`` and ``[environments.<name>.tunnel]`` of ``taxiway.toml``: where tunnels lead, and by which way.

They are for whoever opens tunnels; :mod:`taxiway.config.table` reads them.
"""

from typing import Final, Unpack

from taxiway.config.table import ACCOUNT_KEYS, FilePlace, Key, Table, ValueKind, load_table
from taxiway.config.task import load_task
from taxiway.model.tunnel import TunnelSettings

_TEXT: Final = ValueKind.TEXT
KEYS: Final = (
    Key("cluster", _TEXT, "Aurora cluster or RDS instance, by its identifier.", flag="--cluster"),
    Key(
        "endpoint", _TEXT, "Name of the database server; RDS is not asked then.", flag="--endpoint", metavar="HOST"
    ),
    Key(
        "endpoint_port",
        ValueKind.INTEGER,
        "Port of that server; 5432 without it.",
        flag="--endpoint-port",
        metavar="PORT",
    ),
    Key("reader", ValueKind.BOOLEAN, "Lead to the readers of the cluster instead of the writer.", flag="--reader"),
    Key(
        "via",
        _TEXT,
        "ssm (Systems Manager) or ssh; without it ssh if there is a bastion, else ssm.",
        flag="--via",
        metavar="WAY",
    ),
    Key(
        "target",
        _TEXT,
        "For ssm: the instance to go through, by id or Name tag, or ecs:CLUSTER_TASK_RUNTIME.",
        flag="--target",
    ),
    Key("bastion", _TEXT, "For ssh: USER@HOST or USER@HOST:PORT.", flag="--bastion", metavar="ADDRESS"),
    Key(
        "key_secret",
        _TEXT,
        "For ssh: the secret with the private key; without it, the keys and the agent of the user.",
        flag="--key-secret",
    ),
    Key(
        "host_key",
        ValueKind.LIST,
        "For ssh: the public key of the bastion; without it, the known_hosts of the user.",
        flag="--host-key",
        field="host_keys",
        metavar="KEY",
    ),
    Key("port", ValueKind.INTEGER, "Port of this machine; without it, a free one.", flag="--port", metavar="PORT"),
    Key("database", _TEXT, "Name of the database; without it, the one RDS tells.", flag="--database"),
    Key("user", _TEXT, "Database user; without it, PGUSER or the one RDS tells.", flag="--user"),
    Key(
        "login_secret",
        _TEXT,
        "The secret with username and password, for a program that is run through the tunnel.",
        flag="--login-secret",
    ),
    Key(
        "sslrootcert",
        _TEXT,
        "Authorities that the server's certificate is checked against; without it, those of RDS.",
        flag="--sslrootcert",
        metavar="FILE",
    ),
    Key(
        "stack",
        _TEXT,
        "A CloudFormation stack whose outputs tell what is set nowhere else; without it, that of `[task]`, if "
        "neither cluster nor endpoint is named.",
        flag="--stack",
    ),
    *ACCOUNT_KEYS,
)
TABLE: Final = Table("tunnel", KEYS)


def load_tunnel(**place: Unpack[FilePlace]) -> TunnelSettings:
    """The table of ``taxiway.toml`` in the directory, or of ``file``, with that of the environment over it.

    Region and profile are those of ``[task]`` where the table has none; so is the stack, where it names neither
    cluster nor endpoint.

    Raises:
        UnknownEnvironment: The file has no such environment.
        ConfigError: The file cannot be used, in this part or another one.
    """
    values = load_table(TABLE, **place)
    task = load_task(**place)
    stack = None if {"cluster", "endpoint"} & values.keys() else task.stack
    shared = {"stack": stack, "region": task.region, "profile": task.profile}
    given = {key.attribute: values[key.name] for key in KEYS if key.name in values}
    return TunnelSettings(**{**shared, **given})
