"""Command lines as projects write them for Flyway, with ``taxiway`` in its place.

The shapes were found in compose files, workflows, Makefiles, shell scripts and wrappers of public projects, and in
Maven and Gradle calls, translated to the command line; names and values are our own. Each is accepted with the
same meaning, or refused with a reason.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest

from taxiway import errors
from taxiway.cli.flyway_args import parse_command_line, wants_json
from taxiway.cli.group import taxiway
from taxiway.cli.invocation import Invocation
from taxiway.cli.settings import SETTINGS, given_arguments
from taxiway.config.load import load
from tests.support.command import complaint
from tests.support.workspace import Workspace

URL = "jdbc:postgresql://db:5432/shop"
ACCOUNT = {"url": URL, "user": "owner", "password": "pw"}
EMPTY = ("url", "user", "locations", "outOfOrder")


@dataclass(frozen=True, slots=True)
class Call:
    """A command line without its first word, the commands that it runs, and the settings that they run with."""

    line: str
    commands: str
    settings: Mapping[str, object] = field(default_factory=dict)
    json: bool = False
    debug: bool = False
    quiet: bool = False


CALLS = [
    # compose files
    Call(f"-url={URL} -user=owner -password=pw migrate", "migrate", ACCOUNT),
    Call(
        f"-url={URL} -schemas=public -user=owner -password=pw -connectRetries=60 migrate",
        "migrate",
        {**ACCOUNT, "schemas": "public", "connectRetries": "60"},
    ),
    Call(
        "-locations=filesystem:/flyway/sql -connectRetries=60 migrate",
        "migrate",
        {"locations": "filesystem:/flyway/sql", "connectRetries": "60"},
    ),
    Call("-connectRetries=60 migrate", "migrate", {"connectRetries": "60"}),
    Call("migrate -connectRetries=60", "migrate", {"connectRetries": "60"}),
    Call(
        "migrate -baselineOnMigrate=true -baselineVersion=4",
        "migrate",
        {"baselineOnMigrate": "true", "baselineVersion": "4"},
    ),
    Call(
        "-configFiles=conf/flyway.conf -locations=filesystem:/flyway/sql -schemas=public migrate",
        "migrate",
        {
            "configFiles": "conf/flyway.conf",
            "locations": "filesystem:/flyway/sql",
            "schemas": "public",
        },
    ),
    Call("migrate", "migrate"),
    Call("info", "info"),
    Call("validate", "validate"),
    Call("repair", "repair"),
    Call("-password= migrate", "migrate", {"password": ""}),
    Call("-url= -user= -locations= -outOfOrder= migrate", "migrate", dict.fromkeys(EMPTY, "")),
    Call("-installedBy= -placeholders.x= migrate", "migrate", {"installedBy": "", "placeholders": {"x": ""}}),
    # several commands
    Call(
        f"-url={URL} -user=owner -password=pw -connectRetries=60 clean migrate",
        "clean migrate",
        {**ACCOUNT, "connectRetries": "60"},
    ),
    Call("-cleanDisabled=false clean migrate info", "clean migrate info", {"cleanDisabled": "false"}),
    Call("info migrate -outOfOrder=true info", "info migrate info", {"outOfOrder": "true"}),
    Call("repair migrate -X", "repair migrate", debug=True),
    Call("baseline migrate -q", "baseline migrate", quiet=True),
    # shell scripts and Makefiles
    Call(
        f"-url={URL} -user=owner -n -locations=filesystem:conf/ddl/postgres/migrations migrate",
        "migrate",
        {"url": URL, "user": "owner", "locations": "filesystem:conf/ddl/postgres/migrations"},
    ),
    Call(
        f"-community -url='{URL}' -user='owner' -password='pw' -cleanDisabled=true -baselineOnMigrate=true "
        "-baselineVersion=1 -encoding=UTF-8 -outOfOrder=false -validateOnMigrate=true -schemas='app' "
        "-table='history' -locations='filesystem:/sql' migrate",
        "migrate",
        {
            **ACCOUNT,
            "cleanDisabled": "true",
            "baselineOnMigrate": "true",
            "baselineVersion": "1",
            "encoding": "UTF-8",
            "outOfOrder": "false",
            "validateOnMigrate": "true",
            "schemas": "app",
            "table": "history",
            "locations": "filesystem:/sql",
        },
    ),
    Call(
        "-locations='filesystem:/tmp/migrations' -connectRetries=60 -outOfOrder=true -placeholderReplacement=false "
        "-schemas=public -baselineVersion=1666966941 -baselineDescription='first state' baseline",
        "baseline",
        {
            "locations": "filesystem:/tmp/migrations",
            "connectRetries": "60",
            "outOfOrder": "true",
            "placeholderReplacement": "false",
            "schemas": "public",
            "baselineVersion": "1666966941",
            "baselineDescription": "first state",
        },
    ),
    Call(
        f"-url={URL} -user=owner baseline -baselineVersion=1 -baselineDescription='Existing schema'",
        "baseline",
        {"url": URL, "user": "owner", "baselineVersion": "1", "baselineDescription": "Existing schema"},
    ),
    Call("-mixed=true -schemas='shop' migrate", "migrate", {"mixed": "true", "schemas": "shop"}),
    Call("undo -configFiles=conf/flyway.conf", "undo", {"configFiles": "conf/flyway.conf"}),
    Call(
        "-X -configFiles=../shop/flyway.conf -locations=filesystem:../shop/migrations migrate",
        "migrate",
        {"configFiles": "../shop/flyway.conf", "locations": "filesystem:../shop/migrations"},
        debug=True,
    ),
    Call(
        "migrate -configFiles='./flyway.conf' -workingDirectory='./shop' -community",
        "migrate",
        {"configFiles": "./flyway.conf", "workingDirectory": "./shop"},
    ),
    Call("-configFiles=base.conf,prod.conf info", "info", {"configFiles": "base.conf,prod.conf"}),
    Call("'' -user=owner '' migrate", "migrate", {"user": "owner"}),
    Call(
        "-url='jdbc:postgresql://db:5432/shop?sslmode=require&currentSchema=app' migrate",
        "migrate",
        {"url": "jdbc:postgresql://db:5432/shop?sslmode=require&currentSchema=app"},
    ),
    # workflows
    Call("migrate -outputType=json", "migrate", json=True),
    Call("info -outputType=json -infoOfState=pending", "info", {"infoOfState": "pending"}, json=True),
    Call("-outputType=json clean migrate", "clean migrate", json=True),
    Call("-color=always -skipCheckForUpdate -communityFallback info", "info"),
    Call("-environment=prod migrate", "migrate", {"environment": "prod"}),
    Call(
        f"-environments.prod.url={URL} -environment=prod validate",
        "validate",
        {"environments.prod.url": URL, "environment": "prod"},
    ),
    Call(
        "-placeholders.stage=test -placeholders.app-role=reader migrate",
        "migrate",
        {"placeholders": {"stage": "test", "app-role": "reader"}},
    ),
    Call("-jdbcProperties.sslmode=require info", "info", {"jdbcProperties": {"sslmode": "require"}}),
    Call("-postgresql.transactional.lock=false migrate", "migrate", {"postgresql.transactional.lock": "false"}),
    Call("-target=2.1 -cherryPick=2.0,2.1 migrate", "migrate", {"target": "2.1", "cherryPick": "2.0,2.1"}),
    Call(
        "-ignoreMigrationPatterns='*:missing,*:future' validate",
        "validate",
        {"ignoreMigrationPatterns": "*:missing,*:future"},
    ),
    Call(
        "-skipExecutingMigrations=true -group=true migrate",
        "migrate",
        {"skipExecutingMigrations": "true", "group": "true"},
    ),
    Call("testConnection", "test-connection"),
    # Maven's -Dflyway.… and Gradle's -Pflyway.…, translated
    Call(
        f"-url={URL} -user=owner -password=pw -schemas=auth -defaultSchema=auth -table=auth_history "
        "-locations=classpath:db/migration/auth,classpath:db/repeatable migrate",
        "migrate",
        {
            **ACCOUNT,
            "schemas": "auth",
            "defaultSchema": "auth",
            "table": "auth_history",
            "locations": "classpath:db/migration/auth,classpath:db/repeatable",
        },
    ),
    Call(
        "-schemas=internal -cleanDisabled=false clean", "clean", {"schemas": "internal", "cleanDisabled": "false"}
    ),
    Call(
        "-baselineVersion=56 -baselineDescription='Complete schema' -baselineOnMigrate=true migrate",
        "migrate",
        {"baselineVersion": "56", "baselineDescription": "Complete schema", "baselineOnMigrate": "true"},
    ),
    # both styles in one call
    Call(f"migrate --out-of-order -url={URL}", "migrate", {"outOfOrder": True, "url": URL}),
    Call(
        "--url postgresql://db/shop -target=3 info --placeholder a=b -placeholders.c=d",
        "info",
        {"url": "postgresql://db/shop", "target": "3", "placeholders": {"a": "b", "c": "d"}},
    ),
    Call("--no-clean-disabled clean -o json migrate", "clean migrate", {"cleanDisabled": False}, json=True),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.line)
def test_a_command_line_has_the_meaning_that_it_has_for_flyway(call: Call) -> None:
    line = parse_command_line(shlex.split(call.line))
    name, *arguments = line.rest
    command = taxiway.get_command(click.Context(taxiway), name)
    assert command
    invocation = Invocation(settings=line.settings, json=wants_json(shlex.split(call.line)))

    parameters = command.make_context(name, arguments, obj=invocation).params

    settings = {name: value for name, value in parameters.items() if name in SETTINGS}
    assert given_arguments(line.settings, settings) == call.settings
    assert " ".join((str(command.name), *parameters["further"])) == call.commands
    assert (invocation.json, invocation.debug, invocation.quiet) == (call.json, call.debug, call.quiet)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.line)
def test_the_settings_of_a_command_line_are_accepted_and_hold(call: Call, tmp_path: Path) -> None:
    project = tmp_path / "project"
    write_named_files(project, call.settings)
    loaded = load(call.settings, environ={}, directory=project, secret=lambda _id, _key: "", read_stdin=lambda: "")
    shown = {one.key: one.value for one in loaded.effective}
    for key, value in single_settings(call.settings).items():
        is_given = value != "" or key.partition(".")[0] in {"installedBy", "placeholders"}
        assert (loaded.origins.get(key, "default") != "default") is is_given
        assert not is_given or shown[key] == as_shown(key, value)


def write_named_files(project: Path, settings: Mapping[str, object]) -> None:
    """What the settings speak of: configuration files, and environments in one of them."""
    project.mkdir()
    for name in str(settings.get("configFiles", "")).split(","):
        if name:
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).touch()
    if "environment" in settings:
        (project / "flyway.toml").write_text(f"[environments.{settings['environment']}]")


def single_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings by the keys that they have in the end, entries of maps one by one."""
    single: dict[str, object] = {}
    for key, value in settings.items():
        name = re.sub(r"^environments\.\w+\.", "", key)
        single |= (
            {f"{name}.{entry}": text for entry, text in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    return single


def as_shown(key: str, value: object) -> str:
    """A setting as ``taxiway config`` shows it."""
    if key == "password":
        return "********"
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("-ulr=jdbc:postgresql://db/shop migrate", "unknown-option", "Did you mean 'url'?"),
        ("-outoforder=true migrate", "unknown-option", "Did you mean 'outOfOrder'?"),
        ("-ignoreMissingMigrations=true migrate", "obsolete-option", "ignoreMigrationPatterns"),
        ("-url jdbc:postgresql://db/shop migrate", "configuration", "-url=VALUE"),
        ("-dryRunOutput=plan.sql migrate", "unsupported-option", "dryRunOutput"),
        ("-outputType=xml info", "configuration", "json"),
        ("-color=blue info", "configuration", "always"),
        ("-migrationId info", "configuration", "Did you mean '-migrationIds'?"),
        ("-migrationIds migrate", "configuration", "belongs to 'info'"),
        ("migrate plan", "configuration", "no command 'plan'"),
        ("check -code", "configuration", "is not here"),
        ("diff", "configuration", "pg_dump"),
        ("info check", "configuration", "is not here"),
        ("auth -agreeToEula", "configuration", "no licence"),
        ("migrate -target=3 --target 4", "configuration", "given twice"),
        ("add -typ=undo", "unknown-option", "typ"),
        ("add -add.typ=undo", "configuration", "Did you mean 'type'?"),
        ("run main -url=jdbc:postgresql://db/shop", "configuration", "not from -url"),
        ("-environment=nowhere migrate", "unknown-environment", "nowhere"),
        ("-locations=s3:bucket/sql migrate", "invalid-option", "s3:"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(
    workspace: Workspace, line: str, code: str, words: str
) -> None:
    assert words in complaint(workspace.run(*shlex.split(line)), 2, code)


def test_a_refusal_of_a_flag_is_json_when_json_was_asked_for(workspace: Workspace) -> None:
    result = workspace.run("-url", "jdbc:postgresql://db/shop", "-outputType=json", "migrate")
    assert (result.returncode, result.stderr) == (2, "")
    assert json.loads(result.stdout)["error"]["taxiwayCode"] == errors.ConfigError.code


# --- for real


SCRIPTS = {
    "V1__person.sql": "CREATE TABLE person (name text);",
    "V2__greeting.sql": "INSERT INTO person VALUES ('${who}');",
    "R__people.sql": "CREATE OR REPLACE VIEW people AS SELECT * FROM person;",
}


def call(workspace: Workspace, line: str, exit_code: int = 0, **environment: str) -> str:
    """Run a command line with the address of the database in Flyway's style; standard output."""
    database = workspace.database
    known = {
        "URL": f"jdbc:postgresql://127.0.0.1:{database.port}/{database.name}",
        "USER": database.user,
        "PASSWORD": database.password,
    }
    arguments = [argument.format(**known) for argument in shlex.split(line)]
    result = workspace.run(*arguments, environment={"FLYWAY_URL": "", "FLYWAY_PASSWORD": "", **environment})
    assert result.returncode == exit_code, (result.stdout, result.stderr)
    return result.stdout


@pytest.mark.parametrize(
    ("line", "applied"),
    [
        ("-url={URL} -user={USER} -password={PASSWORD} -placeholders.who=Ada migrate", ["1", "2", None]),
        ("migrate -target=1 -url={URL} -user={USER} -password={PASSWORD}", ["1", None]),
        (
            "-url={URL}?user={USER} -password={PASSWORD} -connectRetries=2 --placeholder who=Ada migrate",
            ["1", "2", None],
        ),
        (
            "-environments.e.url={URL} -environments.e.user={USER} -environments.e.password={PASSWORD} -environment=e migrate",
            ["1", "2", None],
        ),
    ],
)
def test_a_flyway_call_migrates(workspace: Workspace, line: str, applied: list[str | None]) -> None:
    workspace.write(SCRIPTS)
    call(workspace, line, FLYWAY_PLACEHOLDERS_WHO="Grace")
    assert workspace.applied() == applied


ADDRESS = "-url={URL} -user={USER} -password={PASSWORD}"


def test_several_commands_run_in_their_order(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();"})
    output = call(workspace, f"info migrate info {ADDRESS}")
    assert output.index("Pending") < output.index("Successfully applied") < output.index("Success ")
    assert output.count("Database: ") == 1


def test_clean_and_migrate_in_one_call(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();"})
    call(workspace, f"migrate {ADDRESS}")
    call(workspace, f"-cleanDisabled=false clean migrate {ADDRESS}")
    assert workspace.applied() == ["1"]


def test_the_first_failure_is_the_last_command(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT nope;"})
    output = call(workspace, f"info migrate info {ADDRESS}", exit_code=1)
    assert output.count("Schema version:") == 1


def test_several_results_are_one_json(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();"})
    results = json.loads(call(workspace, f"info migrate validate -outputType=json {ADDRESS}"))["individualResults"]
    assert [result["operation"] for result in results] == ["info", "migrate", "validate"]


def test_a_failed_migrate_is_the_last_of_the_results(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT nope;"})
    value = json.loads(call(workspace, f"info migrate info -outputType=json {ADDRESS}", exit_code=1))
    before, failed = value["individualResults"]
    assert (before["operation"], failed["success"]) == ("info", False)


def test_another_failure_comes_beside_the_results(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    value = json.loads(call(workspace, f"info clean -outputType=json {ADDRESS}", exit_code=2))
    assert value["error"]["taxiwayCode"] == "clean-disabled"
    assert [result["operation"] for result in value["individualResults"]] == ["info"]


def test_migration_ids_are_all_that_is_printed(workspace: Workspace) -> None:
    workspace.write(SCRIPTS)
    assert call(workspace, f"info -migrationIds -placeholders.who=Ada {ADDRESS}") == "1,2,people"


def test_a_password_in_the_arguments_works_and_is_warned_of(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    database = workspace.database
    result = workspace.run("info", f"-password={database.password}", environment={"FLYWAY_PASSWORD": ""})
    assert result.returncode == 0
    assert "visible to everybody" in result.stderr
    assert database.password not in result.stdout + result.stderr


def test_output_goes_to_a_file_as_well(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    output = call(workspace, f"info -color=always -outputFile=out.txt {ADDRESS}")
    copy = (workspace.directory / "out.txt").read_text()
    assert "Schema version: << Empty Schema >>" in copy
    assert copy.splitlines()[-5:] == output.splitlines()[-5:]


def test_json_goes_to_a_file_as_well_and_so_does_an_error(workspace: Workspace) -> None:
    output = call(workspace, f"migrate -outputType=json -outputFile=out.json {ADDRESS}", exit_code=2)
    assert json.loads((workspace.directory / "out.json").read_text()) == json.loads(output)


def test_an_output_file_that_cannot_be_written_is_told_before_anything_runs(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    complaint(workspace.run("migrate", "-outputFile=no/such/folder/out.txt"), 2, "invalid-option")
    assert workspace.query("SELECT to_regclass('flyway_schema_history')") == [(None,)]


def test_debug_shows_statements_and_settings_but_no_secret(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();\n\nSELECT 1;"})
    output = call(workspace, f"migrate -X {ADDRESS}")
    assert "DEBUG: V1__a.sql:3: SELECT 1" in output
    assert "DEBUG: password = ****" in output
    assert workspace.database.password not in output


def test_quiet_leaves_warnings_and_rows(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();\nCREATE TABLE IF NOT EXISTS a ();\nSELECT 42 AS answer;"})
    lines = call(workspace, f"migrate -q {ADDRESS}").splitlines()
    assert lines[0].startswith('WARNING: DB: relation "a" already exists')
    assert "| answer |" in lines
    assert not [line for line in lines if "Migrating" in line or "applied" in line]


def test_the_log_can_be_json_lines_on_standard_error(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();"})
    result = workspace.run("migrate", "-outputLogsInJson=true", "-outputType=json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["success"]
    logged = [json.loads(line) for line in result.stderr.splitlines()]
    assert {"level": "INFO", "message": 'Migrating schema "public" to version "1 - a"'} in logged


@pytest.mark.parametrize(
    ("arguments", "environment", "is_colored"),
    [
        (["-color=always"], {}, True),
        (["-color=auto"], {}, False),
        (["-color=always"], {"NO_COLOR": "1"}, True),
        (["-color=never"], {}, False),
    ],
)
def test_colours_are_as_asked(
    workspace: Workspace, arguments: list[str], environment: dict[str, str], is_colored: bool
) -> None:
    result = workspace.run("migrate", "-target=oops", *arguments, environment=environment)
    assert ("\x1b[" in result.stderr) is is_colored


def test_a_connection_can_be_tested_without_scripts(workspace: Workspace) -> None:
    workspace.scripts.rmdir()
    assert "Successfully connected to 127.0.0.1" in call(workspace, f"testConnection {ADDRESS}")
    value = json.loads(call(workspace, f"test-connection -outputType=json {ADDRESS}"))
    assert value["successfulConnections"] == ["Flyway"]
