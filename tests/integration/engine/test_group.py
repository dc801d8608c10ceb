"""``group``: one transaction for all that is pending."""

import pytest

import taxiway
from taxiway import errors
from taxiway.model.event import Event, MigrationFinished, MigrationStarted, Warned
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

TWO = {"V1__a.sql": "CREATE TABLE a (i int);", "V2__b.sql": "INSERT INTO a VALUES (1);"}
FAILING = {"V3__c.sql": "INSERT INTO a VALUES (2);\nSELECT nonsense;"}
LOG = "INSERT INTO audit.log VALUES ('{}', pg_current_xact_id_if_assigned()::text);"


def test_all_migrations_are_one_transaction(workspace: Workspace) -> None:
    number = "INSERT INTO xids SELECT pg_current_xact_id()::text;"
    workspace.write(
        {"V1__a.sql": f"CREATE TABLE xids (x text); {number}", "V2__b.sql": number, "R__c.sql": number}
    )
    assert workspace.migrate(group=True).count == 3
    assert len(workspace.query("SELECT x FROM xids")) == 3
    assert len(workspace.query("SELECT DISTINCT x FROM xids")) == 1
    assert [row["installed_rank"] for row in workspace.history()] == [1, 2, 3]


def test_a_failure_leaves_nothing_of_any_of_them(workspace: Workspace) -> None:
    workspace.write(TWO)
    workspace.migrate(target="1")
    before = fingerprint(workspace.database)
    workspace.write(FAILING)

    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(group=True)

    assert fingerprint(workspace.database) == before
    assert (caught.value.script, caught.value.rolled_back) == ("V3__c.sql", True)
    assert caught.value.result.count == 0
    assert "Nothing of this group was kept" in (caught.value.hint or "")


def test_what_fails_at_the_commit_takes_all_of_them_along(workspace: Workspace) -> None:
    deferred = "CREATE TABLE d (i int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO d VALUES (1), (1);"
    workspace.write({"V1__a.sql": deferred, "V2__b.sql": "SELECT 1;"})
    with pytest.raises(taxiway.MigrationFailed, match="written and committed") as caught:
        workspace.migrate(group=True)
    assert caught.value.result.count == 0
    assert workspace.applied() == []


def test_migrations_are_told_to_be_finished_when_they_are_committed(workspace: Workspace) -> None:
    workspace.write(TWO)
    events: list[Event] = []
    workspace.migrate(on_event=events.append, group=True)
    kinds = [type(event) for event in events if isinstance(event, MigrationStarted | MigrationFinished)]
    assert kinds == [MigrationStarted, MigrationStarted, MigrationFinished, MigrationFinished]


