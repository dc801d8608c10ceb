"""Snapshots and restores through the installed command: the clusters of the emulated RDS are real servers.

Their snapshots are real copies of real data, so that what comes back has really been away.
"""

import itertools
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox.aws import AwsEndpoint
from sandbox.directory import temporary_directory
from tests.support.snapshots import SETTINGS, Shop

# Each starts a server or two, and the command up to forty times.
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
_numbers = itertools.count(1)
_READ = "SELECT name FROM customer ORDER BY name"


@pytest.fixture(scope="module")
def account() -> Iterator[AwsEndpoint]:
    """An account whose databases are real."""
    with temporary_directory() as directory, AwsEndpoint(directory / "aws", has_databases=True) as aws:
        yield aws


@pytest.fixture
def shop(account: AwsEndpoint, tmp_path: Path) -> Iterator[Shop]:
    """A cluster of one test, with data."""
    made = Shop(account, tmp_path, name=f"shop{next(_numbers)}x").create()
    made.execute("CREATE TABLE customer (name text PRIMARY KEY)")
    made.execute("INSERT INTO customer VALUES ('ann'), ('bob')")
    yield made
    account.clear_faults()


def make_snapshot(shop: Shop) -> str:
    ended = shop.call("create", "--reason", "before version 9")
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout.strip()


def harm(shop: Shop) -> None:
    """What a migration should not have done."""
    shop.execute("DROP TABLE customer")
    with pytest.raises(psycopg.errors.UndefinedTable):
        shop.execute(_READ)


def test_what_a_migration_has_dropped_is_back_with_every_setting_and_the_same_endpoint(shop: Shop) -> None:
    before = shop.settings()
    snapshot = make_snapshot(shop)
    harm(shop)
    listed = shop.call("list", "--output", "json").json["snapshots"]
    assert [(one["name"], one["actor"], one["reason"], one["hasManifest"]) for one in listed] == [
        (snapshot, "alice", "before version 9", True)
    ]
    restored = shop.call("restore", snapshot, "--yes", "--output", "json")
    assert restored.exit_code == 0, restored.stderr
    assert restored.json["differences"] == []
    assert shop.execute(_READ) == [("ann",), ("bob",)]
    aside = restored.json["aside"]["name"]
    assert shop.names() == {shop.name, aside}

    confirmed = shop.call("confirm", "--yes", "--output", "json")
    assert confirmed.exit_code == 0, confirmed.stderr
    assert shop.names() == {shop.name}
    assert shop.execute(_READ) == [("ann",), ("bob",)]
    assert shop.settings() == before
    final = confirmed.json["finalSnapshot"]
    names = [one["name"] for one in shop.call("list", "--output", "json").json["snapshots"]]
    assert names == [final, snapshot]


def test_a_revert_gives_back_what_was_written_after_the_snapshot(shop: Shop) -> None:
    before = shop.settings()
    make_snapshot(shop)
    shop.execute("INSERT INTO customer VALUES ('cid')")
    assert shop.call("restore", "--yes").exit_code == 0
    assert shop.execute(_READ) == [("ann",), ("bob",)]
    reverted = shop.call("revert", "--yes")
    assert reverted.exit_code == 0, reverted.stderr
    assert shop.execute(_READ) == [("ann",), ("bob",), ("cid",)]
    again = shop.call("restore", "--yes")
    assert again.exit_code == 0, again.stderr
    assert shop.execute(_READ) == [("ann",), ("bob",)]
    assert shop.call("revert", "--yes").exit_code == 0
    assert shop.call("confirm", "--yes").exit_code == 0
    assert shop.execute(_READ) == [("ann",), ("bob",), ("cid",)]
    assert (shop.names(), shop.settings()) == ({shop.name}, before)


def test_a_database_that_is_gone_comes_back_with_the_settings_in_the_snapshot(shop: Shop) -> None:
    before = shop.settings()
    snapshot = make_snapshot(shop)
    rds = shop.rds
    rds.modify_db_cluster(DBClusterIdentifier=shop.name, DeletionProtection=False)
    for one in shop.instances():
        rds.delete_db_instance(DBInstanceIdentifier=one["DBInstanceIdentifier"])
    deadline = time.monotonic() + 20
    while shop.instances() and time.monotonic() < deadline:
        time.sleep(0.1)
    rds.delete_db_cluster(DBClusterIdentifier=shop.name, SkipFinalSnapshot=True)
    while shop.names() and time.monotonic() < deadline:
        time.sleep(0.1)
    restored = shop.call("restore", snapshot, "--yes")
    assert restored.exit_code == 0, restored.stderr
    assert "There is no live database" in restored.stderr
    refused = shop.call("revert", "--yes")
    assert (refused.code, refused.exit_code) == ("restore-not-found", 2)
    assert shop.call("confirm", "--yes").exit_code == 0
    assert shop.execute(_READ) == [("ann",), ("bob",)]
    assert shop.settings() == before


