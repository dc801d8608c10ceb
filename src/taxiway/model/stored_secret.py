"""Secrets as they lie in AWS Secrets Manager, who refers to them, and what is to be done about them. No values.

Terminology:

use
    A place in the project that refers to a secret: a reference, a declared role, the deploy key, the registry.
version
    One value of a secret. Its stages say what it is: ``AWSCURRENT``, ``AWSPENDING``, ``AWSPREVIOUS``.
rotation
    Another password for a database user, first as the pending version, and current with the next run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from taxiway.secret import Secret

CURRENT: Final = "AWSCURRENT"
PENDING: Final = "AWSPENDING"

USER_KEY: Final = "username"
PASSWORD_KEY: Final = "password"  # noqa: S105 - the name of a key

# The beginning of the names of versions that a rotation of ours has made: others are somebody else's to finish.
ROTATION_PREFIX: Final = "taxiway-rotation-"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsSettings:
    """What is configured of secrets. ``None`` and empty: not given."""

    deploy_key_secret: str | None = None
    registry_secret: str | None = None
    repository_owner: str | None = None
    repository_path: str | None = None
    kms_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None
    profile: str | None = None

    @property
    def repository(self) -> str | None:
        """``owner/name`` on GitHub."""
        if not (self.repository_owner and self.repository_path):
            return None
        return f"{self.repository_owner}/{self.repository_path.removesuffix('.git')}"


class Purpose(Enum):
    """What a secret is for; the value is how people are told."""

    DATABASE_USER = "database user"
    DEPLOY_KEY = "deploy key"
    REGISTRY = "image registry"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """A place that refers to a secret.

    Attributes:
        key: The key that is asked for; ``None`` for the whole text.
        user: The database user whose secret it has to be; ``None`` if any user will do.
    """

    secret_id: str
    purpose: Purpose
    origin: str
    key: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """What Secrets Manager tells of a secret besides its value.

    Attributes:
        kms_key: ``None`` is the account's default one, ``aws/secretsmanager``.
        owner: The service that manages it, such as ``rds``; ``None`` for us.
        is_rotated: Secrets Manager changes it by itself, with a function or by its owner.
        deletes_at: It is marked as deleted, and goes for good then.
        stages: By the id of each version.
    """

    name: str
    arn: str
    kms_key: str | None = None
    owner: str | None = None
    is_rotated: bool = False
    changed_at: datetime | None = None
    rotated_at: datetime | None = None
    deletes_at: datetime | None = None
    stages: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def current_version(self) -> str | None:
        """The version that everybody reads; ``None`` if the secret has no value yet."""
        return self._version(CURRENT)

    @property
    def pending_version(self) -> str | None:
        """The version of a rotation that is under way. One that has become current may still have the stage."""
        pending = self._version(PENDING)
        return None if pending == self.current_version else pending

    @property
    def pending_is_ours(self) -> bool:
        """A rotation that a run of Taxiway will finish is under way."""
        return bool(self.pending_version and self.pending_version.startswith(ROTATION_PREFIX))

    def _version(self, stage: str) -> str | None:
        return next((version for version, stages in self.stages.items() if stage in stages), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A secret to be made."""

    name: str
    text: Secret
    description: str
    kms_key: str | None = None
    tags: tuple[tuple[str, str], ...] = ()


class PutAction(Enum):
    """What a new value means for the secret; the value is how people are told."""

    CREATE = "create"
    REPLACE = "replace"
    KEEP = "keep"


class Shape(Enum):
    """How the value lies in the secret; the value is how people are told."""

    USER = "{username, password}"
    TEXT = "plain text"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutWish:
    """A value that somebody wants in a secret. ``user`` is the one of :attr:`Shape.USER`."""

    name: str
    shape: Shape
    user: str | None = None
    kms_key: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    is_generated: bool = False
    may_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPlan:
    """What is going to happen, in words for whoever agrees. ``consequences`` is what stops working, or waits."""

    wish: PutWish
    action: PutAction
    consequences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A rotation as it is planned. ``pending`` is the version of one that is under way already."""

    secret_id: str
    user: str
    key: str
    pending: str | None


class Finding(Enum):
    """What is wrong with a secret that the project refers to; the value is the stable name of it."""

    MISSING = "missing"
    DELETED = "deleted"
    NO_VALUE = "no-value"
    NO_KEY = "no-key"
    NOT_JSON = "not-json"
    OTHER_USER = "other-user"
    EMPTY = "empty"
    NOT_A_KEY = "not-a-key"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretProblem:
    """Something that is wrong, where it matters, and the exact way out."""

    finding: Finding
    message: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretState:
    """A secret that the project refers to, all its uses, and what is wrong with it.

    Attributes:
        stored: ``None`` if there is none, or it may not be looked at.
        keys: The names of the keys that it has; ``None`` if it is not a JSON object, or was not read.
    """

    secret_id: str
    uses: tuple[SecretUse, ...]
    stored: StoredSecret | None
    keys: tuple[str, ...] | None = None
    problems: tuple[SecretProblem, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Nothing is wrong with it."""
        return not self.problems
