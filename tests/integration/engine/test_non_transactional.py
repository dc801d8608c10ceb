"""Statements that refuse a transaction run outside of one, and a failure among them leaves a mark."""

import pytest

import taxiway
from taxiway import errors
from taxiway.engine.ports import HistoryTable
from taxiway.model.event import Event, MigrationStarted, Warned
from taxiway.model.migration import HistoryRow
from taxiway.postgres.session import PostgresSession
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

TABLE = {"V1__a.sql": "CREATE TABLE a (i int);\nINSERT INTO a VALUES (1), (1);"}
INDEX = {"V2__index.sql": "CREATE INDEX CONCURRENTLY a_i ON a (i);"}
FAILING = {"V2__index.sql": "VACUUM a;\nCREATE UNIQUE INDEX CONCURRENTLY a_i ON a (i);\nVACUUM a;"}
MIXED = {"V2__mixed.sql": "CREATE TABLE b (i int);\n\n  CREATE INDEX CONCURRENTLY a_i ON a (i);"}

BUILD_IS_WAITING = "SELECT FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'"
SECOND_RUN_HAS_ASKED = "SELECT FROM pg_stat_activity WHERE query LIKE '%advisory%' AND pid <> pg_backend_pid()"


def is_valid(workspace: Workspace, index: str) -> bool:
    [(valid,)] = workspace.query("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [index])
    return bool(valid)


def test_an_index_is_built_concurrently_while_we_hold_the_lock(workspace: Workspace) -> None:
    workspace.write(TABLE | INDEX)
    events: list[Event] = []

    assert workspace.migrate(on_event=events.append).count == 2

    assert is_valid(workspace, "a_i")
    assert [event.transactional for event in events if isinstance(event, MigrationStarted)] == [True, False]
    assert workspace.applied() == ["1", "2"]


def test_an_index_is_built_concurrently_while_another_run_asks_for_the_lock(workspace: Workspace) -> None:
    """The build waits for every transaction that may see the table, and so for a run that would wait in the server."""
    workspace.write(TABLE)
    workspace.migrate()
    workspace.write(
        {"V2__index.sql": "CREATE INDEX CONCURRENTLY a_i ON a (i);\nCREATE INDEX CONCURRENTLY a_j ON a (i);"}
    )
    with workspace.database.connect() as blocker:
        blocker.execute("INSERT INTO a VALUES (2)")
        with workspace.running("migrate") as first:
            workspace.wait_for(BUILD_IS_WAITING)
            with workspace.running("migrate") as second:
                workspace.wait_for(SECOND_RUN_HAS_ASKED)
                blocker.commit()
                outputs = [child.communicate(timeout=60) for child in (first, second)]

    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert "Waiting for the migration lock" in outputs[1][0]
    assert "up to date" in outputs[1][0]
    assert is_valid(workspace, "a_i")
    assert is_valid(workspace, "a_j")


@pytest.mark.parametrize(
    "script",
    ["VACUUM a;", "REINDEX TABLE CONCURRENTLY a;", "DISCARD ALL;", "-- first\nvacuum (analyze) a", "CLUSTER;"],
)
def test_what_refuses_a_transaction_is_run_without_one(workspace: Workspace, script: str) -> None:
    workspace.write(TABLE | {"V2__x.sql": script})
    assert workspace.migrate().count == 2


def test_a_value_is_added_to_an_enum_in_a_transaction(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__a.sql": "CREATE TYPE mood AS ENUM ('sad');",
            "V2__b.sql": "CREATE TABLE t (m mood);\nALTER TYPE mood ADD VALUE 'ok';",
            "V3__c.sql": "ALTER TYPE mood ADD VALUE 'happy';\nSELECT nonsense;",
        }
    )

    with pytest.raises(taxiway.MigrationFailed):
        workspace.migrate()

    assert workspace.applied() == ["1", "2"]
    assert workspace.value("SELECT enum_range(NULL::mood)::text") == "{sad,ok}"


