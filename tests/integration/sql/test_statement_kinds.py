"""What refuses a transaction block, asked of the server itself. Any supported version of it will do."""

from collections.abc import Iterator

import psycopg
import pytest

from sandbox.postgres import PostgresServer
from taxiway.model.script import ReplacedText, StatementKind
from taxiway.sql.statements import split

ACTIVE_SQL_TRANSACTION = "25001"
DATABASE = "kinds"

OBJECTS = """
CREATE TABLE t (a int PRIMARY KEY);
CREATE INDEX i ON t (a);
ALTER TABLE t CLUSTER ON i;
CREATE TABLE parts (a int) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE detached PARTITION OF parts FOR VALUES IN (2);
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
CREATE UNIQUE INDEX mi ON m (a);
CREATE TYPE e AS ENUM ('a');
CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p, r WITH (connect = false);
"""
ENABLED = "ALTER SUBSCRIPTION s ENABLE"

# What the server looks at first may hide a refusal: the statement that makes it pass, in the same transaction.
BEFORE = {
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION": ENABLED,
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION WITH (copy_data = false)": ENABLED,
    "ALTER SUBSCRIPTION s SET PUBLICATION q": ENABLED,
    "ALTER SUBSCRIPTION s SET PUBLICATION q WITH (copy_data = false)": ENABLED,
    "ALTER SUBSCRIPTION s SET PUBLICATION q WITH (refresh = true)": ENABLED,
    "ALTER SUBSCRIPTION s ADD PUBLICATION q": ENABLED,
    "ALTER SUBSCRIPTION s DROP PUBLICATION p WITH (refresh)": ENABLED,
}

REFUSED = [
    "CREATE DATABASE d",
    "DROP DATABASE d",
    "DROP DATABASE IF EXISTS d WITH (FORCE)",
    "ALTER DATABASE kinds SET TABLESPACE pg_default",
    "CREATE TABLESPACE ts LOCATION '/nowhere'",
    "DROP TABLESPACE ts",
    "DROP TABLESPACE IF EXISTS ts",
    "ALTER SYSTEM SET work_mem = '1MB'",
    "ALTER SYSTEM RESET work_mem",
    "ALTER SYSTEM RESET ALL",
    "CREATE SUBSCRIPTION s2 CONNECTION '' PUBLICATION p",
    "DROP SUBSCRIPTION s",
    "DROP SUBSCRIPTION IF EXISTS s",
    *BEFORE,
    "VACUUM",
    "VACUUM t",
    "VACUUM FULL t",
    "VACUUM (ANALYZE, VERBOSE) t",
    "CLUSTER",
    "CLUSTER VERBOSE",
    "REINDEX DATABASE kinds",
    "REINDEX SYSTEM kinds",
    "REINDEX SCHEMA public",
    "REINDEX (VERBOSE) SCHEMA public",
    "REINDEX SCHEMA CONCURRENTLY public",
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX INDEX CONCURRENTLY i",
    "REINDEX (VERBOSE) INDEX CONCURRENTLY i",
    "REINDEX (CONCURRENTLY) TABLE t",
    "REINDEX (VERBOSE off, CONCURRENTLY true) INDEX i",
    "REINDEX (CONCURRENTLY 1) INDEX i",
    "CREATE INDEX CONCURRENTLY ON t (a)",
    "CREATE UNIQUE INDEX CONCURRENTLY u ON t (a)",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS u ON t (a)",
    "DROP INDEX CONCURRENTLY i",
    "DROP INDEX CONCURRENTLY IF EXISTS missing",
    "ALTER TABLE parts DETACH PARTITION detached CONCURRENTLY",
    "ALTER TABLE IF EXISTS ONLY parts DETACH PARTITION public.detached CONCURRENTLY",
    "DISCARD ALL",
    "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'",
]
REFUSED_SINCE = {
    160000: ["REINDEX SYSTEM", "REINDEX DATABASE", "REINDEX (VERBOSE) DATABASE"],
    170000: ["CLUSTER (VERBOSE)", "ALTER SUBSCRIPTION s SET (failover = true)"],
    180000: ["ALTER SUBSCRIPTION s SET (two_phase = false)"],
}

