"""baseline, undo, repair, clean, config, add and init as people and scripts see them; also tried wrongly."""

import json

import pytest

from tests.support.command import complaint
from tests.support.workspace import Workspace

OURS = {"taxiwayVersion"}
PAIR = {"V1__a.sql": "CREATE TABLE a ();", "U1__a.sql": "DROP TABLE a;"}


def said(workspace: Workspace, *arguments: str, **environment: str) -> list[str]:
    result = workspace.run(*arguments, environment=environment)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_baseline_has_flyways_fields(workspace: Workspace) -> None:
    workspace.query("CREATE TABLE old ()")
    value = workspace.answer("baseline", "--baseline-version", "3")
    assert value.keys() - OURS == {
        "operation", "flywayVersion", "database", "warnings", "successfullyBaselined", "baselineVersion"
    }  # fmt: skip
    assert (value["operation"], value["successfullyBaselined"], value["baselineVersion"]) == (
        "baseline",
        True,
        "3",
    )


def test_a_second_baseline_has_nothing_to_do_and_another_one_is_refused(workspace: Workspace) -> None:
    workspace.query("CREATE TABLE old ()")
    assert said(workspace, "baseline")[-1] == 'Successfully baselined schema "public" with version: 1'
    assert said(workspace, "baseline")[-1].endswith("Nothing to do.")
    complaint(workspace.run("baseline", "--baseline-version", "2"), 1, "baseline-refused")


def test_undo_has_flyways_fields(workspace: Workspace) -> None:
    workspace.write(PAIR)
    workspace.answer("migrate")
    before = workspace.answer("info")["migrations"]
    assert [(one["undoable"], one["undoFilepath"]) for one in before] == [
        ("Yes", str(workspace.scripts / "U1__a.sql"))
    ]

    value = workspace.answer("undo")

    [undone] = value["undoneMigrations"]
    assert undone.pop("executionTime") >= 0
    assert (undone["version"], undone["filepath"]) == ("1", str(workspace.scripts / "U1__a.sql"))
    assert (value["migrationsUndone"], value["initialSchemaVersion"], value["targetSchemaVersion"]) == (
        1,
        "1",
        None,
    )
    assert workspace.answer("undo")["migrationsUndone"] == 0


def test_a_failed_undo_is_inside_its_result(workspace: Workspace) -> None:
    workspace.write(PAIR | {"U1__a.sql": "DROP TABLE nope;"})
    workspace.answer("migrate")
    value = workspace.answer("undo", exit_code=1)
    assert (value["operation"], value["success"], value["migrationsUndone"]) == ("undo", False, 0)
    assert value["error"]["errorCode"] == "FAILED_UNDO_MIGRATION"


def test_undo_says_what_it_did(workspace: Workspace) -> None:
    workspace.write(PAIR)
    said(workspace, "migrate")
    lines = said(workspace, "undo")
    assert 'Undoing version "1 - a" of schema "public"' in lines
    assert lines[-1].startswith('Successfully undid 1 migration of schema "public", now << Empty Schema >>')


