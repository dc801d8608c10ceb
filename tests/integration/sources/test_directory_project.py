"""What an open project finds in its locations: callbacks, programs, configuration, and in which order it looks."""

import pytest

import taxiway
from taxiway import errors
from taxiway.model.event import CallbackStarted, Connected, Event, Warned
from taxiway.model.migration import MigrationType
from tests.support.workspace import Workspace


@pytest.fixture
def heard() -> list[Event]:
    return []


def warnings(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Warned)]


def test_programs_for_before_connect_run_before_the_connection_is_opened(
    workspace: Workspace, heard: list[Event]
) -> None:
    workspace.write(
        {
            "V1__a.sql": "SELECT 1;",
            "beforeConnect.sh": f"env | grep -E '^(FP__|FLYWAY_USER)' | sort > '{workspace.directory}/seen'",
        }
    )
    workspace.migrate(heard.append, script_migrations=True, placeholders={"x": "v"}, default_schema="public")
    told = [type(event) for event in heard if isinstance(event, CallbackStarted | Connected)]
    assert told == [CallbackStarted, Connected]
    seen = (workspace.directory / "seen").read_text()
    assert "FP__x__=v\n" in seen
    assert "FP__flyway_environment__=default\n" in seen
    assert "FP__flyway_defaultSchema__=public\n" in seen
    assert "FP__flyway_database__" not in seen


def test_a_failing_program_for_before_connect_ends_the_command_before_there_is_a_connection(
    workspace: Workspace, heard: list[Event]
) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;", "beforeConnect.sh": "exit 3"})
    with pytest.raises(errors.CallbackFailed):
        workspace.migrate(heard.append, script_migrations=True, url="postgresql://localhost:1/nowhere")
    assert not [event for event in heard if isinstance(event, Connected)]


def test_names_are_checked_before_the_connection_is_opened(workspace: Workspace) -> None:
    workspace.write({"V1_a.sql": "SELECT 1;"})
    with pytest.raises(errors.InvalidMigrationName):
        workspace.migrate(url="postgresql://localhost:1/nowhere")


def test_callbacks_are_looked_for_where_callback_locations_says(workspace: Workspace, heard: list[Event]) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE log (who text);", "afterMigrate.sql": "SELECT 1/0;"})
    (workspace.directory / "hooks").mkdir()
    (workspace.directory / "hooks/afterMigrate.sql").write_text("INSERT INTO log VALUES ('hooks');")
    places = [f"filesystem:{workspace.directory}/{name}" for name in ("hooks", "nowhere")]
    workspace.migrate(heard.append, callback_locations=places, fail_on_missing_locations=False)
    assert workspace.value("SELECT who FROM log") == "hooks"
    assert ["nowhere" in warning and "skipped" in warning for warning in warnings(heard)] == [True]


def test_a_folder_for_callbacks_that_does_not_exist_is_an_error(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    with pytest.raises(errors.LocationNotFound, match="nowhere") as caught:
        workspace.migrate(callback_locations=[f"filesystem:{workspace.directory}/nowhere"])
    assert (caught.value.hint or "").startswith("Set 'callbackLocations' to directories that exist")


def test_the_configuration_beside_a_script_counts(workspace: Workspace) -> None:
    workspace.write(
        {
            "V1__a.sql": b"CREATE TABLE caf\xe9 (i int);",
            "V1__a.sql.conf": "encoding=ISO-8859-1\nplaceholderReplacement=false",
            "V2__b.sql": "SELECT '${nobody}';",
            "V2__b.sql.conf": "placeholderReplacement=false",
        }
    )
    workspace.migrate()
    assert workspace.applied() == ["1", "2"]
    assert workspace.value("SELECT to_regclass('café') IS NOT NULL")


def test_variables_of_the_environment_are_known_to_configuration(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "prod")
    workspace.write(
        {"V1__a.sql": "SELECT 1;", "V1__a.sql.conf": "shouldExecute=${STAGE}==dev", "V2__b.sql": "SELECT 1;"}
    )
    workspace.migrate(placeholder_prefix="%(")
    assert workspace.applied() == ["2"]


def test_configuration_without_a_script_is_a_warning(workspace: Workspace, heard: list[Event]) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;", "V2__b.sql.conf": "executeInTransaction=false"})
    workspace.migrate(heard.append)
    [warning] = warnings(heard)
    assert "V2__b.sql.conf has no effect" in warning


def test_programs_migrate_where_that_is_asked_for(workspace: Workspace) -> None:
    workspace.write({"V1__a.sh": f"touch '{workspace.directory}/ran'", "README": "not a program"})
    with pytest.raises(errors.ScriptMigrationsDisabled, match=r"V1__a\.sh"):
        workspace.migrate()
    workspace.migrate(script_migrations=True)
    assert (workspace.directory / "ran").exists()
    [row] = workspace.history()
    assert (row["type"], row["script"]) == (MigrationType.SCRIPT.value, "V1__a.sh")


def test_a_working_directory_is_what_relative_locations_start_from(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE place AS SELECT '${flyway:workingDirectory}' AS path;"})
    workspace.migrate(working_directory=str(workspace.directory), locations=["filesystem:sql"])
    assert workspace.value("SELECT path FROM place") == str(workspace.directory)


def test_wildcards_and_the_class_path_are_locations(workspace: Workspace) -> None:
    resources = workspace.directory / "src/main/resources/db"
    for number, name in enumerate(("one", "two"), start=1):
        (resources / name).mkdir(parents=True)
        (resources / name / f"V{number}__x.sql").write_text("SELECT 1;")
    workspace.migrate(working_directory=str(workspace.directory), locations=["classpath:db/*"])
    assert [row["script"] for row in workspace.history()] == ["V1__x.sql", "V2__x.sql"]


def test_the_name_of_the_environment_is_a_placeholder(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE seen AS SELECT '${flyway:environment}' AS name;"})
    workspace.migrate()
    assert workspace.value("SELECT name FROM seen") == "default"


def test_a_file_that_is_no_text_is_told_with_its_line(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": b"-- one\n-- caf\xe9\n"})
    with pytest.raises(errors.UnreadableScript) as caught:
        taxiway.info(
            url=workspace.database.url,
            password=workspace.database.password,
            locations=[f"filesystem:{workspace.scripts}"],
        )
    assert f"{workspace.scripts}/V1__a.sql:2: byte 13 is not text in UTF-8" in caught.value.message


def test_a_relative_working_directory_is_applied_once(workspace: Workspace) -> None:
    scripts = workspace.directory / "project/sql"
    scripts.mkdir(parents=True)
    (scripts / "V1__a.sql").write_text("SELECT 1;")
    result = workspace.run("migrate", "-workingDirectory=project", "-locations=filesystem:sql")
    assert result.returncode == 0, result.stderr
    assert workspace.applied() == ["1"]


def test_programs_are_told_the_user_and_the_url_wherever_they_come_from(workspace: Workspace) -> None:
    database = workspace.database
    show = f'echo "$FLYWAY_USER $FLYWAY_URL" >> "{workspace.directory}/seen"'
    workspace.write({"beforeConnect.sh": show, "V1__a.sh": show})
    address = f"{database.host}:{database.port}/{database.name}"
    workspace.migrate(script_migrations=True, url=f"postgresql://{database.user}@{address}?sslmode=require")
    jdbc = f"jdbc:postgresql://{address}?user={database.user}&sslmode=require"
    workspace.migrate(script_migrations=True, url=jdbc)
    given = f"{database.user} postgresql://{database.user}@{address}?sslmode=require"
    assert (workspace.directory / "seen").read_text().splitlines() == [given, given, f"{database.user} {jdbc}"]
