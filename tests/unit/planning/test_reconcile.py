"""States of migrations: the rules of Flyway 13, one situation each."""

import pytest

from taxiway import errors
from taxiway.model.info import MigrationState
from taxiway.model.migration import AppliedMigration, MigrationType, ResolvedMigration
from taxiway.model.rules import Policy, Target
from taxiway.model.version import MigrationVersion
from taxiway.planning.reconcile import current_version, reconcile
from tests.support.builders import (
    applied,
    baseline,
    history,
    repeatable,
    resolved,
    schema_row,
    states,
    undo,
)

OUT_OF_ORDER = Policy(out_of_order=True)

type Files = list[ResolvedMigration]
type Rows = list[AppliedMigration]


def target(text: str) -> Policy:
    return Policy(target=Target.parse(text))


def seen(files: Files, rows: Rows, policy: Policy = Policy()) -> list[str]:
    return states(reconcile(files, history(*rows), policy))


def delete(version: str | None, description: str = "x", *, success: bool = True) -> AppliedMigration:
    return applied(version, description, type=MigrationType.DELETE, success=success)


def undone(version: str, *, success: bool = True) -> AppliedMigration:
    return applied(version, type=MigrationType.UNDO_SQL, success=success)


def baseline_row(version: str) -> AppliedMigration:
    return applied(version, "<< Flyway Baseline >>", type=MigrationType.BASELINE, checksum=None)


def baseline_script_row(version: str, *, success: bool = True) -> AppliedMigration:
    return applied(version, type=MigrationType.SQL_BASELINE, success=success)


# --- versioned --------------------------------------------------------------------------------------------

