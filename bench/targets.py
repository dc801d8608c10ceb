"""What a run has to reach, beside what it has measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.run import Outcome, RowResult
from bench.tools import Psql, Taxiway
from bench.whole_job.measure import LIMITED, PIPELINE, TAXIWAY, JobResult

type _Outcomes = Mapping[str, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A target and what came of it; ``measured`` is in the unit of the target."""

    title: str
    most: str
    measured: float
    is_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """The largest value that a figure of one row, or of one whole job, may have.

    Attributes:
        where: The key of the row, or the title of the job.
        figure: Of the outcomes there; None when what it needs was not measured.
    """

    where: str
    title: str
    most: float
    unit: str
    figure: Callable[[_Outcomes], float | None]


def _of(name: str, take: Callable[[Outcome], float | None]) -> Callable[[_Outcomes], float | None]:
    def figure(outcomes: _Outcomes) -> float | None:
        outcome = outcomes.get(name)
        return take(outcome) if outcome is not None and outcome.samples else None

    return figure


def _ratio(ours: str, theirs: str, take: Callable[[Outcome], float]) -> Callable[[_Outcomes], float | None]:
    def figure(outcomes: _Outcomes) -> float | None:
        above, below = _of(ours, take)(outcomes), _of(theirs, take)(outcomes)
        return above / below if above is not None and below else None

    return figure


def _cpu(outcome: Outcome) -> float:
    return outcome.median.cpu_seconds


def _wall(outcome: Outcome) -> float:
    return outcome.median.wall_seconds


def _memory(outcome: Outcome) -> float:
    return outcome.median.peak_mib


def _round_trips(outcome: Outcome) -> float | None:
    """Connecting counts as one for each connection."""
    if outcome.round_trips is None or outcome.connections is None:
        return None
    return outcome.round_trips + outcome.connections


_OURS_TO_PSQL: Final = _ratio(Taxiway.name, Psql.name, _wall)

_TARGETS: Final = (
    _Target(where="cold", title="info, cold: CPU", most=0.2, unit="s", figure=_of(Taxiway.name, _cpu)),
    _Target(where="cold", title="info, cold: memory", most=40, unit="MiB", figure=_of(Taxiway.name, _memory)),
    _Target(
        where="latency-at-once",
        title="info, migrate, info of 100 migrations: round trips",
        most=12,
        unit="",
        figure=_of(Taxiway.name, _round_trips),
    ),
    _Target(where="fresh", title="10,000 fresh: wall / psql", most=1, unit="", figure=_OURS_TO_PSQL),
    _Target(
        where="noop", title="10,000 with nothing to do: CPU", most=1, unit="s", figure=_of(Taxiway.name, _cpu)
    ),
    *(
        target
        for kind in ("insert", "copy")
        for target in (
            _Target(
                where=f"{kind}-large",
                title=f"1,000 MB of {kind.upper()}: wall / psql",
                most=1.2,
                unit="",
                figure=_OURS_TO_PSQL,
            ),
            _Target(
                where=f"{kind}-large",
                title=f"1,000 MB of {kind.upper()}: memory",
                most=100,
                unit="MiB",
                figure=_of(Taxiway.name, _memory),
            ),
        )
    ),
    _Target(
        where=LIMITED,
        title=f"whole job, {LIMITED}: CPU / pipeline",
        most=0.1,
        unit="",
        figure=_ratio(TAXIWAY, PIPELINE, _cpu),
    ),
    _Target(where=LIMITED, title=f"whole job, {LIMITED}: wall", most=5, unit="s", figure=_of(TAXIWAY, _wall)),
)


def judge(rows: Sequence[RowResult], jobs: Sequence[JobResult]) -> list[Verdict]:
    """A verdict on each target that this run has the figures for."""
    places: dict[str, _Outcomes] = {result.row.key: result.outcomes for result in rows}
    places |= {job.title: job.outcomes for job in jobs}
    found = [(target, target.figure(places.get(target.where, {}))) for target in _TARGETS]
    return [
        Verdict(
            title=target.title,
            most=f"{target.most:g} {target.unit}".rstrip(),
            measured=measured,
            is_met=measured <= target.most,
        )
        for target, measured in found
        if measured is not None
    ]
