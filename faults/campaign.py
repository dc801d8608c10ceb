"""What is played, how often, and by how many at once."""

import random
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from faults import runners, secrets, servers, stops
from faults.case import BASELINE, CALLBACKS, GROUP, IDLE, INDEXED, MIXED, SLOW, Case
from faults.commands import COMMANDS, UNDO_LAST
from faults.job import Job, Migrate
from faults.place import Place, open_place, open_server
from faults.points import (
    CLOSE,
    ENDLESS_SILENCE,
    INTERRUPT,
    KILL,
    LASTING_RESET,
    RESET,
    SILENCE,
    SILENT_STOP,
    TERMINATE,
    Fault,
    Point,
    PointTrial,
    learn,
)
from faults.recovery import Recovering
from faults.trial import Part, Trial, give_up

SEED: Final = 1
_LONGEST_RUN_SECONDS: Final = 0.2
_STALL_SECONDS: Final = 0.6

type Reporter = Callable[[Trial], None]


def _stall(_place: Place) -> Callable[[], None]:
    time.sleep(_STALL_SECONDS)
    return lambda: None


RESTART: Final = Fault(
    name="immediate shutdown and restart", part=Part.SERVER, strike=servers.restart(signal.SIGQUIT)
)
STALL: Final = Fault(
    name="the network stalls for longer than idle_in_transaction_session_timeout", part=Part.SERVER, strike=_stall
)


@dataclass(frozen=True, slots=True)
class Series:
    """One fault at points of one job: so many of them, or all."""

    job: Job
    fault: Fault
    count: int | None = None

    def choose(self, points: Sequence[Point], *, seed: int, share: float) -> list[Point]:
        """The points, or a share of them, chosen by a generator of random numbers whose beginning is known."""
        count = min(len(points), len(points) if self.count is None else self.count)
        generator = random.Random(f"{seed} {self.job.name} {self.fault.name}")
        return generator.sample(points, max(1, round(count * share)))


# Sent ahead, and one by one
RECOVERIES: Final = (Recovering(MIXED, "V7__column.sql"), Recovering(CALLBACKS, "V2__data.sql"))

EVERYTHING: Final = (
    Series(Migrate(MIXED), RESET),
    Series(Migrate(MIXED), KILL),
    Series(Migrate(MIXED), TERMINATE, 150),
    Series(Migrate(MIXED), INTERRUPT, 150),
    Series(Migrate(MIXED), SILENT_STOP, 150),
    Series(Migrate(MIXED), CLOSE, 60),
    Series(Migrate(MIXED), LASTING_RESET, 15),
    Series(Migrate(MIXED), SILENCE, 30),
    Series(Migrate(MIXED), ENDLESS_SILENCE, 4),
    Series(Migrate(CALLBACKS), RESET, 120),
    Series(Migrate(CALLBACKS), KILL, 60),
    Series(Migrate(CALLBACKS), TERMINATE, 30),
    Series(Migrate(CALLBACKS), INTERRUPT, 30),
    Series(Migrate(CALLBACKS), SILENT_STOP, 120),
    Series(Migrate(GROUP), RESET, 120),
    Series(Migrate(GROUP), KILL, 60),
    Series(Migrate(GROUP), TERMINATE, 30),
    Series(Migrate(BASELINE), RESET, 120),
    Series(Migrate(BASELINE), KILL, 60),
    Series(Migrate(IDLE), STALL, 30),
    *(Series(command, RESET) for command in COMMANDS),
    *(Series(command, KILL) for command in COMMANDS if command is not UNDO_LAST),
    *(Series(command, fault, 20) for command in COMMANDS for fault in (TERMINATE, INTERRUPT, SILENT_STOP)),
    *(Series(job, fault) for job in RECOVERIES for fault in (RESET, KILL)),
    *(Series(job, TERMINATE, 50) for job in RECOVERIES),
)
# These end all sessions of their server, so they have it to themselves.
WITH_RESTARTS: Final = (Series(Migrate(MIXED), RESTART, 40),)

_RUNNERS: Final = tuple((case, count) for count in (2, 5, 20) for case in (SLOW, INDEXED))


