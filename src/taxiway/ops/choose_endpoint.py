"""Where a tunnel leads: to the writer, unless somebody says otherwise, and it is said which it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from taxiway import errors
from taxiway.model.endpoint import find_rds_endpoint
from taxiway.model.tunnel import POSTGRES_PORT, DatabaseServer, Destination, Role, TunnelSettings
from taxiway.ops.seams import DatabaseServers, Stacks
from taxiway.ops.stack_state import read_outputs

# The outputs of a stack that are looked at, by key of the setting.
OUTPUTS: Final[Mapping[str, str]] = {
    "cluster": "DatabaseClusterId",
    "target": "BastionInstanceId",
    "login_secret": "DatabaseMasterSecretArn",
}
# What the kind of an endpoint's name leads to (Aurora User Guide, "Amazon Aurora endpoint connections").
_ROLES: Final = {
    "cluster": Role.WRITER,
    "cluster-ro": Role.READER,
    "cluster-custom": Role.CUSTOM,
    "proxy": Role.PROXY,
    "": Role.INSTANCE,
}


def with_outputs(settings: TunnelSettings, stacks: Stacks) -> TunnelSettings:
    """The settings, with the outputs of their stack where they say nothing; AWS is asked only if they name one.

    Raises:
        StackNotReady: Its resources are not there.
        AwsError: There is no such stack, or it may not be looked at.
    """
    if settings.stack is None:
        return settings
    outputs = read_outputs(settings.stack, stacks)
    told = {name: outputs.get(output) for name, output in OUTPUTS.items()}
    return replace(
        settings,
        cluster=settings.cluster or (None if settings.endpoint else told["cluster"]),
        target=settings.target or told["target"],
        login_secret=settings.login_secret or told["login_secret"],
    )


def choose_endpoint(settings: TunnelSettings, servers: DatabaseServers) -> Destination:
    """The writer of the cluster, its readers, or the endpoint that is named.

    RDS is asked for a cluster only.

    Raises:
        MissingOption: Neither cluster nor endpoint is named.
        InvalidOption: Both are, or the cluster has no readers.
        AwsError: There is nothing of that name, or it may not be looked at.
    """
    if settings.endpoint is not None:
        return _named(settings, settings.endpoint)
    if settings.cluster is None:
        output = f", and the stack '{settings.stack}' has no output {OUTPUTS['cluster']}" if settings.stack else ""
        raise errors.MissingOption(
            f"It is not said which database the tunnel leads to{output}.",
            hint="Set cluster in [tunnel] of taxiway.toml, or give --cluster or --endpoint.",
        )
    if settings.endpoint_port is not None:
        raise errors.InvalidOption(
            "endpoint_port belongs to an endpoint; RDS tells the port of a cluster.",
            hint="Remove endpoint_port, or name the endpoint.",
        )
    server = servers.get_server(settings.cluster)
    return _reader(server) if settings.reader else _as_it_is(server)


def _named(settings: TunnelSettings, endpoint: str) -> Destination:
    if settings.reader:
        raise errors.InvalidOption(
            "An endpoint and --reader are both given.", hint="Name the endpoint of the readers, or the cluster."
        )
    known = find_rds_endpoint(endpoint)
    role = _ROLES.get(known.kind, Role.UNKNOWN) if known else Role.UNKNOWN
    port = settings.endpoint_port or POSTGRES_PORT
    words = {Role.WRITER: "the writer of a cluster", Role.READER: "the readers of a cluster"}
    return Destination(host=endpoint, port=port, role=role, words=words.get(role, f"the {role.value}"))


def _as_it_is(server: DatabaseServer) -> Destination:
    if server.cluster == server.identifier:
        words = f"the writer of cluster {server.cluster}"
    elif server.cluster:
        words = f"instance {server.identifier}, now a {server.role.value} of cluster {server.cluster}"
    else:
        words = f"instance {server.identifier}" + (", a read replica" if server.role is Role.READER else "")
    return _to(server, server.host, server.role, words)


def _reader(server: DatabaseServer) -> Destination:
    if server.reader is None:
        raise errors.InvalidOption(
            f"'{server.identifier}' has no endpoint for readers.",
            hint="Leave out --reader, or name a read replica as the cluster.",
        )
    return _to(server, server.reader, Role.READER, f"the readers of cluster {server.identifier}")


def _to(server: DatabaseServer, host: str, role: Role, words: str) -> Destination:
    return Destination(
        host=host, port=server.port, role=role, words=words, database=server.database, user=server.user
    )
