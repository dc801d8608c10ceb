"""What is going to run, and the rows that it leaves."""

from dataclasses import replace

import pytest

from taxiway import errors
from taxiway.model.migration import (
    AppliedMigration,
    HistoryRow,
    MigrationType,
    ResolvedMigration,
    recorded_description,
)
from taxiway.model.plan import PlannedMigration
from taxiway.model.rules import IgnorePattern, Policy, Target
from taxiway.model.script import Script
from taxiway.planning.history import applied_row, history_script, next_rank, schema_marker, schema_marker_rank
from taxiway.planning.migrate import pending, refuse_mixed_group, runs_as_one
from taxiway.planning.reconcile import reconcile
from tests.support.builders import applied, baseline, history, repeatable, resolved, schema_row

type Files = list[ResolvedMigration]
type Rows = list[AppliedMigration]

FILES = [repeatable("b"), repeatable("a"), resolved("3"), resolved("1"), resolved("2")]


def planned(files: Files, rows: Rows, policy: Policy) -> list[str]:
    plan = pending(reconcile(files, history(*rows), policy), policy)
    return [one.migration.script + (" late" if one.out_of_order else "") for one in plan]


PLANS: dict[str, tuple[Files, Rows, Policy, list[str]]] = {
    "versions first, then descriptions": (
        FILES,
        [],
        Policy(),
        ["V1__x.sql", "V2__x.sql", "V3__x.sql", "R__a.sql", "R__b.sql"],
    ),
    "what is applied does not run": (
        FILES,
        [applied("1"), applied(None, "a")],
        Policy(),
        ["V2__x.sql", "V3__x.sql", "R__b.sql"],
    ),
    "what is late does not run": (FILES, [applied("2")], Policy(), ["V3__x.sql", "R__a.sql", "R__b.sql"]),
    "unless that is allowed": (
        FILES,
        [applied("2")],
        Policy(out_of_order=True),
        ["V1__x.sql late", "V3__x.sql", "R__a.sql", "R__b.sql"],
    ),
    "only one when the target is next": (
        FILES,
        [applied("1")],
        Policy(target=Target.parse("next")),
        ["V2__x.sql"],
    ),
    "a repeatable may be next": (FILES[:2], [], Policy(target=Target.parse("next")), ["R__a.sql"]),
    "repeatables have no target": (
        FILES,
        [],
        Policy(target=Target.parse("1")),
        ["V1__x.sql", "R__a.sql", "R__b.sql"],
    ),
    "the baseline file instead of what it stands for": (
        [resolved("1"), baseline("1"), resolved("2")],
        [schema_row()],
        Policy(),
        ["B1__x.sql", "V2__x.sql"],
    ),
    "nothing": ([], [], Policy(), []),
}


@pytest.mark.parametrize(("files", "rows", "policy", "expected"), PLANS.values(), ids=PLANS)
def test_what_runs(files: Files, rows: Rows, policy: Policy, expected: list[str]) -> None:
    assert planned(files, rows, policy) == expected


FAILED = [applied("1", success=False)]


@pytest.mark.parametrize(
    ("files", "rows", "patterns"),
    [
        ([resolved("1")], FAILED, "*:future"),
        ([resolved("1"), resolved("2")], FAILED, "*:*"),
        ([resolved("2")], FAILED, "*:future"),
        ([], FAILED, "*:missing"),
        ([], [*FAILED, applied("2", success=False)], "*:future"),
        ([repeatable("a")], [applied(None, "a", success=False)], "*:future"),
    ],
)
def test_a_failed_row_is_in_the_way(files: Files, rows: Rows, patterns: str) -> None:
    with pytest.raises(errors.FailedMigrationRecorded, match=r"(version 1|migration 'a').*\(Failed"):
        planned(files, rows, Policy(ignore_patterns=(IgnorePattern.parse(patterns),)))


def test_a_single_failed_row_of_the_future_is_let_pass_when_the_future_is_ignored() -> None:
    assert planned([], FAILED, Policy()) == []


def test_the_row_of_a_migration() -> None:
    assert applied_row(resolved("1_0", "add users", checksum=-5), 3, "me", 12) == HistoryRow(
        installed_rank=3,
        version="1.0",
        description="add users",
        type=MigrationType.SQL,
        script="V1_0__add users.sql",
        checksum=-5,
        installed_by="me",
        execution_time_ms=12,
        success=True,
    )


