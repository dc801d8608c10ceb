"""The server's roles and what they may do: what to ask, and the statements of each change.

The catalogues are those of PostgreSQL 14 to 18 (manual, "System Catalogs"). Only what an owner has granted counts,
because that is what we can grant and revoke; a member of the owning role grants in the owner's name.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, assert_never

from taxiway.model.role import (
    DefaultsChanged,
    DefaultsOf,
    FoundObject,
    FoundRole,
    MemberAdded,
    ObjectKind,
    PasswordRotated,
    PasswordSet,
    Privileges,
    PrivilegesChanged,
    RoleAltered,
    RoleChange,
    RoleCreated,
    RolesFound,
)
from taxiway.postgres.exchange import is_true, texts
from taxiway.postgres.sql import Sql, array, fill, identifier, join, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from taxiway.engine.ports import HistoryTable
    from taxiway.postgres.exchange import Exchange, Row
    from taxiway.secret import Secret

# Moments that Python has no name for are as good as never, or as long ago as any.
# Since PostgreSQL 16, CREATEROLE reaches only the roles that one has the ADMIN OPTION for (manual, CREATE ROLE).
_ROLES: Final = """
SELECT me.rolsuper OR me.rolcreaterole,
       r.rolname, r.rolsuper, r.rolname IN (current_user, session_user), r.rolcanlogin, r.rolconnlimit,
       CASE WHEN r.rolvaliduntil < '9999-01-01'
            THEN extract(epoch FROM greatest(r.rolvaliduntil, '1970-01-01')) END,
       (SELECT json_agg(g.rolname) FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
        WHERE m.member = r.oid),
       pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')
       OR (me.rolcreaterole AND NOT r.rolsuper
           AND pg_catalog.current_setting('server_version_num')::int < 160000)
