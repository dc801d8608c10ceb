"""What info shows when it is asked for a part, and the callbacks of the commands that only look."""

from typing import Any

import pytest

import taxiway
from taxiway import errors
from taxiway.model.event import CallbackStarted, Event
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

SCRIPTS = {
    "V1__one.sql": "SELECT 1;",
    "V2__two.sql": "SELECT 1;",
    "V3__three.sql": "SELECT 1;",
    "R__r.sql": "SELECT 1;",
}


@pytest.fixture
def migrated(workspace: Workspace) -> Workspace:
    workspace.write(SCRIPTS)
    workspace.migrate(target="2")
    workspace.query(
        "UPDATE flyway_schema_history SET installed_on = timestamp '2025-12-31 12:00' + installed_rank * interval '1 day'"
    )
    return workspace


ALL = ["1 Success", "2 Success", "r Success", "3 Pending"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ALL),
        ({"info_since_date": "01/01/2026 12:00"}, ["2 Success", "r Success", "3 Pending"]),
        ({"info_until_date": "02/01/2026 12:00"}, ["1 Success"]),
        ({"info_since_version": "2"}, ["2 Success", "r Success", "3 Pending"]),
        ({"info_until_version": "2"}, ["1 Success", "2 Success"]),
        ({"info_of_state": ["pending"]}, ["3 Pending"]),
        ({"info_of_state": ["FAILED"]}, []),
    ],
)
def test_a_part_of_the_list(migrated: Workspace, options: Any, expected: list[str]) -> None:
    assert migrated.states(**options) == expected
    assert str(migrated.info(**options).schema_version) == "2"


def test_info_has_no_undo_scripts_that_wait(migrated: Workspace) -> None:
    migrated.write({"U1__x.sql": "SELECT 1;"})
    infos = migrated.info().migrations
    assert [info.undoable for info in infos] == [True, False, False, False]
    assert infos[0].undo is not None
    assert infos[0].undo.path == str(migrated.scripts / "U1__x.sql")


def told(workspace: Workspace, command: str, **options: Any) -> list[str]:
    events: list[Event] = []
    getattr(taxiway, command)(
        on_event=events.append,
        url=workspace.database.url,
        password=workspace.database.password,
        locations=[f"filesystem:{workspace.scripts}"],
        **options,
    )
    return [event.callback.event.value for event in events if isinstance(event, CallbackStarted)]


LOOKING = ["beforeInfo", "afterInfo", "afterInfoError", "beforeValidate", "afterValidate", "afterValidateError"]


def test_callbacks_of_info(migrated: Workspace) -> None:
    migrated.write({f"{name}.sql": "SELECT 1;" for name in (*LOOKING, "afterInfoOperationFinish")})
    assert told(migrated, "info") == ["beforeInfo", "afterInfo", "afterInfoOperationFinish"]


def test_callbacks_of_validate(migrated: Workspace) -> None:
    migrated.write({f"{name}.sql": "SELECT 1;" for name in LOOKING})
    assert told(migrated, "validate") == ["beforeValidate", "afterValidateError"]
    assert told(migrated, "validate", ignore_migration_patterns=["*:pending"]) == [
        "beforeValidate",
        "afterValidate",
    ]
    assert told(migrated, "validate", schemas=["nowhere"]) == []


def test_a_callback_that_fails_after_a_finding_does_not_hide_it(migrated: Workspace) -> None:
    migrated.write({"afterValidateError.sql": "SELECT broken;"})
    result = migrated.validate()
    assert [problem.code for problem in result.problems] == ["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"]
    assert any("broken" in text for text in result.warnings)


def test_a_failing_info_runs_its_callback(migrated: Workspace) -> None:
    migrated.write({"afterInfoError.sql": "CREATE TABLE told (i int);"})
    with pytest.raises(errors.TargetNotFound):
        migrated.info(target="9")
    assert migrated.value("SELECT count(*) FROM told") == 0


def test_looking_changes_nothing(migrated: Workspace) -> None:
    before = fingerprint(migrated.database)
    migrated.info(info_of_state=["pending"])
    migrated.validate()
    assert fingerprint(migrated.database) == before
