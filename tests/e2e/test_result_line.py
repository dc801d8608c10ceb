"""Whatever ends the container's command, its last line says so, and agrees with its exit code."""

import signal
from pathlib import Path

import pytest

from sandbox.world import World
from taxiway.model.run_report import RunReport
from taxiway.reports.result_line import parse_result_line
from tests.support.job import Job, Outcome


@pytest.fixture
def job(tmp_path: Path, world: World) -> Job:
    return Job(tmp_path, world.task_environment())


def report_of(outcome: Outcome) -> RunReport:
    report = parse_result_line(outcome.stdout.splitlines()[-1])
    assert report, outcome.output
    assert report.exit_code == outcome.exit_code
    return report


def test_success_says_what_was_run(job: Job, world: World) -> None:
    report = report_of(job.run("--commit", world.commits["main"]))
    assert report.is_success
    assert (report.branch, report.commit) == ("main", world.commits["main"][:12])
    # Another test may have brought the database of this world further.
    with world.connect() as connection:
        rows = connection.execute("SELECT version FROM flyway_schema_history WHERE version IS NOT NULL").fetchall()
    assert report.schema_version == max(version for (version,) in rows)


def test_a_failed_migration_says_how_far_it_came(job: Job) -> None:
    report = report_of(job.run("broken"))
    assert (report.code, report.branch, report.exit_code) == ("migration-failed", "broken", 1)
    assert report.schema_version == "1.1.0"


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("missing",), "git-ref-not-found", 2),
        (("--commit", "35cd16f"), "invalid-option", 2),
        (("main", "--commit", "0" * 40), "invalid-option", 2),
        (("--no-such-option",), "configuration", 2),
        (("one", "two"), "configuration", 2),
    ],
)
def test_wrong_usage_has_a_last_line_too(job: Job, arguments: tuple[str, ...], code: str, exit_code: int) -> None:
    report = report_of(job.run(*arguments))
    assert (report.code, report.exit_code, report.applied) == (code, exit_code, 0)


def test_a_missing_variable_has_a_last_line_too(job: Job) -> None:
    assert report_of(job.run(without=("TAXIWAY_REPOSITORY_URL",))).code == "missing-option"


def test_with_json_the_last_line_of_the_log_is_on_standard_error(job: Job) -> None:
    outcome = job.run("missing", "--output", "json")
    report = parse_result_line(outcome.stderr.splitlines()[-1])
    assert report == RunReport(exit_code=2, code="git-ref-not-found")
    assert "Result: " not in outcome.stdout


def test_help_is_no_run(job: Job) -> None:
    assert "Result: " not in job.run("--help").output


def test_a_terminated_run_says_so(job: Job) -> None:
    process = job.start("main")
    assert process.stdout
    assert process.stdout.readline()  # it has begun
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    report = report_of(Outcome(process.returncode, stdout, stderr))
    assert (report.outcome.value, report.exit_code) == ("TERMINATED", 143)
