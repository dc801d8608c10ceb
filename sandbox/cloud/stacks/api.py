"""The calls of CloudFormation, in the place of the emulator's own.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any, Final

from flask import Flask
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import convert_to_flask_response
from moto.moto_server.werkzeug_app import BackendRequest

from sandbox.cloud.call import Call
from sandbox.cloud.roles import Clients, Credentials
from sandbox.cloud.stacks.differences import Difference, compare
from sandbox.cloud.stacks.stack import Stack
from sandbox.cloud.stacks.template import Template, TemplateRefused, parse_template
from sandbox.cloud.stacks.types import find_handler, immutable_of
from sandbox.cloud.stacks.work import Work

_MOST_BYTES: Final = 51_200
# DescribeStackEvents and DescribeChangeSet answer in pages; small ones, so that paging is seen to work.
_PAGE: Final = 20
_IAM: Final = "AWS::IAM::"
_NO_CHANGES: Final = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
_AT_REST: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})

type _Answer = dict[str, Any]


class Refused(ServiceException):
    """An error of the API. In a module of ours: moto looks for the error of one of its own in that service."""


class _Response(BaseResponse):
    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True


@dataclass(slots=True)
class ChangeSet:
    """A change set; ``differences`` is empty when it has failed."""

    id: str
    name: str
    stack: Stack
    template: Template
    body: str
    tags: dict[str, str]
    differences: list[Difference]
    is_executed: bool = False

    def describe(self) -> _Answer:
        """As DescribeChangeSet does, all pages in one."""
        made = self.stack.made
        ids = {name: one.physical_id for name, one in made.items()}
        has_changes = bool(self.differences) or self.body != self.stack.body
        described: _Answer = {
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "StackId": self.stack.id,
            "StackName": self.stack.name,
            "Status": "CREATE_COMPLETE" if has_changes else "FAILED",
            "ExecutionStatus": "AVAILABLE" if has_changes else "UNAVAILABLE",
            "Changes": [one.describe(ids.get(one.logical_id)) for one in self.differences],
        }
        return described if has_changes else {**described, "StatusReason": _NO_CHANGES}


class StackApi:
    """Stacks and change sets of the account."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = Lock()
        self._stacks: list[Stack] = []
        self._change_sets: dict[str, ChangeSet] = {}

    def make_application(self) -> Flask:
        """The service as an application of its own: the emulator's takes the models of forty others to load."""
        calls: dict[str, Callable[[Call], _Answer]] = {
            "create_change_set": self.create_change_set,
            "delete_change_set": self.delete_change_set,
            "delete_stack": self.delete_stack,
            "describe_change_set": self.describe_change_set,
            "describe_stack_drift_detection_status": self.describe_stack_drift_detection_status,
            "describe_stack_events": self.describe_stack_events,
            "describe_stack_resource_drifts": self.describe_stack_resource_drifts,
            "describe_stacks": self.describe_stacks,
            "detect_stack_drift": self.detect_stack_drift,
            "execute_change_set": self.execute_change_set,
            "get_template": self.get_template,
            "list_stack_resources": self.list_stack_resources,
            "update_termination_protection": self.update_termination_protection,
        }
        # The emulator finds the method of an operation by its name in the class.
        methods = {name: _answering(method) for name, method in calls.items()}
        response: type[BaseResponse] = type("StackResponse", (_Response,), methods)
        application = Flask("cloudformation")
        application.request_class = BackendRequest
        view = convert_to_flask_response(response.dispatch)
        application.add_url_rule("/", endpoint="dispatch", methods=["GET", "POST"], view_func=view)
        return application

    # --- change sets

    def create_change_set(self, call: Call) -> _Answer:
        """API_CreateChangeSet."""
        name, body = call.get("StackName"), call.get("TemplateBody", "")
        if len(body.encode()) > _MOST_BYTES:
            raise _invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint")
        try:
            template = parse_template(body)
            kinds = {resource["Type"] for resource in template["Resources"].values()}
            for kind in kinds:
                find_handler(kind)
        except TemplateRefused as error:
            raise _invalid(str(error)) from error
        if any(kind.startswith(_IAM) for kind in kinds) and "CAPABILITY_IAM" not in call.get("Capabilities", []):
            raise Refused("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
        stack = self._stack_for_changes(call, name)
        change_set = ChangeSet(
            id=call.arn(f"changeSet/{call.get('ChangeSetName')}/{uuid.uuid4()}"),
            name=call.get("ChangeSetName"),
            stack=stack,
            template=template,
            body=body,
            tags={tag["Key"]: tag["Value"] for tag in call.get("Tags", [])},
            differences=compare(stack.template, template, immutable_of),
        )
        self._change_sets[change_set.id] = change_set
        return {"Id": change_set.id, "StackId": stack.id}

    def _stack_for_changes(self, call: Call, name: str) -> Stack:
        with self._lock:
            found = self._find(name)
            if call.get("ChangeSetType", "UPDATE") == "UPDATE":
                if found is None or found.is_gone:
                    raise _missing(name)
                if found.status not in _AT_REST:
                    raise _invalid(f"Stack:{found.id} is in {found.status} state and can not be updated.")
                return found
            if found and not found.is_gone and found.status != "REVIEW_IN_PROGRESS":
                raise _invalid(f"Stack [{name}] already exists and cannot be created again with the changeSet")
            if found is None or found.is_gone:
                found = Stack(call.arn(f"stack/{name}/{uuid.uuid4()}"), name, call.region, call.account)
                found.enter("REVIEW_IN_PROGRESS", "User Initiated")
                self._stacks.append(found)
            return found

    def describe_change_set(self, call: Call) -> _Answer:
        """API_DescribeChangeSet."""
        described = self._change_set(call).describe()
        return described | _page(call, "Changes", described["Changes"])

    def delete_change_set(self, call: Call) -> _Answer:
        """API_DeleteChangeSet: one that is not there is no error."""
        self._change_sets.pop(call.get("ChangeSetName"), None)
        return {}

    def execute_change_set(self, call: Call) -> _Answer:
        """API_ExecuteChangeSet."""
        change_set = self._change_set(call)
        stack = change_set.stack
        with self._lock:
            if change_set.describe()["Status"] != "CREATE_COMPLETE" or change_set.is_executed:
                raise Refused(
                    "InvalidChangeSetStatus",
                    f"ChangeSet [{change_set.id}] cannot be executed in its current status",
                )
            change_set.is_executed = True
            work = Work(stack, self._forwarding(call))
            is_new = stack.status == "REVIEW_IN_PROGRESS"
            stack.tags, stack.body = change_set.tags, change_set.body
            if is_new:
                stack.template = change_set.template
            stack.enter("CREATE_IN_PROGRESS" if is_new else "UPDATE_IN_PROGRESS", "User Initiated")
        job = work.create if is_new else work.update
        _start(stack, lambda: job(change_set.template))
        return {}

    # --- stacks

    def describe_stacks(self, call: Call) -> _Answer:
        """API_DescribeStacks: one that was deleted is found by its id only."""
        name = call.get("StackName")
        if name is None:
            return {"Stacks": [stack.describe() for stack in self._stacks if not stack.is_gone]}
        return {"Stacks": [self._stack(call).describe()]}

    def describe_stack_events(self, call: Call) -> _Answer:
        """API_DescribeStackEvents: the newest first."""
        return _page(call, "StackEvents", self._stack(call).events[::-1])

    def list_stack_resources(self, call: Call) -> _Answer:
        """API_ListStackResources."""
        summaries = [
            {
                "LogicalResourceId": made.logical_id,
                "PhysicalResourceId": made.physical_id,
                "ResourceType": made.type,
                "ResourceStatus": made.status,
                "LastUpdatedTimestamp": made.changed_at,
            }
            for made in self._stack(call).made.values()
        ]
        return _page(call, "StackResourceSummaries", summaries)

    def get_template(self, call: Call) -> _Answer:
        """API_GetTemplate."""
        return {"TemplateBody": self._stack(call).body}

    def delete_stack(self, call: Call) -> _Answer:
        """API_DeleteStack: one that is not there is no error."""
        stack = self._find(call.get("StackName"))
        if stack is None or stack.is_gone:
            return {}
        if stack.is_protected:
            raise _invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        with self._lock:
            if stack.status == "DELETE_IN_PROGRESS":
                return {}
            if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
                raise _invalid(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
            stack.enter("DELETE_IN_PROGRESS", "User Initiated")
        _start(stack, Work(stack, self._forwarding(call)).delete)
        return {}

    def update_termination_protection(self, call: Call) -> _Answer:
        """API_UpdateTerminationProtection."""
        stack = self._stack(call)
        stack.is_protected = str(call.get("EnableTerminationProtection")).lower() == "true"
        return {"StackId": stack.id}

    # --- drift

    def detect_stack_drift(self, call: Call) -> _Answer:
        """API_DetectStackDrift. It is detected at once, and told when it is asked for."""
        stack = self._stack(call)
        work = Work(stack, self._forwarding(call))
        stack.drifts = work.detect_drift()
        return {"StackDriftDetectionId": stack.id.rpartition("/")[2]}

    def describe_stack_drift_detection_status(self, call: Call) -> _Answer:
        """API_DescribeStackDriftDetectionStatus."""
        detection = call.get("StackDriftDetectionId")
        stack = next(one for one in self._stacks if one.id.endswith(detection))
        return {
            "StackId": stack.id,
            "StackDriftDetectionId": detection,
            "DetectionStatus": "DETECTION_COMPLETE",
            "StackDriftStatus": "DRIFTED" if stack.drifts else "IN_SYNC",
            "Timestamp": stack.created_at,
        }

    def describe_stack_resource_drifts(self, call: Call) -> _Answer:
        """API_DescribeStackResourceDrifts."""
        wanted = call.get("StackResourceDriftStatusFilters", [])
        drifts = [one for one in self._stack(call).drifts if one["StackResourceDriftStatus"] in wanted]
        return _page(call, "StackResourceDrifts", drifts)

    # --- finding

    def _find(self, name: str) -> Stack | None:
        """By name the newest, by id a certain one."""
        return next((one for one in reversed(self._stacks) if name in {one.id, one.name}), None)

    def _stack(self, call: Call) -> Stack:
        name = call.get("StackName")
        found = self._find(name)
        if found is None or (found.is_gone and name != found.id):
            raise _missing(name)
        return found

    def _change_set(self, call: Call) -> ChangeSet:
        found = self._change_sets.get(call.get("ChangeSetName"))
        if found is None:
            raise Refused("ChangeSetNotFound", f"ChangeSet [{call.get('ChangeSetName')}] does not exist")
        return found

    def _forwarding(self, call: Call) -> Callable[[str], Any]:
        """Clients with the key of whoever calls. The emulator looks at nothing else of their credentials."""
        credentials = Credentials.forwarded(call.access_key)
        return lambda service: self._clients.with_credentials(credentials, service, call.region)


def _start(stack: Stack, job: Callable[[], None]) -> None:
    """Do it in a thread. A mistake of ours must not look like a stack that takes its time."""

    def work() -> None:
        try:
            job()
        except Exception as error:
            stack.enter("UPDATE_ROLLBACK_FAILED", f"sandbox: {type(error).__name__}: {error}")
            raise

    Thread(target=work, daemon=True).start()


def _answering(method: Callable[[Call], _Answer]) -> Callable[[BaseResponse], ActionResult]:
    return lambda response: ActionResult(method(Call(response)))


def _page(call: Call, name: str, items: list[Any]) -> _Answer:
    token = call.get("NextToken")
    start = int(base64.b64decode(token)) if token else 0
    page: _Answer = {name: items[start : start + _PAGE]}
    if start + _PAGE < len(items):
        page["NextToken"] = base64.b64encode(str(start + _PAGE).encode()).decode()
    return page


def _invalid(message: str) -> Refused:
    return Refused("ValidationError", message)


def _missing(name: str) -> Refused:
    return _invalid(f"Stack with id {name} does not exist")