FROM pg_catalog.pg_roles me LEFT JOIN pg_catalog.pg_roles r ON r.rolname = ANY({roles})
WHERE me.rolname = current_user;
"""

# What belongs to an extension is the extension's to grant.
_OBJECTS: Final = """
WITH wanted AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl FROM pg_catalog.pg_namespace n
    WHERE n.nspname = ANY({schemas})
       OR n.oid IN (SELECT d.defaclnamespace FROM pg_catalog.pg_default_acl d WHERE d.defaclrole = {me})
), object (kind, schema, name, arguments, owner, acl) AS (
    SELECT 'DATABASE', '', d.datname, '', d.datdba,
           coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
    UNION ALL
    SELECT 'SCHEMA', '', n.nspname, '', n.nspowner, coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))
    FROM wanted n
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname, '', c.relowner, c.relacl
    FROM pg_catalog.pg_class c JOIN wanted n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'ROUTINE', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), p.proowner,
           p.proacl
    FROM pg_catalog.pg_proc p JOIN wanted n ON n.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
)
SELECT o.kind, o.schema, o.name, o.arguments, pg_catalog.pg_get_userbyid(o.owner),
       pg_catalog.pg_has_role(o.owner, 'USAGE'),
       (SELECT json_object_agg(h.role, h.privileges)
        FROM (SELECT coalesce(r.rolname, '') AS role, json_agg(a.privilege_type) AS privileges
              FROM pg_catalog.aclexplode(o.acl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
              WHERE a.grantor = o.owner AND (a.grantee = 0 OR r.rolname = ANY({roles}))
              GROUP BY r.rolname) h)
FROM object o
ORDER BY pg_catalog.array_position(ARRAY['DATABASE', 'SCHEMA', 'TABLE', 'SEQUENCE', 'ROUTINE'], o.kind),
         o.schema, o.name, o.arguments;
"""

_DEFAULTS: Final = """
SELECT r.rolname, n.nspname, d.defaclobjtype, json_agg(a.privilege_type)
FROM pg_catalog.pg_default_acl d
JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE d.defaclrole = {me} AND r.rolname = ANY({roles}) AND d.defaclobjtype IN ('r', 'S', 'f')
GROUP BY r.rolname, n.nspname, d.defaclobjtype
"""
_ME: Final = Sql("(SELECT u.oid FROM pg_catalog.pg_roles u WHERE u.rolname = current_user)")
_KINDS: Final = {"r": ObjectKind.TABLE, "S": ObjectKind.SEQUENCE, "f": ObjectKind.ROUTINE}

# Types in the arguments of routines are qualified then, whatever the session has set.
_QUALIFIED: Final = Sql("SELECT pg_catalog.set_config('search_path', '', true);")


def read_roles(exchange: Exchange, roles: Iterable[str], schemas: Iterable[str]) -> RolesFound:
    """What there is of the roles, of the objects of the schemas, and of default privileges, in one round trip."""
    names = array(roles)
    statements = join(
        [
            exchange.ours.reset_role(),
            _QUALIFIED,
            fill(_ROLES, roles=names),
            fill(_OBJECTS, roles=names, schemas=array(schemas), me=_ME),
            fill(_DEFAULTS, roles=names, me=_ME),
        ]
    )
    results = exchange.ask(lambda: exchange.results(statements), doing="Looking at the roles")
    return _roles_found(exchange.facts.user, *map(texts, results[-3:]))


def _roles_found(user: str, roles: Sequence[Row], objects: Iterable[Row], defaults: Iterable[Row]) -> RolesFound:
    there = [_role(row[1:]) for row in roles if row[1] is not None]
    return RolesFound(
        user=user,
        may_create_roles=is_true(roles[0][0]),
        roles={role.name: role for role in there},
        objects=tuple(map(_object, objects)),
        defaults=dict(map(_default, defaults)),
    )


def _role(row: Row) -> FoundRole:
    name, is_superuser, is_ours, login, connection_limit, valid_until, groups, is_administered = row
    return FoundRole(
        name=name or "",
        is_superuser=is_true(is_superuser),
        is_ours=is_true(is_ours),
        login=is_true(login),
        connection_limit=int(connection_limit or -1),
        valid_until=datetime.fromtimestamp(float(valid_until), UTC) if valid_until else None,
        member_of=frozenset(json.loads(groups or "[]")),
        is_administered=is_true(is_administered),
    )


def _object(row: Row) -> FoundObject:
    kind, schema, name, arguments, owner, is_ours, held = (value or "" for value in row)
    return FoundObject(
        kind=ObjectKind(kind),
        schema=schema,
        name=name,
        arguments=arguments,
        owner=owner,
        is_ours=is_true(is_ours),
        held={role: frozenset(privileges) for role, privileges in json.loads(held or "{}").items()},
    )


def _default(row: Row) -> tuple[DefaultsOf, Privileges]:
    role, schema, kind, privileges = (value or "" for value in row)
    return DefaultsOf(role, schema, _KINDS[kind]), frozenset(json.loads(privileges))


# --- changes


def change_roles(
    exchange: Exchange,
    table: HistoryTable,
    changes: Iterable[RoleChange],
    *,
    before_commit: Callable[[], None] | None = None,
) -> None:
    """Carry out the changes in one transaction. Instead of a password its verifier is sent."""
    doing = "Changing roles"

    def encrypt(role: str, password: Secret) -> str:
        return exchange.connection.encrypt_password(password.reveal().encode(), role.encode()).decode()

    statements = exchange.ask(lambda: join([_statement(change, encrypt) for change in changes]))
    if before_commit is None:
        exchange.change(table, statements, doing=doing)
        return
    exchange.begin_change(table, statements, doing=doing)
    try:
        before_commit()
        exchange.ask(lambda: exchange.in_utf8(Sql("COMMIT")), doing=doing)
    except BaseException:
        exchange.rollback()
        raise


def _statement(change: RoleChange, encrypt: Callable[[str, Secret], str]) -> Sql:
    role = identifier(change.role)
    match change:
        case RoleCreated():
            words = [*_attributes(change.login, change.connection_limit, change.valid_until)]
            if change.password is not None:
                words.append(_password(change.role, change.password, encrypt))
            return fill("CREATE ROLE {role} {words};", role=role, words=join(words, " "))
        case RoleAltered():
            words = [*_attributes(change.login, change.connection_limit, change.valid_until)]
            return fill("ALTER ROLE {role} {words};", role=role, words=join(words, " "))
        case PasswordSet() | PasswordRotated():
            password = _password(change.role, change.password, encrypt)
            return fill("ALTER ROLE {role} {password};", role=role, password=password)
        case MemberAdded():
            return fill("GRANT {group} TO {role};", group=identifier(change.group), role=role)
        case PrivilegesChanged():
            return fill(
                "{verb} {privileges} ON {kind} {objects} {whom} {role};",
                kind=Sql(change.kind.value),
                objects=Sql(", ".join(change.objects)),
                **_verb(change),
            )
        case DefaultsChanged():
            return fill(
                "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} {verb} {privileges} ON {kind}S {whom} {role};",
                schema=identifier(change.schema),
                kind=Sql(change.kind.value),
                **_verb(change),
            )
        case _:
            assert_never(change)


def _verb(change: PrivilegesChanged | DefaultsChanged) -> Mapping[str, Sql]:
    return {
        "verb": Sql("REVOKE" if change.is_revoked else "GRANT"),
        "whom": Sql("FROM" if change.is_revoked else "TO"),
        "privileges": Sql(", ".join(sorted(change.privileges))),
        "role": identifier(change.role),
    }


def _attributes(login: bool | None, connection_limit: int | None, valid_until: datetime | None) -> Iterator[Sql]:
    if login is not None:
        yield Sql("LOGIN" if login else "NOLOGIN")
    if connection_limit is not None:
        yield Sql(f"CONNECTION LIMIT {connection_limit:d}")
    if valid_until is not None:
        yield fill("VALID UNTIL {moment}", moment=literal(valid_until.astimezone(UTC).isoformat(" ")))


def _password(role: str, password: Secret, encrypt: Callable[[str, Secret], str]) -> Sql:
    return fill("PASSWORD {verifier}", verifier=literal(encrypt(role, password)))
