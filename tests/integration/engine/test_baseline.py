"""baseline on a real database, alone and as a part of migrate."""

from typing import Any

import pytest

from taxiway import errors
from taxiway.model.event import Baselined, CallbackStarted, Event, HistoryCreated, SchemaCreated
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

SCRIPTS = {"V1__one.sql": "SELECT 1;", "V2__two.sql": "CREATE TABLE two (i int);"}
TEXT = "<< Flyway Baseline >>"


@pytest.fixture
def legacy(workspace: Workspace) -> Workspace:
    """A database that was not made by migrations."""
    workspace.query("CREATE TABLE legacy (i int)")
    workspace.write(SCRIPTS)
    return workspace


def rows(workspace: Workspace, table: str = "flyway_schema_history") -> list[tuple[Any, ...]]:
    names = ("installed_rank", "version", "description", "type", "script", "checksum", "execution_time", "success")
    return [tuple(row[name] for name in names) for row in workspace.history(table)]


def test_the_history_begins_with_the_baseline(legacy: Workspace) -> None:
    events: list[Event] = []
    result = legacy.baseline(events.append)
    assert (str(result.version), result.was_there) == ("1", False)
    assert rows(legacy) == [(1, "1", TEXT, "BASELINE", TEXT, None, 0, True)]
    assert [type(event) for event in events][-2:] == [HistoryCreated, Baselined]
    assert legacy.states() == ["1 Ignored (Baseline)", "1 Baseline", "2 Pending"]
    assert legacy.migrate().count == 1


def test_twice_is_once(legacy: Workspace) -> None:
    legacy.baseline()
    before = fingerprint(legacy.database)
    assert legacy.baseline(baseline_version="1.0").was_there
    assert fingerprint(legacy.database) == before


def test_version_and_description_are_what_is_asked_for(legacy: Workspace) -> None:
    text = 'it\'s \\ "theirs"'
    legacy.baseline(baseline_version="2.1", baseline_description=text, installed_by="x'y")
    assert rows(legacy) == [(1, "2.1", text, "BASELINE", text, None, 0, True)]
    assert legacy.history()[0]["installed_by"] == "x'y"
    assert legacy.baseline(baseline_version="2.1", baseline_description=text).was_there


@pytest.mark.parametrize("options", [{"baseline_version": "2"}, {"baseline_description": "other"}])
def test_another_baseline_is_refused(legacy: Workspace, options: Any) -> None:
    legacy.baseline()
    before = fingerprint(legacy.database)
    with pytest.raises(errors.BaselineRefused, match="has the baseline") as caught:
        legacy.baseline(**options)
    assert caught.value.hint
    assert fingerprint(legacy.database) == before


