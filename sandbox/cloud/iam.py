"""Would IAM allow this? Identity policies, judged as AWS describes it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

It knows the elements Action, NotAction, Resource, NotResource and Condition with the operators of ``_OPERATORS``.
It does not know resource policies, permissions boundaries, organisation policies or policy variables. What it does
not know is an error: never an allowance, and never a denial that nobody has written.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

type _Matches = Callable[[str, str], bool]


class PolicyNotUnderstood(ValueError):
    """A policy is malformed, or has something that this evaluator does not know."""


class Decision(StrEnum):
    """In the words of SimulatePrincipalPolicy."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to do.

    Attributes:
        action: ``service:Action``.
        resource: An ARN, or ``*`` for an action that AWS allows for all resources only.
        context: Condition keys and their values, such as ``ecs:cluster``.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator for one key. ``accepts`` gets the value in the request, None when there is none."""

    key: str
    accepts: Callable[[str | None], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a policy."""

    is_allow: bool
    actions: tuple[str, ...]
    are_actions_excluded: bool
    resources: tuple[str, ...]
    are_resources_excluded: bool
    conditions: tuple[Condition, ...]

    def applies_to(self, request: Request) -> bool:
        """Whether the statement is about the request at all."""
        is_action = any(_is_like(pattern, request.action, re.IGNORECASE) for pattern in self.actions)
        is_resource = any(_is_like(pattern, request.resource) for pattern in self.resources)
        # The names of condition keys are not case-sensitive.
        context = {key.lower(): value for key, value in request.context.items()}
        return (
            is_action != self.are_actions_excluded
            and is_resource != self.are_resources_excluded
            and all(condition.accepts(context.get(condition.key)) for condition in self.conditions)
        )


def decide(policies: Iterable[str], request: Request) -> Decision:
    """Judge a request by the policies (JSON documents) of one identity. An explicit deny wins.

    Raises:
        PolicyNotUnderstood: In any of the policies, whether it is about the request or not.
    """
    statements = [statement for policy in policies for statement in parse_policy(policy)]
    effects = {statement.is_allow for statement in statements if statement.applies_to(request)}
    if False in effects:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if effects else Decision.IMPLICIT_DENY


def trusts(trust_policy: str, service: str, context: Mapping[str, str]) -> bool:
    """Whether a role's trust policy lets that service assume the role, with these condition keys in its request.

    Raises:
        PolicyNotUnderstood: The policy is malformed, denies something, or has a condition that we do not know.
    """
    present = {key.lower(): value for key, value in context.items()}
    for statement in _statements(trust_policy):
        known = {"Sid", "Effect", "Principal", "Action", "Condition"}
        if statement.keys() - known or statement["Effect"] != "Allow":
            raise PolicyNotUnderstood(f"in a trust policy: {statement}")
        conditions = _parse_conditions(statement.get("Condition", {}))
        is_met = all(condition.accepts(present.get(condition.key)) for condition in conditions)
        is_service = service in _listed(statement["Principal"].get("Service", []))
        if is_met and is_service and "sts:AssumeRole" in _listed(statement["Action"]):
            return True
    return False


@lru_cache(maxsize=256)
def parse_policy(document: str) -> tuple[Statement, ...]:
    """The statements of an identity policy.

    Raises:
        PolicyNotUnderstood: It is not one, or has something that we do not know.
    """
    return tuple(_parse_statement(statement) for statement in _statements(document))


def _statements(document: str) -> list[dict[str, Any]]:
    try:
        found: Any = json.loads(document)["Statement"]
    except (ValueError, TypeError, KeyError) as error:
        raise PolicyNotUnderstood(f"not a policy: {document}") from error
    return found if isinstance(found, list) else [found]