def test_repair_shows_its_plan_and_then_does_it(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;"})
    said(workspace, "migrate")
    workspace.write({"V1__a.sql": "SELECT 11;"})
    before = workspace.history()

    planned = "\n".join(said(workspace, "repair", "--plan", "-q"))
    assert "nothing was changed" in planned
    assert str(before[0]["checksum"]) in planned
    assert workspace.history() == before

    value = workspace.answer("repair")
    assert value["repairActions"] == ["Aligned applied migration checksums"]
    assert value["migrationsAligned"] == [
        {"version": "1", "description": "a", "filepath": str(workspace.scripts / "V1__a.sql")}
    ]
    assert (value["migrationsRemoved"], value["migrationsDeleted"], value["carriedOut"]) == ([], [], True)
    assert workspace.history()[0]["checksum"] != before[0]["checksum"]
    assert said(workspace, "repair")[-1].endswith("Nothing to repair.")


def test_clean_is_refused_until_it_is_allowed(workspace: Workspace) -> None:
    workspace.write(PAIR)
    said(workspace, "migrate")
    assert "--no-clean-disabled" in complaint(workspace.run("clean"), 2, "clean-disabled")
    assert workspace.applied() == ["1"]
    value = workspace.answer("clean", "--no-clean-disabled")
    assert (value["schemasCleaned"], value["schemasDropped"]) == (["public"], [])
    assert workspace.query("SELECT to_regclass('a')") == [(None,)]


def test_config_shows_values_and_origins_and_no_secret(workspace: Workspace) -> None:
    (workspace.directory / "flyway.conf").write_text("flyway.outOfOrder=true\nflyway.password=hunter2\n")
    value = workspace.answer("config", FLYWAY_TABLE="history", FLYWAY_PASSWORD="")
    settings = {one["key"]: one for one in value["settings"]}
    assert (settings["outOfOrder"]["value"], settings["outOfOrder"]["origin"]) == (
        "true",
        "flyway.conf: flyway.outOfOrder",
    )
    assert (settings["table"]["value"], settings["table"]["origin"]) == ("history", "FLYWAY_TABLE")
    assert settings["group"]["origin"] == "default"
    assert settings["password"]["isSecret"]
    assert "hunter2" not in json.dumps(value)
    assert [name.rpartition("/")[2] for name in value["files"]] == ["flyway.conf"]


def test_config_shows_only_what_is_named(workspace: Workspace) -> None:
    lines = said(workspace, "config", "target", "placeholders", "-placeholders.stage=test", "-target=3")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    assert [row[:2] for row in rows] == [["Setting", "Value"], ["placeholders.stage", "test"], ["target", "3"]]


def test_config_has_straight_columns_where_something_is_masked(workspace: Workspace) -> None:
    lines = said(workspace, "config", "-installedBy=hunter2-and-me", FLYWAY_PASSWORD="hunter2")
    table = [line for line in lines if line.startswith(("|", "+"))]
    assert "****-and-me" in "".join(table)
    assert len(set(map(len, table))) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("info -outputTyp=json", "Did you mean 'outputType'?"),
        ("info -outputfile=x", "Did you mean 'outputFile'?"),
        ("-colour=always info", "Did you mean 'color'?"),
        ("add -typ=undo", "Did you mean 'type'?"),
        ("init -filename=taxiway.toml", "Did you mean 'fileName'?"),
    ],
)
def test_a_misspelt_parameter_is_told_with_the_nearest_one(workspace: Workspace, line: str, words: str) -> None:
    assert words in complaint(workspace.run(*line.split()), 2, "unknown-option")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("info -debug", "Did you mean '--debug'?"),
        ("info -quiet", "Did you mean '--quiet'?"),
        ("add -nameOnly", "Write -nameOnly=true without blanks, or --name-only"),
        ("add -nameonly", "Did you mean '-nameOnly='?"),
        ("info -outputType json", "Write -outputType=VALUE without blanks, or --output"),
        ("info -outOforder", "Did you mean '-outOfOrder='?"),
    ],
)
def test_a_flag_that_is_none_is_told_with_what_to_write(workspace: Workspace, line: str, words: str) -> None:
    assert words in complaint(workspace.run(*line.split()), 2, "configuration")


def test_init_is_refused_under_the_name_of_a_file_of_flyways(workspace: Workspace) -> None:
    complaint(workspace.run("init", "-fileName=flyway.toml"), 2, "invalid-option")
    assert not (workspace.directory / "flyway.toml").exists()


def test_init_tells_of_no_folder_that_it_did_not_make(workspace: Workspace) -> None:
    (workspace.directory / "old.conf").write_text("flyway.locations=filesystem:db\n")
    assert workspace.answer("init", "-from=old.conf")["location"] is None


def test_add_and_migrate(workspace: Workspace) -> None:
    (workspace.directory / "taxiway.toml").write_text('[database]\npassword = "${env:NOT_SET_HERE}"\n')
    [path] = said(workspace, "add", "create person")
    assert path == str(workspace.scripts / "V001__create_person.sql")
    value = workspace.answer("add", "-type=undo")
    assert value["path"] == str(workspace.scripts / "U001__create_person.sql")
    said(workspace, "migrate")
    assert workspace.applied() == ["001"]


def test_init_and_add(workspace: Workspace) -> None:
    value = workspace.answer("init", "-projectName=shop", "-databaseType=PostgreSQL")
    assert value.keys() == {"path", "projectId", "location"}
    complaint(workspace.run("init"), 2, "file-already-exists")


@pytest.mark.parametrize(
    "command", ["migrate", "validate", "undo", "baseline", "repair", "clean", "test-connection"]
)
def test_a_wrong_password_is_the_same_error_everywhere(workspace: Workspace, command: str) -> None:
    workspace.write(PAIR)
    error = workspace.answer(
        command,
        "--no-clean-disabled",
        exit_code=2,
        FLYWAY_PASSWORD="wrong",
    )["error"]
    assert (error["errorCode"], error["taxiwayCode"]) == ("DB_CONNECTION", "authentication-failed")
