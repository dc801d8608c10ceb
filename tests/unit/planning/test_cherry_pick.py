"""cherryPick: what is listed is considered, in the order of the list, and nothing else."""

from dataclasses import replace

import pytest

from taxiway import errors
from taxiway.model.info import MigrationState
from taxiway.model.migration import AppliedMigration, MigrationType, ResolvedMigration, ScriptConfiguration
from taxiway.model.rules import MigrationPattern, Policy, Target
from taxiway.planning.migrate import pending
from taxiway.planning.reconcile import current_version, reconcile
from taxiway.planning.validate import validate
from tests.support.builders import applied, baseline, history, repeatable, resolved, schema_row, states, undo

type Files = list[ResolvedMigration]
type Rows = list[AppliedMigration]

FILES = [resolved("1"), resolved("2"), resolved("3"), repeatable("a"), repeatable("b c")]


def picking(*names: str, out_of_order: bool = False, target: str = "latest") -> Policy:
    patterns = tuple(map(MigrationPattern, names))
    return Policy(cherry_pick=patterns, out_of_order=out_of_order, target=Target.parse(target))


def seen(files: Files, rows: Rows, policy: Policy) -> list[str]:
    return states(reconcile(files, history(*rows), policy))


STATES: dict[str, tuple[Files, Rows, Policy, list[str]]] = {
    "a version": (FILES, [], picking("2"), ["2 Pending", "1 Ignored", "3 Ignored", "a Ignored", "b c Ignored"]),
    "a version by value": (FILES[:2], [], picking("2_0"), ["2 Pending", "1 Ignored"]),
    "the order of the list": (
        FILES,
        [],
        picking("b_c", "3", "1"),
        ["b c Pending", "3 Pending", "1 Pending", "2 Ignored", "a Ignored"],
    ),
    "applied ones that are not listed": (
        FILES[:3],
        [schema_row(), applied("1"), applied("9")],
        picking("2", out_of_order=True),
        ["<< Flyway Schema Creation >> Success", "1 Ignored", "9 Ignored", "2 Pending", "3 Ignored"],
    ),
    "an applied one that is listed": (FILES[:2], [applied("1")], picking("1"), ["1 Success", "2 Ignored"]),
    "a failed one that is not listed": (
        FILES[:2],
        [applied("1", success=False)],
        picking("2"),
        ["1 Ignored", "2 Pending"],
    ),
    "a late one stays ignored": (
        FILES[:2],
        [applied("2")],
        picking("1"),
        ["2 Ignored", "1 Ignored"],
    ),
    "a baseline that is not listed holds nothing back": (
        [resolved("1"), baseline("2")],
        [],
        picking("1"),
        ["1 Pending", "B2 Ignored"],
    ),
    "a baseline that is listed": ([resolved("1"), baseline("2")], [], picking("2"), ["B2 Pending", "1 Ignored"]),
    "an applied baseline is one": (
        [baseline("2"), resolved("3")],
        [applied("2", type=MigrationType.SQL_BASELINE)],
        picking("3"),
        ["B2 Baseline", "3 Pending"],
    ),
    "marks of deletion and undone ones": (
        FILES[:1],
        [
            applied("1"),
            applied("1", type=MigrationType.UNDO_SQL),
            applied(None, "z"),
            applied(None, "z", type=MigrationType.DELETE),
        ],
        picking("1"),
        ["1 Undone", "U1 Success", "z Deleted", "z Success", "1 Pending"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "policy", "expected"), STATES.values(), ids=STATES)
def test_states(files: Files, rows: Rows, policy: Policy, expected: list[str]) -> None:
    assert seen(files, rows, policy) == expected


def test_what_runs_is_what_is_listed_in_that_order() -> None:
    policy = picking("3", "a", "1")
    plan = pending(reconcile(FILES, (), policy), policy)
    assert [one.migration.script for one in plan] == ["V3__x.sql", "R__a.sql", "V1__x.sql"]
    assert [one.out_of_order for one in plan] == [False, False, True]


def test_next_is_the_first_of_the_list() -> None:
    policy = picking("3", "1", target="next")
    assert [str(one.migration.version) for one in pending(reconcile(FILES, (), policy), policy)] == ["3"]


def test_the_current_version_is_that_of_all_rows() -> None:
    infos = reconcile(FILES, history(applied("1"), applied("2")), picking("a"))
    assert str(current_version(infos)) == "2"


@pytest.mark.parametrize("name", ["7", "nobody", "B C"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(errors.CherryPickNotFound, match=f"'{name}'") as caught:
        seen(FILES, [], picking("1", name))
    assert caught.value.hint


def test_a_row_without_a_script_may_be_listed() -> None:
    assert seen([resolved("1")], [applied("9")], picking("9")) == ["9 Future", "1 Ignored"]


PROBLEMS: dict[str, tuple[Files, Rows, Policy, list[str]]] = {
    "what is not listed is not checked": (
        [resolved("1", checksum=8), resolved("3")],
        [applied("1"), applied("2"), applied("3")],
        picking("3"),
        [],
    ),
    "what is listed is": ([resolved("1", checksum=8)], [applied("1")], picking("1"), ["CHECKSUM_MISMATCH"]),
    "what is listed and late is an error": (
        FILES[:2],
        [applied("2")],
        picking("1"),
        ["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"],
    ),
    "what is listed and late may be applied out of order": (
        FILES[:2],
        [applied("2")],
        picking("1", out_of_order=True),
        [],
    ),
    "a failed baseline is told in any case": (
        [baseline("1"), resolved("2")],
        [applied("1", type=MigrationType.SQL_BASELINE, success=False)],
        picking("2"),
        ["FAILED_VERSIONED_MIGRATION"],
    ),
}


@pytest.mark.parametrize(("files", "rows", "policy", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(files: Files, rows: Rows, policy: Policy, expected: list[str]) -> None:
    problems = validate(reconcile(files, history(*rows), policy), policy, pending_ignored=True)
    assert [problem.code for problem in problems] == expected


# --- scripts that are not to run --------------------------------------------------------------------------


def passive(script: ResolvedMigration) -> ResolvedMigration:
    return replace(script, configuration=ScriptConfiguration(should_execute=False))


PASSIVE: dict[str, tuple[Files, Rows, list[str]]] = {
    "is ignored": (
        [passive(resolved("1")), resolved("2"), passive(repeatable("a"))],
        [],
        ["1 Ignored", "2 Pending", "a Ignored"],
    ),
    "once applied, is like any other": ([passive(resolved("1"))], [applied("1")], ["1 Success"]),
    "a baseline holds nothing back": ([resolved("1"), passive(baseline("2"))], [], ["1 Pending", "B2 Ignored"]),
    "an undo script": ([resolved("1"), passive(undo("1"))], [applied("1")], ["1 Success", "U1 Ignored"]),
}


@pytest.mark.parametrize(("files", "rows", "expected"), PASSIVE.values(), ids=PASSIVE)
def test_a_script_that_is_not_to_run(files: Files, rows: Rows, expected: list[str]) -> None:
    infos = reconcile(files, history(*rows), Policy())
    assert states(infos) == expected
    assert validate(infos, Policy(), pending_ignored=True) == ()


def test_an_undo_script_that_is_not_to_run_undoes_nothing() -> None:
    [info, _] = reconcile([resolved("1"), passive(undo("1"))], history(applied("1")), Policy())
    assert (info.state, info.undo, info.undoable) == (MigrationState.SUCCESS, None, False)
