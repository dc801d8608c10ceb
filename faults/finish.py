"""The runs after a fault: they have to finish the job, or to say precisely what somebody has to do first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from faults.case import EFFECTS, Case
from faults.command import Ended, start
from faults.place import Place, State
from faults.truth import find_lies, find_unfinished, find_wrong_refusal

_LOCK: Final = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database =
(SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Finished(NamedTuple):
    """What the next runs came to."""

    then: str
    problems: tuple[str, ...]


def finish(case: Case, place: Place, state: State, directory: Path) -> Finished:
    """Run again, on the server itself. Where that is refused, do what the refusal asks for, and run once more.

    ``state`` is what was found after the fault.
    """
    problems = [*find_held_lock(place)]
    ended = start("migrate", case, place.url(), directory).wait()
    if ended.exit_code == 0:
        then = "finished" if ended.applied else "nothing left to do"
        if state.failed:
            problems.append(f"the next run went past a migration that has failed: {state.failed}")
    else:
        then = "refused; repaired; finished"
        problems += find_wrong_refusal(case, ended, state)
        ended = _mend(case, place, state, directory, problems)
    problems += find_lies_of_the_last(case, ended, place.look())
    return Finished(then, tuple(problems))


def find_held_lock(place: Place) -> Iterator[str]:
    """Whether somebody has the migration lock when all runs are over."""
    if held := place.observer.execute(_LOCK).fetchall()[0][0]:
        yield f"the lock is held {held} time(s) when the run is over"


def find_lies_of_the_last(case: Case, ended: Ended, state: State) -> Iterator[str]:
    """What is not done and true when everything has to be done."""
    if ended.exit_code:
        yield f"the last run did not finish: {ended.in_short}: {ended.message} {ended.stderr[-500:]}"
    yield from find_lies(case, ended, state)
    yield from find_unfinished(case, state)


def _mend(case: Case, place: Place, state: State, directory: Path, problems: list[str]) -> Ended:
    """What the hint says: take back what a migration without a transaction has left, repair, run again."""
    for script in state.failed:
        migration = case.migration(script)
        place.run(f"DELETE FROM {EFFECTS} WHERE what LIKE '{script} %'")
        if migration.index:
            place.run(f"DROP INDEX IF EXISTS public.{migration.index}")
    repaired = start("repair", case, place.url(), directory).wait()
    if repaired.exit_code:
        problems.append(f"repair was refused: {repaired.in_short}: {repaired.message}")
    return start("migrate", case, place.url(), directory).wait()