def test_a_database_is_created(workspace: Workspace) -> None:
    name = f"{workspace.database.name}_other"
    workspace.write({"V1__database.sql": f"CREATE DATABASE {name};", "V2__database.sql": f"DROP DATABASE {name};"})
    assert workspace.migrate().count == 2


def test_a_failure_leaves_a_failed_row_that_stops_the_next_run(workspace: Workspace) -> None:
    workspace.write(TABLE | FAILING)

    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate()

    error = caught.value
    assert (error.line, error.sqlstate, error.rolled_back) == (2, "23505", False)
    assert [(row["version"], row["success"]) for row in workspace.history()] == [("1", True), ("2", False)]
    assert not is_valid(workspace, "a_i")
    assert workspace.states() == ["1 Success", "2 Failed"]
    before = fingerprint(workspace.database)
    with pytest.raises(taxiway.ValidationFailed) as refused:
        workspace.migrate()
    assert [problem.code for problem in refused.value.problems] == ["FAILED_VERSIONED_MIGRATION"]
    with pytest.raises(errors.FailedMigrationRecorded, match="version 2"):
        workspace.migrate(validate_on_migrate=False)
    assert fingerprint(workspace.database) == before


def test_a_failed_migration_runs_again_when_its_row_and_its_remains_are_gone(workspace: Workspace) -> None:
    workspace.write(TABLE | FAILING)
    with pytest.raises(taxiway.MigrationFailed):
        workspace.migrate()
    workspace.query("DELETE FROM flyway_schema_history WHERE NOT success")
    workspace.query("DROP INDEX a_i")
    workspace.write(INDEX)
    assert workspace.migrate().count == 1
    assert workspace.states() == ["1 Success", "2 Success"]


def test_a_failure_whose_row_does_not_fit_either_is_still_that_failure(workspace: Workspace) -> None:
    full = 'ALTER TABLE flyway_schema_history ADD CONSTRAINT "${word}" CHECK (execution_time < 0) NOT VALID'
    workspace.write(TABLE | {"V2__x.sql": f"VACUUM a;\n{full};"})
    events: list[Event] = []

    with pytest.raises(taxiway.MigrationFailed, match="history row") as caught:
        workspace.migrate(on_event=events.append, mixed=True, placeholders={"word": taxiway.Secret("Geheim4711x")})

    assert not caught.value.rolled_back
    [warning] = [event.message for event in events if isinstance(event, Warned)]
    assert "no row" in warning
    assert "****" in warning
    assert "Geheim4711x" not in warning


def test_a_mixed_script_is_refused_before_anything_runs(workspace: Workspace) -> None:
    workspace.write(TABLE | MIXED)
    before = fingerprint(workspace.database)

    with pytest.raises(errors.MixedTransactions, match="CREATE INDEX CONCURRENTLY a_i") as caught:
        workspace.migrate()

    assert (caught.value.line, caught.value.column) == (3, 3)
    assert fingerprint(workspace.database) == before


def test_a_mixed_script_runs_without_a_transaction_when_that_is_wanted(workspace: Workspace) -> None:
    workspace.write(TABLE | MIXED)
    assert workspace.migrate(mixed=True).count == 2
    assert is_valid(workspace, "a_i")


def test_a_mixed_script_may_open_a_transaction_of_its_own(workspace: Workspace) -> None:
    workspace.write(
        TABLE | {"V2__x.sql": "VACUUM a;\nBEGIN;\nINSERT INTO a VALUES (2);\nSELECT nonsense;\nCOMMIT;"}
    )

    with pytest.raises(taxiway.MigrationFailed):
        workspace.migrate(mixed=True)

    assert workspace.query("SELECT DISTINCT i FROM a") == [(1,)]
    assert workspace.history()[-1]["success"] is False


