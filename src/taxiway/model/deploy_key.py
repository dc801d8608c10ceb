"""Deploy keys: SSH key pairs that belong to a repository instead of a person.

Terminology:

half
    The private one lies in a secret; the public one is registered at the Git host.
fingerprint
    ``SHA256:…``, as OpenSSH and GitHub show it: the name of a key pair for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from taxiway.secret import Secret


class KeyKind(Enum):
    """What kind of pair; the value is the name on the command line."""

    ED25519 = "ed25519"
    RSA = "rsa"


class KeyPair(NamedTuple):
    """Both halves; the public one is a line without its end, as ``authorized_keys`` has it."""

    private: Secret
    public: str


class Registration(NamedTuple):
    """A public half at the Git host. ``is_new``: this call has made it."""

    id: int
    is_read_only: bool
    is_new: bool = False


class KeyAction(Enum):
    """What becomes of the secret; the value is how people are told."""

    CREATE = "create"
    REPLACE = "replace"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlan:
    """What is going to happen. ``present`` is the public half of the key that the secret has."""

    secret_id: str
    action: KeyAction
    present: str | None = None
    consequences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyResult:
    """What has happened. ``registration`` is ``None`` if the host was not asked."""

    secret_id: str
    action: KeyAction
    public: str
    fingerprint: str
    repository: str | None
    registration: Registration | None = None
    replaced: str | None = None
