"""Everything of a database that a command could have changed, as text: equal before and after, nothing changed.

The run ledger is left out: it says that a command has failed.
"""

from typing import Final

from tests.support.pytest_sandbox import Database

_SYSTEM: Final = "('pg_catalog', 'information_schema', 'pg_toast', 'taxiway')"

# One line for each schema, relation, column, constraint, index, routine, type, role, membership and setting. Object
# ids tell an object that was dropped and made again from one that was left alone.
_CATALOG: Final = f"""
SELECT format('schema %s %s %s', oid, nspname, nspacl) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'
  AND nspname <> 'taxiway'
UNION ALL
SELECT format('relation %s %s %s %s %s %s', c.oid, relname, relkind, relowner::regrole, relacl, relfilenode)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname NOT IN {_SYSTEM}
UNION ALL
SELECT format('column %s %s %s %s', attrelid, attname, atttypid::regtype, attnotnull)
FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname NOT IN {_SYSTEM}
UNION ALL
SELECT format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(c.oid))
FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace WHERE nspname NOT IN {_SYSTEM}
UNION ALL
SELECT format('routine %s %s', p.oid, prosrc) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
WHERE nspname NOT IN {_SYSTEM}
UNION ALL
SELECT format('type %s %s', t.oid, typname) FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
WHERE nspname NOT IN {_SYSTEM}
UNION ALL
SELECT format('role %s %s %s', oid, rolname, rolcanlogin) FROM pg_roles
UNION ALL
SELECT format('member %s %s', roleid::regrole, member::regrole) FROM pg_auth_members
UNION ALL
SELECT format('setting %s %s %s', setdatabase, setrole, setconfig) FROM pg_db_role_setting
"""

_TABLES: Final = f"""
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN {_SYSTEM}
"""


def fingerprint(database: Database) -> str:
    """The catalog, and the rows of every table. Locks that are held are in it too."""
    with database.server.admin(database.name) as connection:
        lines = [line for (line,) in connection.execute(_CATALOG.encode())]
        for (table,) in connection.execute(_TABLES.encode()).fetchall():
            rows = connection.execute(f"SELECT '{table} ' || t::text FROM {table} t".encode())
            lines += [line for (line,) in rows]
        lines += [
            f"lock {key}"
            for (key,) in connection.execute("SELECT objid FROM pg_locks WHERE locktype = 'advisory'")
        ]
    return "\n".join(sorted(lines))