def test_the_row_of_a_failed_repeatable_migration() -> None:
    row = applied_row(repeatable("a"), 1, "me", 0, success=False)
    assert (row.version, row.success) == (None, False)


def test_long_descriptions_and_scripts_are_cut_in_the_row() -> None:
    migration = replace(resolved("1", "d" * 201), script="s" * 1001)
    row = applied_row(migration, 1, "me", 0)
    assert (len(row.description), len(row.script)) == (200, 1000)


def test_the_note_of_created_schemas() -> None:
    assert schema_marker(["s1", 'My"S'], 0, "me") == HistoryRow(
        installed_rank=0,
        version=None,
        description="<< Flyway Schema Creation >>",
        type=MigrationType.SCHEMA,
        script='"s1","My""S"',
        checksum=None,
        installed_by="me",
        execution_time_ms=0,
        success=True,
    )


@pytest.mark.parametrize(
    ("rows", "rank"),
    [([], 1), ([replace(schema_row(), installed_rank=0)], 1), (history(applied("1"), applied("2")), 3)],
)
def test_the_next_rank_is_one_more_than_the_highest(rows: list[AppliedMigration], rank: int) -> None:
    assert next_rank(rows) == rank


def test_a_description_of_200_characters_is_kept_and_a_longer_one_cut_at_its_end() -> None:
    assert recorded_description("d" * 200) == "d" * 200
    assert recorded_description("d" * 201) == "d" * 197 + "..."


def test_a_path_of_1000_characters_is_kept_and_of_a_longer_one_the_start() -> None:
    assert history_script("s" * 1000) == "s" * 1000
    assert history_script("abc" + "s" * 997 + "end") == "..." + "s" * 997


@pytest.mark.parametrize(("rows", "rank"), [([], 0), ([schema_row()], 2), ([applied("1")], 2)])
def test_the_note_of_created_schemas_has_rank_zero_in_an_empty_history(rows: Rows, rank: int) -> None:
    assert schema_marker_rank(history(*rows)) == rank


@pytest.mark.parametrize(("digits", "fits"), [(50, True), (51, False)])
def test_a_version_has_to_fit_into_the_history(digits: int, *, fits: bool) -> None:
    files = [resolved("1"), resolved("2" * digits)]
    if fits:
        assert len(planned(files, [], Policy())) == 2
    else:
        with pytest.raises(errors.ScriptError, match=r"V2+__x\.sql: the version has 51 characters"):
            planned(files, [], Policy())


def test_a_long_version_that_is_not_run_is_in_nobodys_way() -> None:
    files = [resolved("1"), resolved("2" * 51)]
    assert planned(files, [], Policy(target=Target.parse("1"))) == ["V1__x.sql"]


def group(*transactional: bool) -> list[PlannedMigration]:
    return [
        PlannedMigration(migration=resolved(str(number)), script=Script((), transactional=one))
        for number, one in enumerate(transactional, start=1)
    ]


@pytest.mark.parametrize(
    ("kinds", "as_one"),
    [([], True), ([True, True], True), ([True, False], False), ([False, True], False), ([False], False)],
)
def test_a_group_runs_as_one_when_each_of_it_runs_in_a_transaction(kinds: list[bool], *, as_one: bool) -> None:
    assert runs_as_one(group(*kinds)) is as_one


@pytest.mark.parametrize("kinds", [[], [True], [False], [True, True], [False, False]])
def test_a_group_of_one_kind_is_not_refused(kinds: list[bool]) -> None:
    refuse_mixed_group(group(*kinds))


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([True, True, False], "V3__x.sql: it runs outside of a transaction"),
        ([False, True, True], "V2__x.sql: it runs in a transaction"),
    ],
)
def test_a_group_of_both_kinds_is_refused_with_the_first_of_the_second_kind(kinds: list[bool], words: str) -> None:
    with pytest.raises(errors.MixedTransactions, match=words) as caught:
        refuse_mixed_group(group(*kinds))
    assert "mixed=true" in (caught.value.hint or "")