def play_alone(play: Callable[[Path], Trial], name: str, directory: Path) -> Trial:
    """What it came to; a trial that could not be carried out has that for a problem."""
    try:
        return play(directory)
    except Exception as error:  # noqa: BLE001 - told as a problem, and no reason to lose all others
        return give_up(Part.SERVER, name, name, error)


class Campaign:
    """Plays everything, and reports each trial as it is over. ``directory`` is for the scripts."""

    def __init__(
        self, directory: Path, report: Reporter, *, seed: int = SEED, workers: int = 2, share: float = 1.0
    ) -> None:
        self._directory, self._report = directory, report
        self._seed, self._workers, self._share = seed, workers, share
        self.points: dict[str, int] = {}

    def run(self, *, with_flyway: bool) -> None:
        """All of it."""
        self.play_series(EVERYTHING, workers=self._workers)
        self.play_series(WITH_RESTARTS, workers=1)
        self._play_stops()
        self._play_runners(with_flyway=with_flyway)
        self._tell(servers.play_all(servers.FAULTS, self._directory / "servers"))
        for play, name in (
            (servers.play_full_disk, "disk"),
            (servers.play_full_log_disk, "log-disk"),
            (servers.play_failover, "failover"),
        ):
            self._report(play_alone(play, name, self._directory / name))
        self._tell(secrets.play_all(self._directory / "secrets"))

    def play_series(self, series: Sequence[Series], *, workers: int) -> None:
        """The faults at messages, by so many workers, each of which has a database of its own."""
        places: SimpleQueue[Place] = SimpleQueue()
        with ExitStack() as stack:
            server = stack.enter_context(open_server())
            for number in range(workers):
                places.put(stack.enter_context(open_place(server, f"place_{number}")))
            points = self._learn({one.job.name: one.job for one in series}.values(), places)
            trials = [
                PointTrial(one.job, point, one.fault)
                for one in series
                for point in one.choose(points[one.job.name], seed=self._seed, share=self._share)
            ]

            def play(trial: PointTrial) -> Trial:
                place = places.get()
                try:
                    return trial.play(place, self._folder(trial.job.case))
                except Exception as error:  # noqa: BLE001 - told as a problem, and no reason to end all others
                    place.close()
                    return trial.given_up(error)
                finally:
                    places.put(place)

            pool = stack.enter_context(ThreadPoolExecutor(workers))
            self._tell(iter(pool.map(play, trials)))

    def _learn(self, jobs: Iterable[Job], places: "SimpleQueue[Place]") -> dict[str, list[Point]]:
        place = places.get()
        learnt = {job.name: learn(job, place, self._folder(job.case)) for job in jobs}
        places.put(place)
        self.points |= {name: len(points) for name, points in learnt.items()}
        return learnt

    def _play_stops(self) -> None:
        with open_server() as server, open_place(server, "stops") as place:
            slow, mixed = self._folder(SLOW), self._folder(MIXED)
            self._tell(
                stops.play_in_statement(SLOW, place, slow, number)
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
            )
            self._tell(
                stops.play_kill_over_tls(MIXED, place, mixed, after_seconds=seconds)
                for seconds in stops.moments(60, longest=_LONGEST_RUN_SECONDS, seed=self._seed)
            )

    def _play_runners(self, *, with_flyway: bool) -> None:
        with open_server() as server, open_place(server, "runners") as place:
            self._tell(iter([runners.find_unnamed(SLOW, place, self._folder(SLOW))]))
            self._tell(runners.play(case, place, self._folder(case), count=count) for case, count in _RUNNERS)
            if with_flyway:
                self._tell(self._play_with_flyway(place))

    def _play_with_flyway(self, place: Place) -> Iterator[Trial]:
        with runners.open_flyway() as oracle:
            for case in (SLOW, INDEXED):
                yield runners.play(case, place, self._folder(case), count=4, oracle=oracle)

    def _tell(self, trials: Iterator[Trial]) -> None:
        for trial in trials:
            self._report(trial)

    def _folder(self, case: Case) -> Path:
        folder = self._directory / case.name
        if not folder.exists():
            case.lay_out(folder)
        return folder
