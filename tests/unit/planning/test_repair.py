"""What repair changes in the history, and what it leaves alone."""

from dataclasses import replace

import pytest

from taxiway import errors
from taxiway.model.migration import AppliedMigration, MigrationType, ResolvedMigration
from taxiway.model.plan import RepairPlan
from taxiway.model.rules import IgnorePattern, MigrationPattern, Policy, Target
from taxiway.planning.repair import plan_repair
from tests.support.builders import applied, baseline, history, repeatable, resolved, schema_row, stored, undo

type Files = list[ResolvedMigration]
type Rows = list[AppliedMigration]

# The default, and that of a project that has no future.
LENIENT, STRICT = Policy(), Policy(ignore_patterns=())


def plan(files: Files, rows: Rows, policy: Policy = LENIENT) -> RepairPlan:
    return plan_repair(files, history(*rows), policy, installed_by="me")


def repaired(files: Files, rows: Rows, policy: Policy = LENIENT) -> list[str]:
    """One line for each change, such as ``remove 1``, ``delete 2 as 4``, ``align 3``; numbers are ranks."""
    made = plan(files, rows, policy)
    return [
        *(f"remove {row.installed_rank}" for row in made.removals),
        *(f"delete {one.before.installed_rank} as {one.marker.installed_rank}" for one in made.deletions),
        *(f"align {one.before.installed_rank}" for one in made.alignments),
    ]


def picking(*names: str) -> Policy:
    return Policy(cherry_pick=tuple(map(MigrationPattern, names)))


FAILED = [applied("1"), applied("2", success=False), applied(None, "a", success=False)]
ONE_AND_TWO = [resolved("1"), resolved("2"), repeatable("a")]
BASELINE_ROW = applied("1", type=MigrationType.BASELINE, checksum=None)
UNDO_ROW = applied("1", type=MigrationType.UNDO_SQL)
DELETE_ROW = applied("1", type=MigrationType.DELETE)

