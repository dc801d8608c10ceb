"""What leads from the roles of a server to the declared ones."""

from collections.abc import Mapping

import pytest

from taxiway import errors
from taxiway.model.role import (
    EVERYBODY,
    GRANTS,
    WITH_DEFAULTS,
    DefaultsChanged,
    DefaultsOf,
    FoundObject,
    FoundRole,
    Grants,
    MemberAdded,
    ObjectKind,
    PasswordCheck,
    PasswordSet,
    PasswordState,
    Privileges,
    PrivilegesChanged,
    Role,
    RoleCreated,
    RolesFound,
    RolesPlan,
)
from taxiway.planning.roles import plan_roles
from taxiway.secret import Secret

HISTORY = ("public", "flyway_schema_history")


def found_object(
    kind: ObjectKind,
    name: str,
    held: Privileges = frozenset(),
    *,
    everybody: Privileges = frozenset(),
    owner: str = "me",
) -> FoundObject:
    return FoundObject(
        kind=kind,
        name=name,
        schema="" if kind in {ObjectKind.DATABASE, ObjectKind.SCHEMA} else "public",
        owner=owner,
        is_ours=owner == "me",
        held={"app": held, EVERYBODY: everybody},
    )


def database(grants: Grants, *further: FoundObject) -> tuple[FoundObject, ...]:
    """A database with one of each, as a role has it that was granted that."""
    privileges = GRANTS[grants]
    return (
        found_object(ObjectKind.DATABASE, "db", privileges.get(ObjectKind.DATABASE, frozenset())),
        found_object(ObjectKind.SCHEMA, "public", privileges.get(ObjectKind.SCHEMA, frozenset())),
        found_object(ObjectKind.TABLE, "t", privileges.get(ObjectKind.TABLE, frozenset())),
        found_object(ObjectKind.SEQUENCE, "s", privileges.get(ObjectKind.SEQUENCE, frozenset())),
        *further,
    )


def defaults(grants: Grants) -> Mapping[DefaultsOf, Privileges]:
    return {
        DefaultsOf("app", "public", kind): privileges
        for kind, privileges in GRANTS[grants].items()
        if kind in WITH_DEFAULTS
    }


def found(
    *roles: FoundRole,
    objects: tuple[FoundObject, ...] = (),
    granted: Grants = Grants.NONE,
    may_create: bool = True,
) -> RolesFound:
    return RolesFound(
        user="me",
        may_create_roles=may_create,
        roles={one.name: one for one in roles},
        objects=objects,
        defaults=defaults(granted),
    )


def plan(*roles: Role, on: RolesFound, password: PasswordState = PasswordState.SAME) -> RolesPlan:
    passwords = {role.name: PasswordCheck(password) for role in roles}
    return plan_roles(roles, on, passwords, schemas=["public"], history=HISTORY)


APP = FoundRole(name="app")


@pytest.mark.parametrize("before", Grants)
@pytest.mark.parametrize("after", Grants)
def test_from_any_word_to_any_other_and_to_the_same_there_is_nothing_to_do(before: Grants, after: Grants) -> None:
    changes = plan(Role(name="app", grants=after), on=found(APP, objects=database(before), granted=before)).changes
    assert bool(changes) is (before is not after)
    had, has = GRANTS[before], GRANTS[after]
    on_table = [one for one in changes if isinstance(one, PrivilegesChanged) and one.kind is ObjectKind.TABLE]
    on_others = [one for one in changes if isinstance(one, DefaultsChanged) and one.kind is ObjectKind.TABLE]
    more = has.get(ObjectKind.TABLE, frozenset()) - had.get(ObjectKind.TABLE, frozenset())
    less = had.get(ObjectKind.TABLE, frozenset()) - has.get(ObjectKind.TABLE, frozenset())
    expected = [(privileges, privileges is less) for privileges in (more, less) if privileges]
    assert [(one.privileges, one.is_revoked) for one in on_table] == expected
    assert [(one.privileges, one.is_revoked) for one in on_others] == expected


def test_what_others_have_granted_is_not_revoked() -> None:
    more = found_object(ObjectKind.TABLE, "by_hand", frozenset({"SELECT", "INSERT"}))
    on = found(APP, objects=database(Grants.READ, more), granted=Grants.READ)
    assert plan(Role(name="app", grants=Grants.READ), on=on).changes == ()


@pytest.mark.parametrize("after", [Grants.READ, Grants.NONE])
def test_what_is_revoked_where_nothing_is_managed_is_warned_of(after: Grants) -> None:
    on = found(APP, objects=database(Grants.READ), granted=Grants.READ)
    elsewhere = plan_roles([Role(name="app", grants=after)], on, {}, schemas=["mine"], history=HISTORY)
    assert [one.split(",")[0] for one in elsewhere.losses] == [
        'Role "app" loses what it may do in schema "public"',
    ]


