"""Out of order, target, ignored, missing, future, changed: what runs, and what is an error that changes nothing."""

from typing import Any

import pytest

import taxiway
from taxiway import errors
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace


def table(name: str) -> str:
    return f"CREATE TABLE {name} (i int);"


ONE_AND_THREE = {"V1__one.sql": table("one"), "V3__three.sql": table("three")}
TWO = {"V2__two.sql": table("two")}


@pytest.fixture
def migrated(workspace: Workspace) -> Workspace:
    """Versions 1 and 3 are applied, 2 has come late."""
    workspace.write(ONE_AND_THREE)
    workspace.migrate()
    workspace.write(TWO)
    return workspace


def problems(workspace: Workspace, **options: Any) -> list[str]:
    """Codes of what stops a run; it has changed nothing."""
    before = fingerprint(workspace.database)
    with pytest.raises(taxiway.ValidationFailed) as caught:
        workspace.migrate(**options)
    assert fingerprint(workspace.database) == before
    assert caught.value.hint
    return [problem.code for problem in caught.value.problems]


def test_a_late_version_stops_the_run(migrated: Workspace) -> None:
    assert migrated.states() == ["1 Success", "3 Success", "2 Ignored"]
    assert problems(migrated) == ["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"]


def test_a_late_version_is_passed_over_when_ignored_ones_are_no_error(migrated: Workspace) -> None:
    assert migrated.migrate(ignore_migration_patterns=["*:ignored"]).count == 0


def test_a_late_version_is_applied_out_of_order(migrated: Workspace) -> None:
    assert migrated.migrate(out_of_order=True).count == 1
    assert migrated.applied() == ["1", "3", "2"]
    assert migrated.states() == ["1 Success", "3 Success", "2 Out of Order"]
    assert migrated.migrate().count == 0


def test_a_script_that_is_gone_is_missing(migrated: Workspace) -> None:
    (migrated.scripts / "V2__two.sql").unlink()
    (migrated.scripts / "V1__one.sql").unlink()
    assert migrated.states() == ["1 Missing", "3 Success"]
    assert problems(migrated) == ["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"]
    assert migrated.migrate(ignore_migration_patterns=["*:missing"]).count == 0


def test_a_version_from_the_future_is_no_error_unless_wanted(migrated: Workspace) -> None:
    (migrated.scripts / "V2__two.sql").unlink()
    (migrated.scripts / "V3__three.sql").unlink()
    assert migrated.states() == ["1 Success", "3 Future"]
    assert migrated.migrate().count == 0
    assert problems(migrated, ignore_migration_patterns=[]) == ["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"]


def test_every_problem_is_told_at_once(migrated: Workspace) -> None:
    migrated.write({"V1__one.sql": "SELECT 1;", "R__x.sql": "SELECT 1;"})
    (migrated.scripts / "V3__three.sql").rename(migrated.scripts / "V3__drei.sql")
    migrated.query("UPDATE flyway_schema_history SET checksum = NULL WHERE version = '99'")
    assert problems(migrated) == [
        "CHECKSUM_MISMATCH",
        "DESCRIPTION_MISMATCH",
        "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED",
    ]


def test_an_edited_script_is_named_with_both_checksums(workspace: Workspace) -> None:
    workspace.write({"V1__one.sql": "SELECT 1;"})
    workspace.migrate()
    workspace.write({"V1__one.sql": "SELECT 1;SELECT 2;"})

    with pytest.raises(taxiway.ValidationFailed) as caught:
        workspace.migrate()

    assert str(workspace.scripts / "V1__one.sql") in caught.value.message
    assert "78787420" in caught.value.message
    assert "-1665099012" in caught.value.message
    assert workspace.migrate(validate_on_migrate=False).count == 0


def test_the_target_is_where_a_run_stops(workspace: Workspace) -> None:
    workspace.write(ONE_AND_THREE | TWO | {"R__x.sql": "SELECT 1;"})

    result = workspace.migrate(target="2")

    assert [str(one.version) for one in result.migrations] == ["1", "2", "None"]
    assert workspace.states(target="2") == ["1 Success", "2 Success", "x Success", "3 Above Target"]
    assert workspace.migrate(target="current").count == 0
    assert workspace.migrate(target="next").count == 1
    assert workspace.applied() == ["1", "2", None, "3"]


def test_next_is_one_migration(workspace: Workspace) -> None:
    workspace.write(ONE_AND_THREE | {"R__x.sql": "SELECT 1;"})
    assert [workspace.migrate(target="next").count for _ in range(4)] == [1, 1, 1, 0]


def test_a_target_that_does_not_exist_is_an_error_unless_it_may(workspace: Workspace) -> None:
    workspace.write(ONE_AND_THREE)
    before = fingerprint(workspace.database)
    for command in (workspace.migrate, workspace.info, workspace.validate):
        with pytest.raises(errors.TargetNotFound, match="2"):
            command(target="2")
    assert fingerprint(workspace.database) == before
    assert workspace.migrate(target="2?").count == 1


def test_pending_migrations_fail_validate_and_not_migrate(workspace: Workspace) -> None:
    workspace.write(ONE_AND_THREE)
    workspace.migrate(target="1")
    before = fingerprint(workspace.database)

    result = workspace.validate()

    assert [problem.code for problem in result.problems] == ["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"]
    assert result.count == 0
    assert fingerprint(workspace.database) == before
    assert workspace.validate(ignore_migration_patterns=["*:pending"]).successful
    workspace.migrate()
    assert workspace.validate().successful
    assert workspace.validate().count == 2


def test_validate_names_a_missing_schema(workspace: Workspace) -> None:
    workspace.write(ONE_AND_THREE)
    assert [problem.code for problem in workspace.validate(schemas=["nowhere"]).problems] == [
        "SCHEMA_DOES_NOT_EXIST"
    ]


def test_a_missing_schema_is_no_error_when_pending_ones_are_none(workspace: Workspace) -> None:
    workspace.write(ONE_AND_THREE)
    result = workspace.validate(schemas=["nowhere"], ignore_migration_patterns=["*:pending"])
    assert (result.successful, result.count) == (True, 0)


def test_info_works_on_an_empty_database_and_changes_nothing(workspace: Workspace) -> None:
    workspace.write(ONE_AND_THREE)
    before = fingerprint(workspace.database)
    result = workspace.info(schemas=["nowhere"])
    assert result.schema_version is None
    assert result.all_schemas_empty
    assert fingerprint(workspace.database) == before


def test_a_baseline_of_flyway_is_respected(migrated: Workspace) -> None:
    migrated.query("DELETE FROM flyway_schema_history WHERE version = '1'")
    migrated.query(
        "UPDATE flyway_schema_history SET type = 'BASELINE', version = '2', checksum = NULL, installed_rank = 1,"
        " description = '<< Flyway Baseline >>', script = '<< Flyway Baseline >>'"
    )
    migrated.query("DROP TABLE three")
    assert migrated.states() == ["1 Below Baseline", "2 Ignored (Baseline)", "2 Baseline", "3 Pending"]
    assert migrated.migrate().count == 1
    assert migrated.applied() == ["2", "3"]
