"""The ground that tasks run on, as values: what is wanted of it, what there is, and what would change.

Terminology:

stack
    All of it together, as CloudFormation has it under one name.
resource
    One thing of a stack. Its logical id is its name in the template, its physical id the one that AWS gave it.
adopted
    Used by the stack and not part of it: never changed beyond a rule in a security group, never deleted.
change set
    What CloudFormation would do to a stack, worked out and not done yet.
drift
    What somebody has changed in a stack's resources past CloudFormation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DEFAULT_STACK = "taxiway"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseWish:
    """An Aurora Serverless v2 cluster that the stack is to own. Capacities in ACU; 0 lets it pause.

    Attributes:
        master_secret: ARN of the secret of the first user, where it is not the one that RDS made with the cluster:
            a cluster that was restored has another one.
    """

    subnets: tuple[str, ...] = ()
    engine_version: str = "17.5"
    master_user: str = "sqladmin"
    min_capacity: float = 0.0
    max_capacity: float = 4.0
    pause_after_seconds: int = 300
    backup_days: int = 14
    deletion_protection: bool = True
    kms_key: str | None = None
    master_secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BastionWish:
    """A host that SSM sessions are forwarded through. No port of it is open."""

    subnet: str | None = None
    instance_type: str = "t4g.nano"


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubWish:
    """A role for workflows of one GitHub repository, in one environment of it.

    Attributes:
        repository: ``owner/name``.
        subject: The whole ``sub`` claim, where GitHub sends another one than the usual.
        provider: ARN of the account's OIDC provider for GitHub, if there is one: an account has at most one.
    """

    repository: str | None = None
    environment: str = "production"
    subject: str | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointsWish:
    """VPC endpoints, so that a task needs no NAT gateway for AWS.

    Attributes:
        route_tables: Of the subnets; the way to S3, where the layers of images in ECR are.
        s3_prefix_list: ``pl-…``, that of S3 in the region.
    """

    subnets: tuple[str, ...] = ()
    route_tables: tuple[str, ...] = ()
    s3_prefix_list: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InfraSettings:
    """What is configured in ``[infra]``. ``None`` and empty: not given.

    Attributes:
        rotated_secrets: Of declared users. A task may read them, and make a pending version the current one
            (docs/adr/0076-rotation.md).
    """

    stack: str = DEFAULT_STACK
    region: str | None = None
    profile: str | None = None
    vpc: str | None = None
    subnets: tuple[str, ...] = ()
    assign_public_ip: bool = False
    git_cidrs: tuple[str, ...] = ("0.0.0.0/0",)
    git_port: int = 22
    cluster: str | None = None
    image: str | None = None
    registry_secret: str | None = None
    cpu: int = 256
    memory: int = 512
    architecture: str = "X86_64"
    repository_owner: str | None = None
    repository_path: str | None = None
    repository_url: str | None = None
    deploy_key_secret: str | None = None
    secrets: tuple[str, ...] = ()
    rotated_secrets: tuple[str, ...] = ()
    kms_key: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    log_retention_days: int = 365
    log_kms_key: str | None = None
    database_host: str | None = None
    database_port: int = 5432
    database_name: str | None = None
    database_security_group: str | None = None
    database_resource_id: str | None = None
    database_users: tuple[str, ...] = ()
    database: DatabaseWish | None = None
    bastion: BastionWish | None = None
    github: GithubWish | None = None
    endpoints: EndpointsWish | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


# --- what there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as CloudFormation describes it.

    Attributes:
        status: ``CREATE_COMPLETE``, ``UPDATE_IN_PROGRESS``, …
        reason: Why it has that status, if CloudFormation says so.
        is_protected: Its deletion is switched off (termination protection).
    """

    id: str
    name: str
    status: str
    reason: str | None = None
    is_protected: bool = False
    outputs: tuple[tuple[str, str], ...] = ()
    changed_at: datetime | None = None

    @property
    def is_moving(self) -> bool:
        """Something is being done to it right now. One that only waits for a change set is not moving."""
        return self.status.endswith("_IN_PROGRESS") and not self.is_empty

    @property
    def is_empty(self) -> bool:
        """It has no resources yet: a change set was made for it, and never executed."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def is_dead(self) -> bool:
        """Its creation has failed: it can be deleted, and nothing else (``ROLLBACK_COMPLETE``)."""
        return self.status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}

    @property
    def is_complete(self) -> bool:
        """All of it is there, and nothing is being done to it; a last change may have been taken back."""
        return self.status.endswith("_COMPLETE") and not self.status.startswith(("ROLLBACK_", "DELETE_"))

    @property
    def is_standing(self) -> bool:
        """It was complete once, and nobody has begun to delete it: a change that goes on or fails leaves it."""
        return self.is_complete or self.status.startswith(("UPDATE_", "IMPORT_"))

    @property
    def is_good(self) -> bool:
        """What was done last to it has succeeded."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "DELETE_COMPLETE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackResource:
    """A resource of a stack."""

    logical_id: str
    type: str
    physical_id: str | None
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    """Something that happened to a resource, or to the stack itself (``logical_id`` is its name then)."""

    id: str
    moment: datetime
    logical_id: str
    type: str
    status: str
    reason: str | None = None


class DriftKind(Enum):
    """How a resource differs from the template; the value is CloudFormation's word."""

    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A resource that somebody has changed past CloudFormation. ``differences``: path, expected, actual."""

    logical_id: str
    type: str
    kind: DriftKind
    differences: tuple[tuple[str, str, str], ...] = ()


# --- what would change


class ChangeKind(Enum):
    """What becomes of a resource; the value is the word for people."""

    ADD = "add"
    CHANGE = "change"
    MAY_REPLACE = "may replace"
    REPLACE = "REPLACE"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one resource. ``details`` has the properties that change."""

    kind: ChangeKind
    logical_id: str
    type: str
    physical_id: str | None = None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """What CloudFormation would do. One without changes cannot be executed."""

    id: str
    stack_id: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a deployment would do to a stack.

    Attributes:
        is_new: There is no such stack yet.
        changes: As CloudFormation has worked them out; in the order of the template.
        warnings: What a person should know before, such as data that would be gone.
    """

    stack: str
    region: str
    is_new: bool
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """What becomes of each resource when a stack is destroyed.

    Attributes:
        protected: Those whose deletion is switched off, by logical id.
    """

    stack: Stack
    gone: tuple[StackResource, ...] = ()
    snapshotted: tuple[StackResource, ...] = ()
    kept: tuple[StackResource, ...] = ()
    protected: tuple[StackResource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InfraStatus:
    """A stack, its resources, and how it differs from what is configured and from what is really there.

    Attributes:
        outdated: Logical ids whose description in ``taxiway.toml`` is not the deployed one; ``None`` when nothing
            is configured to compare with, or the stack is not complete.
        drift: ``None`` when nobody has asked for it, or the stack is not complete.
        trouble: Why the stack is not complete, and what to do; empty when it is.
    """

    stack: Stack
    resources: tuple[StackResource, ...]
    outdated: tuple[str, ...] | None = None
    drift: tuple[Drift, ...] | None = None
    trouble: tuple[str, ...] = ()
