"""repair on a real history."""

from typing import Any

import pytest

import taxiway
from taxiway import errors
from taxiway.model.event import CallbackStarted, Event, RowAligned, RowMarkedDeleted, RowRemoved
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace


def table(name: str) -> str:
    return f"CREATE TABLE {name} (i int);"


THREE = {"V1__one.sql": table("one"), "V2__two.sql": table("two"), "R__views.sql": "SELECT 1;"}


@pytest.fixture
def migrated(workspace: Workspace) -> Workspace:
    workspace.write(THREE)
    workspace.migrate()
    return workspace


def rows(workspace: Workspace) -> list[tuple[Any, ...]]:
    names = ("installed_rank", "version", "description", "type", "success")
    return [tuple(row[name] for name in names) for row in workspace.history()]


def test_a_history_that_agrees_stays_as_it_is(migrated: Workspace) -> None:
    before = fingerprint(migrated.database)
    result = migrated.repair()
    assert result.plan.is_empty
    assert result.carried_out
    assert fingerprint(migrated.database) == before


def test_without_a_history_there_is_nothing_to_repair(workspace: Workspace) -> None:
    workspace.write(THREE)
    before = fingerprint(workspace.database)
    assert workspace.repair(schemas=["nowhere"]).plan.is_empty
    assert fingerprint(workspace.database) == before


def test_edited_and_renamed_scripts_are_accepted(migrated: Workspace) -> None:
    migrated.write({"V1__one.sql": "SELECT 1;"})
    (migrated.scripts / "V2__two.sql").rename(migrated.scripts / "V2__zwei.sql")
    before = migrated.history()
    assert not migrated.validate().successful

    events: list[Event] = []
    result = migrated.repair(events.append)

    assert migrated.validate().successful
    after = migrated.history()
    assert (after[0]["checksum"], after[1]["description"]) == (78787420, "zwei")
    untouched = (
        "installed_rank",
        "version",
        "script",
        "installed_on",
        "installed_by",
        "execution_time",
        "success",
    )
    assert [[row[name] for name in untouched] for row in after] == [
        [row[name] for name in untouched] for row in before
    ]
    assert [event.after.installed_rank for event in events if isinstance(event, RowAligned)] == [1, 2]
    assert result.paths[2] == str(migrated.scripts / "V2__zwei.sql")


def test_a_description_that_does_not_fit_is_cut(migrated: Workspace) -> None:
    (migrated.scripts / "V1__one.sql").rename(migrated.scripts / f"V1__{'d' * 220}.sql")
    migrated.repair()
    assert migrated.history()[0]["description"] == "d" * 197 + "..."
    assert migrated.repair().plan.is_empty


def test_rows_without_a_script_are_marked_and_may_come_back(migrated: Workspace) -> None:
    for name in ("V1__one.sql", "R__views.sql"):
        (migrated.scripts / name).unlink()
    events: list[Event] = []

    migrated.repair(events.append)

    assert rows(migrated)[3:] == [
        (4, "1", "one", "DELETE", True),
        (5, None, "views", "DELETE", True),
    ]
    assert [event.row.installed_rank for event in events if isinstance(event, RowMarkedDeleted)] == [1, 3]
    assert migrated.states() == ["1 Deleted", "2 Success", "views Deleted", "views Success"]
    assert migrated.repair().plan.is_empty
    assert migrated.validate().successful

    migrated.query("DROP TABLE one")
    migrated.write(THREE)
    assert migrated.migrate(out_of_order=True).count == 2
    assert migrated.repair().plan.is_empty


def test_future_rows_are_spared_unless_wanted(migrated: Workspace) -> None:
    (migrated.scripts / "V2__two.sql").unlink()
    assert migrated.repair().plan.is_empty
    assert len(migrated.repair(ignore_migration_patterns=[]).plan.deletions) == 1
    assert migrated.states() == ["1 Success", "2 Deleted", "views Success"]


def test_the_row_of_a_failed_migration_goes(workspace: Workspace) -> None:
    workspace.write({"V1__one.sql": table("one"), "V2__two.sql": "VACUUM; VACUUM broken;"})
    with pytest.raises(taxiway.MigrationFailed):
        workspace.migrate()
    assert workspace.states() == ["1 Success", "2 Failed"]
    with pytest.raises(errors.TaxiwayError):
        workspace.migrate()
    events: list[Event] = []

    workspace.repair(events.append)

    assert workspace.states() == ["1 Success", "2 Pending"]
    assert [event.row.script for event in events if isinstance(event, RowRemoved)] == ["V2__two.sql"]
    workspace.write({"V2__two.sql": "VACUUM;"})
    assert workspace.migrate().count == 1


