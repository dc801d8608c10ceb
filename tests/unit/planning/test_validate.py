"""Disagreements between scripts and history."""

import pytest

from taxiway.model.migration import AppliedMigration, MigrationType, ResolvedMigration
from taxiway.model.result import ValidationProblem
from taxiway.model.rules import IgnorePattern, Policy, Target
from taxiway.planning.reconcile import reconcile
from taxiway.planning.validate import validate
from tests.support.builders import applied, baseline, history, repeatable, resolved, schema_row, undo

type Files = list[ResolvedMigration]
type Rows = list[AppliedMigration]


def problems(
    files: Files, rows: Rows, *patterns: str, pending_ignored: bool = False, target: str = "latest"
) -> tuple[ValidationProblem, ...]:
    policy = Policy(
        ignore_patterns=tuple(IgnorePattern.parse(pattern) for pattern in patterns), target=Target.parse(target)
    )
    return validate(reconcile(files, history(*rows), policy), policy, pending_ignored=pending_ignored)


def codes(files: Files, rows: Rows, *patterns: str, pending_ignored: bool = False) -> list[str]:
    return [problem.code for problem in problems(files, rows, *patterns, pending_ignored=pending_ignored)]


FOUND: dict[str, tuple[Files, Rows, list[str]]] = {
    "agreement": ([resolved("1"), repeatable("a")], [schema_row(), applied("1"), applied(None, "a")], []),
    "failed": ([resolved("1")], [applied("1", success=False)], ["FAILED_VERSIONED_MIGRATION"]),
    "failed repeatable": (
        [repeatable("a")],
        [applied(None, "a", success=False)],
        ["FAILED_REPEATABLE_MIGRATION"],
    ),
    "failed and missing": (
        [resolved("2")],
        [applied("1", success=False), applied("2")],
        ["FAILED_VERSIONED_MIGRATION"],
    ),
    "missing": ([resolved("2")], [applied("1"), applied("2")], ["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"]),
    "future": ([resolved("1")], [applied("1"), applied("2")], ["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"]),
    "missing repeatable, told once": (
        [],
        [applied(None, "a", checksum=8), applied(None, "a")],
        ["APPLIED_REPEATABLE_MIGRATION_NOT_RESOLVED"],
    ),
    "ignored": (
        [resolved("1"), resolved("2")],
        [applied("2")],
        ["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"],
    ),
    "ignored baseline file": ([resolved("1"), baseline("2")], [applied("1")], []),
    "unused undo file": ([undo("1")], [], []),
    "available undo file": ([resolved("1"), undo("1")], [applied("1")], []),
    "undo row without file": (
        [resolved("1")],
        [applied("1"), applied("1", type=MigrationType.UNDO_SQL), applied("1")],
        [],
    ),
    "undo row with another checksum": (
        [resolved("1"), undo("1")],
        [applied("1"), applied("1", type=MigrationType.UNDO_SQL, checksum=8), applied("1")],
        [],
    ),
    "pending": ([resolved("1")], [], ["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"]),
    "pending repeatable": ([repeatable("a")], [], ["RESOLVED_REPEATABLE_MIGRATION_NOT_APPLIED"]),
    "outdated, and pending again": (
        [repeatable("a")],
        [applied(None, "a", checksum=8)],
        ["OUTDATED_REPEATABLE_MIGRATION", "RESOLVED_REPEATABLE_MIGRATION_NOT_APPLIED"],
    ),
    "superseded": ([repeatable("a")], [applied(None, "a", checksum=8), applied(None, "a")], []),
    "type of a repeatable": (
        [repeatable("a")],
        [applied(None, "a", type=MigrationType.JDBC)],
        ["TYPE_MISMATCH"],
    ),
    "type of a versioned": (
        [resolved("1"), resolved("2")],
        [applied("1", type=MigrationType.JDBC), applied("2")],
        ["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED", "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"],
    ),
    "checksum": ([resolved("1")], [applied("1", checksum=8)], ["CHECKSUM_MISMATCH"]),
    "no checksum": ([resolved("1")], [applied("1", checksum=None)], []),
    "description": ([resolved("1", "new")], [applied("1", "old")], ["DESCRIPTION_MISMATCH"]),
    "checksum before description": (
        [resolved("1", "new")],
        [applied("1", "old", checksum=8)],
        ["CHECKSUM_MISMATCH"],
    ),
    "marker of an empty description": ([resolved("1", "")], [applied("1", "<< no description >>")], []),
    "marker against a description": (
        [resolved("1", "new")],
        [applied("1", "<< no description >>")],
        ["DESCRIPTION_MISMATCH"],
    ),
    "description that was cut": ([resolved("1", "x" * 201)], [applied("1", "x" * 197 + "...")], []),
    "script at the baseline": (
        [baseline("2")],
        [applied("2", type=MigrationType.SQL_BASELINE, checksum=8)],
        [],
    ),
    "script below a later baseline": (
        [resolved("1")],
        [applied("1", checksum=8), applied("2", type=MigrationType.BASELINE)],
        [],
    ),
    "baseline script that is gone": (
        [resolved("3")],
        [applied("2", type=MigrationType.SQL_BASELINE), applied("3")],
        ["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"],
    ),
    "deleted": ([], [applied("1"), applied("1", type=MigrationType.DELETE)], []),
    "deleted repeatable": ([], [applied(None, "a"), applied(None, "a", type=MigrationType.DELETE)], []),
}


