"""A task that is stopped ends at once, with 143, and leaves nothing: no lock, no transaction, no file, no process."""

import signal
import subprocess
import time
from collections.abc import Callable

import psycopg
import pytest

from tests.e2e.test_bad_input import start_job  # noqa: F401 - a fixture
from tests.support.job import Job
from tests.support.pytest_sandbox import Database

SLOW = {"sql/V1__slow.sql": "CREATE TABLE half (id int);\nSELECT pg_sleep(60);\n"}


def wait_for_statement(database: Database, process: subprocess.Popen[str]) -> None:
    """Until the slow statement is running."""
    with database.server.admin() as connection:
        while process.poll() is None:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND query LIKE '%%pg_sleep(60)%%'"
                " AND state = 'active' AND pid <> pg_backend_pid()",
                [database.name],
            ).fetchone()
            connection.rollback()
            if row and row[0]:
                return
            time.sleep(0.02)
    raise AssertionError(process.communicate())


def sessions(database: Database) -> int:
    with database.server.admin() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [database.name],
        ).fetchone()
    return row[0] if row else 0


@pytest.mark.parametrize(
    ("number", "exit_code", "word"),
    [(signal.SIGTERM, 143, "Terminated"), (signal.SIGINT, 130, "Interrupted")],
)
def test_a_stop_in_a_statement_rolls_back_and_frees_the_lock(
    start_job: Callable[..., Job],  # noqa: F811 - the fixture
    database: Database,
    number: signal.Signals,
    exit_code: int,
    word: str,
) -> None:
    job = start_job(SLOW)
    process = job.start()
    wait_for_statement(database, process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == exit_code, stdout + stderr
    assert word in stderr
    assert "Traceback" not in stderr
    assert job.left_behind() == []
    assert sessions(database) == 0
    with database.connect() as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT FROM half")
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM flyway_schema_history").fetchone() == (0,)
        assert connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone() == (0,)


def test_a_killed_run_is_rolled_back_by_the_server(
    start_job: Callable[..., Job],  # noqa: F811 - the fixture
    database: Database,
) -> None:
    job = start_job(SLOW)
    process = job.start()
    wait_for_statement(database, process)
    process.kill()
    process.communicate(timeout=20)
    # The server finds out when the statement ends; here it is told at once.
    with database.server.admin() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [database.name]
        )
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM flyway_schema_history").fetchone() == (0,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT FROM half")


@pytest.mark.parametrize("delay", [0.05, 0.3, 0.6, 0.9, 1.2])
def test_a_stop_at_any_moment_ends_with_its_own_exit_code(
    start_job: Callable[..., Job],  # noqa: F811 - the fixture
    delay: float,
) -> None:
    job = start_job({"sql/V1__slow.sql": "SELECT pg_sleep(30);\n"})
    process = job.start()
    time.sleep(delay)
    process.terminate()
    stdout, stderr = process.communicate(timeout=20)
    if "Migrating" not in stdout and process.returncode == 143:
        assert stderr.split()[:2] == ["Terminated", "before"]
    # Before Python has a handler the kernel ends the process by itself: the shell's 143 too.
    assert process.returncode in {143, -signal.SIGTERM}, stdout + stderr
    assert "Traceback" not in stderr
    assert [path for path in job.left_behind() if "taxiway" in path] == []