def test_a_list_limits_what_is_repaired(migrated: Workspace) -> None:
    migrated.query("UPDATE flyway_schema_history SET success = false WHERE installed_rank > 1")
    plan = migrated.repair(cherry_pick=["views"]).plan
    assert [row.description for row in plan.removals] == ["views"]
    assert [row[0] for row in rows(migrated)] == [1, 2]


def test_a_plan_can_be_seen_before_it_is_carried_out(migrated: Workspace) -> None:
    migrated.write({"V1__one.sql": "SELECT 1;", "beforeRepair.sql": table("callback")})
    (migrated.scripts / "R__views.sql").unlink()
    migrated.query("UPDATE flyway_schema_history SET success = false WHERE version = '2'")
    before = fingerprint(migrated.database)

    seen = migrated.repair(carry_out=False)

    assert fingerprint(migrated.database) == before
    assert not seen.carried_out
    assert (len(seen.plan.removals), len(seen.plan.deletions), len(seen.plan.alignments)) == (1, 1, 1)
    assert migrated.repair().plan == seen.plan


def test_callbacks_run_around_it(migrated: Workspace) -> None:
    migrated.write({"beforeRepair.sql": table("before"), "afterRepair.sql": table("after")})
    events: list[Event] = []
    migrated.repair(events.append)
    started = [event.callback.script for event in events if isinstance(event, CallbackStarted)]
    assert started == ["beforeRepair.sql", "afterRepair.sql"]


def test_a_folder_without_migrations_deletes_no_row(migrated: Workspace) -> None:
    for path in migrated.scripts.iterdir():
        path.unlink()
    migrated.write({"afterRepairError.sql": table("told")})
    with pytest.raises(errors.NoMigrationsFound):
        migrated.repair(ignore_migration_patterns=[])
    assert len(migrated.history()) == 3
    assert migrated.value("SELECT count(*) FROM told") == 0
    result = migrated.repair(ignore_migration_patterns=[], fail_on_missing_locations=False)
    assert len(result.plan.deletions) == 3


def test_somebody_who_migrates_is_waited_for(migrated: Workspace) -> None:
    migrated.write({"V1__one.sql": "SELECT 1;", "V3__three.sql": "SELECT pg_sleep(0.5);"})
    with migrated.running("migrate", "--no-validate-on-migrate") as process:
        migrated.wait_for(
            "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.5)%' AND pid <> pg_backend_pid()"
        )
        with pytest.raises(errors.LockNotAcquired):
            migrated.repair(lock_retry_count=0)
        process.wait()
    assert len(migrated.repair().plan.alignments) == 1


def test_a_user_who_may_not_write_the_history_is_told_so(migrated: Workspace) -> None:
    migrated.write({"V1__one.sql": "SELECT 1;"})
    before = migrated.history()
    migrated.query(
        "CREATE ROLE reader; GRANT reader TO CURRENT_USER; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader;"
        " ALTER ROLE CURRENT_USER SET role = reader"
    )
    with pytest.raises(errors.PermissionDenied, match="flyway_schema_history"):
        migrated.repair()
    migrated.query("RESET ROLE; ALTER ROLE CURRENT_USER RESET role")
    assert migrated.history() == before


def test_a_callback_that_is_not_in_order_changes_nothing(migrated: Workspace) -> None:
    migrated.write({"V1__one.sql": "SELECT 1;", "beforeRepair.sql": table("told")})
    migrated.write({"afterRepair.sql": "SELECT '${nobody}';"})
    before = fingerprint(migrated.database)
    with pytest.raises(errors.UnknownPlaceholder, match="nobody"):
        migrated.repair()
    assert fingerprint(migrated.database) == before


def test_a_plan_runs_no_callback(migrated: Workspace) -> None:
    migrated.write({"afterConnect.sql": table("callback")})
    before = fingerprint(migrated.database)
    migrated.repair(carry_out=False)
    assert fingerprint(migrated.database) == before
    migrated.repair()
    assert fingerprint(migrated.database) != before