def test_role_and_search_path_are_fresh_for_each(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SET search_path = nowhere;", "V2__b.sql": "CREATE TABLE here ();"})
    workspace.migrate(group=True)
    assert workspace.value("SELECT 'public.here'::regclass::text") == "here"


@pytest.mark.parametrize("scripts", [{"V2__b.sql": "VACUUM;"}, {"V0__b.sql": "VACUUM;"}, {"R__b.sql": "VACUUM;"}])
def test_kinds_that_differ_are_refused_before_anything_changes(
    workspace: Workspace, scripts: dict[str, str]
) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();"} | scripts)
    before = fingerprint(workspace.database)
    with pytest.raises(errors.MixedTransactions, match="in the group"):
        workspace.migrate(group=True)
    assert fingerprint(workspace.database) == before


def test_mixed_kinds_run_each_in_its_own_way_when_that_is_allowed(workspace: Workspace) -> None:
    workspace.write(TWO | {"V3__c.sql": "VACUUM a;", "V4__d.sql": "INSERT INTO a VALUES (4); SELECT nonsense;"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(group=True, mixed=True)
    assert workspace.applied() == ["1", "2", "3"]
    assert caught.value.result.count == 3
    assert workspace.query("SELECT i FROM a") == [(1,)]


def test_callbacks_between_the_migrations_are_a_part_of_the_transaction(workspace: Workspace) -> None:
    workspace.query("CREATE SCHEMA audit")
    workspace.query("CREATE TABLE audit.log (word text, xid text)")
    names = ["beforeMigrate", "beforeEachMigrate", "afterVersioned", "beforeRepeatables", "afterMigrate"]
    touch = "INSERT INTO audit.log SELECT 'script', pg_current_xact_id()::text;"
    workspace.write({f"{name}.sql": f"{touch} {LOG.format(name)}" for name in names})
    workspace.write({"V1__a.sql": touch, "R__b.sql": touch})

    workspace.migrate(group=True)

    xids = {
        name: workspace.value("SELECT string_agg(DISTINCT xid, ' ') FROM audit.log WHERE word = %s", [name])
        for name in names
    }
    inside = {xids[name] for name in ("beforeEachMigrate", "afterVersioned", "beforeRepeatables")}
    assert len(inside) == 1
    assert xids["beforeMigrate"] not in inside
    assert xids["afterMigrate"] not in inside


def test_a_callback_that_fails_between_them_leaves_nothing(workspace: Workspace) -> None:
    workspace.write(TWO | {"R__c.sql": "SELECT 1;", "beforeRepeatables.sql": "SELECT nonsense;"})
    with pytest.raises(errors.CallbackFailed) as caught:
        workspace.migrate(group=True)
    assert workspace.applied() == []
    assert caught.value.result
    assert caught.value.result.count == 0


def test_each_row_of_a_group_has_the_time_of_its_own_script(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT pg_sleep(0.4);", "V2__b.sql": "SELECT 1;"})
    workspace.migrate(group=True)
    slow, fast = (row["execution_time"] for row in workspace.history())
    assert slow >= 400
    assert fast < 400


@pytest.mark.parametrize("group", [True, False], ids=["group", "alone"])
@pytest.mark.parametrize(
    ("statement", "name", "column"),
    [
        ("INSERT INTO a VALUES ($1);", "$1", 25),
        ("SELECT '$1', $$ $2 $$ /* $3 */, f.x + $40 FROM (SELECT 1) f(x);", "$40", 41),
    ],
)
def test_a_stray_parameter_is_refused_at_its_place_sent_ahead_or_not(
    workspace: Workspace, statement: str, name: str, column: int, group: bool
) -> None:
    """Sent ahead, the server takes it for a parameter that has no value."""
    workspace.write(TWO | {"V3__c.sql": f"INSERT INTO a VALUES (2);\n\n  {statement}"})
    with pytest.raises(
        taxiway.MigrationFailed, match=rf"there is no parameter \{name} \(SQLSTATE 42P02\)"
    ) as caught:
        workspace.migrate(group=group)
    error = caught.value
    assert (error.script, error.line, error.column, error.sqlstate) == ("V3__c.sql", 3, column, "42P02")
    assert workspace.value("SELECT to_regclass('public.a') IS NULL") is group


def test_an_error_with_the_code_of_a_stray_parameter_runs_nothing_twice(workspace: Workspace) -> None:
    script = "DO $$ BEGIN PERFORM nextval('public.s'); RAISE 'mine' USING errcode = '42P18'; END $$;"
    workspace.write({"V1__a.sql": "CREATE SEQUENCE s;", "V2__b.sql": script})
    with pytest.raises(taxiway.MigrationFailed, match=r"mine \(SQLSTATE 42P18\)"):
        workspace.migrate()
    assert workspace.value("SELECT last_value FROM s") == 1


def test_error_callbacks_run_after_the_rollback_of_the_group(workspace: Workspace) -> None:
    workspace.query("CREATE SCHEMA audit")
    workspace.query("CREATE TABLE audit.log (word text, xid text)")
    names = ["afterEachMigrateError", "afterMigrateError"]
    workspace.write(TWO | FAILING | {f"{name}.sql": LOG.format(name) for name in names})
    with pytest.raises(taxiway.MigrationFailed):
        workspace.migrate(group=True)
    assert [word for (word,) in workspace.query("SELECT word FROM audit.log")] == names


def test_a_script_that_commits_commits_those_before_it(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a (i int);", "V2__b.sql": "SELECT 1; COMMIT; SELECT nonsense;"})
    events: list[Event] = []
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(on_event=events.append, group=True)
    assert workspace.applied() == ["1"]
    assert [str(one.version) for one in caught.value.result.migrations] == ["1"]
    assert not caught.value.rolled_back
    assert "The script ended its own transaction" in (caught.value.hint or "")
    [warning] = [event.message for event in events if isinstance(event, Warned)]
    assert warning == (
        "V2__b.sql ended its own transaction with COMMIT: if a later statement fails, what came before stays."
    )


@pytest.mark.parametrize(
    "end", ["ROLLBACK", "ABORT WORK", "ROLLBACK /* now */ AND CHAIN", "abort transaction and chain -- now\n"]
)
def test_a_script_that_rolls_back_those_before_it_fails_the_group(workspace: Workspace, end: str) -> None:
    workspace.write(
        {
            "V1__a.sql": "CREATE TABLE a (i int);",
            "V2__b.sql": "SELECT 1;",
            "V3__c.sql": f"SELECT 1;\n{end};\nCREATE TABLE c ();",
        }
    )
    before = fingerprint(workspace.database)
    with pytest.raises(taxiway.MigrationFailed, match="ROLLBACK has ended the transaction of the group") as caught:
        workspace.migrate(group=True, create_schemas=False)
    assert "taken along what came before it, from V1__a.sql on" in caught.value.message
    assert (caught.value.script, caught.value.line, caught.value.rolled_back) == ("V3__c.sql", 2, True)
    assert "Nothing of this group was kept" in (caught.value.hint or "")
    assert caught.value.result.warnings == ()
    assert workspace.applied() == []
    workspace.query("DROP TABLE flyway_schema_history")
    assert fingerprint(workspace.database) == before


def test_the_first_of_a_group_may_roll_back_what_it_did_itself(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE gone (); ROLLBACK;", "V2__b.sql": "CREATE TABLE b ();"})
    [warning] = workspace.migrate(group=True).warnings
    assert "ROLLBACK: what came before is gone, and that is not taken for a failure" in warning
    assert workspace.applied() == ["1", "2"]
    assert workspace.value("SELECT to_regclass('gone')") is None


def test_a_savepoint_that_is_rolled_back_to_ends_nothing(workspace: Workspace) -> None:
    script = "SAVEPOINT chain; INSERT INTO a VALUES (7); ROLLBACK TO chain;"
    workspace.write(TWO | {"V3__c.sql": script})
    assert workspace.migrate(group=True).count == 3
    assert workspace.query("SELECT i FROM a") == [(1,)]


@pytest.mark.parametrize("rest", ["", "CREATE TABLE b2 ();"])
def test_what_a_script_has_committed_stays_when_a_later_one_fails(workspace: Workspace, rest: str) -> None:
    workspace.write(TWO | {"V3__c.sql": f"CREATE TABLE b (); COMMIT; {rest}", "V4__d.sql": "SELECT nonsense;"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(group=True)
    assert workspace.applied() == ["1", "2", "3"]
    assert caught.value.result.count == 3
    assert not caught.value.rolled_back
    assert caught.value.hint == (
        "A script of this group has committed: what came before that has stayed, and the history has it. "
        "Nothing else of this group was kept. Mend the script and run again."
    )


def test_a_script_may_commit_and_then_roll_back(workspace: Workspace) -> None:
    workspace.write(TWO | {"V3__c.sql": "COMMIT; INSERT INTO a VALUES (3); ROLLBACK;"})
    assert workspace.migrate(group=True).count == 3
    assert workspace.query("SELECT i FROM a") == [(1,)]


def test_a_script_that_commits_in_the_middle_does_not_stop_those_after_it(workspace: Workspace) -> None:
    workspace.write(TWO | {"V3__c.sql": "COMMIT;", "V4__d.sql": "INSERT INTO a VALUES (4);"})
    assert workspace.migrate(group=True).count == 4
    assert workspace.applied() == ["1", "2", "3", "4"]
    assert workspace.query("SELECT i FROM a") == [(1,), (4,)]


def test_a_lost_connection_leaves_nothing_and_says_so(workspace: Workspace) -> None:
    workspace.write(TWO | {"V3__c.sql": "SELECT pg_terminate_backend(pg_backend_pid());"})
    with pytest.raises(errors.ConnectionLost, match="It was not applied") as caught:
        workspace.migrate(group=True)
    assert type(caught.value) is errors.ConnectionLost
    assert caught.value.result
    assert caught.value.result.count == 0
    assert workspace.applied() == []


def test_a_program_in_a_group_is_warned_about(workspace: Workspace) -> None:
    workspace.write({"V1__a.sh": "echo done", "V2__b.sql": "SELECT nonsense;"})
    events: list[Event] = []
    with pytest.raises(taxiway.MigrationFailed) as caught:
        workspace.migrate(on_event=events.append, group=True, script_migrations=True)
    assert not caught.value.rolled_back
    assert caught.value.hint == (
        "What V1__a.sh did has stayed, and the history has no row for it. Nothing else of this group was kept. "
        "Mend the script and run again."
    )
    [warning] = [event.message for event in events if isinstance(event, Warned)]
    assert warning.startswith("V1__a.sh is a program: if the group fails later, what it does now stays")
    assert workspace.applied() == []


def test_a_lost_connection_does_not_take_back_what_a_program_did(workspace: Workspace) -> None:
    workspace.write({"V1__a.sh": "echo done", "V2__b.sql": "SELECT pg_terminate_backend(pg_backend_pid());"})
    with pytest.raises(errors.OutcomeUnknown, match=r"what V1__a\.sh did has stayed"):
        workspace.migrate(group=True, script_migrations=True)
