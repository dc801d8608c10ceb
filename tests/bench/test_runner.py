"""The runner measures real tools on a real server, from end to end."""

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.rows import make_rows
from bench.tools import TOOLS

SOME = ("--tool", "taxiway", "--tool", "psql", "--only", "cold", "--only", "latency-at-once")


def test_a_quick_run_writes_a_page_with_figures(tmp_path: Path) -> None:
    target = tmp_path / "performance.md"
    main(["--quick", *SOME, "--output", str(target)])
    page = target.read_text()
    assert "\n## Cold start: info, 3 applied migrations\n" in page
    assert "\n## info, migrate, info of 10 migrations as one process, at 40 ms a round trip\n" in page
    assert "\n| psql (one session) | 0." in page
    assert page.count("\n| Taxiway | ") == 4  # two of them head the targets and the summary
    assert str(tmp_path) not in page


def test_every_row_has_a_key_of_its_own_in_both_sizes() -> None:
    keys = [row.key for row in make_rows(quick=False)]
    assert len(set(keys)) == len(keys)
    assert [row.key for row in make_rows(quick=True)] == keys


def test_psql_is_left_out_only_where_there_is_nothing_to_do() -> None:
    psql = next(tool for tool in TOOLS if tool.name == "psql")
    rows = [row for row in make_rows(quick=False) if not row.at_once and not row.only]
    assert [row.key for row in rows if not row.takes(psql)] == ["noop", "noop-far"]


@pytest.mark.parametrize("argument", ["--only=nothing-like-it", "--tool=liquibase"])
def test_what_there_is_not_cannot_be_asked_for(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([argument])
    assert "invalid choice" in capsys.readouterr().err
