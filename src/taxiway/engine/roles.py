"""Declared database users: what has to be done for them, and doing it (docs/adr/0023-roles.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from taxiway import errors
from taxiway.engine.lock import migration_lock
from taxiway.engine.migrate import migrate
from taxiway.model.event import RoleChanged, Warned
from taxiway.model.identifier import quote_identifier
from taxiway.model.result import RolesResult
from taxiway.model.role import (
    FoundRole,
    PasswordCheck,
    PasswordRotated,
    PasswordState,
    PendingPassword,
    Role,
    RoleChange,
    RolesPlan,
)
from taxiway.planning.roles import plan_roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taxiway.engine.survey import Scope
    from taxiway.engine.tools import Tools
    from taxiway.model.result import MigrateResult
    from taxiway.model.role import RolesFound
    from taxiway.model.settings import MigrationSettings
    from taxiway.secret import Secret


def look_after_roles(
    scope: Scope, roles: Sequence[Role], settings: MigrationSettings, tools: Tools, *, carry_out: bool = True
) -> RolesResult:
    """Make the server's roles what is declared, in one transaction under the migration lock; or only say how.

    A rotation that is under way is finished behind that, in a transaction of its own: the secret's new version
    becomes the current one when the server has accepted its password, and at once the transaction is committed
    (docs/adr/0076-rotation.md).

    Raises:
        RoleRefused: A declared role must not be managed. Nothing was changed.
        PermissionDenied: The connecting role may not do it; says what to grant it. Nothing was changed.
        LockNotAcquired: Somebody is migrating. Nothing was changed.
        DatabaseError: The server refused. Nothing was changed.
        AwsError: A rotation could not be finished; its role has the password that it had.
    """
    if carry_out:
        plan = _carry_out(scope, roles, settings, tools)
    else:
        plan = _plan(scope, roles, tools, _find_rotations(roles, tools))
        _warn(plan.losses, tools)
    _warn(plan.warnings, tools)
    return RolesResult(
        database=tools.session.facts.database, count=len(roles), changes=plan.changes, carried_out=carry_out
    )


def migrate_with_roles(
    scope: Scope, roles: Sequence[Role], settings: MigrationSettings, tools: Tools
) -> MigrateResult:
    """Migrate, and look after the declared roles behind that: what the migrations create is there then.

    Roles that the migrations want to find are looked after before, too. Either is a transaction of its own.

    Raises:
        TaxiwayError: As :func:`migrate` and :func:`look_after_roles`. ``result`` has the migrations that stay.
    """
    early = _carry_out_early(scope, roles, settings, tools)
    result = migrate(scope, settings, tools)
    try:
        late = look_after_roles(scope, roles, settings, tools)
    except errors.TaxiwayError as error:
        error.result = result
        raise
    return replace(result, roles=(*early, *late.changes))


def _carry_out_early(
    scope: Scope, roles: Sequence[Role], settings: MigrationSettings, tools: Tools
) -> tuple[RoleChange, ...]:
    """What there is to warn of may be mended by the migrations: it is told behind them."""
    early = [role for role in roles if role.before_migrations]
    return _carry_out(scope, early, settings, tools, rotates=False).changes if early else ()


def _carry_out(
    scope: Scope, roles: Sequence[Role], settings: MigrationSettings, tools: Tools, *, rotates: bool = True
) -> RolesPlan:
    with migration_lock(scope.table, settings, tools):
        plan = _plan(scope, roles, tools, _find_rotations(roles, tools) if rotates else {})
        rotations = [change for change in plan.changes if isinstance(change, PasswordRotated)]
        others = [change for change in plan.changes if not isinstance(change, PasswordRotated)]
        _warn(plan.losses, tools)
        if others:
            tools.session.change_roles(scope.table, others)
        _tell(others, tools)
        for rotation in rotations:
            _rotate(scope, rotation, tools)
    return plan


def _rotate(scope: Scope, rotation: PasswordRotated, tools: Tools) -> None:
    """Server and secret change together, or neither does."""

    def finish() -> None:
        if tools.rotations is not None:
            tools.rotations.finish(rotation.pending)

    tools.session.change_roles(scope.table, [rotation], before_commit=finish)
    _tell([rotation], tools)


def _warn(messages: Sequence[str], tools: Tools) -> None:
    for message in messages:
        tools.on_event(Warned(message=message))


def _tell(changes: Sequence[RoleChange], tools: Tools) -> None:
    for change in changes:
        tools.on_event(RoleChanged(change=change))


def _find_rotations(roles: Sequence[Role], tools: Tools) -> Mapping[str, PendingPassword]:
    """By role. Asked for under the lock, so that nobody else finishes them meanwhile."""
    if tools.rotations is None:
        return {}
    found: dict[str, PendingPassword] = {}
    for role in roles:
        if role.secret is None:
            continue
        try:
            pending = tools.rotations.find_pending(role.secret)
        except errors.AwsAccessDenied as error:
            # A policy may allow the current version only. Then nobody can have meant a run to finish a rotation.
            tools.on_event(Warned(message=f"Nobody knows whether a rotation is under way: {error.message}"))
            continue
        if pending is not None:
            found[role.name] = pending
    return found


def _plan(
    scope: Scope, roles: Sequence[Role], tools: Tools, rotations: Mapping[str, PendingPassword]
) -> RolesPlan:
    names = {name for role in roles for name in (role.name, *role.member_of)}
    schemas = {schema for role in roles for schema in (role.schemas or scope.schemas)}
    found = tools.session.find_roles(sorted(names), sorted(schemas))
    # A role that is refused is refused before anybody logs in as it.
    history = (scope.table.schema, scope.table.name)
    plan_roles(roles, found, {}, schemas=scope.schemas, history=history)
    roles, passwords = _compare_passwords(roles, found, rotations, tools)
    return plan_roles(roles, found, passwords, schemas=scope.schemas, history=history, pending=rotations)


def _compare_passwords(
    roles: Sequence[Role], found: RolesFound, rotations: Mapping[str, PendingPassword], tools: Tools
) -> tuple[Sequence[Role], Mapping[str, PasswordCheck]]:
    """What is known of the passwords of existing roles, and the roles with the passwords that they are to have."""
    compared: list[Role] = []
    checks: dict[str, PasswordCheck] = {}
    for role in roles:
        there = found.roles.get(role.name)
        if there is None or role.name in rotations:
            # A rotation sets it whatever it is.
            compared.append(role)
            continue
        check = _check_password(role, there, tools)
        if check.state is PasswordState.OTHER and (fresh := _read_again(role, tools)) is not None:
            role = replace(role, password=fresh)  # noqa: PLW2901 - it is the same role
            check = _check_password(role, there, tools)
        compared.append(role)
        checks[role.name] = check
    return compared, checks


def _read_again(role: Role, tools: Tools) -> Secret | None:
    """The current password, if it is another one by now: a rotation may have been finished since it was read."""
    if tools.rotations is None or role.secret is None:
        return None
    current = tools.rotations.read_current(role.secret)
    return None if current == role.password else current


def _check_password(role: Role, there: FoundRole, tools: Tools) -> PasswordCheck:
    if role.password is None:
        return PasswordCheck(PasswordState.SAME)
    now = tools.clock.now()
    if there.valid_until is not None and there.valid_until <= now:
        # The server says no more than "wrong" to any password then (PostgreSQL manual, CREATE ROLE).
        if role.valid_until is not None and role.valid_until > now:
            return PasswordCheck(PasswordState.OTHER)
        message = f"The password of role {quote_identifier(role.name)} has expired: it is left as it is."
        tools.on_event(Warned(message=message))
        return PasswordCheck(PasswordState.SAME)
    return tools.session.check_password(role.name, role.password)
