"""What ``taxiway doctor`` looks at, as values: what there is, what is wrong with it, and what nobody could see.

Terminology:

finding
    Something that will let a run fail, with the exact way out.
gap
    Something that could not be looked at: for lack of a right, or because it cannot be seen from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taxiway.model.task import LogTarget


class Area(Enum):
    """What a finding is about; the value is how people and programs are told."""

    CREDENTIALS = "credentials"
    PROJECT = "project"
    CLUSTER = "cluster"
    TASK_DEFINITION = "task definition"
    IMAGE = "image"
    LOG = "log"
    ROLES = "roles"
    SECRETS = "secrets"
    NETWORK = "network"
    DATABASE = "database"
    LOGIN = "login"
    GIT = "git"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that has to be mended. ``code`` is stable and kebab-case; ``fix`` is what to do, word for word."""

    area: Area
    code: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that was not looked at. It is never taken for fine.

    Attributes:
        what: Completes "Not checked from here: …".
        action: The IAM action that is missing, if that is why.
    """

    area: Area
    what: str
    because: str
    fix: str = ""
    action: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that was found; ``checked`` are the areas that were looked at at least in part, in that order."""

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    checked: tuple[Area, ...]

    @property
    def is_ready(self) -> bool:
        """Nothing is known that would let a run fail."""
        return not self.findings


# --- what there is


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerFacts:
    """Who calls, and where."""

    arn: str
    account: str
    region: str

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn``, …: the second part of every ARN."""
        return self.arn.split(":")[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """A revision of a task definition, with that of its containers which runs Taxiway.

    Attributes:
        definition: ``family:revision``.
        registry_secret: Of ``repositoryCredentials``.
        environment: The variables as they stand there.
        secrets: Variables that ECS fills, with the ``valueFrom`` of each.
    """

    definition: str
    container: str
    image: str
    network_mode: str
    compatibilities: tuple[str, ...]
    registry_secret: str | None = None
    execution_role: str | None = None
    task_role: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    log: LogTarget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFacts:
    """A role, and the services that may assume it; ``services`` is ``None`` when there is no such role."""

    arn: str
    services: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What a role needs to be allowed, and why: ``purpose`` completes "to …".

    Attributes:
        context: Condition keys that the request will have, with their values.
    """

    role: str
    action: str
    resource: str
    purpose: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a security group, for one direction. Ports are ``None`` for all of them.

    Attributes:
        lists: Prefix lists, by id: which ranges they stand for is not known.
    """

    protocol: str
    first: int | None = None
    last: int | None = None
    ranges: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """A security group."""

    id: str
    vpc: str
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetFacts:
    """A subnet.

    Attributes:
        way_out: What the route to 0.0.0.0/0 leads to: ``nat-…``, ``igw-…``; ``None`` without one that works.
    """

    id: str
    vpc: str
    range: str
    way_out: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointFacts:
    """A VPC endpoint; ``service`` is the last part of its name, such as ``secretsmanager`` or ``ecr.api``."""

    service: str
    has_private_dns: bool
    is_gateway: bool = False
    groups: tuple[GroupFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """Where tasks are started."""

    subnets: tuple[SubnetFacts, ...]
    groups: tuple[GroupFacts, ...]
    endpoints: tuple[EndpointFacts, ...] = ()
    has_dns: bool = True
    assign_public_ip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """A database as RDS has it.

    Attributes:
        kind: ``cluster`` or ``instance``, as in the names of commands.
        status: In a word of RDS.
        readers: Endpoints that lead to a server which cannot be written to.
        resource_id: What IAM calls it.
        has_iam_login: It lets users log in with a token of IAM.
        can_pause: It may be asleep although its status is ``available``: RDS does not tell.
    """

    identifier: str
    kind: str
    status: str
    version: str
    port: int
    writer: str | None
    readers: tuple[str, ...] = ()
    is_replica: bool = False
    vpc: str | None = None
    groups: tuple[GroupFacts, ...] = ()
    resource_id: str = ""
    has_iam_login: bool = False
    can_pause: bool = False


class Reach(Enum):
    """What became of a connection from here."""

    CONNECTED = "connected"
    REFUSED = "refused"
    SILENT = "silent"
    NAME_UNKNOWN = "name unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachFacts:
    """Whether the database can be reached from here. ``is_private``: its address is in no public network."""

    host: str
    port: int
    reach: Reach
    is_private: bool = False
