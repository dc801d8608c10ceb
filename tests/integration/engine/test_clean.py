"""clean on a real database."""

import pytest

from taxiway import errors
from taxiway.api import ignore_events
from taxiway.model.event import CallbackStarted, Event, SchemaCleaned
from taxiway.model.location import Location
from taxiway.model.settings import DatabaseSettings, MigrationSettings, Settings
from taxiway.project import open_project
from taxiway.secret import Redactor, Secret
from tests.support.builders import states
from tests.support.fingerprint import fingerprint
from tests.support.workspace import Workspace

SCRIPTS = {
    "V1__one.sql": "CREATE TABLE one (i serial PRIMARY KEY); CREATE VIEW seen AS SELECT * FROM one;",
    "V2__two.sql": "CREATE TYPE mood AS ENUM ('a'); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
}


@pytest.fixture
def migrated(workspace: Workspace) -> Workspace:
    workspace.write(SCRIPTS)
    workspace.migrate()
    return workspace


def schemas(workspace: Workspace) -> set[str]:
    query = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
    return {name for (name,) in workspace.query(query)}


def test_it_has_to_be_allowed(migrated: Workspace) -> None:
    migrated.write({"beforeClean.sql": "CREATE TABLE told (i int);"})
    before = fingerprint(migrated.database)
    with pytest.raises(errors.CleanDisabled, match='"public"') as caught:
        migrated.clean()
    assert "cleanDisabled=false" in str(caught.value.hint)
    assert fingerprint(migrated.database) == before


def test_nothing_is_left_and_migrate_begins_anew(migrated: Workspace) -> None:
    events: list[Event] = []
    result = migrated.clean(events.append, clean_disabled=False)
    assert (result.cleaned, result.dropped) == (("public",), ())
    assert [event for event in events if isinstance(event, SchemaCleaned)] == [SchemaCleaned(schema="public")]
    assert migrated.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0
    assert migrated.migrate().count == 2


def test_twice_and_on_an_empty_database(workspace: Workspace) -> None:
    before = fingerprint(workspace.database)
    for _ in range(2):
        assert workspace.clean(clean_disabled=False).cleaned == ("public",)
    assert fingerprint(workspace.database) == before


def test_schemas_that_we_created_are_dropped_and_others_are_emptied(workspace: Workspace) -> None:
    workspace.query("CREATE SCHEMA theirs; CREATE TABLE theirs.t (i int)")
    workspace.query("DROP TABLE theirs.t")
    workspace.write(
        {"V1__one.sql": 'CREATE TABLE t (i int); CREATE TABLE theirs.t (i int); CREATE TABLE "my""s".t ();'}
    )
    managed = ["app", "theirs", 'my"s']
    workspace.migrate(schemas=managed)

    result = workspace.clean(schemas=managed, clean_disabled=False)

    assert (result.cleaned, result.dropped) == (("theirs",), ("app", 'my"s'))
    assert schemas(workspace) == {"public", "theirs"}
    assert workspace.migrate(schemas=managed).count == 1


def test_a_schema_that_does_not_exist_is_a_warning(migrated: Workspace) -> None:
    result = migrated.clean(schemas=["public", "nowhere"], clean_disabled=False)
    assert result.cleaned == ("public",)
    assert any('"nowhere"' in text for text in result.warnings)


def test_other_schemas_stay(migrated: Workspace) -> None:
    migrated.query("CREATE SCHEMA other; CREATE TABLE other.t (i int)")
    migrated.clean(clean_disabled=False)
    assert migrated.value("SELECT count(*) FROM other.t") == 0


def test_a_schema_that_cannot_be_dropped_is_emptied(workspace: Workspace) -> None:
    workspace.write({"V1__one.sql": "CREATE TABLE t (i int);"})
    workspace.migrate(schemas=["app"])
    with workspace.database.server.admin(workspace.database.name) as connection:
        connection.execute("ALTER SCHEMA app OWNER TO CURRENT_USER")
        owner = workspace.database.user
        connection.execute(f"GRANT ALL ON SCHEMA app TO {owner}".encode())
    result = workspace.clean(schemas=["app"], clean_disabled=False)
    assert (result.cleaned, result.dropped) == (("app",), ())
    assert any("could not be dropped" in text for text in result.warnings)
    assert workspace.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace") == 0