@pytest.mark.parametrize("seconds", [0.0, 0.25])
def test_a_restore_that_is_killed_at_every_step_goes_on_where_it_was(shop: Shop, seconds: float) -> None:
    """Each run is killed at the first step that none before has reached: before its request, or just after."""
    before = shop.settings()
    snapshot = make_snapshot(shop)
    harm(shop)
    reached: set[str] = set()
    while kill_at_next_step(shop, ("restore", snapshot, "--yes"), reached, seconds):
        pass
    # Whether a run has to wait depends on how long the one after the kill takes to start. Of a run that goes on for a
    # moment before it is killed, a quick step can be over by then.
    words = "\n".join(reached)
    quick = () if seconds else ("Set what", "Compare", "Note in")
    for step in ("Restore the", "Create instance", *quick, "Rename"):
        assert step in words
    assert shop.execute(_READ) == [("ann",), ("bob",)]
    assert len(shop.names()) == 2
    reached = set()
    while kill_at_next_step(shop, ("confirm", "--yes"), reached, seconds):
        pass
    assert (shop.names(), shop.settings()) == ({shop.name}, before)
    assert shop.execute(_READ) == [("ann",), ("bob",)]


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Read what it says on standard error, up to the line with these words."""
    assert process.stderr
    assert any(words in line for line in process.stderr)


def kill_at_next_step(shop: Shop, arguments: tuple[str, ...], reached: set[str], seconds: float) -> bool:
    """Whether it was killed; not: it has ended well, or there is nothing left to do."""
    with shop.calling(*arguments) as process:
        assert process.stderr
        read = ""
        for line in process.stderr:
            read += line
            is_step = line.rstrip().endswith("...") or line.startswith("  wait for")
            if is_step and line not in reached:
                reached.add(line)
                time.sleep(seconds)
                process.send_signal(signal.SIGKILL)
                return True
        process.wait(60)
        assert process.returncode == 0 or "Code: restore-not-found" in read, read
        return False


def test_a_revert_in_the_middle_of_the_swap_brings_the_old_one_back(shop: Shop) -> None:
    before = shop.settings()
    make_snapshot(shop)
    shop.execute("INSERT INTO customer VALUES ('cid')")
    with shop.calling("restore", "--yes") as process:
        read_until(process, f"Rename {shop.name}-1 to")
        process.send_signal(signal.SIGKILL)
    refused = shop.call("confirm", "--yes")
    assert (refused.code, refused.exit_code) == ("restore-unfinished", 1), refused.stderr
    assert shop.call("revert", "--yes").exit_code == 0
    assert shop.execute(_READ) == [("ann",), ("bob",), ("cid",)]
    assert shop.call("confirm", "--yes").exit_code == 0
    assert (shop.names(), shop.settings()) == ({shop.name}, before)


def test_ctrl_c_says_what_goes_on_and_how_to_go_on(shop: Shop) -> None:
    make_snapshot(shop)
    with shop.calling("restore", "--yes") as process:
        read_until(process, "(creating)")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "RDS goes on with what it was asked for last (restore the snapshot as" in stderr
    assert "Go on:     taxiway snapshot restore" in stderr
    assert shop.call("restore", "--yes").exit_code == 0


def test_ctrl_c_while_rds_refuses_says_so_and_leaves_nothing(shop: Shop) -> None:
    make_snapshot(shop)
    code = "DBClusterSnapshotNotFoundFault"
    shop.aws.add_fault("api-error", times=None, action="rds:RestoreDBClusterFromSnapshot", code=code)
    with shop.calling("restore", "--yes") as process:
        read_until(process, "Trying again.")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "RDS has not taken what it was asked for last (restore the snapshot as" in stderr
    assert "snapshot revert" not in stderr
    left = [tag["Key"] for tag in shop.cluster(shop.name)["TagList"]]
    assert not [key for key in left if key.startswith("taxiway:")]


def test_a_second_operator_is_told_of_the_first(shop: Shop) -> None:
    make_snapshot(shop)
    other = Shop(shop.aws, shop.directory, name=shop.name, actor="bob")
    with shop.calling("restore", "--yes") as process:
        read_until(process, "(creating)")
        process.send_signal(signal.SIGSTOP)
        refused = other.call("restore", "--yes")
        assert (refused.code, refused.exit_code) == ("restore-busy", 4), refused.stderr
        assert "alice is at work on it" in refused.stderr
        taken = other.call("restore", "--yes", "--take-over")
        assert taken.exit_code == 0, taken.stderr
    assert len(shop.names()) == 2


def test_nothing_is_done_without_somebody_who_agrees(shop: Shop) -> None:
    snapshot = make_snapshot(shop)
    planned = shop.call("restore", "--dry-run", "--output", "json").json
    assert planned["steps"][0].startswith("restore the snapshot as")
    assert planned["steps"][-1].endswith(f"to {shop.name}")
    refused = shop.call("restore", snapshot)
    assert (refused.code, refused.exit_code) == ("not-confirmed", 2)
    assert shop.names() == {shop.name}


def test_a_setting_that_changes_after_the_snapshot_is_that_of_the_live_one_or_of_the_snapshot(shop: Shop) -> None:
    make_snapshot(shop)
    shop.rds.modify_db_cluster(DBClusterIdentifier=shop.name, BackupRetentionPeriod=21)
    time.sleep(0.5)
    assert shop.call("restore", "--yes").exit_code == 0
    assert shop.cluster(shop.name)["BackupRetentionPeriod"] == 21
    assert shop.call("confirm", "--yes").exit_code == 0
    names = [one["name"] for one in shop.call("list", "--output", "json").json["snapshots"]]
    assert shop.call("restore", names[-1], "--settings", "snapshot", "--yes").exit_code == 0
    assert shop.cluster(shop.name)["BackupRetentionPeriod"] == SETTINGS["BackupRetentionPeriod"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("create", "--database", "shop0"), "aws-not-found", "Did you mean"),
        (("create", "--databse", "shop"), "configuration", "--database"),
        (("list", "--database", "other"), "aws-not-found", "There are"),
        (("restore", "shop-1999", "--yes"), "snapshot-not-found", "taxiway snapshot list"),
        (("confirm", "--yes"), "restore-not-found", "no restore under way"),
        (("revert", "--yes"), "restore-not-found", "no restore under way"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    shop: Shop, arguments: tuple[str, ...], code: str, words: str
) -> None:
    ended = shop.call(*arguments)
    assert (ended.code, ended.exit_code) == (code, 2), ended.stderr
    assert words in ended.stderr
