"""``python -m bench``: measure everything and write docs/explanation/performance.md.

With arguments that leave something out, the page goes to standard output, unless ``--output`` names a file.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.console import name_options, say, write_page
from bench.machine import describe_machine
from bench.page import Report, render_page
from bench.rows import Row, make_rows
from bench.run import RUNS, Bench, RowResult, Scripts
from bench.server import BenchServer, open_server
from bench.starts import ImportCost, measure_starts, profile_imports
from bench.tools import BUILD, TOOLS, Step, Taxiway, Tool, ToolUnavailable
from bench.whole_job.measure import measure_whole_job
from sandbox.directory import REPOSITORY_ROOT, temporary_directory

PAGE: Final = REPOSITORY_ROOT / "docs" / "explanation" / "performance.md"

_STARTS: Final = "starts"
_WHOLE_JOB: Final = "whole-job"


def main(arguments: Sequence[str]) -> None:
    """Measure what was asked for, and write it down."""
    options = _parse(arguments)
    chosen = [tool for tool in TOOLS if not options.tool or tool.name in options.tool]
    tools, versions, unavailable = _install(chosen)
    rows = [row for row in make_rows(quick=options.quick) if not options.only or row.key in options.only]
    has_starts = _wants(options, _STARTS)
    runs = 1 if options.quick else RUNS
    with (
        open_server() as server,
        temporary_directory() as directory,
        _scripts() as scripts,
        Bench(server, scripts, directory, report=say) as bench,
    ):
        report = Report(
            day=datetime.now(UTC).date(),
            machine=describe_machine(),
            server=server.version,
            versions=versions,
            unavailable=unavailable,
            rows=_measure(rows, tools, bench, runs),
            starts=measure_starts(runs=runs) if has_starts else {},
            imports=_profile(server, scripts, directory) if has_starts else (),
            jobs=measure_whole_job(runs=runs, report=say) if _wants(options, _WHOLE_JOB) else (),
            arguments=name_options(quick=options.quick, only=options.only, tool=options.tool),
        )
    is_partial = options.quick or options.only or options.tool
    write_page(render_page(report), options.output or (None if is_partial else PAGE))


def _wants(options: argparse.Namespace, key: str) -> bool:
    return not options.only or key in options.only


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench")
    keys = [*(row.key for row in make_rows(quick=False)), _STARTS, _WHOLE_JOB]
    names = [tool.name for tool in TOOLS]
    parser.add_argument("--quick", action="store_true", help="small workloads, one run: proves that it works")
    parser.add_argument("--only", action="append", choices=keys, help="only this row; may be repeated")
    parser.add_argument("--tool", action="append", choices=names, help="only this tool; may be repeated")
    parser.add_argument("--output", type=Path, help="where to write the page")
    return parser.parse_args(arguments)


def _install(chosen: Sequence[Tool]) -> tuple[list[Tool], dict[str, str], dict[str, str]]:
    """The tools that can be had, their versions, and why the others cannot."""
    tools: list[Tool] = []
    versions: dict[str, str] = {}
    unavailable: dict[str, str] = {}
    for tool in chosen:
        try:
            versions[tool.title] = tool.install()
        except ToolUnavailable as error:
            unavailable[tool.title] = str(error)
            say(f"LEFT OUT: {tool.title}: {error}")
        else:
            tools.append(tool)
    return tools, versions, unavailable


def _measure(rows: Sequence[Row], tools: Sequence[Tool], bench: Bench, runs: int) -> list[RowResult]:
    """All rows; what there is when somebody presses Ctrl-C."""
    results: list[RowResult] = []
    try:
        for row in rows:
            results.append(bench.measure(row, tools, runs=runs))  # noqa: PERF401 - kept when interrupted
    except KeyboardInterrupt:
        say("interrupted: the page will have the rows so far")
    return results


def _profile(server: BenchServer, scripts: Scripts, directory: Path) -> tuple[ImportCost, ...]:
    """Of ``taxiway info`` on the smallest workload."""
    taxiway = Taxiway()
    folder = scripts.folder(make_rows(quick=True)[0].workload, taxiway)
    with server.database() as address:
        return profile_imports(taxiway.command([Step.INFO], folder, address, directory))


@contextmanager
def _scripts() -> Iterator[Scripts]:
    """Workloads in a folder of their own, gone afterwards: no run finds what an older generator has written."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="workloads-") as directory:
        yield Scripts(Path(directory))


if __name__ == "__main__":
    main(sys.argv[1:])