def test_a_damaged_history_is_no_obstacle(migrated: Workspace) -> None:
    migrated.query("UPDATE flyway_schema_history SET type = 'NONSENSE'")
    result = migrated.clean(clean_disabled=False)
    assert result.cleaned == ("public",)
    assert result.warnings


def test_callbacks_run_around_it(migrated: Workspace) -> None:
    migrated.write(
        {"beforeClean.sql": "CREATE TABLE told (i int);", "afterClean.sql": "CREATE TABLE after (i int);"}
    )
    events: list[Event] = []
    migrated.clean(events.append, clean_disabled=False)
    told = [event.callback.script for event in events if isinstance(event, CallbackStarted)]
    assert told == ["beforeClean.sql", "afterClean.sql"]
    assert migrated.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [
        ("after",)
    ]


def test_somebody_who_migrates_is_not_disturbed(migrated: Workspace) -> None:
    migrated.write({"V3__three.sql": "SELECT pg_sleep(0.5);"})
    with migrated.running("migrate") as process:
        migrated.wait_for(
            "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.5)%' AND pid <> pg_backend_pid()"
        )
        with pytest.raises(errors.LockNotAcquired):
            migrated.clean(clean_disabled=False, lock_retry_count=0)
        assert process.wait() == 0


@pytest.mark.parametrize("schemas", [(), ("app",)])
def test_other_commands_can_follow_in_the_same_session(workspace: Workspace, schemas: tuple[str, ...]) -> None:
    workspace.write({"V1__one.sql": "CREATE TABLE one (i int);"})
    settings = Settings(
        database=DatabaseSettings(url=workspace.database.url, password=Secret(workspace.database.password)),
        migrations=MigrationSettings(
            locations=(Location("filesystem", str(workspace.scripts)),), schemas=schemas, clean_disabled=False
        ),
    )
    with open_project(settings, base=workspace.directory, redact=Redactor(), on_event=ignore_events) as project:
        for _ in range(3):
            project.clean()
            assert states(project.info().migrations) == ["1 Pending"]
            assert project.migrate().count == 1
            assert states(project.info().migrations)[-1] == "1 Success"
        project.clean()
        project.baseline()
        assert project.repair().plan.is_empty
        assert project.undo().count == 0


def test_what_belongs_to_others_is_an_error(migrated: Workspace) -> None:
    with migrated.database.server.admin(migrated.database.name) as connection:
        connection.execute("CREATE TABLE foreign_property (i int)")
        connection.execute("ALTER SCHEMA public OWNER TO CURRENT_USER")
        connection.execute("GRANT ALL ON SCHEMA public TO PUBLIC")
    with pytest.raises(errors.DatabaseError, match="foreign_property"):
        migrated.clean(clean_disabled=False)
    assert migrated.value("SELECT count(*) FROM one") == 0
    assert len(migrated.history()) == 2


def test_a_schema_whose_drop_is_refused_for_any_reason_is_emptied(workspace: Workspace) -> None:
    workspace.write({"V1__one.sql": "CREATE TABLE t (i int);"})
    workspace.migrate(schemas=["app"])
    with workspace.database.server.admin(workspace.database.name) as admin:
        admin.execute(
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE 'out of shared memory' USING ERRCODE = '53200'; END$$"
        )
        admin.execute(
            "CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN tag IN ('DROP SCHEMA') EXECUTE FUNCTION refuse()"
        )
    result = workspace.clean(schemas=["app"], clean_disabled=False)
    assert (result.cleaned, result.dropped) == (("app",), ())
    assert any("could not be dropped" in text for text in result.warnings)


def test_a_callback_that_is_not_in_order_changes_nothing(migrated: Workspace) -> None:
    migrated.write({"beforeClean.sql": "CREATE TABLE told ();", "afterClean.sql": "SELECT '${nobody}';"})
    before = fingerprint(migrated.database)
    with pytest.raises(errors.UnknownPlaceholder, match="nobody"):
        migrated.clean(clean_disabled=False)
    assert fingerprint(migrated.database) == before