ACCEPTED = [
    "CREATE INDEX ON t (a)",
    "DROP INDEX i",
    "CLUSTER t",
    "CLUSTER t USING i",
    "CLUSTER VERBOSE t",
    "ANALYZE",
    "ANALYZE t",
    "REINDEX TABLE t",
    "REINDEX INDEX i",
    "REINDEX (CONCURRENTLY false) TABLE t",
    "REINDEX (CONCURRENTLY off, VERBOSE) INDEX i",
    "REINDEX (CONCURRENTLY 0) INDEX i",
    "ALTER TABLE parts DETACH PARTITION detached",
    "ALTER TABLE parts DETACH PARTITION detached FINALIZE",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
    "ALTER TYPE e ADD VALUE 'b'",
    "ALTER DATABASE kinds SET work_mem = '1MB'",
    "ALTER DATABASE kinds CONNECTION LIMIT 10",
    "ALTER DATABASE kinds RENAME TO kinds2",
    "ALTER SUBSCRIPTION s ENABLE",
    "ALTER SUBSCRIPTION s DISABLE",
    "ALTER SUBSCRIPTION s RENAME TO s3",
    "ALTER SUBSCRIPTION s CONNECTION 'host=x'",
    "ALTER SUBSCRIPTION s SET (slot_name = NONE)",
    "ALTER SUBSCRIPTION s SET (synchronous_commit = on)",
    "ALTER SUBSCRIPTION s SET (two_phase = true)",
    "ALTER SUBSCRIPTION s SET PUBLICATION q WITH (refresh = false)",
    "ALTER SUBSCRIPTION s ADD PUBLICATION q WITH (refresh = off)",
    "DISCARD PLANS",
    "DISCARD SEQUENCES",
    "DISCARD TEMP",
    "ALTER TABLE t SET TABLESPACE pg_default",
    "ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default",
    "ALTER TABLESPACE pg_default SET (random_page_cost = 1)",
    "CHECKPOINT",
    "LISTEN x",
    "PREPARE TRANSACTION 'x'",
    "ROLLBACK TO SAVEPOINT x",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "TRUNCATE t",
    "LOCK TABLE t",
    "CREATE DATABASE_OF_MINE",
]

# Refused unless no slot of the other server is touched. Flyway 13 looks no closer, and neither do we.
OF_SUBSCRIPTIONS_WITHOUT_SLOT = [
    ("CREATE SUBSCRIPTION s2 CONNECTION '' PUBLICATION p WITH (connect = false)", None),
    ("DROP SUBSCRIPTION s", "ALTER SUBSCRIPTION s SET (slot_name = NONE)"),
]


@pytest.fixture(scope="module")
def connection(postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """A superuser's, in a database with one of each."""
    with postgres_server.admin() as administrator:
        administrator.execute(f"CREATE DATABASE {DATABASE}")
    with postgres_server.admin(DATABASE) as connection:
        for statement in OBJECTS.strip().splitlines():
            connection.execute(statement)
        yield connection
        connection.execute("ALTER SUBSCRIPTION s SET (slot_name = NONE)")
        connection.execute("DROP SUBSCRIPTION s")
    postgres_server.drop_database(DATABASE)


def is_refused(connection: psycopg.Connection, statement: str, before: str | None = None) -> bool:
    """Whether the server refuses it in a transaction block, where it may fail for another reason as well."""
    connection.execute("BEGIN")
    try:
        if before:
            connection.execute(before)
        connection.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate == ACTIVE_SQL_TRANSACTION
    finally:
        connection.execute("ROLLBACK")
    return False


def is_known_to_be_refused(connection: psycopg.Connection, text: str) -> bool:
    statements = split(ReplacedText(text, text), path="x", server_version_num=connection.info.server_version)
    return [statement.kind for statement in statements] == [StatementKind.NON_TRANSACTIONAL]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_the_server_refuses_is_known(connection: psycopg.Connection, statement: str) -> None:
    assert is_refused(connection, statement, BEFORE.get(statement))
    assert is_known_to_be_refused(connection, statement)


@pytest.mark.parametrize(("version", "statement"), [(v, s) for v, found in REFUSED_SINCE.items() for s in found])
def test_what_later_servers_refuse_is_known(connection: psycopg.Connection, version: int, statement: str) -> None:
    assert is_refused(connection, statement) is (connection.info.server_version >= version)
    assert is_known_to_be_refused(connection, statement)


@pytest.mark.parametrize("statement", ACCEPTED)
def test_what_the_server_accepts_is_not_kept_out_of_transactions(
    connection: psycopg.Connection, statement: str
) -> None:
    assert not is_refused(connection, statement)
    assert not is_known_to_be_refused(connection, statement)


@pytest.mark.parametrize(("statement", "before"), OF_SUBSCRIPTIONS_WITHOUT_SLOT)
def test_subscriptions_are_always_kept_out_of_transactions(
    connection: psycopg.Connection, statement: str, before: str | None
) -> None:
    assert not is_refused(connection, statement, before)
    assert is_known_to_be_refused(connection, statement)
