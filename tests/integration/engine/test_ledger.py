"""The run ledger: who ran what, when, from where, and what it changed."""

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg.rows import dict_row

from tests.support.workspace import Workspace

ON = {"TAXIWAY_LEDGER": "true", "TAXIWAY_ACTOR": "ann"}
CANARY = "n0t-f0r-the-ledger-0815"
SLEEPING = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"


def rows(workspace: Workspace, query: str) -> list[dict[str, Any]]:
    with workspace.database.connect() as connection:
        return connection.cursor(row_factory=dict_row).execute(query.encode()).fetchall()


def migrate(workspace: Workspace, *arguments: str, exit_code: int = 0, **environment: str) -> str:
    result = workspace.run("migrate", *arguments, environment=ON | environment)
    assert result.returncode == exit_code, result.stderr
    return result.stdout


def runs(workspace: Workspace) -> list[dict[str, Any]]:
    return rows(workspace, "SELECT * FROM taxiway.run ORDER BY id")


def schemas(workspace: Workspace) -> set[str]:
    return {row["nspname"] for row in rows(workspace, "SELECT nspname FROM pg_namespace")}


def test_a_run_is_recorded_with_its_migrations_statements_and_what_they_brought(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__a.sql": "CREATE TABLE a (i int);\nINSERT INTO a VALUES (1), (2);",
            "V2__b.sql": "ALTER TABLE a ADD COLUMN t text;",
        }
    )
    migrate(workspace)
    [run] = runs(workspace)
    assert (run["result"], run["command"], run["actor"], run["error_code"]) == (
        "succeeded",
        "migrate",
        "ann",
        None,
    )
    assert run["ended"] > run["started"]
    assert run["history_table"] == '"public"."flyway_schema_history"'
    migrations = rows(workspace, "SELECT * FROM taxiway.migration ORDER BY position")
    assert [(one["installed_rank"], one["version"], one["script"], one["result"]) for one in migrations] == [
        (1, "1", "V1__a.sql", "succeeded"),
        (2, "2", "V2__b.sql", "succeeded"),
    ]
    history = rows(workspace, "SELECT xmin::text::bigint AS xid, checksum FROM flyway_schema_history")
    assert [(one["xid"], one["checksum"]) for one in migrations] == [
        (row["xid"], row["checksum"]) for row in history
    ]
    statements = rows(workspace, "SELECT script, line, command, rows FROM taxiway.statement ORDER BY position")
    assert [tuple(one.values()) for one in statements] == [
        ("V1__a.sql", 1, "CREATE TABLE", None),
        ("V1__a.sql", 2, "INSERT 0 2", 2),
        ("V2__b.sql", 1, "ALTER TABLE", None),
    ]
    brought = rows(workspace, "SELECT kind, name, part, xid FROM taxiway.object ORDER BY xid, kind, part")
    first, second = (one["xid"] for one in migrations)
    assert [tuple(one.values()) for one in brought] == [
        ("column", "a", "i", first),
        ("creation", "a", None, first),
        ("column", "a", "t", second),
        ("relation", "a", None, second),
    ]


def test_without_being_asked_a_local_command_records_nothing(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);"})
    assert workspace.run("migrate").returncode == 0
    assert "taxiway" not in schemas(workspace)
    workspace.run("info", environment=ON)
    assert "taxiway" not in schemas(workspace)


def test_the_schema_can_have_another_name(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);"})
    (workspace.directory / "taxiway.toml").write_text('[ledger]\nenabled = true\nschema = "Log book"\n')
    assert workspace.run("migrate").returncode == 0
    assert [row["result"] for row in rows(workspace, 'SELECT result FROM "Log book".run')] == ["succeeded"]


def test_a_failure_is_recorded_with_its_code(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);", "V2__b.sql": "SELECT 1; SELECT nothing;"})
    migrate(workspace, exit_code=1)
    [run] = runs(workspace)
    assert (run["result"], run["error_code"]) == ("failed", "migration-failed")
    migrations = rows(
        workspace, "SELECT script, result, installed_rank, xid IS NULL AS none FROM taxiway.migration"
    )
    assert [tuple(one.values()) for one in migrations] == [
        ("V1__a.sql", "succeeded", 1, False),
        ("V2__b.sql", "failed", None, True),
    ]


def test_a_stopped_run_is_recorded_as_terminated(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);", "V2__b.sql": "SELECT pg_sleep(60);"})
    with workspace.running("migrate", environment=ON) as child:
        workspace.wait_for(SLEEPING)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=30)
    assert child.returncode == 143
    assert [run["result"] for run in runs(workspace)] == ["terminated"]
    assert [one["result"] for one in rows(workspace, "SELECT result FROM taxiway.migration")] == [
        "succeeded",
        "failed",
    ]


