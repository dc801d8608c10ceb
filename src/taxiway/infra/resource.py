"""What the template is made of.

Terminology:

text with names
    A text in which ``${Name}`` stands for a resource, ``${Name.Attribute}`` for what AWS tells of one, and
    ``${AWS::Region}`` for where the stack is (``Fn::Sub``, CloudFormation manual).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

type Json = Any


class Ending(Enum):
    """What becomes of a resource that is taken out of the stack; the value is the ``DeletionPolicy``."""

    DELETED = "Delete"
    SNAPSHOTTED = "Snapshot"
    # Unlike "Retain", a creation that fails leaves nothing behind.
    KEPT = "RetainExceptOnCreate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource.

    Attributes:
        is_tagged: It takes tags as a list of ``Key`` and ``Value``.
    """

    logical_id: str
    type: str
    properties: Mapping[str, Json] = field(default_factory=dict)
    ending: Ending = Ending.DELETED
    depends_on: tuple[str, ...] = ()
    is_tagged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement of an IAM policy that allows something.

    Attributes:
        resources: Texts with names.
        conditions: By operator, then by condition key; values are texts with names.
        why_everything: The reason where AWS knows no resource to name: ``resources`` is ``*`` then, and only then.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    why_everything: str | None = None

    def __post_init__(self) -> None:
        """No statement is about everything without a reason."""
        if ("*" in self.resources) != (self.why_everything is not None):
            raise ValueError(f"{self.sid}: all resources, and no reason; or a reason, and not all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role: who may take it on, and what it may do. Terraform's is made of the same.

    Attributes:
        trust: The statement of its trust policy, with texts with names.
    """

    logical_id: str
    description: str
    trust: Mapping[str, Json]
    statements: tuple[Statement, ...] = ()


def ref(logical_id: str) -> Json:
    """The resource by its physical id."""
    return {"Ref": logical_id}


def attribute(logical_id: str, name: str) -> Json:
    """What AWS tells of a resource once it is there."""
    return {"Fn::GetAtt": [logical_id, name]}


def sub(text: str) -> Json:
    """A text with names; without any it is a plain text."""
    return {"Fn::Sub": text} if "${" in text else text


def sub_all(value: Json) -> Json:
    """A value with all its texts taken as texts with names."""
    if isinstance(value, str):
        return sub(value)
    if isinstance(value, dict):
        return {name: sub_all(one) for name, one in value.items()}
    return [sub_all(one) for one in value] if isinstance(value, list | tuple) else value


def literal(text: str) -> str:
    """A text of the user's in a text with names: a ``${`` of its own stays what it is."""
    return text.replace("${", "${!")


def as_tags(tags: Mapping[str, Json]) -> Sequence[Json]:
    """Tags as most resources want them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
