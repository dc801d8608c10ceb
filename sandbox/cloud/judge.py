"""Before the emulator answers a call: is the caller allowed to make it, and shall it go wrong?"""

from collections import deque
from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

from sandbox.cloud.call import Call, Caller
from sandbox.cloud.faults import Faults
from sandbox.cloud.iam import Decision, PolicyNotUnderstood, Request, decide
from sandbox.cloud.patches import replace
from sandbox.cloud.permissions import ActionUnknown, needed

_KEPT: Final = 10_000

# What a denial is called, where it is not AccessDeniedException.
_DENIAL_CODES: Final = {
    "cloudformation": "AccessDenied",
    "ec2": "UnauthorizedOperation",
    "iam": "AccessDenied",
    "rds": "AccessDenied",
    "sts": "AccessDenied",
}
_REASONS: Final = {
    Decision.IMPLICIT_DENY: "because no identity-based policy allows the {action} action",
    Decision.EXPLICIT_DENY: "with an explicit deny in an identity-based policy",
}


class Refused(ServiceException):
    """Instead of an answer. In a module of ours: moto looks for the error of one of its own in that service."""


class Judge:
    """Holds whoever has assumed a role to the policies of the role, and writes down every decision."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._audit: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def install(self) -> None:
        """From now on, every call to the emulator is judged first."""

        def call_action(response: BaseResponse) -> Any:  # noqa: ANN401 - moto's
            refusal = self.refusal(Call(response))
            if refusal is None:
                return genuine(response)
            status, headers, body = response.serialized(ActionResult(refusal))
            return status, {**headers, "status": str(status)}, body

        genuine = replace(BaseResponse, "call_action", call_action)

    def audit(self) -> list[dict[str, Any]]:
        """Who asked for what on which resource, and what was decided; the oldest first."""
        return list(self._audit)

    def clear(self) -> None:
        """Forget the decisions so far."""
        self._audit.clear()

    def refusal(self, call: Call) -> Refused | None:
        """The error that the call is answered with, if it shall not be answered as usual."""
        caller = call.find_caller()
        fault = self._faults.take("api-error", action=call.action, role=caller.role_name if caller else None)
        if fault:
            return Refused(fault["code"], fault["message"])
        return self._denial(call, caller) if caller else None

    def _denial(self, call: Call, caller: Caller) -> Refused | None:
        try:
            policies = find_policies(call.account, caller.role)
            for request in needed(call):
                decision = decide(policies, request)
                self._record(caller, request, decision)
                if decision is not Decision.ALLOWED:
                    return _denied(call, caller, request, decision)
        except (ActionUnknown, PolicyNotUnderstood) as error:
            # Named after us, so that nobody takes it for something that AWS says.
            return Refused(f"Sandbox{type(error).__name__}", str(error))
        return None

    def _record(self, caller: Caller, request: Request, decision: Decision) -> None:
        self._audit.append(
            {
                "role": caller.role_name,
                "session": caller.arn,
                "action": request.action,
                "resource": request.resource,
                "context": dict(request.context),
                "decision": decision.value,
            }
        )


def find_policies(account: str, role_arn: str) -> list[str]:
    """The documents of all policies of a role; none if there is no such role any more."""
    from moto.iam.models import iam_backends

    documents: list[str] = []
    for role in iam_backends[account]["aws"].get_roles():
        if role.arn == role_arn:
            versions = [version for policy in role.managed_policies.values() for version in policy.versions]
            documents += [version.document for version in versions if version.is_default]
            documents += role.policies.values()
    return documents


def _denied(call: Call, caller: Caller, request: Request, decision: Decision) -> Refused:
    reason = _REASONS[decision].format(action=request.action)
    return Refused(
        _DENIAL_CODES.get(call.service, "AccessDeniedException"),
        f"User: {caller.arn} is not authorized to perform: {request.action} on resource: {request.resource}"
        f" {reason}",
    )