@pytest.mark.parametrize(("files", "rows", "expected"), FOUND.values(), ids=FOUND)
def test_what_is_found(files: Files, rows: Rows, expected: list[str]) -> None:
    assert codes(files, rows) == expected


IGNORED: dict[str, tuple[Files, Rows, list[str], list[str]]] = {
    "future": ([resolved("1")], [applied("1"), applied("2")], ["*:future"], []),
    "failed future": ([], [applied("2", success=False)], ["*:future"], []),
    "failed future for one sort only": (
        [],
        [applied("2", success=False)],
        ["versioned:future"],
        ["FAILED_VERSIONED_MIGRATION"],
    ),
    "missing": ([resolved("2")], [applied("1"), applied("2")], ["versioned:missing"], []),
    "missing repeatable only": (
        [resolved("2")],
        [applied("1"), applied("2")],
        ["repeatable:missing"],
        ["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"],
    ),
    "missing does not cover failed": (
        [resolved("2")],
        [applied("1", success=False), applied("2")],
        ["*:missing"],
        ["FAILED_VERSIONED_MIGRATION"],
    ),
    "ignored": ([resolved("1"), resolved("2")], [applied("2")], ["*:ignored"], []),
    "pending": ([resolved("1"), repeatable("a")], [], ["*:pending"], []),
    "pending covers outdated": ([repeatable("a")], [applied(None, "a", checksum=8)], ["*:pending"], []),
    "pending of repeatables does not": (
        [repeatable("a")],
        [applied(None, "a", checksum=8)],
        ["repeatable:pending"],
        ["OUTDATED_REPEATABLE_MIGRATION"],
    ),
    "everything, failed ones included": ([resolved("1")], [applied("1", success=False)], ["*:*"], []),
}


@pytest.mark.parametrize(("files", "rows", "patterns", "expected"), IGNORED.values(), ids=IGNORED)
def test_what_is_ignored(files: Files, rows: Rows, patterns: list[str], expected: list[str]) -> None:
    assert codes(files, rows, *patterns) == expected


def test_the_default_policy_ignores_future_migrations() -> None:
    infos = reconcile([resolved("1")], history(applied("1"), applied("2")), Policy())
    assert validate(infos, Policy(), pending_ignored=False) == ()


def test_within_migrate_what_is_about_to_run_is_no_problem() -> None:
    files = [resolved("1"), resolved("2"), repeatable("a")]
    rows = [applied("1", checksum=8), applied(None, "a", checksum=8)]
    assert codes(files, rows, pending_ignored=True) == ["CHECKSUM_MISMATCH"]


def test_nothing_above_the_target_is_checked() -> None:
    assert problems([resolved("1"), resolved("2")], [applied("1")], target="1") == ()


def test_every_problem_is_told_in_the_order_of_the_migrations() -> None:
    files = [resolved("1"), resolved("2", "new"), resolved("4")]
    rows = [applied("1", checksum=8), applied("2", "old"), applied("3")]
    assert codes(files, rows) == [
        "CHECKSUM_MISMATCH",
        "DESCRIPTION_MISMATCH",
        "APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED",
        "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED",
    ]


def test_a_mismatch_is_told_with_place_both_values_and_what_to_do() -> None:
    [problem] = problems([resolved("1.1", "create")], [applied("1.1", "create", checksum=-8)])
    assert problem.path == "sql/V1.1__create.sql"
    assert str(problem.version) == "1.1"
    assert problem.description == "create"
    assert problem.message == (
        "sql/V1.1__create.sql: version 1.1 (create) was applied with the checksum -8, and the script now has 7. "
        "Restore the script as it was applied, or accept the new checksum with 'taxiway repair'."
    )


def test_a_missing_migration_is_told_with_the_script_that_it_came_from() -> None:
    [problem] = problems([], [applied("1", "create")])
    assert problem.path == ""
    assert problem.message.startswith("Version 1 (create) was applied from 1__create.sql, and no script")


@pytest.mark.parametrize(("files", "rows", "expected"), FOUND.values(), ids=FOUND)
def test_every_message_is_one_paragraph_that_names_the_migration(
    files: Files, rows: Rows, expected: list[str]
) -> None:
    for problem in problems(files, rows):
        assert "\n" not in problem.message
        assert str(problem.version or problem.description) in problem.message
        assert problem.message.endswith(".")