def test_a_history_with_migrations_is_refused(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    workspace.migrate()
    with pytest.raises(errors.BaselineRefused, match="has migrations already"):
        workspace.baseline()


def test_an_empty_history_is_refused(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    workspace.migrate()
    workspace.query("DELETE FROM flyway_schema_history")
    with pytest.raises(errors.BaselineRefused, match="is empty"):
        workspace.baseline()


def test_an_empty_database_may_have_a_baseline(workspace: Workspace) -> None:
    assert workspace.baseline().was_there is False
    assert len(rows(workspace)) == 1


def test_missing_schemas_are_created_and_recorded_behind_the_baseline(workspace: Workspace) -> None:
    events: list[Event] = []
    result = workspace.baseline(events.append, schemas=["app", 'my"s'])
    assert result.schema == "app"
    assert rows(workspace, "app.flyway_schema_history") == [
        (1, "1", TEXT, "BASELINE", TEXT, None, 0, True),
        (2, None, "<< Flyway Schema Creation >>", "SCHEMA", '"app","my""s"', None, 0, True),
    ]
    assert [event.schema for event in events if isinstance(event, SchemaCreated)] == ["app", 'my"s']
    assert workspace.baseline(schemas=["app", 'my"s']).was_there


def test_a_schema_that_joins_later_is_created_and_recorded(workspace: Workspace) -> None:
    workspace.baseline(schemas=["app"])
    assert workspace.baseline(schemas=["app", "later"]).was_there
    assert [row[4] for row in rows(workspace, "app.flyway_schema_history")] == [TEXT, '"app"', '"later"']


def test_a_missing_schema_is_an_error_when_none_is_to_be_created(workspace: Workspace) -> None:
    before = fingerprint(workspace.database)
    with pytest.raises(errors.HistoryError, match="app"):
        workspace.baseline(schemas=["app"], create_schemas=False)
    assert fingerprint(workspace.database) == before


def test_callbacks_run_in_the_order_of_flyway(legacy: Workspace) -> None:
    names = ("createSchema", "beforeCreateSchema", "beforeBaseline", "afterBaseline", "afterBaselineError")
    legacy.write({f"{name}.sql": f"CREATE TABLE IF NOT EXISTS app.{name} (i int);" for name in names[2:]})
    legacy.write({f"{name}.sql": "SELECT 1;" for name in names[:2]})
    events: list[Event] = []
    legacy.baseline(events.append, schemas=["app"])
    told = [event.callback.event.value for event in events if isinstance(event, CallbackStarted)]
    assert told == list(names[:4])

    events.clear()
    with pytest.raises(errors.BaselineRefused):
        legacy.baseline(events.append, schemas=["app"], baseline_version="7")
    told = [event.callback.event.value for event in events if isinstance(event, CallbackStarted)]
    assert told == ["createSchema", "beforeCreateSchema", "beforeBaseline", "afterBaselineError"]


def test_migrate_gives_a_baseline_to_a_database_with_objects(legacy: Workspace) -> None:
    with pytest.raises(errors.NonEmptySchema):
        legacy.migrate()
    assert legacy.migrate(baseline_on_migrate=True).count == 1
    assert [row[:4] for row in rows(legacy)] == [(1, "1", TEXT, "BASELINE"), (2, "2", "two", "SQL")]
    assert legacy.migrate(baseline_on_migrate=True).count == 0


def test_migrate_gives_none_to_an_empty_database(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    workspace.migrate(baseline_on_migrate=True)
    assert [row[3] for row in rows(workspace)] == ["SQL", "SQL"]


def test_a_user_without_rights_is_told_so_and_nothing_is_left(legacy: Workspace) -> None:
    legacy.query("CREATE ROLE weak; GRANT weak TO CURRENT_USER; ALTER ROLE CURRENT_USER SET role = weak")
    before = fingerprint(legacy.database)
    with pytest.raises(errors.PermissionDenied) as caught:
        legacy.baseline()
    assert caught.value.hint
    assert fingerprint(legacy.database) == before


def test_a_callback_that_is_not_in_order_changes_nothing(legacy: Workspace) -> None:
    legacy.write({"createSchema.sql": "CREATE TABLE told ();", "afterBaseline.sql": "SELECT '${nobody}';"})
    before = fingerprint(legacy.database)
    with pytest.raises(errors.UnknownPlaceholder, match="nobody"):
        legacy.baseline()
    assert fingerprint(legacy.database) == before


@pytest.mark.parametrize(
    ("script", "options", "error"),
    [
        ("SELECT '${nobody}';", {}, errors.UnknownPlaceholder),
        ("VACUUM;", {"group": True}, errors.MixedTransactions),
        ("SELECT '", {}, errors.UnterminatedText),
    ],
)
def test_migrate_gives_no_baseline_when_a_script_behind_it_is_not_in_order(
    legacy: Workspace, script: str, options: Any, error: type[errors.TaxiwayError]
) -> None:
    legacy.write({"V3__three.sql": script})
    before = fingerprint(legacy.database)
    with pytest.raises(error, match="V3__three"):
        legacy.migrate(baseline_on_migrate=True, **options)
    assert fingerprint(legacy.database) == before


def test_a_script_that_the_baseline_makes_unnecessary_need_not_be_in_order(legacy: Workspace) -> None:
    legacy.write({"V1__one.sql": "SELECT '${nobody}';"})
    assert legacy.migrate(baseline_on_migrate=True).count == 1


HISTORY_OF_SOMEBODY_ELSE = """
CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version text, description text, type text,
    script text, checksum int, installed_by text, installed_on timestamp DEFAULT now(), execution_time int,
    success bool);
INSERT INTO flyway_schema_history VALUES
    (1, '1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'x', now(), 0, true)
"""


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (["baseline"], HISTORY_OF_SOMEBODY_ELSE),
        (["migrate", "-baselineOnMigrate=true"], HISTORY_OF_SOMEBODY_ELSE),
        (["baseline", "-schemas=app"], "CREATE SCHEMA app"),
        (["migrate", "-schemas=app"], "CREATE SCHEMA app"),
    ],
)
def test_what_another_program_makes_meanwhile_is_no_obstacle(
    legacy: Workspace, arguments: list[str], made: str
) -> None:
    with legacy.database.connect() as other:
        other.execute(made.encode())
        with legacy.running(*arguments) as process:
            legacy.wait_for("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            other.commit()
            _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (0, "")
    schema = "app" if "-schemas=app" in arguments else "public"
    versions = [row["version"] for row in legacy.history(f"{schema}.flyway_schema_history")]
    assert versions == (["1", "2"] if arguments[0] == "migrate" else ["1"])


def test_migrate_goes_by_a_history_that_another_program_makes_meanwhile(legacy: Workspace) -> None:
    legacy.query("DROP TABLE legacy")
    with legacy.database.connect() as other:
        other.execute(HISTORY_OF_SOMEBODY_ELSE.encode())
        with legacy.running("migrate") as process:
            legacy.wait_for("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            other.commit()
            _, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (0, "")
    assert [row["version"] for row in legacy.history()] == ["1", "2"]
