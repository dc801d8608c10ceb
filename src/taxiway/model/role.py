"""Database users as a project declares them, as the server has them, and what leads from one to the other.

Terminology:

role
    A user or a group of the server, which is the same to PostgreSQL. Roles belong to the server, and what they may
    do belongs to a database.
grants
    How much a role may do with the managed schemas, in one word; :data:`GRANTS` says what each means.
verifier
    What the server keeps of a password: enough to check it, and not the password (RFC 5803).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from taxiway.model.identifier import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from taxiway.model.settings import SecretReference
    from taxiway.secret import Secret


class ObjectKind(Enum):
    """What privileges are on; the value is the word of ``GRANT … ON`` (PostgreSQL manual, GRANT)."""

    DATABASE = "DATABASE"
    SCHEMA = "SCHEMA"
    TABLE = "TABLE"
    SEQUENCE = "SEQUENCE"
    ROUTINE = "ROUTINE"


class Grants(Enum):
    """How much a role may do."""

    NONE = "none"
    READ = "read"
    WRITE = "write"
    ALL = "all"


type Privileges = frozenset[str]

NOTHING: Final[Privileges] = frozenset()
_READ_TABLE: Final = frozenset({"SELECT"})
_WRITE_TABLE: Final = _READ_TABLE | {"INSERT", "UPDATE", "DELETE"}

GRANTS: Final[Mapping[Grants, Mapping[ObjectKind, Privileges]]] = {
    Grants.NONE: {},
    Grants.READ: {
        ObjectKind.DATABASE: frozenset({"CONNECT"}),
        ObjectKind.SCHEMA: frozenset({"USAGE"}),
        ObjectKind.TABLE: _READ_TABLE,
        ObjectKind.SEQUENCE: frozenset({"SELECT"}),
    },
    Grants.WRITE: {
        ObjectKind.DATABASE: frozenset({"CONNECT"}),
        ObjectKind.SCHEMA: frozenset({"USAGE"}),
        ObjectKind.TABLE: _WRITE_TABLE,
        ObjectKind.SEQUENCE: frozenset({"SELECT", "USAGE"}),
    },
    Grants.ALL: {
        ObjectKind.DATABASE: frozenset({"CONNECT", "TEMPORARY"}),
        ObjectKind.SCHEMA: frozenset({"USAGE", "CREATE"}),
        ObjectKind.TABLE: _WRITE_TABLE | {"TRUNCATE", "REFERENCES", "TRIGGER"},
        ObjectKind.SEQUENCE: frozenset({"SELECT", "USAGE", "UPDATE"}),
        ObjectKind.ROUTINE: frozenset({"EXECUTE"}),
    },
}
"""The privileges of each word. Functions are for everybody in PostgreSQL unless that was taken away on purpose, so
only ``all`` says something of them."""

ON_HISTORY: Final = _READ_TABLE
"""All that anybody is given of the schema history: who may write there may tell the next run anything."""

EVERYBODY: Final = ""
"""No role has this name; ``PUBLIC`` is a word of SQL and none either."""

WITH_DEFAULTS: Final = (ObjectKind.TABLE, ObjectKind.SEQUENCE, ObjectKind.ROUTINE)
"""What default privileges are kept for (PostgreSQL manual, ALTER DEFAULT PRIVILEGES)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role as it is declared. ``None`` leaves to the server what it has.

    Attributes:
        secret: Whose key is the password, if the secret is the role's own: a rotation of it is finished by a run.
        schemas: Those that ``grants`` is about; ``None`` for the managed ones.
        member_of: Roles that it is to be a member of; other memberships stay.
        before_migrations: It is there when the migrations run. All roles are looked after behind them.
        origin: Where it is declared, for messages.
    """

    name: str
    password: Secret | None = None
    secret: SecretReference | None = None
    grants: Grants | None = None
    schemas: tuple[str, ...] | None = None
    member_of: tuple[str, ...] = ()
    login: bool | None = None
    connection_limit: int | None = None
    valid_until: datetime | None = None
    before_migrations: bool = False
    origin: str = ""


class PasswordState(Enum):
    """What an attempt to log in with the declared password has told."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


