"""A restore against a scripted RDS: throttled, hiding what it renames, refusing what comes too early, cut off."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from taxiway import errors
from taxiway.model.snapshot import AT_WORK_TAG, RESTORE_OF_TAG, RESTORE_TAGS, Difference
from taxiway.ops.lease import Lease, Worker
from taxiway.ops.restore import Restorer, RestoreWish
from tests.support.fake_aws import FakeClock
from tests.support.fake_rds import MOMENT, FakeRds, Seen, cluster, instance, snapshot

STAMP = "20260102120000"
BUSY = errors.AwsBusy("RDS cannot do that now: the cluster is being modified.")
THROTTLED = errors.AwsThrottled("AWS is throttling.")
SILENT = errors.AwsUnreachable("AWS did not answer.")
GONE = errors.AwsNotFound("RDS does not find it.", kind="database", name="shop")


class Killed(BaseException):
    """The process is gone in the middle of everything."""


def shop() -> FakeRds:
    return FakeRds([cluster("shop", instance("shop-1"), instance("shop-2"))], [snapshot("shop-s")])


@dataclass
class Operator:
    """Who restores, in a run of its own each time."""

    rds: FakeRds
    actor: str = "alice"
    machine: str = "laptop"
    accepts: bool = False
    takes_over: bool = False
    clock: FakeClock = field(default_factory=FakeClock)
    seen: Seen = field(default_factory=Seen)
    gone: tuple[str, ...] = ("laptop",)

    def restorer(self, token: str) -> Restorer:
        lease = Lease(
            databases=self.rds,
            worker=Worker(actor=self.actor, machine=self.machine, token=token),
            clock=self.clock,
            now=self.now,
            is_gone=lambda machine, _: machine in self.gone,
            takes_over=self.takes_over,
        )

        def accepts(_: tuple[Difference, ...]) -> bool:
            return self.accepts

        return Restorer(
            databases=self.rds,
            name="shop",
            lease=lease,
            clock=self.clock,
            progress=self.seen,
            accepts=accepts,
        )

    def now(self) -> datetime:
        return MOMENT + timedelta(seconds=self.clock.seconds)

    def restore(self, token: str = "1", **wish: Any) -> Restorer:
        restorer = self.restorer(token)
        restorer.restore(restorer.look(RestoreWish(**wish), self.now()))
        restorer.lease.release(is_done=True)
        return restorer

    def revert(self) -> None:
        restorer = self.restorer("2")
        restorer.revert(restorer.get_begun())
        restorer.lease.release(is_done=True)

    def confirm(self) -> None:
        restorer = self.restorer("3")
        restorer.confirm(restorer.get_begun())
        restorer.lease.release(is_done=True)


def names(rds: FakeRds) -> list[tuple[str, list[str]]]:
    return sorted((one.name, sorted(part.name for part in one.instances)) for one in rds.databases)


SWAPPED = [
    ("shop", ["shop-1", "shop-2"]),
    (f"shop-old-{STAMP}", [f"shop-1-old-{STAMP}", f"shop-2-old-{STAMP}"]),
]


def test_the_original_gives_up_every_name_before_the_restored_one_takes_any() -> None:
    rds = shop()
    Operator(rds).restore()
    assert names(rds) == SWAPPED
    assert rds.made("rename") == [
        f"rename shop shop-old-{STAMP}",
        f"rename shop-1 shop-1-old-{STAMP}",
        f"rename shop-2 shop-2-old-{STAMP}",
        f"rename shop-1-new-{STAMP} shop-1",
        f"rename shop-2-new-{STAMP} shop-2",
        f"rename shop-new-{STAMP} shop",
    ]
    assert rds.made("create_instance")[0] == f"create_instance shop-1-new-{STAMP}"


def test_after_a_confirmation_nothing_tells_of_the_restore_and_one_snapshot_more_is_there() -> None:
    rds = shop()
    operator = Operator(rds)
    before = rds.databases[0].configuration
    operator.restore()
    operator.confirm()
    [left] = rds.databases
    assert left.name == "shop"
    assert left.configuration == before
    assert not left.tags.keys() & {*RESTORE_TAGS}
    assert [one.name for one in rds.snapshots] == ["shop-s", f"shop-final-{STAMP}"]


def test_a_confirmation_after_a_revert_deletes_the_restored_one() -> None:
    rds = shop()
    operator = Operator(rds)
    operator.restore()
    operator.revert()
    operator.confirm()
    assert [one.resource_id for one in rds.databases] == ["cluster-shop"]
    assert names(rds) == [("shop", ["shop-1", "shop-2"])]
    assert not rds.databases[0].tags.keys() & {*RESTORE_TAGS}


def test_a_database_in_between_is_never_deleted() -> None:
    rds = shop()
    operator = Operator(rds)
    operator.restore()
    rds.rename(rds.databases[1], f"shop-new-{STAMP}")
    with pytest.raises(errors.RestoreUnfinished):
        operator.confirm()
    assert len(rds.databases) == 2


def failing(count: int, error: BaseException, *calls: str) -> Callable[[str, str], None]:
    """Each of the calls fails so often before it succeeds; all of them if none is named."""
    left: dict[str, int] = {}

    def before(call: str, _target: str) -> None:
        if calls and call not in calls:
            return
        left.setdefault(call, count)
        if left[call]:
            left[call] -= 1
            raise error

    return before


@pytest.mark.parametrize("error", [BUSY, THROTTLED, SILENT, GONE])
def test_what_passes_by_itself_is_borne_and_told_once(error: errors.AwsError) -> None:
    rds = shop()
    rds.before = failing(3, error, "restore", "create_instance", "change", "rename")
    operator = Operator(rds)
    operator.restore()
    assert names(rds) == SWAPPED
    assert operator.seen.troubles[0] == f"{error.message} Trying again."
    assert len(operator.seen.troubles) <= 4


def test_a_look_that_is_throttled_is_repeated_in_every_step() -> None:
    rds = shop()
    looks = 0

    def before(call: str, _target: str) -> None:
        nonlocal looks
        looks += call == "list"
        if call == "list" and looks > 3 and looks % 3 == 0:
            raise THROTTLED

    rds.before = before
    restorer = Operator(rds).restorer("1")
    found = restorer.look(RestoreWish(), MOMENT)
    looks = 5  # the lease is taken without a repetition
    restorer.lease.take = lambda *_: None  # type: ignore[method-assign]
    restorer.restore(found)
    assert names(rds) == SWAPPED


def test_what_does_not_pass_in_a_quarter_of_an_hour_is_an_error() -> None:
    rds = shop()
    rds.before = failing(10_000, BUSY, "restore")
    operator = Operator(rds)
    with pytest.raises(errors.AwsBusy):
        operator.restore()
    assert 900 < operator.clock.seconds < 960


def test_a_step_that_is_refused_is_told_once_and_its_reason_again_and_again() -> None:
    rds = shop()
    rds.before = failing(10_000, BUSY, "restore")
    operator = Operator(rds)
    with pytest.raises(errors.AwsBusy):
        operator.restore()
    assert len(operator.seen.steps) == 1
    assert operator.seen.troubles[0] == f"{BUSY.message} Trying again."
    assert 3 <= len(operator.seen.troubles) <= 6
    assert " s now." in operator.seen.troubles[-1]


def test_a_snapshot_that_rds_does_not_find_is_an_error_in_a_minute() -> None:
    rds = shop()
    rds.before = failing(10_000, GONE, "restore")
    operator = Operator(rds)
    with pytest.raises(errors.SnapshotNotFound, match=r"shop-s.*RDS does not find it"):
        operator.restore()
    assert 55 < operator.clock.seconds < 100


def stop_in(operator: Operator, seconds: float) -> None:
    def interrupt() -> None:
        if operator.clock.seconds > seconds:
            raise KeyboardInterrupt

    operator.clock.then = interrupt


def stopped(operator: Operator) -> Restorer:
    """A restore that is stopped while it waits, with the tag given back."""
    stop_in(operator, 3)
    restorer = operator.restorer("1")
    with pytest.raises(KeyboardInterrupt):
        restorer.restore(restorer.look(RestoreWish(), operator.now()))
    restorer.release(is_done=False)
    return restorer


def test_a_stop_of_what_was_refused_leaves_no_tag_and_offers_no_way_back() -> None:
    rds = shop()
    rds.before = failing(10_000, GONE, "restore")
    restorer = stopped(Operator(rds))
    assert (restorer.is_begun, restorer.refusal) == (False, GONE)
    assert AT_WORK_TAG not in rds.databases[0].tags


def test_a_stop_without_an_answer_keeps_the_names_of_what_may_be_being_made() -> None:
    rds = shop()
    rds.before = failing(10_000, SILENT, "restore")
    restorer = stopped(Operator(rds))
    assert (restorer.is_begun, restorer.refusal) == (True, None)
    assert rds.databases[0].tags[AT_WORK_TAG].startswith(f"{STAMP} free ")


def test_a_stop_leaves_the_tag_of_whoever_has_it_now() -> None:
    rds = shop()
    operator = Operator(rds)
    theirs = f"{STAMP} 7-a runner bob 2026-01-02T12:00:00Z"
    operator.clock.then = lambda: rds.add_tags(rds.databases[0].arn, {AT_WORK_TAG: theirs})
    restorer = operator.restorer("1")
    with pytest.raises(errors.RestoreBusy):
        restorer.restore(restorer.look(RestoreWish(), operator.now()))
    restorer.release(is_done=False)
    assert rds.databases[0].tags[AT_WORK_TAG] == theirs


def test_an_answer_that_is_lost_does_not_make_a_second_database() -> None:
    rds = shop()
    genuine = rds.restore

    def restore(*arguments: Any) -> None:
        if any(one.name.startswith("shop-new") for one in rds.databases):
            raise BUSY  # there is one of that name
        genuine(*arguments)
        rds.hidden = {f"cluster-shop-new-{STAMP}"}
        raise SILENT

    rds.restore = restore  # type: ignore[method-assign, assignment]
    operator = Operator(rds)
    operator.clock.then = lambda: rds.hidden.clear() if operator.clock.seconds > 20 else None
    operator.restore()
    assert names(rds) == SWAPPED


@pytest.mark.parametrize("name", ["shop", f"shop-new-{STAMP}"])
def test_a_database_that_is_hidden_while_it_is_renamed_is_waited_for(name: str) -> None:
    rds = shop()
    genuine = rds.rename
    operator = Operator(rds)

    def rename(target: Any, becomes: str) -> None:
        genuine(target, becomes)
        if target.name == name:
            rds.hidden = {target.resource_id}
            shown_at = operator.clock.seconds + 120
            operator.clock.then = lambda: rds.hidden.clear() if operator.clock.seconds > shown_at else None

    rds.rename = rename  # type: ignore[method-assign, assignment]
    operator.restore()
    assert names(rds) == SWAPPED
    assert any("RDS does not show it" in words for words in operator.seen.waits)


def test_an_original_that_never_comes_back_is_an_error_and_not_a_success() -> None:
    rds = shop()
    genuine = rds.rename

    def rename(target: Any, becomes: str) -> None:
        genuine(target, becomes)
        if target.name == "shop":
            rds.hidden = {"cluster-shop"}

    rds.rename = rename  # type: ignore[method-assign, assignment]
    with pytest.raises(errors.RestoreStuck, match="has not shown the original of shop"):
        Operator(rds).restore()


def test_a_setting_that_cannot_be_restored_keeps_the_live_name_where_it_is() -> None:
    rds = shop()
    rds.unchangeable = True
    operator = Operator(rds)
    with pytest.raises(errors.SettingsDiffer):
        operator.restore()
    assert names(rds)[0] == ("shop", ["shop-1", "shop-2"])
    assert rds.databases[0].resource_id == "cluster-shop"
    operator.accepts = True
    restorer = operator.restore("2")
    assert restorer.differences == (Difference("cluster", "BackupRetentionPeriod", 9, 1),)
    assert names(rds) == SWAPPED


def test_a_broken_status_is_an_error_at_once() -> None:
    rds = shop()
    rds.databases[0] = replace(rds.databases[0], status="storage-full")
    operator = Operator(rds)
    with pytest.raises(errors.RestoreStuck, match="storage-full"):
        operator.restore()
    assert operator.clock.seconds < 5


def calls_of_a_restore() -> int:
    rds = shop()
    operator = Operator(rds)
    operator.restore()
    operator.confirm()
    return len(rds.calls)


@pytest.mark.parametrize("happens", ["before", "after"])
@pytest.mark.parametrize("number", range(calls_of_a_restore()))
def test_a_run_that_is_killed_at_any_call_is_gone_on_with(number: int, happens: str) -> None:
    """Killed with the request not sent, or with its answer not read; then the same commands again."""
    rds = shop()
    before = rds.databases[0].configuration
    rds.before = killing(rds, number, happens)
    operator = Operator(rds)
    runs = 0
    while runs < 3:
        runs += 1
        try:
            if runs == 1 or any(RESTORE_OF_TAG in one.tags for one in rds.databases) or len(rds.snapshots) == 1:
                operator.restore(f"run{runs}") if len(rds.snapshots) == 1 and not is_confirming(rds) else None
                operator.confirm()
            break
        except Killed:
            continue
    assert names(rds) == [("shop", ["shop-1", "shop-2"])]
    [left] = rds.databases
    assert left.configuration == before
    assert not left.tags.keys() & {*RESTORE_TAGS} - {AT_WORK_TAG}
    assert left.resource_id != "cluster-shop"


def is_confirming(rds: FakeRds) -> bool:
    return any(one.tags.get("taxiway:phase", "").startswith("keep") for one in rds.databases)


def killing(rds: FakeRds, number: int, happens: str) -> Callable[[str, str], None]:
    count = -1
    was_killed = False

    def before(_call: str, _target: str) -> None:
        nonlocal count, was_killed
        count += 1
        if not was_killed and count == number + (happens == "after"):
            was_killed = True
            raise Killed

    return before


def test_two_at_once_are_noticed_and_the_second_changes_nothing() -> None:
    rds = shop()
    rds.databases[0] = replace(
        rds.databases[0], tags={AT_WORK_TAG: f"{STAMP} 7-a runner bob 2026-01-02T11:59:00Z"}
    )
    with pytest.raises(errors.RestoreBusy, match="bob is at work on it, on runner"):
        Operator(rds).restore()
    assert not rds.made("restore", "rename", "add_tags")


@pytest.mark.parametrize(
    ("machine", "seen"),
    [("runner", "2026-01-02T11:55:00Z"), ("laptop", "2026-01-02T12:00:00Z")],
    ids=["not seen for minutes", "ended on this machine"],
)
def test_who_has_ended_keeps_nobody_out_and_the_same_names_go_on(machine: str, seen: str) -> None:
    rds = shop()
    tag = f"20260102115000 7-a {machine} bob {seen}"
    rds.databases[0] = replace(rds.databases[0], tags={AT_WORK_TAG: tag})
    Operator(rds).restore()
    assert rds.made("restore") == ["restore shop-new-20260102115000"]


def test_of_two_who_write_at_the_same_time_one_goes_on() -> None:
    rds = shop()
    operator = Operator(rds)

    def other_writes() -> None:
        tag = f"{STAMP} 7-a runner bob 2026-01-02T12:00:00Z"
        rds.databases[0] = replace(rds.databases[0], tags={AT_WORK_TAG: tag})

    operator.clock.then = other_writes
    with pytest.raises(errors.RestoreBusy):
        operator.restore()
    assert not rds.made("restore")


def test_the_restore_of_another_snapshot_is_not_gone_on_with() -> None:
    rds = shop()
    rds.snapshots.append(snapshot("shop-t"))
    operator = Operator(rds)
    operator.restore(snapshot="shop-s")
    with pytest.raises(errors.RestoreUnfinished, match="shop-s"):
        operator.restore("2", snapshot="shop-t")


def test_of_which_snapshot_a_restore_is_can_be_told_while_its_database_is_hidden() -> None:
    rds = shop()
    rds.snapshots.append(snapshot("shop-t"))
    genuine = rds.rename

    def rename(target: Any, becomes: str) -> None:
        genuine(target, becomes)
        if target.name == f"shop-new-{STAMP}":
            rds.hidden = {target.resource_id}
            raise Killed

    rds.rename = rename  # type: ignore[method-assign, assignment]
    operator = Operator(rds)
    with pytest.raises(Killed):
        operator.restore(snapshot="shop-s")
    with pytest.raises(errors.RestoreUnfinished, match="shop-s"):
        operator.restore("2", snapshot="shop-t")
    operator.clock.then = rds.hidden.clear
    operator.restore("3", snapshot="shop-s")
    assert names(rds) == SWAPPED


def test_while_a_restore_is_being_ended_no_other_begins() -> None:
    rds = shop()
    operator = Operator(rds)
    operator.restore(snapshot="shop-s")
    operator.revert()
    genuine = rds.remove_tags

    def remove_tags(*_arguments: Any) -> None:
        raise Killed

    rds.remove_tags = remove_tags  # type: ignore[method-assign, assignment]
    with pytest.raises(Killed):
        operator.confirm()
    assert names(rds) == [("shop", ["shop-1", "shop-2"])]
    with pytest.raises(errors.RestoreUnfinished, match="being ended"):
        operator.restore("4", snapshot="shop-s")
    rds.remove_tags = genuine  # type: ignore[method-assign]
    operator.confirm()
    operator.restore("5", snapshot="shop-s")


def test_a_snapshot_without_settings_is_enough_as_long_as_the_live_one_is_there() -> None:
    rds = shop()
    rds.snapshots = [snapshot("shop-s", manifest=None)]
    Operator(rds).restore()
    assert names(rds) == SWAPPED
    gone = FakeRds([], [snapshot("shop-s", manifest=None)])
    with pytest.raises(errors.ManifestMissing):
        Operator(gone).restore()
