"""Stacks with their resources and events, as the API tells of them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Any

from sandbox.cloud.stacks.template import Template

type Json = Any

STACK: str = "AWS::CloudFormation::Stack"


@dataclass(slots=True)
class Made:
    """A resource that exists.

    Attributes:
        properties: Those that it was made with, worked out.
        attributes: What ``Fn::GetAtt`` gives.
    """

    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Json]
    attributes: Mapping[str, Json]
    status: str = "CREATE_COMPLETE"
    changed_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(slots=True)
class Stack:
    """One stack. Only who holds ``lock`` changes it."""

    id: str
    name: str
    region: str
    account: str
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    template: Template = field(default_factory=dict)
    body: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    is_protected: bool = False
    made: dict[str, Made] = field(default_factory=dict)
    outputs: list[dict[str, str]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    drifts: list[dict[str, Any]] = field(default_factory=list)
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    lock: RLock = field(default_factory=RLock)

    @property
    def is_gone(self) -> bool:
        """Only its id still leads to it."""
        return self.status == "DELETE_COMPLETE"

    def enter(self, status: str, reason: str | None = None) -> None:
        """Have that status from now on, and an event for it."""
        with self.lock:
            # The event first: whoever sees the status can see why.
            self.note(self.name, STACK, status, physical_id=self.id, reason=reason)
            self.status, self.reason = status, reason

    def note(
        self, logical_id: str, kind: str, status: str, *, physical_id: str = "", reason: str | None = None
    ) -> None:
        """Something has happened to a resource."""
        event = {
            "EventId": str(uuid.uuid4()) if kind == STACK else f"{logical_id}-{status}-{uuid.uuid4()}",
            "StackId": self.id,
            "StackName": self.name,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "Timestamp": datetime.now(UTC),
            "ResourceStatus": status,
        }
        with self.lock:
            self.events.append({**event, "ResourceStatusReason": reason} if reason else event)

    def look_up(self, name: str, attribute: str | None) -> Json:
        """What a name in the template stands for.

        Raises:
            KeyError: There is no such resource yet, or it has no such attribute.
        """
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackId": self.id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        made = self.made[name]
        return made.physical_id if attribute is None else made.attributes[attribute]

    def describe(self) -> dict[str, Any]:
        """As DescribeStacks does."""
        described: dict[str, Any] = {
            "StackId": self.id,
            "StackName": self.name,
            "StackStatus": self.status,
            "CreationTime": self.created_at,
            "EnableTerminationProtection": self.is_protected,
            "Outputs": self.outputs,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }
        return {**described, "StackStatusReason": self.reason} if self.reason else described
