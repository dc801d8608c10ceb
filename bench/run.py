"""Takes the samples: tools in turns, each run on a database of its own."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from bench.measure import Command, CommandFailed, Sample, add_samples, take_sample
from bench.quota import QuotaUnavailable, processor_share
from bench.rows import Row
from bench.server import Address, BenchServer
from bench.tools import Step, Taxiway, Tool
from bench.workloads import Workload, write_workload
from sandbox.protocol_proxy import ProtocolProxy

RUNS: Final = 5

# Of the counted run: without a delay, answers come so soon that a client that does not wait seems to wait.
_COUNTING_DELAY_MS: Final = 1.0

# For bringing a database to where a row begins.
_APPLY_SECONDS: Final = 900.0


class WrongResult(Exception):
    """A tool said that all was well and it was not."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one tool needed for one row. ``failure`` is why there are no further samples, or none at all."""

    samples: list[Sample] = field(default_factory=list)
    round_trips: int | None = None
    connections: int | None = None
    failure: str | None = None

    @property
    def median(self) -> Sample:
        """Of each figure by itself."""
        return Sample(
            wall_seconds=statistics.median(one.wall_seconds for one in self.samples),
            cpu_seconds=statistics.median(one.cpu_seconds for one in self.samples),
            peak_mib=statistics.median(one.peak_mib for one in self.samples),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """The outcomes of a row, by the names of tools; ``skipped`` is why there are none."""

    row: Row
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    skipped: str | None = None


class Scripts:
    """The workloads, written below a folder when they are first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, workload: Workload, tool: Tool) -> Path:
        """The workload as this tool wants it."""
        original, adapted = self._root / str(workload), self._root / f"{workload}-{tool.name}"
        if not original.exists():
            write_workload(workload, original)
        if not adapted.exists():
            adapted.mkdir()
            tool.adapt(original, adapted)
        return adapted


class Bench:
    """A server, and workloads: ``with Bench(…) as bench``. ``directory`` is where tools are run."""

    def __init__(
        self, server: BenchServer, scripts: Scripts, directory: Path, *, report: Callable[[str], None]
    ) -> None:
        self._server, self._scripts, self._directory, self._report = server, scripts, directory, report
        self._applied: dict[tuple[Workload, str], Address] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(self, row: Row, tools: Sequence[Tool], *, runs: int) -> RowResult:
        """All samples of a row: the first of each tool, then the second of each, and so on."""
        taking = [tool for tool in tools if row.takes(tool)]
        with ExitStack() as stack:
            try:
                groups = stack.enter_context(processor_share(row.share)) if row.share else ()
            except QuotaUnavailable as error:
                return RowResult(row=row, skipped=str(error))
            trials = [self._prepare(row, tool, groups) for tool in taking]
            for _ in range(runs):
                for trial in trials:
                    self._attempt(trial, trial.row, keep=True)
            for trial in trials:
                if not row.delay_ms and trial.tool.name not in row.uncounted:
                    self._attempt(trial, replace(row, delay_ms=_COUNTING_DELAY_MS), keep=False)
        return RowResult(row=row, outcomes={trial.tool.name: trial.outcome for trial in trials})

    def _prepare(self, row: Row, tool: Tool, groups: Sequence[Path]) -> "_Trial":
        """Scripts as the tool wants them and, where they are applied, the database that each run starts from."""
        outcome = Outcome()
        scripts = self._scripts.folder(row.workload, tool)
        start = None
        if row.is_applied:
            try:
                start = self._apply(row.workload, tool)
            except (CommandFailed, WrongResult) as error:
                outcome.failure = f"could not be prepared: {error}"
        return _Trial(row=row, tool=tool, scripts=scripts, start=start, groups=groups, outcome=outcome)

    def _apply(self, workload: Workload, tool: Tool) -> Address:
        """A database where the workload was applied, unmeasured, and kept for further rows.

        For a tool with the same history table as ours, ours does it: sooner.
        """
        applier = Taxiway() if tool.history == Taxiway.history else tool
        key = (workload, applier.name)
        if key not in self._applied:
            self._report(f"{workload}: {applier.title} applies it")
            address = self._stack.enter_context(self._server.database())
            scripts = self._scripts.folder(workload, applier)
            command = applier.command([Step.MIGRATE], scripts, address, self._directory)
            take_sample(command, limit_seconds=_APPLY_SECONDS)
            self._check(workload, applier, address)
            self._applied[key] = address
        return self._applied[key]

    def _attempt(self, trial: "_Trial", row: Row, *, keep: bool) -> None:
        """Take a sample, unless an earlier one has failed."""
        if trial.outcome.failure:
            return
        try:
            sample = self._take(trial, row)
        except (CommandFailed, WrongResult) as error:
            trial.outcome.failure = str(error)
            log = getattr(error, "log", "")
            self._report(f"{row.key}: {trial.tool.title}: {error}\n{log}")
            return
        if keep:
            trial.outcome.samples.append(sample)
        kind = "" if keep else " (counted run)"
        self._report(f"{row.key}: {trial.tool.title}: {sample.wall_seconds:.2f} s{kind}")

    def _take(self, trial: "_Trial", row: Row) -> Sample:
        with self._server.database(like=trial.start) as address:
            if row.delay_ms:
                sample = self._take_delayed(trial, row, address)
            else:
                sample = _run_all(trial.commands(address, self._directory), row, trial.groups)
            if Step.MIGRATE in row.steps:
                self._check(row.workload, trial.tool, address)
        return sample

    def _take_delayed(self, trial: "_Trial", row: Row, address: Address) -> Sample:
        with ProtocolProxy(address.host, address.port, delay_ms=row.delay_ms) as proxy:
            near = replace(address, host=proxy.host, port=proxy.port)
            sample = _run_all(trial.commands(near, self._directory), row, trial.groups)
            proxy.wait_until_closed()
            counts = proxy.counts()
        trial.outcome.round_trips, trial.outcome.connections = counts.round_trips, counts.connections
        return sample

    def _check(self, workload: Workload, tool: Tool, address: Address) -> None:
        applied = self._server.count_rows(address, tool.history)
        if applied != workload.count:
            raise WrongResult(f"{applied} of {workload.count} migrations were applied")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """A tool that is ready for a row."""

    row: Row
    tool: Tool
    scripts: Path
    start: Address | None
    groups: Sequence[Path]
    outcome: Outcome

    def commands(self, address: Address, directory: Path) -> list[Command]:
        if self.row.at_once:
            return [self.tool.command(self.row.steps, self.scripts, address, directory)]
        return self.tool.commands(self.row.steps, self.scripts, address, directory)


def _run_all(commands: Sequence[Command], row: Row, groups: Sequence[Path]) -> Sample:
    return add_samples([take_sample(one, limit_seconds=row.limit_seconds, groups=groups) for one in commands])