class PasswordCheck(NamedTuple):
    """Whether the server has that password, and if that is not known, why not."""

    state: PasswordState
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRole:
    """A role as the server has it.

    Attributes:
        valid_until: When its password ends; ``None`` for never.
        is_administered: The connecting role may add members to it, and change it if it has CREATEROLE. That takes
            the ADMIN OPTION since PostgreSQL 16.
    """

    name: str
    is_superuser: bool = False
    is_ours: bool = False
    login: bool = True
    connection_limit: int = -1
    valid_until: datetime | None = None
    member_of: frozenset[str] = frozenset()
    is_administered: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundObject:
    """An object with what declared roles may do with it, as far as its owner has granted that.

    Attributes:
        arguments: Those of a routine, as ``GRANT`` wants them.
        owner: Has all privileges, and is neither given any nor loses one.
        is_ours: The connecting role owns it, or is a member of its owner: it may grant.
        held: Privileges by role; those of everybody by :data:`EVERYBODY`.
    """

    kind: ObjectKind
    name: str
    schema: str = ""
    arguments: str = ""
    owner: str = ""
    is_ours: bool = True
    held: Mapping[str, Privileges]

    @property
    def sql(self) -> str:
        """The name as SQL takes it."""
        name = quote_identifier(self.name)
        qualified = f"{quote_identifier(self.schema)}.{name}" if self.schema else name
        return f"{qualified}({self.arguments})" if self.kind is ObjectKind.ROUTINE else qualified


class DefaultsOf(NamedTuple):
    """Whose default privileges, for which objects of which schema."""

    role: str
    schema: str
    kind: ObjectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesFound:
    """What the server has, seen at one moment.

    Attributes:
        may_create_roles: The connecting role is a superuser or has CREATEROLE.
        roles: Those that are declared, and those that they are to be members of, as far as they exist.
        defaults: What the connecting role's new objects will be granted.
    """

    user: str
    may_create_roles: bool
    roles: Mapping[str, FoundRole]
    objects: tuple[FoundObject, ...] = ()
    defaults: Mapping[DefaultsOf, Privileges]


# --- changes


class RoleCreated(NamedTuple):
    """A role that is not there yet."""

    role: str
    login: bool
    connection_limit: int | None
    valid_until: datetime | None
    password: Secret | None


class RoleAltered(NamedTuple):
    """Attributes that differ; ``None`` stays."""

    role: str
    login: bool | None
    connection_limit: int | None
    valid_until: datetime | None


class PasswordSet(NamedTuple):
    """Another password. ``reason`` is why it is sent if nobody knows whether it is another one."""

    role: str
    password: Secret
    reason: str = ""


class PendingPassword(NamedTuple):
    """A password that a rotation wants to be the current one, and the version of the secret that has it."""

    secret: SecretReference
    password: Secret
    version: str


class PasswordRotated(NamedTuple):
    """The password of a rotation: set together with its version's becoming the current one."""

    role: str
    pending: PendingPassword

    @property
    def password(self) -> Secret:
        """The new one."""
        return self.pending.password


class MemberAdded(NamedTuple):
    """A membership."""

    role: str
    group: str


class PrivilegesChanged(NamedTuple):
    """Privileges granted on objects of one kind, or revoked. ``objects`` are names as SQL takes them."""

    role: str
    privileges: Privileges
    kind: ObjectKind
    objects: tuple[str, ...]
    is_revoked: bool = False


class DefaultsChanged(NamedTuple):
    """Privileges on what the connecting role will create in a schema, granted or revoked."""

    role: str
    privileges: Privileges
    kind: ObjectKind
    schema: str
    is_revoked: bool = False


type RoleChange = (
    RoleCreated | RoleAltered | PasswordSet | MemberAdded | PrivilegesChanged | DefaultsChanged | PasswordRotated
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesPlan:
    """What leads from the roles of the server to the declared ones, in order, and what cannot be done.

    ``losses`` are warnings too: of what is revoked and may be wanted by somebody else.
    """

    changes: tuple[RoleChange, ...] = ()
    warnings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
