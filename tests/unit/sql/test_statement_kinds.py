import pytest

from taxiway.errors import ScriptError
from taxiway.model.script import ReplacedText, StatementKind
from taxiway.sql.statements import split


def kind(text: str, server_version_num: int = 170000) -> StatementKind:
    (statement,) = split(ReplacedText(text, text), path="x", server_version_num=server_version_num)
    return statement.kind


OF_FLYWAY = [
    "CREATE DATABASE d",
    "drop database if exists d",
    "CREATE TABLESPACE t LOCATION '/x'",
    "DROP TABLESPACE t",
    "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
    "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p WITH (connect = false)",
    "DROP SUBSCRIPTION s",
    "ALTER SYSTEM SET work_mem = '1MB'",
    "CREATE INDEX CONCURRENTLY ON t (a)",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
    "DROP INDEX CONCURRENTLY i",
    "REINDEX SCHEMA s",
    "REINDEX DATABASE d",
    "REINDEX SYSTEM d",
    "REINDEX (VERBOSE) SCHEMA s",
    "REINDEX VERBOSE SCHEMA s",
    "VACUUM",
    "VACUUM (FULL, ANALYZE) t",
    "vacuum t",
    "DISCARD ALL",
]
BEYOND_FLYWAY = [
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX INDEX CONCURRENTLY i",
    "REINDEX (VERBOSE) TABLE CONCURRENTLY t",
    "REINDEX (CONCURRENTLY) TABLE t",
    "REINDEX (VERBOSE, CONCURRENTLY TRUE, TABLESPACE x) INDEX i",
    "REINDEX (CONCURRENTLY on) INDEX i",
    "REINDEX DATABASE CONCURRENTLY d",
    "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
    'ALTER TABLE IF EXISTS "d"."s"."t" * DETACH PARTITION "d"."s"."p" CONCURRENTLY',
    "ALTER TABLE ONLY (s.t) DETACH PARTITION p CONCURRENTLY",
    "ALTER TABLE detach DETACH PARTITION detach CONCURRENTLY",
    "CLUSTER",
    "CLUSTER VERBOSE",
    "CLUSTER (VERBOSE)",
    "CLUSTER (VERBOSE true)",
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION WITH (copy_data = false)",
    "ALTER SUBSCRIPTION s SET PUBLICATION p",
    "ALTER SUBSCRIPTION s ADD PUBLICATION p, q WITH (copy_data = false)",
    "ALTER SUBSCRIPTION s DROP PUBLICATION p WITH (refresh = true)",
    "ALTER SUBSCRIPTION s SET (failover = true)",
    "ALTER SUBSCRIPTION s SET (slot_name = x, two_phase = false)",
    'ALTER DATABASE "my db" SET TABLESPACE t',
    'ALTER DATABASE U&"d" SET TABLESPACE t',
    "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'",
]


@pytest.mark.parametrize("text", [*OF_FLYWAY, *BEYOND_FLYWAY])
def test_what_the_server_refuses_in_a_transaction_block_is_non_transactional(text: str) -> None:
    assert kind(text) is StatementKind.NON_TRANSACTIONAL


