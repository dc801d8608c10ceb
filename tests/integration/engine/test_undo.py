"""undo on a real database."""

from typing import Any

import pytest

import taxiway
from taxiway import errors
from taxiway.model.event import CallbackStarted, Event
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace


def table(name: str) -> str:
    return f"CREATE TABLE {name} (i int);"


MIGRATIONS = {f"V{n}__create_{n}.sql": table(f"t{n}") for n in (1, 2, 3)} | {"R__views.sql": "SELECT 1;"}
UNDOS = {f"U{n}__drop_{n}.sql": f"DROP TABLE t{n};" for n in (1, 2, 3)}


@pytest.fixture
def migrated(workspace: Workspace) -> Workspace:
    workspace.write(MIGRATIONS | UNDOS)
    workspace.migrate()
    return workspace


def tables(workspace: Workspace) -> list[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^t[0-9]$' ORDER BY 1"
    return [name for (name,) in workspace.query(query)]


def test_the_last_version_is_undone_and_can_be_applied_again(migrated: Workspace) -> None:
    result = migrated.undo()

    assert [(str(one.version), one.description, one.type) for one in result.migrations] == [
        ("3", "drop 3", "UNDO_SQL")
    ]
    assert (str(result.initial_version), str(result.target_version)) == ("3", "2")
    assert tables(migrated) == ["t1", "t2"]
    row = migrated.history()[-1]
    assert (
        row["installed_rank"],
        row["version"],
        row["description"],
        row["type"],
        row["script"],
        row["success"],
    ) == (
        5,
        "3",
        "drop 3",
        "UNDO_SQL",
        "U3__drop_3.sql",
        True,
    )
    assert migrated.states() == [
        "1 Success",
        "2 Success",
        "3 Undone",
        "views Success",
        "U3 Success",
        "3 Pending",
    ]
    assert migrated.migrate().count == 1
    assert tables(migrated) == ["t1", "t2", "t3"]
    assert migrated.validate().successful


def test_again_and_again_until_nothing_is_left(migrated: Workspace) -> None:
    assert [str(migrated.undo().target_version) for _ in range(3)] == ["2", "1", "None"]
    assert tables(migrated) == []
    result = migrated.undo()
    assert (result.count, result.warnings) == (0, ("Nothing is undone: No version is applied.",))


def test_down_to_the_target(migrated: Workspace) -> None:
    result = migrated.undo(target="2")
    assert [str(one.version) for one in result.migrations] == ["3", "2"]
    assert tables(migrated) == ["t1"]


def test_on_an_empty_database_there_is_nothing_to_undo(workspace: Workspace) -> None:
    workspace.write(MIGRATIONS | UNDOS)
    before = fingerprint(workspace.database)
    assert workspace.undo().count == 0
    assert workspace.undo(schemas=["nowhere"]).count == 0
    assert fingerprint(workspace.database) == before


def test_a_version_without_an_undo_script_bars_the_way(migrated: Workspace) -> None:
    (migrated.scripts / "U2__drop_2.sql").unlink()
    before = fingerprint(migrated.database)
    with pytest.raises(errors.UndoImpossible, match=r"version 2 \(create 2\) has no undo script"):
        migrated.undo(target="1")
    assert fingerprint(migrated.database) == before

    assert migrated.undo().count == 1
    result = migrated.undo()
    assert (result.count, result.warnings) == (
        0,
        ("Nothing is undone: version 2 (create 2) has no undo script.",),
    )


def test_those_listed_are_undone_in_the_reverse_of_the_list(migrated: Workspace) -> None:
    result = migrated.undo(cherry_pick=["3", "1"])
    assert [str(one.version) for one in result.migrations] == ["1", "3"]
    assert tables(migrated) == ["t2"]
    assert migrated.undo(cherry_pick=["3", "1"]).count == 0


def test_a_failed_undo_leaves_its_migration_in_place(migrated: Workspace) -> None:
    migrated.write({"U2__drop_2.sql": "DROP TABLE t2;\nDROP TABLE nothing;"})
    with pytest.raises(taxiway.MigrationFailed) as caught:
        migrated.undo(target="1")
    error = caught.value
    assert error.message.startswith("Undo of ")
    assert (error.line, error.rolled_back) == (2, True)
    assert [str(one.version) for one in error.result.migrations] == ["3"]
    assert str(error.result.target_version) == "2"
    assert tables(migrated) == ["t1", "t2"]
    assert migrated.applied() == ["1", "2", "3", None, "3"]


def test_a_group_is_undone_as_a_whole_or_not_at_all(migrated: Workspace) -> None:
    migrated.write({"U1__drop_1.sql": "DROP TABLE nothing;"})
    before = migrated.history()
    with pytest.raises(taxiway.MigrationFailed) as caught:
        migrated.undo(target="1", group=True)
    assert caught.value.result.count == 0
    assert (tables(migrated), migrated.history()) == (["t1", "t2", "t3"], before)
    migrated.write(UNDOS)
    assert migrated.undo(target="1", group=True).count == 3


def test_every_script_is_read_before_the_first_one_runs(migrated: Workspace) -> None:
    migrated.write({"U1__drop_1.sql": "DROP TABLE ${unknown};"})
    before = fingerprint(migrated.database)
    with pytest.raises(errors.UnknownPlaceholder):
        migrated.undo(target="1")
    assert fingerprint(migrated.database) == before


def test_scripts_and_history_have_to_agree(migrated: Workspace) -> None:
    migrated.write({"V3__create_3.sql": "SELECT 1;"})
    before = fingerprint(migrated.database)
    with pytest.raises(taxiway.ValidationFailed):
        migrated.undo()
    assert fingerprint(migrated.database) == before
    assert migrated.undo(validate_on_migrate=False).count == 1


def test_what_is_not_applied_is_no_problem(migrated: Workspace) -> None:
    migrated.write({"V2.5__late.sql": "SELECT 1;", "V4__next.sql": "SELECT 1;"})
    assert migrated.undo().count == 1


def test_a_failed_migration_has_to_be_looked_after_first(migrated: Workspace) -> None:
    migrated.query("UPDATE flyway_schema_history SET success = false WHERE version = '3'")
    with pytest.raises(errors.FailedMigrationRecorded):
        migrated.undo(validate_on_migrate=False)


def test_a_baseline_is_not_undone(workspace: Workspace) -> None:
    workspace.write(MIGRATIONS | UNDOS)
    workspace.baseline()
    result = workspace.undo()
    assert (result.count, len(result.warnings)) == (0, 1)
    assert "is a baseline" in result.warnings[0]


def test_an_undo_outside_of_a_transaction_that_fails_is_on_record(migrated: Workspace) -> None:
    migrated.write({"U3__drop_3.sql": "VACUUM t3; VACUUM nothing;"})
    with pytest.raises(taxiway.MigrationFailed):
        migrated.undo()
    row = migrated.history()[-1]
    assert (row["type"], row["success"]) == ("UNDO_SQL", False)
    assert migrated.states()[2] == "3 Success"
    migrated.repair()
    migrated.write(UNDOS)
    assert migrated.undo().count == 1


def told(events: list[Event]) -> list[str]:
    return [event.callback.event.value for event in events if isinstance(event, CallbackStarted)]


CALLBACKS = [
    "beforeValidate",
    "afterValidate",
    "beforeUndo",
    "beforeEachUndo",
    "beforeEachUndoStatement",
    "afterEachUndoStatement",
    "afterEachUndo",
    "afterUndo",
]
ERRORS = ["afterEachUndoStatementError", "afterEachUndoError", "afterUndoError"]


def test_callbacks_run_around_it(migrated: Workspace) -> None:
    migrated.write({f"{name}.sql": "SELECT 1;" for name in (*CALLBACKS, *ERRORS, "beforeEachMigrate")})
    events: list[Event] = []
    migrated.undo(events.append)
    assert told(events) == CALLBACKS


def test_callbacks_run_when_it_fails(migrated: Workspace) -> None:
    migrated.write({f"{name}.sql": "SELECT 1;" for name in (*CALLBACKS, *ERRORS)})
    migrated.write({"U3__drop_3.sql": "DROP TABLE nothing;"})
    events: list[Event] = []
    with pytest.raises(taxiway.MigrationFailed):
        migrated.undo(events.append)
    assert told(events) == [*CALLBACKS[:5], *ERRORS]


def test_a_failing_last_callback_does_not_hide_what_was_undone(migrated: Workspace) -> None:
    migrated.write({"afterUndo.sql": "SELECT broken;"})
    with pytest.raises(errors.CallbackFailed) as caught:
        migrated.undo()
    assert caught.value.result is not None
    assert caught.value.result.count == 1


def test_a_user_without_rights_is_told_so(migrated: Workspace) -> None:
    migrated.query(
        "CREATE ROLE reader; GRANT reader TO CURRENT_USER; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"
        " ALTER ROLE CURRENT_USER SET role = reader"
    )
    with pytest.raises(taxiway.MigrationFailed, match="must be owner of table t3"):
        migrated.undo()
    migrated.query("RESET ROLE; ALTER ROLE CURRENT_USER RESET role")
    assert tables(migrated) == ["t1", "t2", "t3"]


@pytest.mark.parametrize("options", [{}, {"target": "current"}, {"target": "next"}, {"target": "latest"}])
def test_without_a_version_as_target_it_is_one(migrated: Workspace, options: Any) -> None:
    assert migrated.undo(**options).count == 1


def test_a_failed_undo_is_seen_named_and_repaired(migrated: Workspace) -> None:
    migrated.write({"U3__drop_3.sql": "VACUUM t3; VACUUM nothing;"})
    with pytest.raises(taxiway.MigrationFailed):
        migrated.undo()
    [*others, failed] = migrated.history()

    shown = migrated.run("info", "-locations=filesystem:sql").stdout
    assert [line.split("|")[1:3] for line in shown.splitlines() if "Failed" in line] == [
        [" Undo       ", " 3       "]
    ]
    [own] = [line.split("|") for line in shown.splitlines() if "create_3" in line or "create 3" in line]
    assert (own[-3].strip(), own[-2].strip()) == ("Success", "No")
    for refused in (migrated.undo, migrated.migrate):
        with pytest.raises(errors.FailedMigrationRecorded, match=r"undo of version 3 \(drop 3\)") as caught:
            refused(validate_on_migrate=False)
        assert "taxiway repair" in (caught.value.hint or "")
    with pytest.raises(taxiway.ValidationFailed, match=r"undo of version 3 \(drop 3\) failed, .*taxiway repair"):
        migrated.migrate()

    assert [row.installed_rank for row in migrated.repair().plan.removals] == [failed["installed_rank"]]
    assert migrated.history() == others
    assert "Undo " not in migrated.run("info", "-locations=filesystem:sql").stdout


def test_a_target_that_cannot_be_reached_is_refused(workspace: Workspace) -> None:
    scripts = MIGRATIONS | UNDOS
    workspace.write({name: text for name, text in scripts.items() if "2" in name})
    workspace.migrate()
    workspace.write(scripts)
    workspace.migrate(out_of_order=True)
    with pytest.raises(errors.UndoImpossible, match=r"version 1 \(create 1\) is below the target 2"):
        workspace.undo(target="2")
    assert workspace.applied() == ["2", "1", "3", None]
