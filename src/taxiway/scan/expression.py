"""Expressions that decide whether a script runs: the key ``shouldExecute`` of a script configuration (Flyway 13).

Terminology:

operand
    ``true`` or ``false`` in any case; beside ``==`` or ``!=`` any text. Blanks around it do not count.
group
    What stands between parentheses, or the whole expression.

``&&`` binds stronger than ``||``. Placeholders have been replaced before, so an operand may be empty.
"""

import re
from typing import Final

_OPERATORS: Final = re.compile(r"(&&|\|\||==|!=|\(|\))")

# The items of a group: operands and outcomes of inner groups at even places, operators between them.
type _Group = list[str | bool]


def evaluate(expression: str) -> bool:
    """The truth of an expression such as ``true``, ``dev==dev`` or ``(a!=b && b==b) || false``.

    All of it is looked at, so that a mistake is found whatever the values are.

    Raises:
        ValueError: It is not an expression.
    """
    first, *rest = (part.strip() for part in _OPERATORS.split(expression))
    groups: list[_Group] = [[first]]
    for operator, operand in zip(rest[::2], rest[1::2], strict=True):
        if operator == "(":
            _refuse_operand(groups[-1][-1], before="(")
            groups.append([operand])
        elif operator == ")":
            _close(groups, operand)
        else:
            groups[-1] += operator, operand
    if len(groups) > 1:
        raise ValueError("a parenthesis is not closed")
    return _truth(groups[0])


def _close(groups: list[_Group], operand: str) -> None:
    """End the innermost group: its outcome takes the place of the empty operand before it."""
    if len(groups) == 1:
        raise ValueError("a parenthesis is closed that was not opened")
    outcome = _truth(groups.pop())
    if operand:
        raise ValueError(f"'{operand}' follows a closing parenthesis without an operator")
    groups[-1][-1] = outcome


def _refuse_operand(operand: str | bool, *, before: str) -> None:
    if operand != "":
        raise ValueError(f"an operator is missing before '{before}'")


def _truth(group: _Group) -> bool:
    # Each part becomes a value before any of them decides.
    alternatives = [[_compare(part) for part in _split(one, "&&")] for one in _split(group, "||")]
    return any(map(all, alternatives))


def _split(group: _Group, operator: str) -> list[_Group]:
    parts: list[_Group] = [[]]
    for item in group:
        if item == operator:
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


def _compare(part: _Group) -> bool:
    match part:
        case [bool() as outcome]:
            return outcome
        case [str() as word] if word.lower() in {"true", "false"}:
            return word.lower() == "true"
        case [str() as word]:
            raise ValueError(f"'{word}' is neither true nor false" if word else "an operand is missing")
        case [str() as left, operator, str() as right]:
            return (left == right) is (operator == "==")
    raise ValueError("only two texts can be compared with == or !=")