def test_an_interrupted_one_leaves_a_failed_row_too(workspace: Workspace) -> None:
    workspace.write(TABLE)
    workspace.migrate()
    workspace.write(INDEX)
    with workspace.database.connect() as blocker:
        blocker.execute("INSERT INTO a VALUES (3)")
        with workspace.running("migrate") as child:
            workspace.wait_for(BUILD_IS_WAITING)
            child.terminate()
            output, error = child.communicate(timeout=30)

    assert child.returncode == 143, (output, error)
    assert workspace.history()[-1]["success"] is False
    assert not is_valid(workspace, "a_i")


def test_a_row_says_that_it_was_begun_before_its_first_statement(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE seen AS SELECT * FROM flyway_schema_history;\nVACUUM;"})
    workspace.migrate(mixed=True)
    [begun] = workspace.query("SELECT installed_rank, version, execution_time, success FROM seen")
    assert begun == (1, "1", -1, False)
    [row] = workspace.history()
    assert row["success"]
    assert row["execution_time"] >= 0


def test_a_killed_migration_is_told_as_one_that_was_begun(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sql": "VACUUM a;\nSELECT pg_sleep(60);"})
    with workspace.running("migrate", "--mixed") as child:
        workspace.wait_for(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active'"
            " AND pid <> pg_backend_pid()"
        )
        child.kill()
        child.wait()
    assert workspace.states() == ["1 Success", "2 Failed"]
    with pytest.raises(taxiway.ValidationFailed, match=r"begun without a transaction.*taxiway repair"):
        workspace.migrate(mixed=True)
    with pytest.raises(errors.FailedMigrationRecorded, match="begun without a transaction"):
        workspace.migrate(mixed=True, validate_on_migrate=False)


def test_nothing_is_left_of_a_migration_whose_first_callback_fails(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sql": "VACUUM a;", "beforeEachMigrate.sql": "SELECT 1/0;"})
    with pytest.raises(taxiway.CallbackFailed):
        workspace.migrate(target="1")
    workspace.write({"beforeEachMigrate.sql": "SELECT 1;"})
    workspace.migrate(target="1")
    workspace.write({"beforeEachMigrate.sql": "SELECT 1/0;"})
    with pytest.raises(taxiway.CallbackFailed):
        workspace.migrate()
    assert workspace.states() == ["1 Success", "2 Pending"]


def test_an_interruption_while_its_row_is_written_leaves_one_that_says_that_it_was_applied(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it has run by then."""
    rows: list[bool] = []
    end_begun = PostgresSession.end_begun

    def interrupted(session: PostgresSession, table: HistoryTable, row: HistoryRow) -> None:
        rows.append(row.success)
        if len(rows) == 1:
            raise KeyboardInterrupt
        end_begun(session, table, row)

    monkeypatch.setattr(PostgresSession, "end_begun", interrupted)
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);", "V2__b.sql": "CREATE INDEX CONCURRENTLY ON a (i);"})
    with pytest.raises(KeyboardInterrupt):
        workspace.migrate()
    assert rows == [True, True]
    assert [row["success"] for row in workspace.history()] == [True, True]


def test_a_connection_lost_while_its_row_is_written_is_made_up_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it has run by then, and the run goes on."""
    rows: list[bool] = []
    end_begun = PostgresSession.end_begun

    def cut_off(session: PostgresSession, table: HistoryTable, row: HistoryRow) -> None:
        rows.append(row.success)
        if len(rows) == 1:
            workspace.query("SELECT pg_terminate_backend(%s)", [session.facts.process_id])
        end_begun(session, table, row)

    monkeypatch.setattr(PostgresSession, "end_begun", cut_off)
    scripts = {"V2__b.sql": "CREATE INDEX CONCURRENTLY ON a (i);", "V3__c.sql": "CREATE TABLE c ();"}
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);"} | scripts)
    assert workspace.migrate().count == 3
    assert rows == [True, True]
    assert [row["success"] for row in workspace.history()] == [True, True, True]
