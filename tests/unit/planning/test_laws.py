"""What holds for any set of files and any history."""

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from taxiway.model.info import MigrationState
from taxiway.model.migration import AppliedMigration, MigrationKind, MigrationType, ResolvedMigration
from taxiway.model.plan import RepairPlan
from taxiway.model.rules import IgnorePattern, MigrationPattern, Policy, Target, TargetKind
from taxiway.planning.history import applied_row, next_rank
from taxiway.planning.migrate import pending
from taxiway.planning.reconcile import reconcile
from taxiway.planning.repair import plan_repair
from taxiway.planning.undo import plan_undo
from taxiway.planning.validate import validate
from tests.support.builders import applied, history, repeatable, resolved, stored, undo

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
    lenient = policy._replace(ignore_patterns=(IgnorePattern.parse("*:*"),))
    assert validate(reconcile(scripts, rows, policy), lenient, pending_ignored=False) == ()


# --- repair -----------------------------------------------------------------------------------------------


def after(rows: tuple[AppliedMigration, ...], plan: RepairPlan) -> tuple[AppliedMigration, ...]:
    """The history once a plan was carried out."""
    removed = {row.installed_rank for row in plan.removals}
    aligned = {one.before.installed_rank: one.after for one in plan.alignments}
    kept = [aligned.get(row.installed_rank, row) for row in rows if row.installed_rank not in removed]
    return (*kept, *(stored(one.marker) for one in plan.deletions))


def is_applied_over_itself(rows: tuple[AppliedMigration, ...]) -> bool:
    """A version is applied while it is applied, with another type for example: no mark can mean its first row."""
    live: set[object] = set()
    for row in rows:
        if row.version in live and not row.type.is_undo and row.type is not MigrationType.DELETE:
            return True
        if row.version is not None and not row.type.is_undo:
            (live.discard if row.type is MigrationType.DELETE else live.add)(row.version)
    return False


@given(SCRIPTS, histories())
def test_repair_twice_is_repair_once(scripts: list[ResolvedMigration], rows: tuple[AppliedMigration, ...]) -> None:
    repaired = after(rows, plan_repair(scripts, rows, Policy(), installed_by="me"))
    assert plan_repair(scripts, repaired, Policy(), installed_by="me").is_empty


@given(SCRIPTS, histories())
def test_after_repair_nothing_but_what_waits_is_a_problem(
    scripts: list[ResolvedMigration], rows: tuple[AppliedMigration, ...]
) -> None:
    strict = Policy(ignore_patterns=(IgnorePattern.parse("*:ignored"),))
    assume(not is_applied_over_itself(rows))
    repaired = after(rows, plan_repair(scripts, rows, strict, installed_by="me"))
    assert validate(reconcile(scripts, repaired, strict), strict, pending_ignored=True) == ()


@given(SCRIPTS, histories())
def test_repair_leaves_every_rank_but_those_of_failed_rows_where_it_was(
    scripts: list[ResolvedMigration], rows: tuple[AppliedMigration, ...]
) -> None:
    plan = plan_repair(scripts, rows, Policy(), installed_by="me")
    repaired = after(rows, plan)
    ranks = [row.installed_rank for row in repaired]
    assert ranks == sorted(set(ranks))
    assert not any(row.success for row in plan.removals)


# --- undo -------------------------------------------------------------------------------------------------


@given(st.lists(VERSIONS, unique=True), st.data())
def test_migrating_and_undoing_leaves_the_same_to_be_done(versions: list[str], data: st.DataObject) -> None:
    scripts = [*map(resolved, versions), *map(undo, versions)]
    policy = Policy(out_of_order=True)
    before = data.draw(st.lists(st.sampled_from(versions), unique=True) if versions else st.just([]))
    rows = history(*map(applied, before))
    waiting = reconcile(scripts, rows, policy)
    migrated = rows
    for one in pending(waiting, policy):
        migrated = (*migrated, stored(applied_row(one.migration, next_rank(migrated), "me", 1)))
    for _ in range(len(migrated) - len(rows)):
        [last] = plan_undo(reconcile(scripts, migrated, policy), policy).undos
        migrated = (*migrated, stored(applied_row(last.migration, next_rank(migrated), "me", 1)))
    assert pending(reconcile(scripts, migrated, policy), policy) == pending(waiting, policy)


# --- cherryPick -------------------------------------------------------------------------------------------


@given(SCRIPTS, st.randoms())
def test_what_is_picked_runs_in_its_order_and_nothing_else(
    scripts: list[ResolvedMigration], random: Random
) -> None:
    plain = [one for one in scripts if one.kind in {MigrationKind.VERSIONED, MigrationKind.REPEATABLE}]
    picked = random.sample(plain, random.randint(0, len(plain)))
    names = [one.description if one.version is None else one.version.text for one in picked]
    policy = Policy(cherry_pick=tuple(map(MigrationPattern, names)))
    if picked:
        assert [one.migration for one in pending(reconcile(plain, (), policy), policy)] == picked