@pytest.mark.parametrize("text", [*OF_FLYWAY, *BEYOND_FLYWAY])
def test_case_and_comments_between_words_do_not_matter(text: str) -> None:
    apart = text.lower().replace(" ", " /* a; */\n-- b;\n")
    assert kind(f"-- c\n{apart}") is StatementKind.NON_TRANSACTIONAL


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "CREATE INDEX i ON t (a)",
        "CREATE INDEX ON t (concurrently)",
        "CREATE INDEX i ON concurrently (a)",
        'CREATE TABLE "INDEX CONCURRENTLY" (a int)',
        'CREATE "INDEX" CONCURRENTLY',
        'CREATE INDEX "CONCURRENTLY" ON t (a)',
        "CREATE TABLE vacuum (discard int)",
        "CREATE TABLE database (a int)",
        "CREATE TABLE t (a int) TABLESPACE x",
        "DROP INDEX concurrently_built",
        "DROP TABLE system",
        "INSERT INTO t VALUES ('VACUUM')",
        "EXPLAIN SELECT 1",
        "ANALYZE t",
        "DISCARD TEMP",
        "DISCARD PLANS",
        "REINDEX TABLE t",
        "REINDEX INDEX schema",
        "REINDEX (VERBOSE) TABLE t",
        "REINDEX (CONCURRENTLY false) TABLE t",
        "REINDEX (VERBOSE, CONCURRENTLY 0) INDEX i",
        'REINDEX (TABLESPACE "CONCURRENTLY") TABLE t',
        "ALTER TABLE t DETACH PARTITION p",
        "ALTER TABLE t DETACH PARTITION p FINALIZE",
        'ALTER TABLE t DETACH PARTITION "CONCURRENTLY"',
        "ALTER TABLE t ADD COLUMN detach text DEFAULT 'PARTITION p CONCURRENTLY'",
        "ALTER TABLE t ADD COLUMN partition int, ADD COLUMN concurrently int",
        "CLUSTER t",
        "CLUSTER t USING i",
        "CLUSTER VERBOSE t",
        "CLUSTER (VERBOSE) t",
        'CLUSTER "VERBOSE"',
        "ALTER SUBSCRIPTION s DISABLE",
        "ALTER SUBSCRIPTION s SET (slot_name = failover)",
        "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
        "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (copy_data = true, refresh = off)",
        "ALTER SUBSCRIPTION refresh RENAME TO publication",
        "ALTER DATABASE d SET work_mem = '1MB'",
        "ALTER DATABASE d SET tablespace.x = 'y'",
        "ALTER DATABASE d RENAME TO tablespace",
        "COMMIT",
        "ROLLBACK TO SAVEPOINT prepared",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "CALL p()",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'VACUUM'",
    ],
)
def test_anything_else_is_transactional(text: str) -> None:
    assert kind(text) is StatementKind.TRANSACTIONAL


@pytest.mark.parametrize(
    "text", ["ALTER TYPE t ADD VALUE 'x'", "alter type s.t add value if not exists 'x' before 'y'"]
)
def test_a_new_enum_value_refuses_a_transaction_before_postgresql_12(text: str) -> None:
    assert kind(text, 110022) is StatementKind.NON_TRANSACTIONAL
    assert kind(text, 120000) is StatementKind.TRANSACTIONAL


@pytest.mark.parametrize("text", ["ALTER TYPE t ADD ATTRIBUTE value int", "ALTER TYPE t RENAME VALUE 'a' TO 'b'"])
def test_other_changes_of_a_type_never_do(text: str) -> None:
    assert kind(text, 110022) is StatementKind.TRANSACTIONAL


def test_copy_has_a_kind_of_its_own() -> None:
    assert kind("COPY t FROM STDIN;\n1\n\\.\n") is StatementKind.COPY_FROM_STDIN


@pytest.mark.parametrize(
    "text",
    [
        "COPY t TO STDOUT",
        'copy binary "s"."t" (a, "b") to stdout with (format csv)',
        "COPY (SELECT f(a) FROM t) TO STDOUT",
        "COPY t TO STDIN",
    ],
)
def test_copy_to_nobody_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ScriptError, match=r"^x:1:12: COPY … TO STDOUT") as caught:
        kind(f"/* first */{text};")
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "COPY t TO '/x'",
        "COPY (SELECT 'TO STDOUT') TO PROGRAM 'TO STDOUT'",
        "COPY t TO '/x' WITH (NULL ') TO STDOUT ')",
        "COPY t FROM '/to stdout'",
    ],
)
def test_copy_on_the_server_is_transactional(text: str) -> None:
    assert kind(text) is StatementKind.TRANSACTIONAL
