"""CloudFormation: what a deployed stack tells of itself, what would change in it, and the changing itself."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, final

from taxiway.aws.errors import error_message, translating
from taxiway.aws.session import Place, client
from taxiway.errors import AwsNotFound, StackFailed
from taxiway.model.infra import (
    Change,
    ChangeKind,
    ChangeSet,
    Drift,
    DriftKind,
    Stack,
    StackEvent,
    StackResource,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from types_boto3_cloudformation import CloudFormationClient

# How a change set tells that there is nothing to do: it has failed, and no code tells why, only these words
# (DescribeChangeSet, and "Updating stacks using change sets" in the CloudFormation manual).
_NO_CHANGES: Final = ("didn't contain changes", "No updates are to be performed")
# Roles without names of their own need no more ("Acknowledging IAM resources").
_CAPABILITIES: Final = ("CAPABILITY_IAM",)
# A value of a property is shown if it is no longer.
_SHOWN: Final = 60
_KINDS: Final = {"Add": ChangeKind.ADD, "Remove": ChangeKind.REMOVE, "Import": ChangeKind.ADD}
_REPLACEMENTS: Final = {"True": ChangeKind.REPLACE, "Conditional": ChangeKind.MAY_REPLACE}

type _Content = Mapping[str, Any]


@final
class CloudFormation:
    """The calls of CloudFormation that Taxiway makes; each needs the IAM action that its errors name."""

    def __init__(self, place: Place) -> None:
        """AWS is not asked for anything yet."""
        self._client: CloudFormationClient = client("cloudformation", place)

    @property
    def region(self) -> str:
        """The region that the client has found."""
        return self._client.meta.region_name

    # --- what there is

    def get_stack(self, stack: str) -> Stack:
        """The stack of that name.

        Raises:
            AwsNotFound: There is no such stack.
            AwsError: AWS refused or could not be asked.
        """
        found = self.find_stack(stack)
        if found is None:
            raise self._missing(stack)
        return found

    def find_stack(self, stack: str) -> Stack | None:
        """The stack of that name or id. By its id one is found that has been deleted, too."""
        # "ValidationError: Stack with id … does not exist" is how DescribeStacks says that there is none.
        missing = {"ValidationError": lambda _: self._missing(stack)}
        try:
            with translating("cloudformation:DescribeStacks", stack, missing):
                found = self._client.describe_stacks(StackName=stack)["Stacks"]
        except AwsNotFound:
            return None
        return _stack(found[0]) if found else None

    def list_resources(self, stack: str) -> tuple[StackResource, ...]:
        """The resources of a stack, those that were deleted left out."""
        resources: list[StackResource] = []
        with translating("cloudformation:ListStackResources", stack):
            for page in self._client.get_paginator("list_stack_resources").paginate(StackName=stack):
                resources += map(_resource, page["StackResourceSummaries"])
        return tuple(one for one in resources if one.status != "DELETE_COMPLETE")

    def get_template(self, stack: str) -> Mapping[str, Any]:
        """The template as it was deployed, if it is JSON, which ours are.

        Raises:
            StackFailed: The template is not ours.
        """
        with translating("cloudformation:GetTemplate", stack):
            body: Any = self._client.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
        # boto3 reads JSON by itself, and leaves YAML as text.
        if isinstance(body, dict):
            return body
        raise StackFailed(
            f"The template of stack {stack} was not made by Taxiway.",
            stack=stack,
            hint="Choose another name for yours: stack in [infra] of taxiway.toml.",
        )

    def list_events(self, stack: str, after: str | None) -> tuple[StackEvent, ...]:
        """What has happened after that event, the oldest first; ``None``: all that is remembered."""
        with translating("cloudformation:DescribeStackEvents", stack):
            pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack)
            events = (event for page in pages for event in page["StackEvents"])
            newer = [*takewhile(lambda event: event["EventId"] != after, events)]
        return tuple(map(_event, reversed(newer)))

    # --- changing

    def create_change_set(
        self, stack: str, name: str, template: Mapping[str, Any], *, is_new: bool, tags: Mapping[str, str]
    ) -> str:
        """Let CloudFormation work out what would change; the id of what it works on.

        Raises:
            StackFailed: The template is not accepted.
            AwsError: AWS refused or could not be asked.
        """
        refused = {
            code: lambda error: _not_accepted(stack, error)
            for code in ("ValidationError", "InsufficientCapabilitiesException", "LimitExceededException")
        }
        with translating("cloudformation:CreateChangeSet", stack, refused):
            answer = self._client.create_change_set(
                StackName=stack,
                ChangeSetName=name,
                ChangeSetType="CREATE" if is_new else "UPDATE",
                TemplateBody=json.dumps(template, separators=(",", ":"), ensure_ascii=False),
                Capabilities=[*_CAPABILITIES],
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                # A call that is repeated after a lost answer must not be a second change set.
                ClientToken=name,
            )
        return answer["Id"]

    def find_change_set(self, change_set: str, stack: str) -> ChangeSet | None:
        """What would change; ``None`` while CloudFormation works on it, or does not know it yet.

        The stack is named in every call: it is what IAM is asked about.

        Raises:
            StackFailed: It could not be worked out.
        """
        # "ChangeSetNotFound", for a moment after its creation.
        unknown = {"ChangeSetNotFound": lambda _: self._missing(change_set)}
        changes: list[Change] = []
        token: dict[str, str] = {}
        while True:
            try:
                with translating("cloudformation:DescribeChangeSet", stack, unknown):
                    asked = {"StackName": stack, "ChangeSetName": change_set, "IncludePropertyValues": True}
                    arguments: Any = {**asked, **token}
                    answer: _Content = self._client.describe_change_set(**arguments)
            except AwsNotFound:
                return None
            if answer["Status"] == "FAILED" and not _has_no_changes(answer):
                raise _not_worked_out(answer)
            if answer["Status"] not in {"CREATE_COMPLETE", "FAILED"}:
                return None
            changes += [_change(one["ResourceChange"]) for one in answer.get("Changes", ())]
            if "NextToken" not in answer:
                return ChangeSet(id=change_set, stack_id=answer["StackId"], changes=tuple(changes))
            token = {"NextToken": answer["NextToken"]}

    def delete_change_set(self, change_set: str, stack: str) -> None:
        """Forget it."""
        with translating("cloudformation:DeleteChangeSet", stack):
            self._client.delete_change_set(StackName=stack, ChangeSetName=change_set)

    def execute_change_set(self, change_set: str, stack: str, token: str) -> None:
        """Do what it says; the call comes back at once. Repeating it with the same token does nothing more."""
        with translating("cloudformation:ExecuteChangeSet", stack):
            self._client.execute_change_set(StackName=stack, ChangeSetName=change_set, ClientRequestToken=token)

    def delete_stack(self, stack: str, token: str) -> None:
        """Delete a stack; the call comes back at once."""
        with translating("cloudformation:DeleteStack", stack):
            self._client.delete_stack(StackName=stack, ClientRequestToken=token)

    # --- drift

    def start_drift_detection(self, stack: str) -> str:
        """Let CloudFormation compare every resource with the template; the id of the comparison."""
        with translating("cloudformation:DetectStackDrift", stack):
            return self._client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]

    def is_drift_detected(self, detection: str) -> bool:
        """Whether the comparison has ended.

        Raises:
            StackFailed: It could not be made.
        """
        action = "cloudformation:DescribeStackDriftDetectionStatus"
        with translating(action, detection):
            answer = self._client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if answer["DetectionStatus"] == "DETECTION_FAILED":
            reason = answer.get("DetectionStatusReason", "no reason given")
            raise StackFailed(
                f"CloudFormation could not compare all resources with the template: {reason}",
                stack=answer["StackId"],
                hint="Allow the actions that are named there, then ask again.",
            )
        return answer["DetectionStatus"] == "DETECTION_COMPLETE"

    def list_drifts(self, stack: str) -> tuple[Drift, ...]:
        """The resources that differ, as the last comparison has found."""
        found: list[Drift] = []
        token: dict[str, str] = {}
        while True:
            with translating("cloudformation:DescribeStackResourceDrifts", stack):
                arguments: Any = {
                    "StackName": stack,
                    "StackResourceDriftStatusFilters": [kind.value for kind in DriftKind],
                    **token,
                }
                answer: _Content = self._client.describe_stack_resource_drifts(**arguments)
            found += map(_drift, answer["StackResourceDrifts"])
            if "NextToken" not in answer:
                return tuple(found)
            token = {"NextToken": answer["NextToken"]}

    def _missing(self, stack: str) -> AwsNotFound:
        return AwsNotFound(
            f"There is no stack '{stack}' in region {self.region}.",
            kind="stack",
            name=stack,
            hint="Check the name, the region and the account, or name cluster, task definition and subnets.",
        )


def _stack(content: _Content) -> Stack:
    outputs = content.get("Outputs", ())
    return Stack(
        id=content.get("StackId", content["StackName"]),
        name=content["StackName"],
        status=content["StackStatus"],
        reason=content.get("StackStatusReason"),
        is_protected=content.get("EnableTerminationProtection", False),
        outputs=tuple(
            (one["OutputKey"], one["OutputValue"])
            for one in outputs
            if "OutputKey" in one and "OutputValue" in one
        ),
        changed_at=content.get("LastUpdatedTime") or content.get("CreationTime"),
    )


def _resource(content: _Content) -> StackResource:
    return StackResource(
        logical_id=content["LogicalResourceId"],
        type=content["ResourceType"],
        physical_id=content.get("PhysicalResourceId") or None,
        status=content["ResourceStatus"],
    )


def _event(content: _Content) -> StackEvent:
    return StackEvent(
        id=content["EventId"],
        moment=content["Timestamp"],
        logical_id=content.get("LogicalResourceId", ""),
        type=content.get("ResourceType", ""),
        status=content.get("ResourceStatus", ""),
        reason=content.get("ResourceStatusReason") or None,
    )


def _has_no_changes(content: _Content) -> bool:
    return any(words in content.get("StatusReason", "") for words in _NO_CHANGES)


def _not_worked_out(content: _Content) -> StackFailed:
    return StackFailed(
        f"CloudFormation cannot work out the changes: {content.get('StatusReason') or 'no reason given'}",
        stack=content["StackName"],
        hint="Correct [infra] in taxiway.toml, or allow what is named there, and plan again.",
    )


def _not_accepted(stack: str, error: "ClientError") -> StackFailed:
    return StackFailed(
        f"CloudFormation does not accept the template for stack {stack}: {error_message(error)}",
        stack=stack,
        hint="Look at the stack with 'taxiway infra status', and at the template with 'taxiway infra template'.",
    )


def _change(content: _Content) -> Change:
    kind = _KINDS.get(content["Action"]) or _REPLACEMENTS.get(content.get("Replacement", ""), ChangeKind.CHANGE)
    details = dict.fromkeys(_detail(one["Target"]) for one in content.get("Details", ()) if one.get("Target"))
    return Change(
        kind=kind,
        logical_id=content["LogicalResourceId"],
        type=content["ResourceType"],
        physical_id=content.get("PhysicalResourceId") or None,
        details=tuple(details) if kind not in {ChangeKind.ADD, ChangeKind.REMOVE} else (),
    )


def _detail(target: _Content) -> str:
    """``Path: before -> after``, or the name alone where the values are not told, or would fill the screen."""
    name = str(target.get("Path") or target.get("Name") or target.get("Attribute") or "").strip("/")
    name = name.removeprefix("Properties/").replace("/", ".")
    values: Sequence[object] = [target.get("BeforeValue"), target.get("AfterValue")]
    if any(not isinstance(value, str) or len(value) > _SHOWN for value in values):
        return name
    return f"{name}: {values[0]} -> {values[1]}"


def _drift(content: _Content) -> Drift:
    return Drift(
        logical_id=content["LogicalResourceId"],
        type=content["ResourceType"],
        kind=DriftKind(content["StackResourceDriftStatus"]),
        differences=tuple(_differences(content)),
    )


def _differences(content: _Content) -> Iterator[tuple[str, str, str]]:
    for one in content.get("PropertyDifferences", ()):
        yield one["PropertyPath"].strip("/").replace("/", "."), one["ExpectedValue"], one["ActualValue"]
