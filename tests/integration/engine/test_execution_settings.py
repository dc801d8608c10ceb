"""``executeInTransaction``, ``skipExecutingMigrations``, ``baselineOnMigrate``, ``outputQueryResults``, ``tablespace``."""

import signal

import pytest

import taxiway
from taxiway import errors
from taxiway.model.event import (
    CallbackStarted,
    Event,
    ExecutionSkipped,
    MigrationFinished,
    MigrationStarted,
    RowsReturned,
)
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

TABLE = {"V1__a.sql": "CREATE TABLE a (i int);"}
HALF = "INSERT INTO a VALUES (1);\nSELECT nonsense;"
MIXED = "CREATE TABLE b (i int); CREATE INDEX CONCURRENTLY ON b (i);"


# --- executeInTransaction ---


def test_without_transactions_what_came_before_a_failure_stays_and_is_on_record(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sql": HALF})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(execute_in_transaction=False)
    assert not caught.value.rolled_back
    assert "run 'taxiway repair' to remove the row" in (caught.value.hint or "")
    assert workspace.query("SELECT i FROM a") == [(1,)]
    assert [row["success"] for row in workspace.history()] == [True, False]
    with pytest.raises(errors.FailedMigrationRecorded) as refused:
        workspace.migrate(validate_on_migrate=False)
    assert "taxiway repair" in (refused.value.hint or "")


def test_without_transactions_kinds_may_be_mixed(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": MIXED})
    assert workspace.migrate(execute_in_transaction=False).count == 1


def test_the_configuration_of_a_script_wins_over_the_setting(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sql": HALF, "V2__b.sql.conf": "executeInTransaction=true"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(execute_in_transaction=False)
    assert caught.value.rolled_back
    assert workspace.query("SELECT i FROM a") == []


def test_the_configuration_of_a_script_lifts_the_rule_about_kinds(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": MIXED, "V1__a.sql.conf": "executeInTransaction=false"})
    assert workspace.migrate().count == 1


def test_a_script_that_insists_on_a_transaction_gets_it_and_the_refusal_of_the_server(
    workspace: Workspace,
) -> None:
    workspace.write({"V1__a.sql": "VACUUM;", "V1__a.sql.conf": "executeInTransaction=true"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate()
    assert (caught.value.sqlstate, caught.value.rolled_back) == ("25001", True)


def test_placeholders_may_be_left_alone_in_one_script(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "COMMENT ON SCHEMA public IS '${x}';"})
    workspace.write({"V1__a.sql.conf": "placeholderReplacement=false"})
    workspace.migrate()
    assert workspace.value("SELECT obj_description('public'::regnamespace)") == "${x}"


# --- skipExecutingMigrations ---


def test_skipped_migrations_are_recorded_and_not_run(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sql": "VACUUM;", "R__c.sql": "SELECT nonsense;"})
    workspace.write({f"{name}.sql": "SELECT 1;" for name in ("beforeEachMigrate", "afterVersioned")})
    events: list[Event] = []

    assert workspace.migrate(on_event=events.append, skip_executing_migrations=True).count == 3

    assert not workspace.query("SELECT FROM pg_tables WHERE tablename = 'a'")
    assert [row["success"] for row in workspace.history()] == [True] * 3
    assert [row["type"] for row in workspace.history()] == ["SQL"] * 3
    assert not any(isinstance(event, MigrationStarted) for event in events)
    assert sum(isinstance(event, ExecutionSkipped) for event in events) == 3
    assert sum(isinstance(event, MigrationFinished) for event in events) == 3
    assert [e.callback.event.value for e in events if isinstance(e, CallbackStarted)] == ["afterVersioned"]


def test_a_stop_while_a_skipped_migration_is_recorded_does_not_say_that_nothing_was_changed(
    workspace: Workspace,
) -> None:
    workspace.write(TABLE)
    workspace.migrate()
    workspace.write({"V2__b.sql": "SELECT 1;"})
    with workspace.database.connect() as holder:
        holder.execute("LOCK TABLE flyway_schema_history IN SHARE MODE")
        with workspace.running("migrate", "-skipExecutingMigrations=true") as child:
            workspace.wait_for("SELECT FROM pg_stat_activity WHERE wait_event = 'relation'")
            child.send_signal(signal.SIGTERM)
            output, error = child.communicate(timeout=30)
    assert child.returncode == 143
    assert 'Recording version "2 - b" of schema "public" without running it' in output
    assert "Terminated while V2__b.sql was being recorded" in error
    assert workspace.applied() == ["1"]


def test_skipped_migrations_may_be_those_of_a_schema_that_is_full_already(workspace: Workspace) -> None:
    workspace.query("CREATE TABLE a (i int)")
    workspace.write(TABLE)
    with pytest.raises(errors.NonEmptySchema):
        workspace.migrate()
    workspace.migrate(skip_executing_migrations=True)
    assert workspace.states() == ["1 Success"]


def test_skipped_migrations_may_be_a_group(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sql": "SELECT nonsense;"})
    assert workspace.migrate(skip_executing_migrations=True, group=True).count == 2
    assert workspace.applied() == ["1", "2"]


@pytest.mark.parametrize("group", [False, True])
def test_between_skipped_migrations_the_callbacks_are_those_of_a_group_too(
    workspace: Workspace, *, group: bool
) -> None:
    names = ["afterVersioned", "beforeRepeatables"]
    workspace.write(TABLE | {"R__r.sql": "SELECT 1;"} | {f"{name}.sql": "SELECT 1;" for name in names})
    events: list[Event] = []
    workspace.migrate(on_event=events.append, skip_executing_migrations=True, group=group)
    assert [e.callback.event.value for e in events if isinstance(e, CallbackStarted)] == names


def test_a_skipped_script_is_read_all_the_same(workspace: Workspace) -> None:
    workspace.write(TABLE | {"V2__b.sql": "SELECT '${unknown}';"})
    with pytest.raises(errors.UnknownPlaceholder):
        workspace.migrate(skip_executing_migrations=True)
    assert not workspace.query("SELECT FROM pg_tables WHERE tablename = 'flyway_schema_history'")


# --- baselineOnMigrate ---


def test_a_schema_with_objects_is_given_a_baseline_when_that_is_wanted(workspace: Workspace) -> None:
    workspace.query("CREATE TABLE old (i int)")
    workspace.write(TABLE | {"V2__b.sql": "CREATE TABLE b ();"})
    result = workspace.migrate(baseline_on_migrate=True)
    assert [str(one.version) for one in result.migrations] == ["2"]
    assert str(result.initial_version) == "1"
    assert [row["type"] for row in workspace.history()] == ["BASELINE", "SQL"]


def test_a_baseline_takes_what_is_missing_of_the_schemas_along(workspace: Workspace) -> None:
    workspace.query("CREATE TABLE old (i int)")
    workspace.write(TABLE | {"V2__b.sql": "CREATE TABLE ${flyway:defaultSchema}.b ();"})
    workspace.migrate(baseline_on_migrate=True, schemas=["app", "public"])
    types = [row["type"] for row in workspace.history("app.flyway_schema_history")]
    assert types == ["BASELINE", "SCHEMA", "SQL"]


def test_an_empty_schema_needs_no_baseline(workspace: Workspace) -> None:
    workspace.write(TABLE)
    workspace.migrate(baseline_on_migrate=True)
    assert [row["type"] for row in workspace.history()] == ["SQL"]


# --- outputQueryResults ---


def test_rows_that_statements_return_are_told(workspace: Workspace) -> None:
    workspace.write(
        {"V1__a.sql": "SELECT 1 AS one, NULL AS nothing UNION ALL SELECT 2, '${pw}'; CREATE TABLE a ();"}
    )
    events: list[Event] = []
    workspace.migrate(on_event=events.append, placeholders={"pw": taxiway.Secret("Geheim4711x")})
    [told] = [event for event in events if isinstance(event, RowsReturned)]
    assert told.script == "V1__a.sql"
    assert told.table.columns == ("one", "nothing")
    assert sorted(told.table.rows) == [("1", None), ("2", "****")]


def test_rows_are_not_told_when_that_is_not_wanted(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    events: list[Event] = []
    workspace.migrate(on_event=events.append, output_query_results=False)
    assert not any(isinstance(event, RowsReturned) for event in events)


# --- tablespace ---


def test_the_history_is_made_in_its_tablespace(workspace: Workspace) -> None:
    workspace.write(TABLE)
    workspace.migrate(tablespace="pg_default")
    before = fingerprint(workspace.database)
    assert workspace.migrate(tablespace="no_such_one").count == 0
    assert fingerprint(workspace.database) == before


def test_a_tablespace_that_does_not_exist_is_an_error_that_leaves_nothing(workspace: Workspace) -> None:
    workspace.write(TABLE)
    before = fingerprint(workspace.database)
    with pytest.raises(errors.DatabaseError, match="no_such_one"):
        workspace.migrate(tablespace="no_such_one")
    assert fingerprint(workspace.database) == before


def test_a_schema_that_somebody_makes_meanwhile_is_no_reason_to_fail(workspace: Workspace) -> None:
    """Flyway creates schemas without holding the lock."""
    workspace.write(TABLE)
    with workspace.database.connect() as other:
        other.execute("CREATE SCHEMA app")
        with workspace.running("migrate", environment={"FLYWAY_DEFAULT_SCHEMA": "app"}) as child:
            workspace.wait_for("SELECT FROM pg_locks WHERE NOT granted")
            other.commit()
            output, error = child.communicate(timeout=30)
    assert child.returncode == 0, (output, error)
    assert [row["type"] for row in workspace.history("app.flyway_schema_history")] == ["SQL"]
