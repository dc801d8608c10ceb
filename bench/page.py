"""The results as a Markdown page."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from bench.measure import Sample
from bench.run import RUNS, Outcome, RowResult
from bench.starts import ImportCost
from bench.targets import judge
from bench.tools import TOOLS, Flyway, Psql, Taxiway
from bench.whole_job.measure import PIPELINE, JobResult
from bench.workloads import WORKLOADS

_MOST_PACKAGES: Final = 15
_NONE: Final = "-"

type _Figure = Callable[[Sample], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results of one run.

    Attributes:
        versions: Of the tools that were measured, by title.
        unavailable: Why the others were not, by title.
        arguments: What the runner was called with.
    """

    day: date
    machine: str
    server: str
    versions: Mapping[str, str]
    unavailable: Mapping[str, str]
    rows: Sequence[RowResult]
    starts: Mapping[str, Sequence[Sample]]
    imports: Sequence[ImportCost]
    jobs: Sequence[JobResult] = ()
    arguments: str = ""


def render_page(report: Report) -> str:
    """The whole page."""
    sections = (
        _introduction(report),
        _targets(report),
        _summary(report),
        *(_row_section(result) for result in report.rows),
        _starts(report),
        _imports(report),
        *(_whole_job(result) for result in report.jobs),
        _method(),
    )
    return "\n".join(section for section in sections if section)


def _introduction(report: Report) -> str:
    versions = ", ".join(f"{title} {version}" for title, version in report.versions.items())
    call = f"`python -m bench {report.arguments}`" if report.arguments else "`make bench`"
    lines = [
        "<!-- Written by bench/page.py from one run of the benchmark. Do not edit it: run it again. -->",
        "",
        "# Performance",
        "",
        f"Everything here was measured in one run, tools in turns: {call}, {report.day.isoformat()}.",
        "",
        f"- Machine: {report.machine}",
        f"- Server: PostgreSQL {report.server} on the same machine, `fsync` on, over TCP without TLS",
        f"- Tools: {versions}",
        *(f"- **Left out:** {title}: {reason}" for title, reason in report.unavailable.items()),
        "",
        "CPU time is the figure to trust: user and system time of the tool's processes, without the server's.",
        "Wall time has the server's work in it, and on a small machine everything that ran beside it. Ratios",
        "within a table hold better than seconds.",
        "",
    ]
    return "\n".join(lines)


def _targets(report: Report) -> str:
    verdicts = judge(report.rows, report.jobs)
    if not verdicts:
        return ""
    rows = [[one.title, one.most, f"{one.measured:.3g}", "yes" if one.is_met else "**no**"] for one in verdicts]
    return "## What was to be reached\n\n" + _table(["Taxiway", "at most", "measured", "reached"], rows)


def _summary(report: Report) -> str:
    rows = [line for result in report.rows if (line := _summary_line(result))]
    if not rows:
        return ""
    head = ["Taxiway", "CPU s", "wall s", "peak MiB", "CPU / psql", "wall / psql", "CPU / Flyway", "wall / Flyway"]
    return "## In short\n\n" + _table(head, rows)


def _summary_line(result: RowResult) -> list[str] | None:
    ours = result.outcomes.get(Taxiway.name)
    if ours is None or not ours.samples:
        return None
    ratios = [
        _ratio(ours, result.outcomes.get(other), figure)
        for other in (Psql.name, Flyway.name)
        for figure in (_cpu, _wall)
    ]
    median = ours.median
    return [
        result.row.title,
        _seconds(median.cpu_seconds),
        _seconds(median.wall_seconds),
        f"{median.peak_mib:.0f}",
        *ratios,
    ]


def _row_section(result: RowResult) -> str:
    heading = f"## {result.row.title}\n\n"
    if result.skipped:
        return f"{heading}Skipped: {result.skipped}.\n"
    workload = f"Migrations: {WORKLOADS[result.row.workload.name]}.\n\n"
    head = [
        "",
        "wall s",
        "CPU s",
        "peak MiB",
        "round trips",
        "CPU / psql",
        "wall / psql",
        "CPU / Flyway",
        "wall / Flyway",
        "runs",
    ]
    rows = [
        _row_line(tool.title, result.outcomes[tool.name], result.outcomes)
        for tool in TOOLS
        if tool.name in result.outcomes
    ]
    return heading + workload + _table(head, rows)


def _row_line(title: str, outcome: Outcome, outcomes: Mapping[str, Outcome]) -> list[str]:
    if not outcome.samples:
        return [title, outcome.failure or _NONE, *[_NONE] * 7, "0"]
    psql, flyway = outcomes.get(Psql.name), outcomes.get(Flyway.name)
    return [
        title,
        _with_range(outcome, _wall),
        _with_range(outcome, _cpu),
        f"{outcome.median.peak_mib:.0f}",
        _round_trips(outcome),
        _ratio(outcome, psql, _cpu),
        _ratio(outcome, psql, _wall),
        _ratio(outcome, flyway, _cpu),
        _ratio(outcome, flyway, _wall),
        f"{len(outcome.samples)}" + (f", then: {outcome.failure}" if outcome.failure else ""),
    ]