REPAIRED: dict[str, tuple[Files, Rows, Policy, list[str]]] = {
    "an empty history": ([resolved("1")], [], STRICT, []),
    "agreement": ([resolved("1"), repeatable("a")], [applied("1"), applied(None, "a")], STRICT, []),
    "failed rows go": (ONE_AND_TWO, FAILED, STRICT, ["remove 2", "remove 3"]),
    "of failed rows the listed ones": (ONE_AND_TWO, FAILED, picking("a"), ["remove 3"]),
    "a listed row that failed goes, and nothing else has its name": (
        [],
        [applied("1", success=False)],
        picking("1"),
        ["remove 1"],
    ),
    "a failed row that is marked as deleted stays with its mark": (
        [],
        [applied("1"), DELETE_ROW, applied("1", success=False), DELETE_ROW],
        STRICT,
        [],
    ),
    "a failed row without a script goes, and leaves no mark": (
        [],
        [applied("1", success=False)],
        STRICT,
        ["remove 1"],
    ),
    "a row that came after a failed one keeps its rank": (
        [],
        [applied("1", success=False), applied("2")],
        STRICT,
        ["remove 1", "delete 2 as 3"],
    ),
    "missing rows are marked": (
        [resolved("3")],
        [applied("1"), applied("2"), applied("3")],
        LENIENT,
        ["delete 1 as 4", "delete 2 as 5"],
    ),
    "missing ones may be spared": (
        [resolved("3")],
        [applied("1"), applied(None, "a"), applied("3")],
        Policy(ignore_patterns=(IgnorePattern.parse("versioned:missing"),)),
        ["delete 2 as 4"],
    ),
    "future ones are spared by default": ([resolved("1")], [applied("1"), applied("2")], LENIENT, []),
    "future ones are marked otherwise": ([resolved("1")], [applied("1"), applied("2")], STRICT, ["delete 2 as 3"]),
    "a missing repeatable is marked once": (
        [],
        [applied(None, "a", checksum=8), applied(None, "a")],
        STRICT,
        ["delete 2 as 3"],
    ),
    "a missing baseline script is marked": (
        [resolved("5")],
        [applied("1", type=MigrationType.SQL_BASELINE)],
        STRICT,
        ["delete 1 as 2"],
    ),
    "rows of commands and undos stay": ([], [schema_row(), BASELINE_ROW, applied("1"), UNDO_ROW], STRICT, []),
    "what is marked is not marked again": ([], [applied("1"), DELETE_ROW], STRICT, []),
    "what is not listed stays": ([], [applied("1"), applied("2")], picking("2"), []),
    "a changed type leaves the earlier row alone": (
        [resolved("1")],
        [applied("1", type=MigrationType.JDBC), applied("1")],
        STRICT,
        [],
    ),
    "a changed checksum": ([resolved("1", checksum=8)], [applied("1")], LENIENT, ["align 1"]),
    "a missing checksum": ([resolved("1")], [applied("1", checksum=None)], LENIENT, ["align 1"]),
    "a changed description": ([resolved("1", "new")], [applied("1", "old")], LENIENT, ["align 1"]),
    "a baseline is aligned by no script": ([resolved("1", "new")], [BASELINE_ROW], LENIENT, []),
    "a script below the baseline is aligned": (
        [resolved("1", checksum=8), baseline("2")],
        [applied("1"), applied("2", type=MigrationType.SQL_BASELINE)],
        LENIENT,
        ["align 1"],
    ),
    "one that came late is aligned": (
        [resolved("1", checksum=8), resolved("2")],
        [applied("2"), applied("1")],
        LENIENT,
        ["align 2"],
    ),
    "one beyond the target is aligned": (
        [resolved("1"), resolved("2", checksum=8)],
        [applied("1"), applied("2")],
        Policy(target=Target.parse("1")),
        ["align 2"],
    ),
    "an undone one is not": ([resolved("1", checksum=8), undo("1")], [applied("1"), UNDO_ROW], LENIENT, []),
    "one that is not listed is not": (
        [resolved("1", checksum=8), resolved("2", checksum=8)],
        [applied("1"), applied("2")],
        picking("2"),
        ["align 2"],
    ),
    "a changed repeatable is to be run again": ([repeatable("a", checksum=8)], [applied(None, "a")], LENIENT, []),
    "a repeatable with the checksum of its raw text": (
        [repeatable("a", checksum=8, equivalent_checksum=7)],
        [applied(None, "a")],
        LENIENT,
        ["align 1"],
    ),
    "a repeatable that was a program": (
        [repeatable("a")],
        [applied(None, "a", type=MigrationType.SCRIPT)],
        LENIENT,
        ["align 1"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "policy", "expected"), REPAIRED.values(), ids=REPAIRED)
def test_what_is_repaired(files: Files, rows: Rows, policy: Policy, expected: list[str]) -> None:
    assert repaired(files, rows, policy) == expected


def test_an_aligned_row_has_the_description_type_and_checksum_of_its_script_and_keeps_the_rest() -> None:
    [row] = history(replace(applied("1", "old"), script="elsewhere/V1__old.sql"))
    made = plan_repair([resolved("1.0", "new", checksum=8)], [row], LENIENT, installed_by="me")
    assert [one.after for one in made.alignments] == [replace(row, description="new", checksum=8)]


def test_the_type_of_a_changed_repeatable_is_aligned_and_its_checksum_is_not() -> None:
    rows = [applied(None, "a", type=MigrationType.SCRIPT)]
    [alignment] = plan([repeatable("a", checksum=8)], rows).alignments
    assert (alignment.after.type, alignment.after.checksum) == (MigrationType.SQL, 7)


def test_a_long_description_is_compared_and_written_as_its_column_holds_it() -> None:
    long = "d" * 250
    cut = "d" * 197 + "..."
    assert plan([resolved("1", long)], [applied("1", cut)]).is_empty
    [alignment] = plan([resolved("1", long)], [applied("1", "x")]).alignments
    assert alignment.after.description == cut


def test_a_marker_is_the_row_that_it_marks_with_a_new_rank_and_without_a_duration() -> None:
    row = applied("1", "x", checksum=None)
    [deletion] = plan([resolved("2")], [row]).deletions
    assert stored(deletion.marker) == replace(
        row, installed_rank=2, type=MigrationType.DELETE, installed_by="me", execution_time_ms=0
    )


def test_a_list_with_something_unknown_is_refused() -> None:
    with pytest.raises(errors.CherryPickNotFound, match="'7'"):
        plan([resolved("1")], [], picking("1", "7"))
