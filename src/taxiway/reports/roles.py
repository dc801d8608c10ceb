"""Changes of roles in words, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from taxiway.model.identifier import quote_identifier
from taxiway.model.role import (
    DefaultsChanged,
    MemberAdded,
    ObjectKind,
    PasswordRotated,
    PasswordSet,
    PrivilegesChanged,
    RoleAltered,
    RoleChange,
    RoleCreated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taxiway.model.result import RolesResult

_ACTIONS: Final = {
    RoleCreated: "create",
    RoleAltered: "alter",
    PasswordSet: "set-password",
    PasswordRotated: "rotate-password",
    MemberAdded: "add-member",
}
# More names of objects than a line has room for
_MOST_NAMES: Final = 3


def render_roles(result: RolesResult) -> str:
    """What was changed in one sentence, or the changes that would be made."""
    if not result.count:
        return "No role is declared: taxiway.toml has no [roles.<name>]."
    noun = "The declared role is" if result.count == 1 else f"All {result.count} declared roles are"
    if not result.changes:
        return f"{noun} as declared. Nothing to do."
    changes = f"{len(result.changes)} change{'' if len(result.changes) == 1 else 's'}"
    if result.carried_out:
        return f"Successfully made {changes}. {noun} as declared now."
    lines = "\n".join(f"  {describe_change(change, is_done=False)}" for change in result.changes)
    return f"{changes} would be made; nothing was changed:\n{lines}"


def change_json(change: RoleChange) -> dict[str, Any]:
    """A change as an item of a list."""
    return {
        "role": change.role,
        "action": _action(change),
        "description": describe_change(change, is_done=True),
    }


def _action(change: RoleChange) -> str:
    if isinstance(change, PrivilegesChanged | DefaultsChanged):
        verb = "revoke" if change.is_revoked else "grant"
        return f"{verb}-default" if isinstance(change, DefaultsChanged) else verb
    return _ACTIONS[type(change)]


def describe_change(change: RoleChange, *, is_done: bool) -> str:
    """One line; in the past tense when it is done."""
    role = quote_identifier(change.role)
    match change:
        case RoleCreated():
            return f"{'Created' if is_done else 'Create'} role {role}: {', '.join(_of_creation(change))}"
        case RoleAltered():
            attributes = ", ".join(_attributes(change))
            return f"{'Changed' if is_done else 'Change'} role {role}: {attributes}"
        case PasswordSet():
            reason = f" (it cannot be compared: {change.reason})" if change.reason else ""
            return f"Set the password of role {role}{reason}"
        case PasswordRotated():
            verb = "Rotated" if is_done else "Rotate"
            return f"{verb} the password of role {role}, and with it secret '{change.pending.secret.secret_id}'"
        case MemberAdded():
            return f"{'Made' if is_done else 'Make'} role {role} a member of {quote_identifier(change.group)}"
        case PrivilegesChanged() | DefaultsChanged():
            return f"{_verb(change, is_done=is_done)} {_privileges(change)}"
        case _:
            assert_never(change)


def _of_creation(change: RoleCreated) -> Iterator[str]:
    yield "with a password" if change.password is not None else "without a password"
    if not change.login:
        yield "may not log in"
    yield from _limits(change)


def _attributes(change: RoleAltered) -> Iterator[str]:
    if change.login is not None:
        yield "may log in" if change.login else "may not log in"
    yield from _limits(change)


def _limits(change: RoleCreated | RoleAltered) -> Iterator[str]:
    if change.connection_limit is not None:
        number = change.connection_limit
        yield f"at most {number} connections" if number >= 0 else "any number of connections"
    if change.valid_until is not None:
        yield f"password valid until {change.valid_until.isoformat(' ')}"


def _verb(change: PrivilegesChanged | DefaultsChanged, *, is_done: bool) -> str:
    if change.is_revoked:
        return "Revoked" if is_done else "Revoke"
    return "Granted" if is_done else "Grant"


def _privileges(change: PrivilegesChanged | DefaultsChanged) -> str:
    what = ", ".join(sorted(change.privileges))
    whom = f"{'from' if change.is_revoked else 'to'} role {quote_identifier(change.role)}"
    if isinstance(change, DefaultsChanged):
        return f"{what} on {_plural(change.kind)} to come in schema {quote_identifier(change.schema)} {whom}"
    return f"{what} on {_objects(change)} {whom}"


def _objects(change: PrivilegesChanged) -> str:
    count = len(change.objects)
    names = ", ".join(change.objects[:_MOST_NAMES])
    if count == 1:
        return f"{change.kind.value.lower()} {names}"
    more = f" and {count - _MOST_NAMES} more" if count > _MOST_NAMES else ""
    return f"{count} {_plural(change.kind)} ({names}{more})"


def _plural(kind: ObjectKind) -> str:
    return f"{kind.value.lower()}s"
