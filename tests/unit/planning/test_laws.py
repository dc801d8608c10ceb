"""What holds for any set of files and any history."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from taxiway.model.info import MigrationState
from taxiway.model.migration import AppliedMigration, MigrationKind, MigrationType, ResolvedMigration
from taxiway.model.rules import IgnorePattern, Policy, Target, TargetKind
from taxiway.planning.migrate import applied_row, next_rank, pending
from taxiway.planning.reconcile import reconcile
from taxiway.planning.validate import validate
from tests.support.builders import applied, history, repeatable, resolved, stored

EITHER = st.booleans()
VERSIONS = st.sampled_from(["1", "1.1", "2", "3", "10"])
NAMES = st.sampled_from(["a", "b", "c"])
CHECKSUMS = st.sampled_from([7, 8])
VERSIONED_KINDS = st.sampled_from([MigrationKind.VERSIONED, MigrationKind.BASELINE, MigrationKind.UNDO])
TARGETS = st.sampled_from([Target(), Target(TargetKind.CURRENT), Target(TargetKind.NEXT), Target.parse("2?")])

SCRIPTS = st.lists(
    st.one_of(
        st.builds(lambda v, k, c: resolved(v, kind=k, checksum=c), VERSIONS, VERSIONED_KINDS, CHECKSUMS),
        st.builds(lambda d, c: repeatable(d, checksum=c), NAMES, CHECKSUMS),
    ),
    unique_by=lambda script: script.sort_key,
)
POLICIES = st.builds(lambda late, target: Policy(out_of_order=late, target=target), st.booleans(), TARGETS)

# Types of rows that a version can have. Deletions are added where they are lawful: once for each row.
ROW_TYPES = st.sampled_from(
    [
        MigrationType.SQL,
        MigrationType.BASELINE,
        MigrationType.SQL_BASELINE,
        MigrationType.JDBC,
        MigrationType.UNDO_SQL,
    ]
)


@st.composite
def histories(draw: st.DrawFn, *, success: st.SearchStrategy[bool] = EITHER) -> tuple[AppliedMigration, ...]:
    rows: list[AppliedMigration] = []
    for _ in range(draw(st.integers(0, 8))):
        version = draw(st.none() | VERSIONS)
        description = draw(NAMES) if version is None else "x"
        type_ = MigrationType.SQL if version is None else draw(ROW_TYPES)
        rows.append(applied(version, description, type=type_, checksum=draw(CHECKSUMS), success=draw(success)))
        if draw(st.booleans()) and not (type_.is_undo or type_.is_synthetic):
            rows.append(applied(version, description, type=MigrationType.DELETE))
    return history(*rows)


def is_listed(row: AppliedMigration) -> bool:
    return not (row.type is MigrationType.DELETE and row.success and row.version is not None)


@given(SCRIPTS, histories(), POLICIES)
def test_every_row_that_is_not_a_mark_of_deletion_is_in_exactly_one_entry(
    scripts: list[ResolvedMigration], rows: tuple[AppliedMigration, ...], policy: Policy
) -> None:
    infos = reconcile(scripts, rows, policy)
    assert [info.applied for info in infos if info.applied] == [row for row in rows if is_listed(row)]


@given(SCRIPTS, histories(), POLICIES)
def test_every_script_is_in_some_entry_and_on_its_own_in_one_at_most(
    scripts: list[ResolvedMigration], rows: tuple[AppliedMigration, ...], policy: Policy
) -> None:
    infos = reconcile(scripts, rows, policy)
    assert {info.resolved.script for info in infos if info.resolved} == {script.script for script in scripts}
    alone = [info.resolved for info in infos if info.resolved and info.applied is None]
    assert len(alone) == len({script.script for script in alone})


@given(SCRIPTS, histories(), POLICIES, st.randoms())
def test_the_order_in_which_files_and_rows_are_found_does_not_matter(
    scripts: list[ResolvedMigration], rows: tuple[AppliedMigration, ...], policy: Policy, random: Random
) -> None:
    shuffled_scripts, shuffled_rows = list(scripts), list(rows)
    random.shuffle(shuffled_scripts)
    random.shuffle(shuffled_rows)
    assert reconcile(shuffled_scripts, shuffled_rows, policy) == reconcile(scripts, rows, policy)


@given(SCRIPTS, histories(success=st.just(True)), POLICIES)
def test_after_everything_pending_was_applied_nothing_is_pending(
    scripts: list[ResolvedMigration], rows: tuple[AppliedMigration, ...], policy: Policy
) -> None:
    plan = pending(reconcile(scripts, rows, policy), policy)
    for rank, one in enumerate(plan, start=next_rank(rows)):
        rows = (*rows, stored(applied_row(one.migration, rank, "me", 1)))
    infos = reconcile(scripts, rows, policy)
    if policy.target.kind is TargetKind.NEXT:
        assert len(plan) <= 1
    else:
        assert [info for info in infos if info.state is MigrationState.PENDING] == []


@given(SCRIPTS, histories(), POLICIES)
def test_there_is_no_problem_when_every_state_is_ignored(
    scripts: list[ResolvedMigration], rows: tuple[AppliedMigration, ...], policy: Policy
) -> None:
    lenient = replace(policy, ignore_patterns=(IgnorePattern.parse("*:*"),))
    assert validate(reconcile(scripts, rows, policy), lenient, pending_ignored=False) == ()
