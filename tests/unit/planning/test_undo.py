"""Which migrations undo takes back, and in which order."""

import re
from dataclasses import replace

import pytest

from taxiway import errors
from taxiway.model.migration import AppliedMigration, MigrationType, ResolvedMigration, ScriptConfiguration
from taxiway.model.rules import MigrationPattern, Policy, Target
from taxiway.model.version import MigrationVersion
from taxiway.planning.reconcile import reconcile
from taxiway.planning.undo import UndoPlan, plan_undo, version_after
from tests.support.builders import applied, history, repeatable, resolved, schema_row, undo

type Files = list[ResolvedMigration]
type Rows = list[AppliedMigration]

THREE = [resolved("1"), resolved("2"), resolved("3"), repeatable("a")]
UNDOS = [undo("1"), undo("2"), undo("3")]
ROWS = [schema_row(), applied("1"), applied("2"), applied("3"), applied(None, "a")]
BASELINE = applied("1", type=MigrationType.BASELINE)


def undone(version: str) -> AppliedMigration:
    return applied(version, type=MigrationType.UNDO_SQL)


def target(text: str) -> Policy:
    return Policy(target=Target.parse(text))


def picking(*names: str) -> Policy:
    return Policy(cherry_pick=tuple(map(MigrationPattern, names)))


def plan(files: Files, rows: Rows, policy: Policy) -> UndoPlan:
    return plan_undo(reconcile(files, history(*rows), policy), policy)


def ranks(made: UndoPlan) -> list[int]:
    return [one.undone.installed_rank for one in made.undos]


PLANS: dict[str, tuple[Files, Rows, Policy, list[str], str | None]] = {
    "the last one": (THREE + UNDOS, ROWS, Policy(), ["U3"], None),
    "current is the last one": (THREE + UNDOS, ROWS, target("current"), ["U3"], None),
    "next is the last one": (THREE + UNDOS, ROWS, target("next"), ["U3"], None),
    "down to the target, which is undone too": (THREE + UNDOS, ROWS, target("2"), ["U3", "U2"], None),
    "a target between two": (THREE + UNDOS, ROWS, target("1.5?"), ["U3", "U2"], None),
    "a target below all": (THREE + UNDOS, ROWS, target("0?"), ["U3", "U2", "U1"], None),
    "in the reverse of the order in which they were applied": (
        THREE + UNDOS,
        [applied("1"), applied("3"), applied("2")],
        target("2"),
        ["U2", "U3"],
        None,
    ),
    "the last one is not the highest": (THREE + UNDOS, [applied("3"), applied("1")], Policy(), ["U1"], None),
    "one that was applied last is below the target": (
        THREE + UNDOS,
        [applied("1"), applied("3"), applied("2")],
        target("3"),
        [],
        "version 2 (x) was applied last, and is below the target 3.",
    ),
    "all that reach the target come after those below it": (
        THREE + UNDOS,
        [applied("1"), applied("2"), applied("3")],
        target("3"),
        ["U3"],
        None,
    ),
    "nothing applied": (THREE + UNDOS, [schema_row()], Policy(), [], "No version is applied."),
    "no undo script": (THREE, ROWS, Policy(), [], "version 3 (x) has no undo script."),
    "a baseline": (
        [*THREE, *UNDOS],
        [BASELINE],
        Policy(),
        [],
        "version 1 (x) is a baseline, which cannot be undone.",
    ),
    "a baseline script is not undone": (
        [resolved("2"), undo("1"), undo("2")],
        [applied("1", type=MigrationType.SQL_BASELINE)],
        Policy(),
        [],
        "version 1 (x) is a baseline, which cannot be undone.",
    ),
    "what is undone is not undone again": (
        THREE + UNDOS,
        [applied("1"), applied("2"), undone("2")],
        Policy(),
        ["U1"],
        None,
    ),
    "what was applied again is": (
        THREE + UNDOS,
        [applied("1"), undone("1"), applied("1")],
        Policy(),
        ["U1"],
        None,
    ),
    "what is deleted is not": (
        THREE + UNDOS,
        [applied("1"), applied("2"), applied("2", type=MigrationType.DELETE)],
        Policy(),
        ["U1"],
        None,
    ),
    "the script of a missing migration is not needed": ([undo("1")], [applied("1")], Policy(), ["U1"], None),
    "those listed, in the reverse of the list": (THREE + UNDOS, ROWS, picking("1", "3"), ["U3", "U1"], None),
    "the list decides": (THREE + UNDOS, ROWS, picking("3", "1"), ["U1", "U3"], None),
    "a list names each one once": (THREE + UNDOS, ROWS, picking("1", "1.0"), ["U1"], None),
    "of a list, what is applied": (THREE + UNDOS, [applied("1")], picking("1", "2"), ["U1"], None),
    "of a list, nothing is applied": (
        THREE + UNDOS,
        [applied("1")],
        picking("2"),
        [],
        "Nothing that cherryPick lists is applied.",
    ),
}


