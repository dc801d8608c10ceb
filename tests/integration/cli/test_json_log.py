"""``--log json``: each line of standard output is an object, and the last one says how it ended."""

import json
import signal
from typing import Any

import pytest

from tests.support.workspace import Workspace

CANARY = "n0t-t0-be-seen-4711"


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def kinds(output: str) -> list[str]:
    return [line["event"] for line in lines(output)]


def test_events_results_and_the_ending_come_in_their_order(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": "CREATE TABLE b ();"})
    result = workspace.run("migrate", "info", "--log", "json")
    assert (result.returncode, result.stderr) == (0, "")
    assert kinds(result.stdout) == [
        "connected",
        "validated",
        "change-begun",
        "history-created",
        "current-version",
        *["migration-started", "statement-run", "migration-finished"] * 2,
        "command-result",
        "command-result",
        "result",
    ]
    *_, migrate, info, ending = lines(result.stdout)
    assert (migrate["command"], migrate["result"]["migrationsExecuted"]) == ("migrate", 2)
    assert [one["state"] for one in info["result"]["migrations"]] == ["Success", "Success"]
    assert (ending["outcome"], ending["exitCode"], ending["applied"], ending["schemaVersion"]) == (
        "SUCCESS",
        0,
        2,
        "2",
    )


def test_the_variable_asks_for_it_and_a_flag_wins(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT 1;"})
    asked = workspace.run("info", environment={"TAXIWAY_LOG": "json"})
    assert kinds(asked.stdout)[-1] == "result"
    refused = workspace.run("info", "--log", "text", environment={"TAXIWAY_LOG": "json"})
    assert refused.stdout.startswith("Database: ")
    wrong = workspace.run("info", environment={"TAXIWAY_LOG": "xml"})
    assert wrong.returncode == 2
    assert "TAXIWAY_LOG is 'xml'" in wrong.stderr


def test_a_command_without_a_log_prints_what_it_always_prints(workspace: Workspace) -> None:
    result = workspace.run("version", environment={"TAXIWAY_LOG": "json"})
    assert result.stdout.startswith("taxiway ")


def test_a_failure_is_an_object_before_the_ending_and_shows_no_secret(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "CREATE TABLE a ();", "V2__b.sql": "SELECT '${password}'::int;"})
    (workspace.directory / "taxiway.toml").write_text('[flyway.placeholders]\npassword = "${env:CANARY}"\n')
    result = workspace.run("migrate", "--log=json", environment={"CANARY": CANARY})
    assert (result.returncode, result.stderr) == (1, "")
    *_, error, ending = lines(result.stdout)
    assert (error["event"], error["code"]) == ("error", "migration-failed")
    assert (error["place"]["script"], error["place"]["line"]) == ("V2__b.sql", 1)
    assert 'invalid input syntax for type integer: "' in error["message"]
    assert CANARY not in result.stdout
    assert (ending["event"], ending["outcome"], ending["code"]) == ("result", "FAILED", "migration-failed")
    assert (ending["exitCode"], ending["applied"], ending["schemaVersion"]) == (1, 1, "1")


@pytest.mark.parametrize("arguments", [["info", "--unknown"], ["info", "--url", "nonsense://x"]])
def test_what_is_refused_at_once_is_an_object_too(workspace: Workspace, arguments: list[str]) -> None:
    result = workspace.run(*arguments, "--log", "json")
    assert kinds(result.stdout) == ["error", "result"]
    assert lines(result.stdout)[-1]["exitCode"] == result.returncode == 2


def test_a_stop_is_told_before_the_ending(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "SELECT pg_sleep(60);"})
    with workspace.running("migrate", "--log", "json") as child:
        workspace.wait_for(
            "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%'"
            " AND pid <> pg_backend_pid()"
        )
        child.send_signal(signal.SIGTERM)
        output, _ = child.communicate(timeout=30)
    *_, stop, ending = lines(output)
    assert (stop["event"], stop["code"]) == ("error", "terminated")
    assert stop["message"].startswith("Terminated while V1__a.sql ran")
    assert (ending["outcome"], ending["exitCode"]) == ("TERMINATED", 143)


def test_quiet_leaves_warnings_results_and_the_ending(workspace: Workspace) -> None:
    workspace.write({"V1__a.sql": "DO $$BEGIN RAISE WARNING 'look'; END$$;"})
    result = workspace.run("migrate", "-q", "--log", "json")
    assert kinds(result.stdout) == ["notice-received", "command-result", "result"]


def test_the_variable_means_nothing_to_task(workspace: Workspace) -> None:
    result = workspace.run("task", "run", environment={"TAXIWAY_LOG": "json"})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("Code: missing-option\n")
