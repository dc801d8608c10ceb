"""The last line of the container's log goes there and back, and nothing else passes for it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.model.run_report import Outcome, RunReport
from taxiway.reports.json_log import ending_line
from taxiway.reports.result_line import parse_result_line, render_result_line
from taxiway.reports.text import EMPTY_SCHEMA
from taxiway.sources.git_branch import check_branch_name


def is_branch(name: str) -> bool:
    try:
        check_branch_name(name)
    except Exception:  # noqa: BLE001 - whatever it is, git would not have it
        return False
    return not any(char.isspace() for char in name)


REPORTS = st.builds(
    RunReport,
    exit_code=st.integers(0, 255),
    applied=st.integers(0, 10_000),
    schema_version=st.none() | st.just(EMPTY_SCHEMA) | st.from_regex(r"\A[0-9]+(\.[0-9]+){0,3}\Z"),
    branch=st.none() | st.text(min_size=1).filter(is_branch) | st.just("a,b,"),
    commit=st.none() | st.from_regex(r"\A[0-9a-f]{12}\Z"),
    code=st.none() | st.from_regex(r"\A[a-z]+(-[a-z]+){0,3}\Z"),
)


@given(REPORTS)
def test_a_report_goes_through_the_line_and_back(report: RunReport) -> None:
    line = render_result_line(report)
    assert "\n" not in line
    assert parse_result_line(line) == report
    assert parse_result_line(f"  {line}\r\n") == report


@given(REPORTS, st.none() | st.uuids().map(str))
def test_a_report_goes_through_json_and_back(report: RunReport, run_id: str | None) -> None:
    report = replace(report, run_id=run_id)
    assert parse_result_line(json.dumps(ending_line(report, datetime.now(UTC)))) == report


@given(st.text())
def test_any_other_line_is_no_report_and_no_error(line: str) -> None:
    assert parse_result_line(line) is None or line.strip().startswith(("Result: ", "{"))


def test_a_line_as_people_see_it() -> None:
    report = RunReport(exit_code=0, applied=1, schema_version="1.1.0", branch="develop", commit="35cd16fbd13700ff")
    assert render_result_line(report) == (
        "Result: SUCCESS, 1 applied, schema version 1.1.0, branch develop, commit 35cd16fbd137, exit code 0"
    )
    assert render_result_line(RunReport(exit_code=2, code="missing-option")) == (
        "Result: FAILED (missing-option), 0 applied, exit code 2"
    )


@pytest.mark.parametrize(
    ("exit_code", "outcome"), [(0, "SUCCESS"), (1, "FAILED"), (4, "FAILED"), (70, "FAILED"), (130, "INTERRUPTED")]
)
def test_the_word_follows_from_the_exit_code(exit_code: int, outcome: str) -> None:
    assert RunReport(exit_code=exit_code).outcome is Outcome(outcome)


@pytest.mark.parametrize(
    "line",
    [
        "Result: SUCCESS, 1 applied, exit code 1",  # contradicts itself
        "Result: FAILED, 1 applied, exit code 0",
        "Result: SUCCESS, 1 applied, exit code 256",
        "Result: SUCCESS, 1 applied",
        "DB: Result: SUCCESS, 1 applied, exit code 0",  # a notice of the server
        "Result: SUCCESS, 1 applied, exit code 0 and more",
        '{"event": "result", "outcome": "SUCCESS", "exitCode": 1}',
        '{"event": "result", "outcome": "SUCCESS", "exitCode": true}',
        '{"event": "other", "outcome": "SUCCESS", "exitCode": 0}',
        '{"event": "result"',
        "[" * 100_000,
    ],
)
def test_what_only_looks_like_a_report_is_none(line: str) -> None:
    assert parse_result_line(line) is None