@pytest.mark.parametrize(("files", "rows", "policy", "expected", "obstacle"), PLANS.values(), ids=PLANS)
def test_what_is_undone(
    files: Files, rows: Rows, policy: Policy, expected: list[str], obstacle: str | None
) -> None:
    made = plan(files, rows, policy)
    assert [f"U{one.migration.version}" for one in made.undos] == expected
    assert made.obstacle == obstacle


BARRED: dict[str, tuple[Files, Rows, Policy, str]] = {
    "one that is below the target was applied in between": (
        THREE + UNDOS,
        [applied("2"), applied("1"), applied("3")],
        target("2"),
        "version 1 (x) is below the target 2, and was applied after version 2 (x).",
    ),
    "no undo script on the way": (
        [*THREE, undo("1"), undo("3")],
        ROWS,
        target("1"),
        "version 2 (x) has no undo script.",
    ),
    "a baseline on the way": (
        THREE + UNDOS,
        [BASELINE, applied("2")],
        target("1"),
        "version 1 (x) is a baseline, which cannot be undone.",
    ),
}


@pytest.mark.parametrize(("files", "rows", "policy", "bar"), BARRED.values(), ids=BARRED)
def test_a_target_that_cannot_be_reached_is_refused(files: Files, rows: Rows, policy: Policy, bar: str) -> None:
    with pytest.raises(errors.UndoImpossible, match=re.escape(bar)):
        plan(files, rows, policy)


def test_each_undo_knows_the_row_that_it_undoes() -> None:
    rows = [applied("1"), applied("2"), undone("2"), applied("2")]
    assert ranks(plan(THREE + UNDOS, rows, target("1"))) == [4, 1]


def test_an_undo_script_that_may_not_run_is_none() -> None:
    script = replace(undo("1"), configuration=ScriptConfiguration(should_execute=False))
    assert plan([resolved("1"), script], [applied("1")], Policy()).obstacle == "version 1 (x) has no undo script."


@pytest.mark.parametrize("rows", [[applied("1"), applied("2", success=False)], [applied("1", success=False)]])
def test_a_failed_migration_comes_first(rows: Rows) -> None:
    with pytest.raises(errors.FailedMigrationRecorded) as caught:
        plan(THREE + UNDOS, rows, Policy())
    assert "taxiway repair" in str(caught.value.hint)


def test_a_failed_undo_comes_first() -> None:
    failed = applied("1", type=MigrationType.UNDO_SQL, success=False)
    with pytest.raises(errors.FailedMigrationRecorded):
        plan(THREE + UNDOS, [applied("1"), failed], Policy())


@pytest.mark.parametrize(("name", "reason"), [("2", "no undo script"), ("a", "for versions only")])
def test_what_is_listed_has_to_be_undoable(name: str, reason: str) -> None:
    with pytest.raises(errors.CherryPickNotFound, match=reason) as caught:
        plan([*THREE, undo("1"), undo("3")], ROWS, picking("3", name))
    assert caught.value.hint


def test_the_version_afterwards_is_the_highest_that_is_left() -> None:
    rows = history(applied("1"), applied("3"), applied("2"))
    infos = reconcile(THREE + UNDOS, rows, Policy())
    assert version_after(infos, rows[2:]) == MigrationVersion("3")
    assert version_after(infos, rows[1:]) == MigrationVersion("1")
    assert version_after(infos, rows) is None