def test_what_is_revoked_in_a_managed_schema_or_kept_by_its_name_is_no_loss() -> None:
    on = found(APP, objects=database(Grants.READ), granted=Grants.READ)
    assert plan(Role(name="app", grants=Grants.NONE), on=on).losses == ()
    kept = Role(name="app", grants=Grants.READ, schemas=("public",))
    assert plan_roles([kept], on, {}, schemas=["mine"], history=HISTORY).losses == ()
    # What somebody has granted by hand stays
    by_hand = found(APP, objects=database(Grants.READ))
    role = Role(name="app", grants=Grants.READ)
    assert plan_roles([role], by_hand, {}, schemas=["mine"], history=HISTORY).losses == ()


@pytest.mark.parametrize("grants", [Grants.WRITE, Grants.ALL])
def test_nobody_is_given_more_than_to_read_the_history(grants: Grants) -> None:
    history = found_object(ObjectKind.TABLE, HISTORY[1], GRANTS[grants][ObjectKind.TABLE])
    on = found(APP, objects=database(grants, history), granted=grants)
    [change] = plan(Role(name="app", grants=grants), on=on).changes
    assert change == PrivilegesChanged(
        "app",
        GRANTS[grants][ObjectKind.TABLE] - {"SELECT"},
        ObjectKind.TABLE,
        ('"public"."flyway_schema_history"',),
        is_revoked=True,
    )


def test_an_owner_is_neither_given_anything_nor_loses_it() -> None:
    own = found_object(ObjectKind.TABLE, "own", GRANTS[Grants.ALL][ObjectKind.TABLE], owner="app")
    on = found(APP, objects=database(Grants.WRITE, own), granted=Grants.WRITE)
    result = plan(Role(name="app", grants=Grants.READ), on=on)
    assert all('"public"."own"' not in one.objects for one in result.changes if isinstance(one, PrivilegesChanged))
    assert result.warnings == ()


def test_what_everybody_may_do_need_not_be_granted_by_somebody_else() -> None:
    connect, usage = frozenset({"CONNECT"}), frozenset({"USAGE"})
    of_others = (
        found_object(ObjectKind.DATABASE, "db", everybody=connect, owner="them"),
        found_object(ObjectKind.SCHEMA, "public", everybody=usage, owner="them"),
    )
    assert plan(Role(name="app", grants=Grants.READ), on=found(APP, objects=of_others)).warnings == ()
    lacking = (found_object(ObjectKind.DATABASE, "db", owner="them"), of_others[1])
    [warning] = plan(Role(name="app", grants=Grants.READ), on=found(APP, objects=lacking)).warnings
    assert "CONNECT on database" in warning


def test_what_is_not_declared_is_left_alone() -> None:
    there = FoundRole(name="app", login=False, connection_limit=7, member_of=frozenset({"readers"}))
    assert plan(Role(name="app"), on=found(there)).changes == ()


def test_groups_may_be_created_in_the_same_plan() -> None:
    app, group = Role(name="app", member_of=("readers",)), Role(name="readers", login=False)
    changes = plan(app, group, on=found()).changes
    assert [type(one) for one in changes] == [RoleCreated, RoleCreated, MemberAdded]


@pytest.mark.parametrize(
    ("state", "is_set"), [(PasswordState.SAME, 0), (PasswordState.OTHER, 1), (PasswordState.UNKNOWN, 1)]
)
def test_a_password_is_set_unless_it_is_known_to_be_the_same(state: PasswordState, is_set: int) -> None:
    changes = plan(Role(name="app", password=Secret("p")), on=found(APP), password=state).changes
    assert [type(one) for one in changes] == [PasswordSet] * is_set


@pytest.mark.parametrize(
    ("on", "grant"),
    [
        (found(may_create=False), 'ALTER ROLE "me" CREATEROLE'),
        (found(FoundRole(name="app", login=False), may_create=False), 'ALTER ROLE "me" CREATEROLE'),
        (
            found(FoundRole(name="app", login=False, is_administered=False)),
            'GRANT "app" TO "me" WITH ADMIN OPTION',
        ),
    ],
)
def test_a_lack_of_permission_names_what_to_grant(on: RolesFound, grant: str) -> None:
    with pytest.raises(errors.PermissionDenied) as caught:
        plan(Role(name="app", login=True), on=on)
    assert f"'{grant}'" in str(caught.value.hint)


@pytest.mark.parametrize("there", [FoundRole(name="app", is_superuser=True), FoundRole(name="app", is_ours=True)])
def test_superusers_and_ourselves_are_refused(there: FoundRole) -> None:
    with pytest.raises(errors.RoleRefused):
        plan(Role(name="app"), on=found(there))