def _starts(report: Report) -> str:
    if not report.starts:
        return ""
    outcomes = {title: Outcome(samples=list(samples)) for title, samples in report.starts.items()}
    rows = [
        [f"`{title}`", _with_range(one, _wall), _with_range(one, _cpu), f"{one.median.peak_mib:.0f}"]
        for title, one in outcomes.items()
    ]
    text = (
        "## Starting\n\n`taxiway run` is the container's job, with AWS, git over SSH and TLS on this machine.\n\n"
    )
    return text + _table(["", "wall s", "CPU s", "peak MiB"], rows)


def _imports(report: Report) -> str:
    if not report.imports:
        return ""
    total = sum(one.milliseconds for one in report.imports)
    modules = sum(one.modules for one in report.imports)
    rows = [
        [
            f"`{one.package}`",
            f"{one.modules}",
            f"{one.milliseconds:.1f}",
            f"{100 * one.milliseconds / total:.0f} %",
        ]
        for one in report.imports[:_MOST_PACKAGES]
    ]
    text = (
        f"## What `taxiway info` imports\n\n{modules} modules in {total:.0f} ms of `python -X importtime`,\n"
        "which makes everything slower than it is. The dearest packages, each with its modules:\n\n"
    )
    return text + _table(["package", "modules", "ms", "share"], rows)


def _whole_job(result: JobResult) -> str:
    heading = f"## The whole job, {result.title}\n\n"
    if result.skipped:
        return f"{heading}Skipped: {result.skipped}.\n"
    text = (
        "All that the container does: deploy key, clone, passwords, info, migrate, info, from an empty database.\n"
        "The tutorial's pipeline (`bench/whole_job/pipeline.sh`) calls the AWS CLI four times, ssh-keyscan, git,\n"
        "jq, and Flyway three times; `taxiway run` calls git and ssh. Same AWS emulator, Git host, database.\n\n"
    )
    pipeline = result.outcomes[PIPELINE]
    rows = [_job_line(name, outcome, pipeline) for name, outcome in result.outcomes.items()]
    return heading + text + _table(["", "wall s", "CPU s", "peak MiB", "CPU ratio", "wall ratio", "runs"], rows)


def _job_line(name: str, outcome: Outcome, pipeline: Outcome) -> list[str]:
    if not outcome.samples:
        return [name, outcome.failure or _NONE, *[_NONE] * 4, "0"]
    return [
        name,
        _with_range(outcome, _wall),
        _with_range(outcome, _cpu),
        f"{outcome.median.peak_mib:.0f}",
        _ratio(outcome, pipeline, _cpu),
        _ratio(outcome, pipeline, _wall),
        f"{len(outcome.samples)}",
    ]


def _method() -> str:
    return f"""\
## How it was measured

- Medians of {RUNS} runs, with the smallest and the largest in brackets. The tools take turns, so that what else
  the machine does meets all of them.
- A run has a database of its own, made and written to disk before; that the migrations were recorded is looked up
  afterwards. Workloads come from a generator that writes the same bytes everywhere (`bench/workloads.py`).
- CPU time and peak memory are the kernel's, of the process and its children. Memory is that of the largest
  process, and never less than the 9 MiB of what starts it.
- Round trips: how often bytes of the server follow bytes of the client, counted by a proxy
  (`sandbox/protocol_proxy.py`) in a further run, at 2 ms a round trip; "+ n" are connections, each of which costs
  one more. Who sends ahead waits for none of them: in a long run of Taxiway both sides' bytes pass each other, and
  what is counted then is how often they do. In the rows at 40 ms every run goes through the proxy: 20 ms each way,
  connecting included.
  Where Taxiway is alone there, the others would take from minutes to hours: they wait for every statement.
- A quarter of one processor: a control group's quota, the server outside of it.
- psql reads the same files in one session, writes one row for each, and checks nothing: the limit, not a peer.
- Flyway is its released libraries with a main of a few lines. The command line that is distributed loads dozens of
  plugins and drivers on top.
- The database of 10,000 applied migrations was made by Taxiway for Flyway too: they share their history table.

## How to repeat it

`make bench` takes about two hours on an idle machine with 10 GB of free disk. It needs Java and Maven for Flyway,
and npm for dbmate; what is missing is left out, and said. `make bench ARGS="--quick"` proves in a few minutes that
it works, with small workloads whose figures mean nothing. `--only ROW` and `--tool NAME` choose, `--output FILE`
says where to write.
"""


def _wall(sample: Sample) -> float:
    return sample.wall_seconds


def _cpu(sample: Sample) -> float:
    return sample.cpu_seconds


def _with_range(outcome: Outcome, figure: _Figure) -> str:
    values = [figure(sample) for sample in outcome.samples]
    middle = _seconds(figure(outcome.median))
    return middle if len(values) == 1 else f"{middle} ({_seconds(min(values))}-{_seconds(max(values))})"


def _seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _ratio(outcome: Outcome, other: Outcome | None, figure: _Figure) -> str:
    if other is None or not other.samples or not figure(other.median):
        return _NONE
    ratio = figure(outcome.median) / figure(other.median)
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}"


def _round_trips(outcome: Outcome) -> str:
    if outcome.round_trips is None:
        return _NONE
    return f"{outcome.round_trips:,} + {outcome.connections}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(_lines(head, rows)) + "\n"


def _lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for row in rows:
        yield f"| {' | '.join(row)} |"
