"""SimulatePrincipalPolicy, which the emulator does not have: our judge's own evaluation of the policies of a role.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse

from sandbox.cloud.call import Call
from sandbox.cloud.iam import Request, decide
from sandbox.cloud.judge import find_policies
from sandbox.cloud.patches import add

type _Answer = dict[str, Any]


def install_simulation() -> None:
    """From now on, the call comes here."""
    add(IamResponse, "simulate_principal_policy", lambda response: ActionResult(_simulate(Call(response))))


def _simulate(call: Call) -> _Answer:
    source = call.get("PolicySourceArn")
    if source not in {role.arn for role in iam_backends[call.account]["aws"].get_roles()}:
        message = f"Entity {source} does not exist."
        raise NotFoundException(message)
    policies = find_policies(call.account, source)
    context = {one["ContextKeyName"]: one["ContextKeyValues"][0] for one in call.get("ContextEntries", [])}
    results = [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": decide(policies, Request(action, resource, context)).value,
        }
        for action in call.get("ActionNames", [])
        for resource in call.get("ResourceArns", ["*"])
    ]
    return {"EvaluationResults": results, "IsTruncated": False}
