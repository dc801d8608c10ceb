"""Tunnels: what is asked for, where they lead, and what becomes of them."""

from dataclasses import dataclass
from enum import Enum

POSTGRES_PORT = 5432


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelSettings:
    """What ``[tunnel]`` says, with the options of the call over it. ``None`` is: not said.

    Attributes:
        cluster: An Aurora cluster, or an RDS instance, by its identifier.
        endpoint: A name of the database server, in place of asking RDS.
        endpoint_port: The port of ``endpoint``.
        via: ``ssm`` or ``ssh``; without it ``ssh`` where there is a bastion.
        target: For ``ssm``: an instance, by id or ``Name`` tag, or ``ecs:CLUSTER_TASK_RUNTIME``.
        bastion: For ``ssh``: ``USER@HOST:PORT``.
        key_secret: For ``ssh``: the secret with the private key; without it, the keys and the agent of the user.
        host_keys: For ``ssh``: the public keys of the bastion; without any, the ``known_hosts`` of the user.
        port: The local port; a free one without it.
        login_secret: The secret with ``username`` and ``password`` for a program that is run through the tunnel.
    """

    stack: str | None = None
    cluster: str | None = None
    endpoint: str | None = None
    endpoint_port: int | None = None
    reader: bool | None = None
    via: str | None = None
    target: str | None = None
    bastion: str | None = None
    key_secret: str | None = None
    host_keys: tuple[str, ...] = ()
    port: int | None = None
    database: str | None = None
    user: str | None = None
    login_secret: str | None = None
    sslrootcert: str | None = None
    region: str | None = None
    profile: str | None = None


class Role(Enum):
    """What an endpoint of a database leads to; the value is its name for people."""

    WRITER = "writer"
    READER = "reader"
    INSTANCE = "instance"
    CUSTOM = "custom endpoint"
    PROXY = "proxy"
    UNKNOWN = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseServer:
    """What RDS tells of a cluster or of an instance.

    Attributes:
        reader: The endpoint of a cluster for readers; ``None`` where there is none.
        role: What ``host`` leads to.
        cluster: The cluster that an instance belongs to.
        database, user: Those that it was created with.
    """

    identifier: str
    host: str
    port: int
    role: Role
    reader: str | None = None
    cluster: str | None = None
    database: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a tunnel leads. ``words`` says what that is: ``the writer of cluster shop``."""

    host: str
    port: int
    role: Role
    words: str
    database: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bastion:
    """Where ssh goes. ``user`` and ``port`` are ``None`` where the user's own configuration tells them."""

    host: str
    user: str | None = None
    port: int | None = None

    @property
    def words(self) -> str:
        """As it was written."""
        user = f"{self.user}@" if self.user else ""
        return f"{user}{self.host}:{self.port}" if self.port else f"{user}{self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SsmSession:
    """A session of Systems Manager, as StartSession gives it. The token opens ``url`` once."""

    id: str
    url: str
    token: str


# --- what becomes of a tunnel ---


@dataclass(frozen=True, slots=True)
class TunnelOpened:
    """The database has answered, and clients can connect to this port of 127.0.0.1."""

    port: int


@dataclass(frozen=True, slots=True)
class DatabaseAwaited:
    """The link is there, and the database has not answered for so many seconds: it may be waking up."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The link has died; another one is being made."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkRestored:
    """There is a link again. ``is_same`` says that the connections of clients have survived."""

    is_same: bool


@dataclass(frozen=True, slots=True)
class LinkStillLost:
    """Another attempt has failed, and the next one is made in so many seconds."""

    reason: str
    seconds: float


type TunnelEvent = TunnelOpened | DatabaseAwaited | LinkLost | LinkRestored | LinkStillLost