_ELEMENTS: Final = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def _parse_statement(statement: dict[str, Any]) -> Statement:
    unknown = statement.keys() - _ELEMENTS
    if unknown or statement.get("Effect") not in {"Allow", "Deny"}:
        raise PolicyNotUnderstood(f"unknown elements {sorted(unknown)} or no effect: {statement}")
    actions, are_actions_excluded = _either(statement, "Action")
    resources, are_resources_excluded = _either(statement, "Resource")
    return Statement(
        is_allow=statement["Effect"] == "Allow",
        actions=actions,
        are_actions_excluded=are_actions_excluded,
        resources=resources,
        are_resources_excluded=are_resources_excluded,
        conditions=tuple(_parse_conditions(statement.get("Condition", {}))),
    )


def _either(statement: dict[str, Any], name: str) -> tuple[tuple[str, ...], bool]:
    """The patterns of an element or of its ``Not…`` twin, and whether it is the twin. Exactly one is there."""
    twin = f"Not{name}"
    if (name in statement) == (twin in statement):
        raise PolicyNotUnderstood(f"exactly one of {name} and {twin} is needed: {statement}")
    patterns = _listed(statement.get(name, statement.get(twin)))
    if any("${" in pattern for pattern in patterns):
        raise PolicyNotUnderstood(f"policy variables: {patterns}")
    return patterns, twin in statement


def _listed(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON, looked at here
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | bool) for item in values):
        raise PolicyNotUnderstood(f"neither text nor a list of texts: {value!r}")
    return tuple(str(item).lower() if isinstance(item, bool) else item for item in values)


# --- conditions ---


def _is_like(pattern: str, text: str, flags: re.RegexFlag = re.NOFLAG) -> bool:
    """``*`` stands for any text, the empty one and one with slashes included; ``?`` for one character."""
    expression = "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in pattern)
    return re.fullmatch(expression, text, re.DOTALL | flags) is not None


def _is_arn_like(pattern: str, arn: str) -> bool:
    """Each of an ARN's six parts for itself: an asterisk does not reach over a colon, but in the last part."""
    patterns, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(patterns) == len(parts) and all(map(_is_like, patterns, parts))


def _is_equal_but_for_case(wanted: str, text: str) -> bool:
    return wanted.lower() == text.lower()


# Whether it is enough that one of the values matches, or none of them may; and what matching means.
_OPERATORS: Final[Mapping[str, tuple[bool, _Matches]]] = {
    "StringEquals": (True, str.__eq__),
    "StringNotEquals": (False, str.__eq__),
    "StringEqualsIgnoreCase": (True, _is_equal_but_for_case),
    "StringNotEqualsIgnoreCase": (False, _is_equal_but_for_case),
    "StringLike": (True, _is_like),
    "StringNotLike": (False, _is_like),
    "ArnEquals": (True, _is_arn_like),
    "ArnLike": (True, _is_arn_like),
    "ArnNotEquals": (False, _is_arn_like),
    "ArnNotLike": (False, _is_arn_like),
    "Bool": (True, _is_equal_but_for_case),
}


def _parse_conditions(block: Mapping[str, Mapping[str, Any]]) -> Iterable[Condition]:
    for operator, keys in block.items():
        for key, value in keys.items():
            wanted = _listed(value)
            if any("${" in text for text in wanted):
                raise PolicyNotUnderstood(f"policy variables: {wanted}")
            yield Condition(key.lower(), _acceptance(operator, wanted))


def _acceptance(operator: str, wanted: tuple[str, ...]) -> Callable[[str | None], bool]:
    if operator == "Null":
        return lambda value: ("true" if value is None else "false") in wanted
    name = operator.removesuffix("IfExists")
    if name not in _OPERATORS:
        raise PolicyNotUnderstood(f"condition operator {operator}")
    is_positive, matches = _OPERATORS[name]
    # An operator that negates is satisfied by a key that is not there.
    when_absent = not is_positive or name != operator

    def accepts(value: str | None) -> bool:
        if value is None:
            return when_absent
        return any(matches(one, value) for one in wanted) == is_positive

    return accepts