def test_a_killed_run_shows_as_running_until_the_next_one_finds_that_it_is_gone(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT pg_sleep(60);"})
    with workspace.running("migrate", environment=ON) as child:
        workspace.wait_for(SLEEPING)
        child.kill()
        child.communicate(timeout=30)
    assert [run["result"] for run in runs(workspace)] == ["running"]
    with workspace.database.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(process_id) FROM taxiway.run")
    workspace.wait_for(
        "SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_activity JOIN taxiway.run ON process_id = pid)"
    )
    workspace.write({"V1__a.sql": "SELECT 1;"})
    migrate(workspace)
    assert [run["result"] for run in runs(workspace)] == ["unknown", "succeeded"]


@pytest.fixture
def limited(workspace: Workspace) -> Workspace:
    """A user who may not create schemas."""
    with workspace.database.server.connect(
        "postgres", workspace.database.server.superuser_password, workspace.database.name, autocommit=True
    ) as admin:
        admin.execute(f'ALTER DATABASE "{workspace.database.name}" OWNER TO postgres'.encode())
        admin.execute(f'GRANT ALL ON SCHEMA public TO "{workspace.database.user}"'.encode())
    return workspace


def test_without_the_right_the_run_goes_on_and_says_once_what_to_grant(limited: Workspace) -> None:
    limited.write({"V1__a.sql": "CREATE TABLE a (i int);"})
    output = migrate(limited)
    database, user = limited.database.name, limited.database.user
    assert output.count("WARNING") == 1
    assert f'GRANT CREATE ON DATABASE "{database}" TO "{user}";' in output
    assert "Successfully applied 1 migration" in output
    server = limited.database.server
    with server.connect("postgres", server.superuser_password, database, autocommit=True) as admin:
        admin.execute("CREATE SCHEMA taxiway")
    limited.write({"V2__b.sql": "CREATE TABLE b (i int);"})
    output = migrate(limited)
    assert f'GRANT USAGE, CREATE ON SCHEMA "taxiway" TO "{user}";' in output
    with server.connect("postgres", server.superuser_password, database, autocommit=True) as admin:
        admin.execute(f'GRANT USAGE, CREATE ON SCHEMA "taxiway" TO "{user}"'.encode())
    limited.write({"V3__c.sql": "CREATE TABLE c (i int);"})
    assert "WARNING" not in migrate(limited)


def test_the_ledger_is_no_part_of_what_the_migrations_manage(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);"})
    migrate(workspace)
    assert workspace.run("clean", "--no-clean-disabled", "migrate", environment=ON).returncode == 0
    assert [(run["command"], run["result"]) for run in runs(workspace)] == [
        ("migrate", "succeeded"),
        ("clean migrate", "succeeded"),
    ]


def test_a_ledger_in_a_schema_of_the_migrations_is_refused_and_the_run_goes_on(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);"})
    output = migrate(workspace, TAXIWAY_LEDGER_SCHEMA="public")
    assert "There is no ledger: the migrations manage its schema, public." in output
    assert rows(workspace, "SELECT FROM pg_class WHERE relname = 'run'") == []


def test_runs_at_the_same_time_create_the_ledger_once(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);"})
    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(lambda _: migrate(workspace), range(4)))
    assert not any("WARNING" in output for output in outputs)
    assert [run["result"] for run in runs(workspace)] == ["succeeded"] * 4
    assert len(rows(workspace, "SELECT FROM taxiway.migration")) == 1


def test_no_secret_is_in_the_ledger(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__a.sql": "CREATE ROLE ledger_user PASSWORD '${password}';\nSELECT '${password}' AS \"${password}\";",
            "V2__b.sql": "SELECT '${password}'::int;",
        }
    )
    (workspace.directory / "taxiway.toml").write_text('[flyway.placeholders]\npassword = "${env:CANARY}"\n')
    migrate(workspace, exit_code=1, CANARY=CANARY)
    for table in ("run", "migration", "statement", "object"):
        held = rows(workspace, f"SELECT t::text AS text FROM taxiway.{table} t")
        assert held or table == "object"
        assert [row for row in held if CANARY in row["text"]] == []


def test_a_script_that_drops_the_ledger_makes_no_run_fail(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "DROP SCHEMA taxiway CASCADE;"})
    assert "WARNING: The ledger does not say how this run ended." in migrate(workspace)


def test_a_migration_without_a_transaction_is_recorded_too(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);", "V2__b.sql": "CREATE INDEX CONCURRENTLY i ON a (i);"})
    migrate(workspace)
    migrations = rows(workspace, "SELECT script, transactional, xid IS NULL AS none FROM taxiway.migration")
    assert [tuple(one.values()) for one in migrations] == [("V1__a.sql", True, False), ("V2__b.sql", False, False)]


def test_a_thousand_statements_are_all_there_and_more_are_counted(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;\n" * 10_100})
    migrate(workspace, "-q")
    assert len(rows(workspace, "SELECT FROM taxiway.statement")) == 10_000
    assert [run["statements_left_out"] for run in runs(workspace)] == [100]
    assert [one["statements"] for one in rows(workspace, "SELECT statements FROM taxiway.migration")] == [10_100]
