"""Several runs at once on one fresh database: one applies, the others wait and find nothing left to do."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from conformance.oracle import Hangs, Oracle
from faults.case import Case
from faults.command import Ended, start
from faults.place import OWNER, Place
from faults.trial import Part, Trial
from faults.truth import find_unfinished

# How long the slow migration sleeps, so that the others meet it
_SLOW_SECONDS: Final = 2.0
_WAITING: Final = "Waiting for the migration lock"
_HOLDER: Final = re.compile(
    rf"{_WAITING} of \S+, held by process (\d+) "
    rf"\(user {OWNER}, program '([^']+)', from \S+, since \d{{4}}-\S+ \S+\)"
)
_APPLIED: Final = re.compile(r"Successfully applied (\d+) migration")
_NOTHING: Final = "No migration necessary"
_MOST_SHOWN: Final = 600


def play(case: Case, place: Place, directory: Path, *, count: int, oracle: Oracle | None = None) -> Trial:
    """So many runs of ours, and one of the real Flyway if there is an ``oracle``."""
    place.reset(case.setup)
    place.set_pace(_SLOW_SECONDS)
    with ThreadPoolExecutor(1) as pool:
        runs = [start("migrate", case, place.url(), directory, as_text=True) for _ in range(count)]
        theirs = pool.submit(_let_flyway_run, oracle, case, place, directory) if oracle else None
        ended = [run.wait(seconds=120) for run in runs]
        flyway = theirs.result() if theirs else ""
    problems = [*_find_wrong_ends(ended, with_flyway=oracle is not None), *find_unfinished(case, place.look())]
    if oracle and flyway != "ok":
        problems.append(f"Flyway: {flyway}")
    waited = sum(_WAITING in one.stdout for one in ended)
    appliers = sum(bool(_APPLIED.search(one.stdout)) for one in ended)
    others = " and a Flyway" if oracle else ""
    return Trial(
        part=Part.RUNNERS,
        group=f"{case.name}, {count} at once{others}",
        what=f"{case.name}: {count} runs at once{others}",
        outcome=f"{appliers} applied, {count - appliers} had nothing to do, {waited} waited for the lock",
        then="nothing left to do",
        problems=problems,
        runs=count + (oracle is not None),
    )


def _find_wrong_ends(ended: Sequence[Ended], *, with_flyway: bool) -> Iterator[str]:
    codes = Counter(one.exit_code for one in ended)
    if set(codes) != {0}:
        failed = next(one for one in ended if one.exit_code)
        yield f"exit codes {dict(codes)}: {(failed.stdout + failed.stderr)[-_MOST_SHOWN:]}"
    appliers = [one for one in ended if _APPLIED.search(one.stdout)]
    if len(appliers) > 1 or (not appliers and not with_flyway):
        yield f"{len(appliers)} runs have applied something"
    for one in ended:
        if one not in appliers and one.exit_code == 0 and _NOTHING not in one.stdout:
            yield f"has not applied anything, and does not say so: {one.stdout[-_MOST_SHOWN:]}"
        yield from _find_wrong_waiting(one.stdout)


def _find_wrong_waiting(output: str) -> Iterator[str]:
    """Who waits says for whom: process, program, since when. Between two holders there is nobody to name."""
    if _WAITING in output and "held by" in output and not _HOLDER.search(output):
        yield f"the holder is not named in full: {output[output.index(_WAITING) :][:_MOST_SHOWN]}"


def find_unnamed(case: Case, place: Place, directory: Path) -> Trial:
    """One run in a slow statement, and another that meets it: it has to name the first one's process."""
    place.reset(case.setup)
    place.set_pace(_SLOW_SECONDS)
    first = start("migrate", case, place.url(), directory, as_text=True)
    place.wait_for_sleep()
    [holder] = place.sessions()
    second = start("migrate", case, place.url(), directory, as_text=True).wait()
    found = _HOLDER.search(second.stdout)
    problems = [*_find_wrong_ends([first.wait(), second], with_flyway=False)]
    if found is None or found.groups() != (str(holder), "taxiway"):
        problems.append(f"did not name process {holder}: {second.stdout[-_MOST_SHOWN:]}")
    return Trial(
        part=Part.RUNNERS,
        group="the second meets the first in a statement",
        what=f"{case.name}: a run while another one holds the lock",
        outcome="waited, and named process, user, program, address and time",
        then="nothing left to do",
        problems=problems,
        runs=2,
    )


def _let_flyway_run(oracle: Oracle, case: Case, place: Place, directory: Path) -> str:
    """Its lock is that of a session where a script builds an index concurrently: with the other one it hangs."""
    address = f"{place.server.host}:{place.server.port}"
    settings = {
        "flyway.url": f"jdbc:postgresql://{address}/{place.name}?sslmode=disable",
        "flyway.user": OWNER,
        "flyway.password": "none",
        "flyway.locations": f"filesystem:{directory}",
        "flyway.mixed": "true",
    }
    if not all(migration.transactional for migration in case.migrations):
        settings["flyway.postgresql.transactional.lock"] = "false"
    try:
        return " ".join(oracle.ask("migrate", settings, patience_seconds=120)[:1])
    except Hangs:
        return "hangs"


@contextmanager
def open_flyway() -> Iterator[Oracle]:
    """Flyway in a virtual machine that has started: so that it begins together with the others."""
    with Oracle() as oracle:
        oracle.ask("version", {})
        yield oracle
