"""Tables and sentences for people."""

import pytest

from taxiway.model import event as events
from taxiway.model.info import InfoResult, MigrationInfo, MigrationState
from taxiway.model.result import MigrateResult, MigrationOutput
from taxiway.model.settings import MigrationSettings
from taxiway.model.version import MigrationVersion
from taxiway.reports.log import describe
from taxiway.reports.text import render_duration, render_info, render_migrate
from tests.support.builders import applied, repeatable, resolved


def info_result(*migrations: MigrationInfo, version: str | None = None) -> InfoResult:
    return InfoResult(
        database="app",
        schema="public",
        schemas=(),
        schema_version=MigrationVersion(version) if version else None,
        migrations=migrations,
        all_schemas_empty=False,
        time_zone="UTC",
    )


def migrate_result(*versions: str | None) -> MigrateResult:
    outputs = [
        MigrationOutput(
            kind=resolved("1").kind,
            version=MigrationVersion(version) if version else None,
            description="",
            type="SQL",
            path="",
            execution_time_ms=1,
        )
        for version in versions
    ]
    last = next((one.version for one in reversed(outputs) if one.version), None)
    return MigrateResult(
        database="app",
        schema="public",
        schemas=(),
        initial_version=None,
        target_version=last,
        migrations=tuple(outputs),
        duration_ms=61_017,
    )


def test_an_empty_list_is_one_framed_line_after_where_was_looked() -> None:
    text = render_info(info_result(), MigrationSettings())
    assert text.startswith("Schema version: << Empty Schema >>\n\nNo migrations found on disk.")
    assert "| locations                    | filesystem:sql |" in text
    assert text.endswith("\n\n+---------------------+\n| No migrations found |\n+---------------------+")


def test_a_row_shows_the_history_and_a_waiting_script_shows_itself() -> None:
    row = applied("1", description="first")
    text = render_info(
        info_result(
            MigrationInfo(resolved=resolved("1"), applied=row, state=MigrationState.SUCCESS),
            MigrationInfo(resolved=repeatable("again"), applied=None, state=MigrationState.PENDING),
            version="1",
        ),
        MigrationSettings(),
    )
    lines = text.splitlines()
    assert lines[0] == "Schema version: 1"
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    assert cells[0] == ["Category", "Version", "Description", "Type", "Installed On", "State", "Undoable"]
    installed = f"{row.installed_on:%Y-%m-%d %H:%M:%S}"
    assert cells[1] == ["Versioned", "1", "first", "SQL", installed, "Success", "No"]
    assert cells[2] == ["Repeatable", "", "again", "SQL", "", "Pending", ""]


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        ((), 'Schema "public" is up to date. No migration necessary.'),
        (
            ("1.1",),
            'Successfully applied 1 migration to schema "public", now at version v1.1 (execution time 01:01.017s)',
        ),
        (
            ("1", None),
            'Successfully applied 2 migrations to schema "public", now at version v1 (execution time 01:01.017s)',
        ),
        ((None,), 'Successfully applied 1 migration to schema "public" (execution time 01:01.017s)'),
    ],
)
def test_the_summary_counts_and_names_the_version(versions: tuple[str | None, ...], sentence: str) -> None:
    assert render_migrate(migrate_result(*versions)) == sentence


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "00:00.000s"), (17, "00:00.017s"), (3_600_000, "60:00.000s")]
)
def test_durations_look_as_flyways(milliseconds: int, text: str) -> None:
    assert render_duration(milliseconds) == text


@pytest.mark.parametrize(
    ("sqlstate", "line"),
    [("00000", "DB: hello"), ("42P07", "WARNING: DB: hello (SQL State: 42P07 - Error Code: 0)")],
)
def test_a_notice_with_a_state_is_a_warning(sqlstate: str, line: str) -> None:
    assert str(describe(events.NoticeReceived(severity="NOTICE", message="hello", sqlstate=sqlstate))) == line


def test_a_migration_without_a_transaction_says_so() -> None:
    started = events.MigrationStarted(
        migration=resolved("2", description="index"), schema="app", out_of_order=True, transactional=False
    )
    assert (
        str(describe(started)) == 'Migrating schema "app" to version "2 - index" [non-transactional, out of order]'
    )
