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
from taxiway.model.role import FoundRole, PasswordCheck, PasswordState, Role, RoleChange, RolesPlan
from taxiway.planning.roles import plan_roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taxiway.engine.survey import Scope
    from taxiway.engine.tools import Tools
    from taxiway.model.result import MigrateResult
    from taxiway.model.role import RolesFound
    from taxiway.model.settings import MigrationSettings


def look_after_roles(
    scope: Scope, roles: Sequence[Role], settings: MigrationSettings, tools: Tools, *, carry_out: bool = True
) -> RolesResult:
    """Make the server's roles what is declared, in one transaction under the migration lock; or only say how.

    Raises:
        RoleRefused: A declared role must not be managed. Nothing was changed.
        PermissionDenied: The connecting role may not do it; says what to grant it. Nothing was changed.
        LockNotAcquired: Somebody is migrating. Nothing was changed.
        DatabaseError: The server refused. Nothing was changed.
    """
    plan = _carry_out(scope, roles, settings, tools) if carry_out else _plan(scope, roles, tools)
    for warning in plan.warnings:
        tools.on_event(Warned(message=warning))
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
    return _carry_out(scope, early, settings, tools).changes if early else ()


def _carry_out(scope: Scope, roles: Sequence[Role], settings: MigrationSettings, tools: Tools) -> RolesPlan:
    with migration_lock(scope.table, settings, tools):
        plan = _plan(scope, roles, tools)
        if plan.changes:
            tools.session.change_roles(scope.table, plan.changes)
    for change in plan.changes:
        tools.on_event(RoleChanged(change=change))
    return plan


def _plan(scope: Scope, roles: Sequence[Role], tools: Tools) -> RolesPlan:
    names = {name for role in roles for name in (role.name, *role.member_of)}
    schemas = {schema for role in roles for schema in (role.schemas or scope.schemas)}
    found = tools.session.find_roles(sorted(names), sorted(schemas))
    # A role that is refused is refused before anybody logs in as it.
    history = (scope.table.schema, scope.table.name)
    plan_roles(roles, found, {}, schemas=scope.schemas, history=history)
    return plan_roles(roles, found, _check_passwords(roles, found, tools), schemas=scope.schemas, history=history)


def _check_passwords(roles: Sequence[Role], found: RolesFound, tools: Tools) -> Mapping[str, PasswordCheck]:
    return {
        role.name: _check_password(role, there, tools)
        for role in roles
        if (there := found.roles.get(role.name)) is not None
    }


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
