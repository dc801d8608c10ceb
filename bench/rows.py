"""What is measured: one row for each question."""

from dataclasses import dataclass, field, replace
from typing import Final

from bench.tools import Step, Tool
from bench.workloads import Workload

_EVERYTHING: Final = (Step.INFO, Step.MIGRATE, Step.INFO)
_FRESH: Final = (Step.MIGRATE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Steps on a workload, and the conditions.

    Attributes:
        key: What ``--only`` calls it.
        title: What the page calls it.
        is_applied: The workload was applied before; otherwise the database is empty.
        at_once: All steps are one process, for the tools that can do that; the others are left out.
        delay_ms: How much the network delays in each direction; such a row is measured through the proxy.
        share: Of one processor; None for as much as there is.
        only: The tools that it is about; empty for all.
        uncounted: The tools that have no counted run, because it would take too long.
    """

    key: str
    title: str
    workload: Workload
    steps: tuple[Step, ...]
    is_applied: bool = False
    at_once: bool = False
    delay_ms: float = 0
    share: float | None = None
    only: frozenset[str] = field(default=frozenset())
    uncounted: frozenset[str] = field(default=frozenset())
    limit_seconds: float = 120

    def takes(self, tool: Tool) -> bool:
        """Whether this tool does such a thing."""
        if self.only and tool.name not in self.only:
            return False
        if self.at_once and not tool.does_steps_at_once:
            return False
        has_nothing_to_do = self.is_applied and Step.MIGRATE in self.steps
        return tool.skips_applied or not has_nothing_to_do


_SLOW: Final = frozenset({"psql", "dbmate", "pyway", "flyway"})
_ALL: Final = frozenset({"taxiway"}) | _SLOW
_STREAMING: Final = frozenset({"taxiway", "psql"})
# Where the others would wait for minutes or hours: they need from six round trips for each migration.
_OURS: Final = frozenset({"taxiway"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    mixed: int
    tables: int
    nothing: int
    megabytes: int
    gigabyte: int


_FULL: Final = _Sizes(mixed=100, tables=1_000, nothing=10_000, megabytes=200, gigabyte=1_000)
_QUICK: Final = _Sizes(mixed=10, tables=20, nothing=50, megabytes=1, gigabyte=2)


def make_rows(*, quick: bool) -> tuple[Row, ...]:
    """All rows, in the order of the page. ``quick`` makes the workloads small: the figures then mean nothing."""
    sizes = _QUICK if quick else _FULL
    return (*_start_rows(), *_data_rows(sizes), *_scale_rows(sizes), *_network_rows(sizes))


def _start_rows() -> tuple[Row, ...]:
    three = Workload(name="three", size=3)
    quota = "with a quarter of one processor"
    return (
        Row(
            key="cold",
            title="Cold start: info, 3 applied migrations",
            workload=three,
            steps=(Step.INFO,),
            is_applied=True,
        ),
        Row(
            key="quota",
            title=f"info, migrate, info of 3 migrations as three processes, {quota}",
            workload=three,
            steps=_EVERYTHING,
            share=0.25,
            uncounted=_ALL,
        ),
        Row(
            key="quota-at-once",
            title=f"The same as one process, {quota}",
            workload=three,
            steps=_EVERYTHING,
            at_once=True,
            share=0.25,
            uncounted=_ALL,
        ),
    )


def _scale_rows(sizes: _Sizes) -> tuple[Row, ...]:
    tables = Workload(name="tables", size=sizes.tables)
    nothing = Workload(name="nothing", size=sizes.nothing)
    return (
        Row(
            key="tables",
            title=f"migrate, {tables.size:,} migrations of three statements",
            workload=tables,
            steps=_FRESH,
            limit_seconds=300,
        ),
        Row(
            key="fresh",
            title=f"migrate, {nothing.size:,} migrations of one statement",
            workload=nothing,
            steps=_FRESH,
            uncounted=_SLOW,
            limit_seconds=900,
        ),
        Row(
            key="info",
            title=f"info, {nothing.size:,} applied migrations",
            workload=nothing,
            steps=(Step.INFO,),
            is_applied=True,
            limit_seconds=300,
        ),
        Row(
            key="noop",
            title=f"migrate with nothing to do, {nothing.size:,} applied migrations",
            workload=nothing,
            steps=_FRESH,
            is_applied=True,
            limit_seconds=300,
        ),
    )


def _network_rows(sizes: _Sizes) -> tuple[Row, ...]:
    three, mixed = Workload(name="three", size=3), Workload(name="mixed", size=sizes.mixed)
    nothing, tables = Workload(name="nothing", size=sizes.nothing), Workload(name="tables", size=sizes.tables)
    return (
        replace(_far("cold-far", "info, 3 applied migrations", three), steps=(Step.INFO,), is_applied=True),
        replace(
            _far("noop-far", f"migrate with nothing to do, {nothing.size:,} applied migrations", nothing),
            is_applied=True,
        ),
        _far("latency", f"migrate, {mixed.size} migrations", mixed),
        replace(
            _far("latency-at-once", f"info, migrate, info of {mixed.size} migrations as one process", mixed),
            steps=_EVERYTHING,
            at_once=True,
        ),
        replace(
            _far("tables-far", f"migrate, {tables.size:,} migrations of three statements", tables), only=_OURS
        ),
        replace(_far("fresh-far", f"migrate, {nothing.size:,} migrations of one statement", nothing), only=_OURS),
        replace(
            _far(
                "insert-far",
                f"migrate, one file with {sizes.megabytes} MB of INSERT",
                Workload(name="insert", size=sizes.megabytes),
            ),
            only=_STREAMING,
        ),
    )


def _far(key: str, title: str, workload: Workload) -> Row:
    title = f"{title}, at 40 ms a round trip"
    return Row(key=key, title=title, workload=workload, steps=_FRESH, delay_ms=20, limit_seconds=300)


def _data_rows(sizes: _Sizes) -> tuple[Row, ...]:
    some = [(sizes.megabytes, frozenset[str](), 300.0), (sizes.gigabyte, _STREAMING, 1200.0)]
    return tuple(
        Row(
            key=f"{name}-{'large' if only else 'medium'}",
            title=f"migrate, one file with {megabytes:,} MB of {name.upper()}",
            workload=Workload(name=name, size=megabytes),
            steps=_FRESH,
            only=only,
            uncounted=_ALL,
            limit_seconds=limit,
        )
        for megabytes, only, limit in some
        for name in ("insert", "copy")
    )
