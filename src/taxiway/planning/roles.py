"""From the roles that the server has to those that are declared.

Nothing is kept beside the server: what was granted for a word (``read``, ``write``, …) is told by the default
privileges that go with it, per schema. So a smaller word, or a schema that is not named any more, revokes what the
larger one had granted, and what somebody else has granted by hand or in a script stays (docs/adr/0023-roles.md).
"""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.model.identifier import quote_identifier
from taxiway.model.role import (
    EVERYBODY,
    GRANTS,
    NOTHING,
    ON_HISTORY,
    WITH_DEFAULTS,
    DefaultsChanged,
    DefaultsOf,
    FoundObject,
    FoundRole,
    Grants,
    MemberAdded,
    ObjectKind,
    PasswordCheck,
    PasswordRotated,
    PasswordSet,
    PasswordState,
    PendingPassword,
    Privileges,
    PrivilegesChanged,
    Role,
    RoleAltered,
    RoleChange,
    RoleCreated,
    RolesFound,
    RolesPlan,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_CONNECTIVE: Final = (ObjectKind.DATABASE, ObjectKind.SCHEMA)
# From the smallest to the largest
_SIZES: Final = tuple(Grants)


def plan_roles(
    declared: Sequence[Role],
    found: RolesFound,
    passwords: Mapping[str, PasswordCheck],
    *,
    schemas: Sequence[str],
    history: tuple[str, str],
    pending: Mapping[str, PendingPassword] = MappingProxyType({}),
) -> RolesPlan:
    """Every change that the declarations ask for, roles first, then what they may do, rotations last.

    ``passwords`` has what is known of those of existing roles, ``pending`` those of rotations that are under way,
    both by role; ``schemas`` are the managed ones. ``history`` is
    schema and name of the history table, of which nobody is given more than to read it.

    Raises:
        RoleRefused: A declared role is one that must not be managed.
        PermissionDenied: The connecting role may not do what has to be done; says what to grant it.
    """
    for role in declared:
        _refuse(role, found, declared)
    changes = [change for role in declared for change in _attribute_changes(role, found, passwords)]
    # A group may be one of the roles that are created.
    changes += [change for role in declared for change in _memberships(role, found)]
    rotations = [PasswordRotated(role.name, pending[role.name]) for role in declared if role.name in pending]
    _require_permission([*changes, *rotations], found)
    warnings: list[str] = []
    losses: list[str] = []
    for role in declared:
        if role.grants is not None:
            privileges = _PrivilegePlanner(role, role.grants, found, schemas=schemas, history=history)
            changes += privileges.changes()
            warnings += privileges.warnings()
            losses += privileges.losses()
    return RolesPlan(changes=(*changes, *rotations), warnings=tuple(warnings), losses=tuple(losses))


def _refuse(role: Role, found: RolesFound, declared: Sequence[Role]) -> None:
    there = found.roles.get(role.name)
    if there and there.is_superuser:
        raise errors.RoleRefused(role.name, origin=role.origin, reason="it is a superuser")
    if there and there.is_ours:
        raise errors.RoleRefused(role.name, origin=role.origin, reason="it is the one that is connected")
    names = found.roles.keys() | {one.name for one in declared}
    if unknown := [group for group in role.member_of if group not in names]:
        reason = f"there is no role {quote_identifier(unknown[0])} that it could be a member of"
        raise errors.RoleRefused(role.name, origin=role.origin, reason=reason)


# --- attributes


def _attribute_changes(
    role: Role, found: RolesFound, passwords: Mapping[str, PasswordCheck]
) -> Iterator[RoleChange]:
    there = found.roles.get(role.name)
    if there is None:
        login = role.login is not False
        yield RoleCreated(role.name, login, role.connection_limit, role.valid_until, role.password)
    else:
        yield from _alteration(role, there)
        yield from _password_change(role, passwords.get(role.name))


def _memberships(role: Role, found: RolesFound) -> Iterator[RoleChange]:
    there = found.roles.get(role.name)
    groups = there.member_of if there else frozenset()
    return (MemberAdded(role.name, group) for group in role.member_of if group not in groups)


def _alteration(role: Role, there: FoundRole) -> Iterator[RoleChange]:
    """Where nothing is declared, None stays None and nothing differs."""
    change = RoleAltered(
        role.name,
        login=role.login if role.login != there.login else None,
        connection_limit=role.connection_limit if role.connection_limit != there.connection_limit else None,
        valid_until=role.valid_until if role.valid_until != there.valid_until else None,
    )
    if any(value is not None for value in change[1:]):
        yield change


def _password_change(role: Role, check: PasswordCheck | None) -> Iterator[RoleChange]:
    if role.password is not None and check is not None and check.state is not PasswordState.SAME:
        yield PasswordSet(role.name, role.password, check.reason)


def _require_permission(changes: Sequence[RoleChange], found: RolesFound) -> None:
    """The server says "permission denied" and not what would permit it, which depends on its version."""
    user = quote_identifier(found.user)
    # Whoever creates a role may add members to it.
    administered = {name for name, role in found.roles.items() if role.is_administered}
    administered |= {change.role for change in changes if isinstance(change, RoleCreated)}
    for change in changes:
        match change:
            case RoleCreated() if not found.may_create_roles:
                raise _denied(f"create role {quote_identifier(change.role)}", f"ALTER ROLE {user} CREATEROLE")
            case RoleAltered() | PasswordSet() | PasswordRotated() if change.role in found.roles:
                _require_administration(change.role, found)
            case MemberAdded() if change.group not in administered:
                raise _denied(
                    f"make {quote_identifier(change.role)} a member of {quote_identifier(change.group)}",
                    f"GRANT {quote_identifier(change.group)} TO {user} WITH ADMIN OPTION",
                )


def _require_administration(name: str, found: RolesFound) -> None:
    doing = f"change role {quote_identifier(name)}"
    user = quote_identifier(found.user)
    if not found.may_create_roles:
        raise _denied(doing, f"ALTER ROLE {user} CREATEROLE")
    if not found.roles[name].is_administered:
        raise _denied(doing, f"GRANT {quote_identifier(name)} TO {user} WITH ADMIN OPTION")


def _denied(doing: str, grant: str) -> errors.PermissionDenied:
    return errors.PermissionDenied(
        f"The database user may not {doing}. Nothing was changed.",
        hint=f"Have an administrator run '{grant}', then run again.",
    )


# --- privileges


class _PrivilegePlanner:
    """What one role is to be granted, and what it is not to have any more."""

    def __init__(
        self, role: Role, grants: Grants, found: RolesFound, *, schemas: Sequence[str], history: tuple[str, str]
    ) -> None:
        self._role, self._grants, self._found = role.name, grants, found
        self._name = quote_identifier(role.name)
        self._schemas = frozenset(role.schemas if role.schemas is not None else schemas)
        self._managed = frozenset(schemas)
        self._history = history
        self._granted = _granted_before(role.name, found)

    def changes(self) -> Iterator[RoleChange]:
        """On the objects that there are, then on those to come."""
        granted = self._by_kind(lambda one: self._wanted(one) - self._held(one))
        revoked = self._by_kind(lambda one: self._unwanted(one) & self._held(one))
        yield from (PrivilegesChanged(self._role, *one) for one in granted)
        yield from (PrivilegesChanged(self._role, *one, is_revoked=True) for one in revoked)
        yield from self._default_changes()

    def warnings(self) -> Iterator[str]:
        """What the connecting role cannot grant, because it is somebody else's, or not there."""
        existing = {one.name for one in self._found.objects if one.kind is ObjectKind.SCHEMA}
        for schema in sorted(self._schemas - existing):
            yield f"Role {self._name} is not given anything in schema {quote_identifier(schema)}: there is none."
        others = [
            one.sql
            for one in self._found.objects
            if not one.is_ours and one.kind not in _CONNECTIVE and self._wanted_of(one) - self._held(one)
        ]
        if others:
            yield (
                f"Role {self._name} is not given '{self._grants.value}' on {len(others)} "
                f"object(s) of other owners: {_some(others)}. Their owners can grant it."
            )
        denied = [
            f"{', '.join(sorted(lacking))} on {one.kind.value.lower()} {one.sql}"
            for one in self._found.objects
            if not one.is_ours and one.kind in _CONNECTIVE and (lacking := self._lacking(one))
        ]
        if denied:
            yield f"Role {self._name} lacks {' and '.join(denied)}, which only the owner can grant."

    def losses(self) -> Iterator[str]:
        """What is revoked where this project manages nothing: the privileges may be another project's."""
        of_objects = {_schema_of(one) for one in self._found.objects if self._unwanted(one) & self._held(one)}
        of_defaults = {change.schema for change in self._default_changes() if change.is_revoked}
        # That of a database is none.
        for schema in sorted((of_objects | of_defaults) - self._schemas - self._managed - {""}):
            name = quote_identifier(schema)
            yield (
                f"Role {self._name} loses what it may do in schema {name}, which this project does not manage. If "
                f"another project declares the role too, give it a role of its own, or name {name} in the role's "
                f"'schemas' in both."
            )

    def _lacking(self, one: FoundObject) -> Privileges:
        return self._wanted_of(one) - self._held(one) - one.held.get(EVERYBODY, NOTHING)

    def _held(self, one: FoundObject) -> Privileges:
        return one.held.get(self._role, NOTHING)

    def _wanted(self, one: FoundObject) -> Privileges:
        return self._wanted_of(one) if one.is_ours else NOTHING

    def _wanted_of(self, one: FoundObject) -> Privileges:
        if one.owner == self._role or not self._is_covered(one):
            return NOTHING
        wanted = GRANTS[self._grants].get(one.kind, NOTHING)
        return wanted & ON_HISTORY if self._is_history(one) else wanted

    def _unwanted(self, one: FoundObject) -> Privileges:
        """What was granted before and is not wanted any more. Default privileges reach the history table, too."""
        if one.owner == self._role or not one.is_ours:
            return NOTHING
        before = self._before(one)
        if self._is_history(one):
            before = max(before, self._grants, key=_SIZES.index)
        return GRANTS[before].get(one.kind, NOTHING) - self._wanted(one)

    def _before(self, one: FoundObject) -> Grants:
        """The word that this object's privileges were granted for."""
        if one.kind is ObjectKind.DATABASE:
            return max(self._granted.values(), key=_SIZES.index, default=Grants.NONE)
        return self._granted.get(_schema_of(one), Grants.NONE)

    def _is_covered(self, one: FoundObject) -> bool:
        return one.kind is ObjectKind.DATABASE or _schema_of(one) in self._schemas

    def _is_history(self, one: FoundObject) -> bool:
        return one.kind is ObjectKind.TABLE and (one.schema, one.name) == self._history

    def _by_kind(
        self, choose: Callable[[FoundObject], Privileges]
    ) -> Iterator[tuple[Privileges, ObjectKind, tuple[str, ...]]]:
        """Objects that the same privileges are chosen for, together: one statement each."""
        together: defaultdict[tuple[ObjectKind, Privileges], list[str]] = defaultdict(list)
        for one in self._found.objects:
            if chosen := choose(one):
                together[one.kind, chosen].append(one.sql)
        return ((privileges, kind, tuple(names)) for (kind, privileges), names in together.items())

    def _default_changes(self) -> Iterator[DefaultsChanged]:
        existing = {one.name for one in self._found.objects if one.kind is ObjectKind.SCHEMA}
        for schema in sorted((self._schemas | self._granted.keys()) & existing):
            wanted = GRANTS[self._grants] if schema in self._schemas else {}
            before = GRANTS[self._granted.get(schema, Grants.NONE)]
            for kind in WITH_DEFAULTS:
                held = self._found.defaults.get(DefaultsOf(self._role, schema, kind), NOTHING)
                there = wanted.get(kind, NOTHING)
                if missing := there - held:
                    yield DefaultsChanged(self._role, missing, kind, schema)
                if excess := (before.get(kind, NOTHING) - there) & held:
                    yield DefaultsChanged(self._role, excess, kind, schema, is_revoked=True)


def _granted_before(role: str, found: RolesFound) -> Mapping[str, Grants]:
    """By schema, the largest word whose default privileges are all there."""
    schemas = {one.schema for one in found.defaults if one.role == role}
    words = {schema: _find_grants(role, schema, found) for schema in schemas}
    return {schema: grants for schema, grants in words.items() if grants is not Grants.NONE}


def _find_grants(role: str, schema: str, found: RolesFound) -> Grants:
    def has(grants: Grants) -> bool:
        return all(
            privileges <= found.defaults.get(DefaultsOf(role, schema, kind), NOTHING)
            for kind, privileges in GRANTS[grants].items()
            if kind in WITH_DEFAULTS
        )

    return next(grants for grants in reversed(_SIZES) if has(grants))


def _schema_of(one: FoundObject) -> str:
    return one.name if one.kind is ObjectKind.SCHEMA else one.schema


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
