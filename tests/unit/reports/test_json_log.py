"""The log as JSON: one object per line, whose shape is a promise."""

import json
from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest

from taxiway import errors
from taxiway.model import event as events
from taxiway.model.migration import MigrationKind
from taxiway.model.role import PasswordSet
from taxiway.model.run_report import RunReport
from taxiway.reports.json_log import ending_line, error_line, event_line, event_name, stop_line
from taxiway.secret import Secret
from tests.support.builders import applied, resolved

NOON = datetime(2026, 3, 1, 12, 0, 0, 5000, tzinfo=timezone(timedelta(hours=2)))
HEAD = {"v": 1, "time": "2026-03-01T10:00:00.005Z"}


def test_an_event_has_its_fields_in_camel_case_and_the_text_of_the_ordinary_log() -> None:
    event = events.StatementRun(script="V1__a.sql", line=3, duration_ms=12, command="INSERT 0 1")
    assert event_line(event, NOON) == HEAD | {
        "level": "debug",
        "event": "statement-run",
        "message": "V1__a.sql:3: INSERT 0 1 (00:00.012s)",
        "script": "V1__a.sql",
        "line": 3,
        "durationMs": 12,
        "command": "INSERT 0 1",
    }


def test_a_migration_is_an_object_without_its_content() -> None:
    line = event_line(events.MigrationFinished(migration=resolved("1.2"), duration_ms=7), NOON)
    assert line["migration"] == {
        "version": "1.2",
        "description": "x",
        "type": "SQL",
        "script": "V1.2__x.sql",
        "checksum": resolved("1.2").checksum,
        "path": resolved("1.2").path,
    }


@pytest.mark.parametrize(
    "event",
    [
        events.RowAligned(before=applied("1"), after=applied("1")),
        events.RowsReturned(script="V1__a.sql", table=events.ResultTable(("n",), (("1",), (None,)))),
        events.Validated(count=2),
        events.Warned(message="look"),
    ],
)
def test_whatever_an_event_holds_can_be_written_as_json(event: events.Event) -> None:
    assert json.loads(json.dumps(event_line(event, NOON)))["event"] == event_name(event)


def test_the_names_of_events_are_those_of_the_page() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[3] / "docs/reference/json-log.md").read_text()
    kinds = get_args(events.Event.__value__)
    missing = [
        kind.__name__ for kind in kinds if f"| `{event_name(kind.__new__(kind, *kind._fields))}` |" not in page
    ]
    assert missing == []


def test_a_changed_role_is_told_without_its_password() -> None:
    change = PasswordSet("reporting", Secret("canary"), reason="")
    line = event_line(events.RoleChanged(change), NOON)
    assert "canary" not in json.dumps(line)
    assert line["change"]["role"] == "reporting"


def test_what_is_on_its_way_is_told_by_name() -> None:
    begun = events.ChangeBegun(outcome=(events.SchemaCreated(schema="app"),))
    assert event_line(begun, NOON)["outcome"] == ["schema-created"]


def test_the_message_of_a_notice_is_the_servers_own() -> None:
    notice = events.NoticeReceived(severity="NOTICE", message="skipping", sqlstate="00000")
    assert event_line(notice, NOON)["message"] == "skipping"


def test_a_failed_migration_has_a_place() -> None:
    error = errors.MigrationFailed(
        "broken",
        kind=MigrationKind.VERSIONED,
        script="V1__a.sql",
        path="sql/V1__a.sql",
        line=2,
        column=5,
        excerpt="> 2 | SELEC",
        sqlstate="42601",
        rolled_back=True,
        result=None,  # type: ignore[arg-type]  # not looked at
        hint="Correct it.",
    )
    assert error_line(error, NOON) == HEAD | {
        "level": "error",
        "event": "error",
        "message": "broken",
        "code": "migration-failed",
        "hint": "Correct it.",
        "place": {
            "script": "V1__a.sql",
            "path": "sql/V1__a.sql",
            "line": 2,
            "column": 5,
            "excerpt": "> 2 | SELEC",
            "sqlState": "42601",
        },
    }


def test_other_errors_have_none() -> None:
    assert error_line(errors.ConfigError("no"), NOON)["place"] is None
    assert stop_line("stopped", NOON, code="terminated")["place"] is None


def test_the_ending_says_all_that_is_known() -> None:
    report = RunReport(exit_code=4, applied=2, schema_version="3", branch="main", code="lock-timeout")
    assert ending_line(report, NOON) == HEAD | {
        "level": "error",
        "event": "result",
        "message": "Result: FAILED (lock-timeout), 2 applied, schema version 3, branch main, exit code 4",
        "outcome": "FAILED",
        "code": "lock-timeout",
        "exitCode": 4,
        "applied": 2,
        "schemaVersion": "3",
        "branch": "main",
        "commit": None,
        "runId": None,
    }
