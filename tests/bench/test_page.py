"""The page says what was measured, and what was not."""

from collections.abc import Sequence
from datetime import date

from bench.measure import Sample
from bench.page import Report, render_page
from bench.rows import make_rows
from bench.run import Outcome, RowResult
from bench.starts import ImportCost, parse_import_times
from bench.whole_job.measure import PIPELINE, TAXIWAY, JobResult

COLD, QUOTA, *_ = make_rows(quick=False)


def sample(wall: float, cpu: float = 1.0) -> Sample:
    return Sample(wall_seconds=wall, cpu_seconds=cpu, peak_mib=40.4)


def page(*rows: RowResult, jobs: Sequence[JobResult] = ()) -> str:
    return render_page(
        Report(
            day=date(2026, 11, 23),
            machine="2 cores",
            server="17.10",
            versions={"Taxiway": "1.0"},
            unavailable={"Flyway": "java not found"},
            rows=rows,
            starts={"taxiway --help": [sample(0.1, 0.1)]},
            imports=[ImportCost(package="psycopg", modules=3, milliseconds=30.0)],
            jobs=jobs,
        )
    )


def test_a_row_has_medians_ranges_ratios_and_round_trips() -> None:
    outcomes = {
        "taxiway": Outcome(samples=[sample(1), sample(3), sample(2)], round_trips=1200, connections=1),
        "psql": Outcome(samples=[sample(0.5, 0.25)]),
    }
    text = page(RowResult(row=COLD, outcomes=outcomes))
    assert "| Taxiway | 2.00 (1.00-3.00) | 1.00 (1.00-1.00) | 40 | 1,200 + 1 | 4 | 4 | - | - | 3 |" in text
    assert "| psql (one session) | 0.500 | 0.250 | 40 | - | 1 | 1 | - | - | 1 |" in text
    assert f"| {COLD.title} | 1.00 | 2.00 | 40 | 4 | 4 | - | - |" in text


def test_each_target_that_was_measured_has_a_verdict() -> None:
    at_once, large = (
        next(row for row in make_rows(quick=False) if row.key == key) for key in ("latency-at-once", "copy-large")
    )
    text = page(
        RowResult(row=at_once, outcomes={"taxiway": Outcome(samples=[sample(1)], round_trips=12, connections=1)}),
        RowResult(
            row=large, outcomes={"taxiway": Outcome(samples=[sample(12)]), "psql": Outcome(samples=[sample(10)])}
        ),
    )
    assert "| info, migrate, info of 100 migrations: round trips | 12 | 13 | **no** |" in text
    assert "| 1,000 MB of COPY: wall / psql | 1.2 | 1.2 | yes |" in text
    assert "10,000 fresh" not in text


def test_a_tool_that_failed_or_is_not_there_is_named_with_the_reason() -> None:
    text = page(RowResult(row=COLD, outcomes={"dbmate": Outcome(failure="fails (exit 2)")}))
    assert "| dbmate | fails (exit 2) |" in text
    assert "- **Left out:** Flyway: java not found" in text


def test_a_row_that_was_skipped_says_why() -> None:
    text = page(RowResult(row=QUOTA, skipped="no control group could be made"))
    assert "Skipped: no control group could be made." in text


def test_the_whole_job_is_compared_with_the_pipeline() -> None:
    outcomes = {
        PIPELINE: Outcome(samples=[sample(10, 8)]),
        TAXIWAY: Outcome(samples=[sample(1, 0.4)]),
    }
    text = page(jobs=[JobResult(title="unlimited", outcomes=outcomes), JobResult(title="small", skipped="no jq")])
    assert "| taxiway run | 1.00 | 0.400 | 40 | 0.05 | 0.1 | 1 |" in text
    assert "## The whole job, small\n\nSkipped: no jq.\n" in text


def test_imports_are_summed_up_by_package() -> None:
    text = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       100 |        100 |   zipimport\n"
        "import time:      2000 |       2000 |     psycopg.pq\n"
        "import time:      1500 |       3500 |   psycopg\n"
        "something else\n"
    )
    assert parse_import_times(text) == (
        ImportCost(package="psycopg", modules=2, milliseconds=3.5),
        ImportCost(package="zipimport", modules=1, milliseconds=0.1),
    )
