"""When a history may be given a baseline, and what it begins with then."""

import pytest

from taxiway import errors
from taxiway.model.migration import AppliedMigration, MigrationType
from taxiway.model.version import MigrationVersion
from taxiway.planning.baseline import baseline_row, require_baseline
from tests.support.builders import applied, history, schema_row, stored

ONE = MigrationVersion("1")
TEXT = "it's theirs"


def begins(version: str, description: str = TEXT) -> AppliedMigration:
    return stored(baseline_row(MigrationVersion(version), description, "me"))


@pytest.mark.parametrize(
    "rows",
    [
        [begins("1")],
        [begins("1.0")],
        [begins("1"), schema_row()],
        [schema_row(), begins("1")],
        [begins("1"), applied("2")],
    ],
)
def test_a_history_that_begins_so_is_accepted(rows: list[AppliedMigration]) -> None:
    require_baseline(history(*rows), ONE, TEXT, table="t")


REFUSED: dict[str, tuple[list[AppliedMigration], str, str]] = {
    "another version": ([begins("2")], "1", r"has the baseline \(2, 'it's theirs'\) already"),
    "another description": ([begins("1", "other")], "1", r"has the baseline \(1, 'other'\) already"),
    "version 0 of created schemas": ([schema_row()], "0", "version 0 stands for the creation of the schemas"),
    "migrations": ([schema_row(), applied("1")], "1", "has migrations already"),
    "repeatable migrations": ([applied(None, "a")], "1", "has migrations already"),
    "a baseline script": ([applied("1", type=MigrationType.SQL_BASELINE)], "1", "has migrations already"),
    "nothing": ([], "1", "exists and is empty"),
    "only created schemas": ([schema_row()], "1", "only rows that no script stands behind"),
    "a baseline that comes too late": (
        [schema_row(), applied("1", type=MigrationType.DELETE), begins("1")],
        "1",
        "only rows that no script stands behind",
    ),
}


@pytest.mark.parametrize(("rows", "version", "reason"), REFUSED.values(), ids=REFUSED)
def test_any_other_history_is_refused(rows: list[AppliedMigration], version: str, reason: str) -> None:
    with pytest.raises(errors.BaselineRefused, match=reason) as caught:
        require_baseline(history(*rows), MigrationVersion(version), TEXT, table='"public"."t"')
    assert caught.value.message.startswith('"public"."t" cannot be given')
    assert caught.value.hint


def test_the_row_of_a_baseline() -> None:
    row = baseline_row(MigrationVersion("1_2"), "d" * 250, "me")
    assert (row.installed_rank, row.version, row.type, row.checksum) == (1, "1.2", MigrationType.BASELINE, None)
    assert row.script == row.description == "d" * 197 + "..."


def test_a_long_description_is_recognised() -> None:
    require_baseline([begins("1", "d" * 250)], ONE, "d" * 250, table="t")


def test_a_version_that_does_not_fit_is_refused() -> None:
    with pytest.raises(errors.InvalidOption, match="baselineVersion has 51 characters"):
        baseline_row(MigrationVersion("1" * 51), TEXT, "me")