VERSIONED = {
    "nothing at all": ([], [], []),
    "a file without row is pending": ([resolved("1")], [], ["1 Pending"]),
    "files are listed by version": ([resolved("10"), resolved("9")], [], ["9 Pending", "10 Pending"]),
    "file and row": ([resolved("1")], [applied("1")], ["1 Success"]),
    "versions are compared by value": ([resolved("1.0")], [applied("01")], ["01 Success"]),
    "another checksum does not change the state": ([resolved("1")], [applied("1", checksum=8)], ["1 Success"]),
    "a failed row": ([resolved("1")], [applied("1", success=False)], ["1 Failed"]),
    "a file below the latest row is ignored": (
        [resolved("1"), resolved("2")],
        [applied("2")],
        ["2 Success", "1 Ignored"],
    ),
    "a row after a higher one is out of order": (
        [resolved("1"), resolved("2")],
        [applied("2"), applied("1")],
        ["2 Success", "1 Out of Order"],
    ),
    "a row below the highest file is missing": (
        [resolved("2")],
        [applied("1"), applied("2")],
        ["1 Missing", "2 Success"],
    ),
    "a failed row below the highest file is missing": (
        [resolved("2")],
        [applied("1", success=False)],
        ["1 Failed (Missing)", "2 Pending"],
    ),
    "a row above the highest file is future": (
        [resolved("1")],
        [applied("1"), applied("2")],
        ["1 Success", "2 Future"],
    ),
    "a failed row above the highest file is future": (
        [resolved("1")],
        [applied("1"), applied("2", success=False)],
        ["1 Success", "2 Failed (Future)"],
    ),
    "without files every row is future": ([], [applied("1")], ["1 Future"]),
    "another type is another migration": (
        [resolved("1")],
        [applied("1", type=MigrationType.JDBC)],
        ["1 Future", "1 Pending"],
    ),
    "rows come before files": (
        [resolved("1"), resolved("2"), repeatable("a")],
        [applied(None, "a"), applied("1")],
        ["a Success", "1 Success", "2 Pending"],
    ),
    "the note of created schemas": (
        [resolved("1")],
        [schema_row()],
        ["<< Flyway Schema Creation >> Success", "1 Pending"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "expected"), VERSIONED.values(), ids=VERSIONED)
def test_versioned_migrations(files: Files, rows: Rows, expected: list[str]) -> None:
    assert seen(files, rows) == expected


def test_out_of_order_makes_a_late_file_pending() -> None:
    assert seen([resolved("1"), resolved("2")], [applied("2")], OUT_OF_ORDER) == ["2 Success", "1 Pending"]


def test_the_setting_does_not_change_how_a_late_row_is_called() -> None:
    rows = [applied("2"), applied("1")]
    assert seen([resolved("1"), resolved("2")], rows, OUT_OF_ORDER) == ["2 Success", "1 Out of Order"]


def test_rows_are_taken_by_rank() -> None:
    rows = tuple(reversed(history(applied("1"), applied("2"))))
    assert states(reconcile([resolved("1"), resolved("2")], rows, Policy())) == ["1 Success", "2 Success"]


# --- deleted ----------------------------------------------------------------------------------------------

DELETED = {
    "a deleted row stays and the mark is not listed": ([], [applied("1"), delete("1")], ["1 Deleted"]),
    "the file of a deleted row is pending again": (
        [resolved("1")],
        [applied("1"), delete("1")],
        ["1 Deleted", "1 Pending"],
    ),
    "a deleted row does not hold back lower files": (
        [resolved("1")],
        [applied("2"), delete("2")],
        ["2 Deleted", "1 Pending"],
    ),
    "applied again after deletion": (
        [resolved("1")],
        [applied("1"), delete("1"), applied("1")],
        ["1 Deleted", "1 Success"],
    ),
    "applied again below a higher version": (
        [resolved("1"), resolved("2")],
        [applied("1"), applied("2"), delete("1"), applied("1")],
        ["1 Deleted", "2 Success", "1 Out of Order"],
    ),
    "a mark for nothing": ([resolved("1")], [delete("1")], ["1 Pending"]),
    "a mark of a failed migration deletes nothing, as in Flyway": (
        [resolved("2")],
        [applied("1", success=False), delete("1", success=False)],
        ["1 Failed (Missing)", "1 Success", "2 Pending"],
    ),
    "a deleted repeatable and its mark": ([], [applied(None, "a"), delete(None, "a")], ["a Deleted", "a Success"]),
    "the file of a deleted repeatable is pending again": (
        [repeatable("a")],
        [applied(None, "a"), delete(None, "a")],
        ["a Deleted", "a Success", "a Pending"],
    ),
    "a repeatable may be deleted again": (
        [],
        [applied(None, "a"), delete(None, "a"), delete(None, "a")],
        ["a Deleted", "a Success", "a Success"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "expected"), DELETED.values(), ids=DELETED)
def test_deleted_migrations(files: Files, rows: Rows, expected: list[str]) -> None:
    assert seen(files, rows) == expected


def test_a_version_that_is_deleted_twice_is_refused() -> None:
    with pytest.raises(errors.HistoryUnreadable, match="version 1 as deleted twice"):
        seen([], [applied("1"), delete("1"), delete("1")])


# --- repeatable -------------------------------------------------------------------------------------------

REPEATABLE = {
    "up to date": ([repeatable("a")], [applied(None, "a")], ["a Success"]),
    "up to date by the checksum of the raw text": (
        [repeatable("a", checksum=1, equivalent_checksum=2)],
        [applied(None, "a", checksum=2)],
        ["a Success"],
    ),
    "changed": ([repeatable("a")], [applied(None, "a", checksum=8)], ["a Outdated", "a Pending"]),
    "an older run": (
        [repeatable("a")],
        [applied(None, "a", checksum=8), applied(None, "a")],
        ["a Superseded", "a Success"],
    ),
    "changed back to an older run": (
        [repeatable("a")],
        [applied(None, "a"), applied(None, "a", checksum=8)],
        ["a Superseded", "a Outdated", "a Pending"],
    ),
    "without file": (
        [],
        [applied(None, "a", checksum=8), applied(None, "a")],
        ["a Superseded", "a Missing"],
    ),
    "failed without file": ([], [applied(None, "a", success=False)], ["a Failed (Missing)"]),
    "failed with the present checksum": ([repeatable("a")], [applied(None, "a", success=False)], ["a Failed"]),
    "renamed": ([repeatable("b")], [applied(None, "a")], ["a Missing", "b Pending"]),
    "by description, after versions": (
        [repeatable("b"), repeatable("B"), resolved("1")],
        [],
        ["1 Pending", "B Pending", "b Pending"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "expected"), REPEATABLE.values(), ids=REPEATABLE)
def test_repeatable_migrations(files: Files, rows: Rows, expected: list[str]) -> None:
    assert seen(files, rows) == expected


# --- baseline ---------------------------------------------------------------------------------------------

BASELINE = {
    "the highest baseline file runs in a fresh database": (
        [resolved("1"), resolved("3"), baseline("2"), baseline("3"), resolved("4")],
        [],
        ["1 Below Baseline", "B2 Below Baseline", "3 Ignored (Baseline)", "B3 Pending", "4 Pending"],
    ),
    "schema notes and repeatables do not make a history": (
        [resolved("1"), baseline("1"), repeatable("a")],
        [schema_row(), applied(None, "a")],
        ["1 Ignored (Baseline)", "<< Flyway Schema Creation >> Success", "a Success", "B1 Pending"],
    ),
    "once applied, it stands for everything at or below": (
        [resolved("1"), resolved("2"), baseline("2"), resolved("3")],
        [baseline_script_row("2")],
        ["1 Below Baseline", "2 Ignored (Baseline)", "B2 Baseline", "3 Pending"],
    ),
    "a baseline file in a database with history is ignored": (
        [resolved("1"), baseline("2"), resolved("3")],
        [applied("1")],
        ["1 Success", "B2 Ignored", "3 Pending"],
    ),
    "so is one below the latest version": (
        [resolved("1"), baseline("1"), resolved("2")],
        [applied("1"), applied("2")],
        ["1 Success", "2 Success", "B1 Ignored"],
    ),
    "a baseline file at the applied baseline": (
        [baseline("2"), baseline("1"), baseline("3")],
        [baseline_row("2")],
        ["B1 Below Baseline", "B2 Ignored (Baseline)", "2 Baseline", "B3 Ignored"],
    ),
    "the row of the baseline command": (
        [resolved("1"), resolved("2"), resolved("3")],
        [baseline_row("2")],
        ["1 Below Baseline", "2 Ignored (Baseline)", "2 Baseline", "3 Pending"],
    ),
    "a baseline row without file is future": (
        [resolved("1")],
        [baseline_script_row("2")],
        ["1 Below Baseline", "B2 Future"],
    ),
    "a baseline row without file below the highest file is missing": (
        [resolved("3")],
        [baseline_script_row("2")],
        ["B2 Missing", "3 Pending"],
    ),
    "a failed baseline row has failed, file or not": (
        [],
        [baseline_script_row("2", success=False)],
        ["B2 Failed"],
    ),
    "a deleted baseline row keeps its effect when there is a higher version": (
        [resolved("1"), resolved("3")],
        [baseline_script_row("2"), applied("3"), delete("2")],
        ["1 Below Baseline", "B2 Deleted", "3 Success"],
    ),
    "after all is deleted a baseline file is not run again": (
        [baseline("2"), resolved("3")],
        [baseline_script_row("2"), delete("2")],
        ["B2 Ignored (Baseline)", "B2 Deleted", "3 Pending"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "expected"), BASELINE.values(), ids=BASELINE)
def test_baseline_migrations(files: Files, rows: Rows, expected: list[str]) -> None:
    assert seen(files, rows) == expected


def test_out_of_order_does_not_reach_below_the_baseline() -> None:
    assert seen([resolved("1")], [baseline_row("2")], OUT_OF_ORDER) == ["1 Below Baseline", "2 Baseline"]


# --- undo -------------------------------------------------------------------------------------------------

UNDO = {
    "available while the migration is applied": (
        [resolved("1"), undo("1")],
        [applied("1")],
        ["1 Success", "U1 Available"],
    ),
    "not available before": ([resolved("1"), undo("1")], [], ["1 Pending", "U1 Ignored"]),
    "after an undo the migration is pending again": (
        [resolved("1"), undo("1")],
        [applied("1"), undone("1")],
        ["1 Undone", "U1 Success", "1 Pending"],
    ),
    "applied once more, it can be undone once more": (
        [resolved("1"), undo("1")],
        [applied("1"), undone("1"), applied("1")],
        ["1 Undone", "U1 Success", "1 Success", "U1 Available"],
    ),
    "an undone version holds nothing back": (
        [resolved("1"), resolved("2")],
        [applied("2"), undone("2")],
        ["2 Undone", "U2 Success", "1 Pending", "2 Pending"],
    ),
    "the row of an undo without file is not missing": (
        [resolved("1"), resolved("2")],
        [applied("1"), undone("1")],
        ["1 Undone", "U1 Success", "1 Pending", "2 Pending"],
    ),
    "a failed undo undoes nothing": (
        [resolved("1"), undo("1")],
        [applied("1"), undone("1", success=False)],
        ["1 Success", "U1 Failed", "U1 Available"],
    ),
    "a baseline is not undone": (
        [undo("1"), baseline("1")],
        [baseline_script_row("1"), undone("1")],
        ["B1 Baseline", "U1 Success"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "expected"), UNDO.values(), ids=UNDO)
def test_undo_migrations(files: Files, rows: Rows, expected: list[str]) -> None:
    assert seen(files, rows) == expected


def test_undoable_are_live_versions_that_have_an_undo_file() -> None:
    files = [resolved("1"), resolved("2"), resolved("3"), undo("1"), undo("3"), repeatable("a")]
    rows = history(applied("1"), applied("2"), applied("3"), undone("3"), applied(None, "a"))
    infos = reconcile(files, rows, Policy())
    assert [f"{info.version} {info.state.value}" for info in infos if info.undoable] == ["1 Success", "3 Pending"]


def test_a_migration_whose_undo_failed_is_not_undoable_until_that_row_is_gone() -> None:
    files = [resolved("1"), undo("1")]
    [own, *_] = reconcile(files, history(applied("1"), undone("1", success=False)), Policy())
    assert (own.state, own.undoable) == (MigrationState.SUCCESS, False)
    [own, *_] = reconcile(files, history(applied("1")), Policy())
    assert own.undoable


def test_a_failed_migration_is_not_undoable() -> None:
    [failed, _] = reconcile([resolved("1"), undo("1")], history(applied("1", success=False)), Policy())
    assert failed.state is MigrationState.FAILED
    assert not failed.undoable


# --- target -----------------------------------------------------------------------------------------------

FILES = [resolved("1"), resolved("2"), resolved("3"), repeatable("a")]

TARGETS = {
    "a version": (FILES, [applied("1")], "2", ["1 Success", "2 Pending", "3 Above Target", "a Pending"]),
    "a version by value": (FILES, [], "1.0", ["1 Pending", "2 Above Target", "3 Above Target", "a Pending"]),
    "a row may be the target": (
        FILES,
        [applied("9")],
        "9",
        ["9 Future", "1 Ignored", "2 Ignored", "3 Ignored", "a Pending"],
    ),
    "above target comes before ignored": (
        FILES,
        [applied("3")],
        "1",
        ["3 Success", "1 Ignored", "2 Above Target", "a Pending"],
    ),
    "a version that need not exist": (
        FILES,
        [],
        "2.5?",
        ["1 Pending", "2 Pending", "3 Above Target", "a Pending"],
    ),
    "current": (FILES, [applied("1")], "current", ["1 Success", "2 Above Target", "3 Above Target", "a Pending"]),
    "current in an empty history": (
        FILES,
        [],
        "current",
        ["1 Above Target", "2 Above Target", "3 Above Target", "a Pending"],
    ),
    "next": (FILES, [applied("1")], "next", ["1 Success", "2 Pending", "3 Above Target", "a Pending"]),
    "next is a repeatable": (FILES[3:], [applied("9")], "next", ["9 Future", "a Pending"]),
    "nothing is next": ([resolved("1")], [applied("1")], "next", ["1 Success"]),
    "the baseline file is not held back": (
        [resolved("1"), baseline("2"), resolved("3")],
        [],
        "1",
        ["1 Below Baseline", "B2 Pending", "3 Above Target"],
    ),
    "the baseline file may be next": (
        [resolved("1"), baseline("2"), resolved("3")],
        [],
        "next",
        ["1 Below Baseline", "B2 Pending", "3 Above Target"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "text", "expected"), TARGETS.values(), ids=TARGETS)
def test_targets(files: Files, rows: Rows, text: str, expected: list[str]) -> None:
    assert seen(files, rows, target(text)) == expected


@pytest.mark.parametrize(("files", "rows"), [(FILES, []), ([], []), (FILES, [delete("2.5")])])
def test_a_target_that_nobody_knows_is_refused(files: Files, rows: Rows) -> None:
    with pytest.raises(errors.TargetNotFound, match=r"target version 2\.5") as caught:
        seen(files, rows, target("2.5"))
    assert "2.5?" in str(caught.value.hint)


# --- current version --------------------------------------------------------------------------------------

CURRENT: dict[str, tuple[Rows, str | None]] = {
    "nothing": ([], None),
    "the highest version, whatever came last": ([applied("2"), applied("1"), applied(None, "a")], "2"),
    "a deleted one does not count": ([applied("1"), applied("2"), delete("2")], "1"),
    "an undone one does not count, nor its undo": ([applied("1"), applied("2"), undone("2")], "1"),
    "a baseline counts": ([baseline_row("3")], "3"),
    "a failed one counts": ([applied("1"), applied("2", success=False)], "2"),
    "rows without a version have none": ([schema_row(), applied(None, "a")], None),
}


@pytest.mark.parametrize(("rows", "expected"), CURRENT.values(), ids=CURRENT)
def test_the_current_version(rows: Rows, expected: str | None) -> None:
    files = [resolved("1"), resolved("2"), repeatable("a")]
    version = current_version(reconcile(files, history(*rows), Policy()))
    assert version == (MigrationVersion(expected) if expected else None)


def test_ten_thousand_migrations_take_no_quadratic_time() -> None:
    files = [resolved(str(number)) for number in range(10_000)]
    rows = history(*(applied(str(number)) for number in range(9_999)))
    infos = reconcile(files, rows, target("next"))
    assert [info.state for info in infos[-2:]] == [MigrationState.SUCCESS, MigrationState.PENDING]
