"""Databases of RDS with all their settings, snapshots of them, and what is found of a restore.

Terminology:

database
    An Aurora cluster with its instances, or an RDS instance that belongs to no cluster.
live name
    The identifier that applications know: its endpoint leads to whatever database has the name.
original
    The database that has had the live name when the restore began.
restored
    The database that was made of the snapshot.
stamp
    The UTC time at which a restore began. The names that it gives end with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

# By the name of the parameter in the API of RDS. What is off or empty has a value too, if AWS tells one.
type Settings = Mapping[str, Any]


class DatabaseKind(Enum):
    """What RDS calls it."""

    CLUSTER = "cluster"
    INSTANCE = "instance"


class Phase(Enum):
    """How far a restore is meant to go; a tag of the restored database, so that everybody can see it."""

    BUILD = "build"  # make it beside the original, and compare
    SWAP = "swap"  # give it the live name
    BACK = "back"  # give the original the live name again
    KEEP_RESTORED = "keep-restored"  # confirmed: the original goes
    KEEP_ORIGINAL = "keep-original"  # confirmed after a revert: the restored one goes


# Tags of a restore that is under way. They are no settings, and are gone when it is over.
RESTORE_TAG: Final = "taxiway:restore"  # the stamp
RESTORE_OF_TAG: Final = "taxiway:restore-of"  # the live name
REPLACES_TAG: Final = "taxiway:replaces"  # the resource id of the original, or NOTHING; on the original, ITSELF
SNAPSHOT_TAG: Final = "taxiway:snapshot"
SETTINGS_TAG: Final = "taxiway:settings-from"
PHASE_TAG: Final = "taxiway:phase"
INSTANCE_TAG: Final = "taxiway:instance"  # the name of an instance beside the live name
AT_WORK_TAG: Final = "taxiway:at-work"
RESTORE_TAGS: Final = (
    RESTORE_TAG,
    RESTORE_OF_TAG,
    REPLACES_TAG,
    SNAPSHOT_TAG,
    SETTINGS_TAG,
    PHASE_TAG,
    INSTANCE_TAG,
    AT_WORK_TAG,
)
NOTHING: Final = "nothing"
ITSELF: Final = "itself"

# Tags of a snapshot
DATABASE_TAG: Final = "taxiway:database"
ACTOR_TAG: Final = "taxiway:actor"
BRANCH_TAG: Final = "taxiway:branch"
COMMIT_TAG: Final = "taxiway:commit"
REASON_TAG: Final = "taxiway:reason"

_READY: Final = frozenset({"available", "storage-optimization"})
# "Viewing DB cluster status", "Viewing Amazon RDS DB instance status" (Aurora and RDS manuals): nothing of this
# ends by waiting.
_BROKEN: Final = frozenset(
    {
        "cloning-failed",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-create",
        "incompatible-network",
        "incompatible-option-group",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "migration-failed",
        "restore-error",
        "stopped",
        "storage-full",
    }
)


def is_ready(status: str) -> bool:
    """Whether RDS takes changes in that status."""
    return status in _READY


def is_broken(status: str) -> bool:
    """Whether waiting is in vain."""
    return status in _BROKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceConfiguration:
    """An instance of a cluster as it has to be. ``name`` is the one that it has beside the live name."""

    name: str
    is_writer: bool
    settings: Settings
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything about a database but its data: what a snapshot of AWS does not have. ``tags`` are the user's."""

    kind: DatabaseKind
    settings: Settings
    tags: Mapping[str, str]
    instances: tuple[InstanceConfiguration, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An instance of a cluster."""

    name: str
    arn: str
    status: str
    is_writer: bool
    settings: Settings
    tags: Mapping[str, str]

    @property
    def live_name(self) -> str:
        """Its name when its cluster has the live name."""
        return self.tags.get(INSTANCE_TAG, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database that there is. ``resource_id`` stays when the name changes.

    ``master_secret``: ARN of the secret with the master password, if RDS manages that.
    """

    kind: DatabaseKind
    name: str
    arn: str
    resource_id: str
    status: str
    settings: Settings
    tags: Mapping[str, str]
    instances: tuple[Instance, ...] = ()
    master_secret: str | None = None

    @property
    def configuration(self) -> Configuration:
        """How it is; what one that replaces it has to be."""
        return Configuration(
            kind=self.kind,
            settings=self.settings,
            tags=user_tags(self.tags),
            instances=tuple(
                InstanceConfiguration(
                    name=one.live_name,
                    is_writer=one.is_writer,
                    settings=one.settings,
                    tags=user_tags(one.tags),
                )
                for one in self.instances
            ),
        )

    @property
    def phase(self) -> Phase | None:
        """How far the restore that it belongs to is meant to go."""
        found = self.tags.get(PHASE_TAG)
        return next((phase for phase in Phase if phase.value == found), None)


def user_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Without those of a restore, and without AWS's own, which nobody else can set ("Tag restrictions")."""
    return {key: value for key, value in tags.items() if key not in RESTORE_TAGS and not key.startswith("aws:")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot of a database.

    Attributes:
        database: The identifier of the database when the snapshot was made.
        percent: How much of it is made.
        size_gib: AllocatedStorage: what was allocated, which is more than the data.
        type: ``manual``, ``automated`` or ``awsbackup``.
        manifest: The settings of the database at that moment; None if it has none that can be read.
    """

    kind: DatabaseKind
    name: str
    arn: str
    database: str
    status: str
    percent: int | None = None
    created_at: datetime | None = None
    size_gib: int | None = None
    engine: str = ""
    engine_version: str = ""
    type: str = "manual"
    is_encrypted: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    manifest: Configuration | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not as it has to be. ``where`` is ``cluster``, ``instance`` or ``instance <name>``."""

    where: str
    name: str
    wanted: object
    found: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Why a snapshot is made, for those who see it later."""

    actor: str
    branch: str | None = None
    commit: str | None = None
    reason: str | None = None
