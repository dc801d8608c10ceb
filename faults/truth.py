"""What has to hold after every fault, and whether what a run has said was true."""

import re
from collections.abc import Iterator
from typing import Final

from faults.case import Case, Migration
from faults.command import Ended
from faults.place import State
from faults.trial import Doubled, Lost

_RUNNING: Final = re.compile(r"Migration (\S+) was running\.(.*)", re.DOTALL)
_STOPPED: Final = re.compile(r"(?:Terminated|Interrupted) while (\S+) ran: (.*)", re.DOTALL)
_SAID_TO_BE_GONE: Final = ("It was not applied", "The server rolls back", "It had not done anything")
_NOTHING_CHANGED: Final = "before anything was changed"
_ASKED: Final = "while asking whether"
_UNKNOWN: Final = re.compile(
    r"while (\S+) ran: whether it (?:was|and those behind it, up to (\S+), were) applied is not known"
)

_RUN_AGAIN: Final = 4
# Exit codes by the codes of errors: what a lost connection may end with (docs/adr/0006-exit-codes.md).
_EXIT_CODES: Final = {"connection-lost": 4, "connection-failed": 4, "outcome-unknown": 1}


def find_wrong_state(case: Case, state: State) -> Iterator[str]:
    """What is not at a boundary, in words: right after a fault, before anything is mended."""
    applied, failed = state.applied, state.failed
    for script in {*applied, *failed}:
        if (count := [row.script for row in state.rows].count(script)) > 1:
            yield Doubled(f"{script} has {count} rows")
    for script in failed:
        if script not in case.scripts or case.migration(script).transactional:
            yield f"{script} has a row with success = false"
    for migration in case.migrations:
        yield from _wrong_effects(migration, state)
    if case.each and state.effects.get(case.each, 0) != len(applied):
        yield f"{state.effects.get(case.each, 0)} effects of the callback, {len(applied)} migrations"
    if case.is_group and 0 < len(applied) < len(case.scripts):
        yield f"a part of the group is applied: {applied}"
    if applied != [*case.markers, *case.scripts][: len(applied)]:
        yield f"applied in another order, or with gaps: {applied}"


def _wrong_effects(migration: Migration, state: State) -> Iterator[str]:
    script = migration.script
    counts = {name: state.effects.get(name, 0) for name in migration.effects}
    if doubled := [name for name, count in counts.items() if count > 1]:
        yield Doubled(f"done more than once: {', '.join(doubled)}")
    if script in state.applied:
        yield from (
            Lost(f"{script} has a row, and its effect '{name}' is missing") for name in counts if not counts[name]
        )
        if migration.index and not state.indexes.get(migration.index):
            yield Lost(f"{script} has a row, and its index is missing or invalid")
    elif script not in state.failed:
        # Neither applied nor on record as begun: not the least of it may be there.
        yield from (f"{script} has no row, and its effect '{name}' is there" for name in counts if counts[name])
        if migration.index in state.indexes:
            yield f"{script} has no row, and its index is there"


def find_unfinished(case: Case, state: State) -> Iterator[str]:
    """What is missing where everything has to be done, each exactly once."""
    yield from find_wrong_state(case, state)
    expected = [*case.markers, *case.scripts]
    if [row.script for row in state.rows] != expected or not all(row.success for row in state.rows):
        yield Lost(f"the history has {[(row.script, row.success) for row in state.rows]} instead of {expected}")


def find_lies(case: Case, ended: Ended, state: State) -> Iterator[str]:
    """Whatever a run has said that the database does not confirm, and whatever it must not end with."""
    yield from find_wrong_ending(ended)
    recorded = [script for script in state.applied if script in case.scripts]
    if missing := [script for script in ended.applied if script not in recorded]:
        yield f"said to be applied, and are not: {missing}"
    if ended.exit_code == 0:
        if recorded != [*case.scripts]:
            yield f"exit 0, and applied are only {recorded}"
        return
    if ended.exit_code == _RUN_AGAIN and state.failed:
        yield f"exit 4, so run again; and the next run has to refuse because of {state.failed}: {ended.message}"
    if _NOTHING_CHANGED in ended.message and (state.has_history or state.effects):
        yield f"said that nothing was changed, and the history is there: {ended.message}"
    yield from find_lies_about_the_running(ended, recorded)
    yield from _untold(ended, recorded)


def find_wrong_ending(ended: Ended) -> Iterator[str]:
    """What no run must end with, whatever was done to it."""
    text = ended.stdout + ended.stderr
    if "Traceback" in text or "HUNG" in text or ended.exit_code == 70:
        yield f"exit {ended.exit_code}: {text[-2000:]}"
    if ended.exit_code > 0 and not ended.message:
        yield f"exit {ended.exit_code} without a message: {text[-500:]}"


def find_lies_about_the_running(ended: Ended, recorded: list[str]) -> Iterator[str]:
    """What it says of the script that it was at, where the history knows better."""
    if found := _RUNNING.search(ended.message):
        script, rest = found.groups()
        if script in recorded and any(words in rest for words in _SAID_TO_BE_GONE):
            yield f"said of {script} that it was not applied, and it is: {ended.message}"
    if found := _STOPPED.search(ended.message):
        script, rest = found.groups()
        if script in recorded and rest.startswith("it was rolled back;"):
            yield f"said of {script} that it was rolled back, and it is applied: {ended.message}"


def _untold(ended: Ended, recorded: list[str]) -> Iterator[str]:
    """What is applied and was not told, where nothing in the message says that this may be."""
    untold = [script for script in recorded if script not in ended.applied]
    if unknown := _UNKNOWN.search(ended.message):
        yield from _outside(unknown, untold, ended)
        return
    is_in_doubt = _ASKED in ended.message
    may_be_more = (
        is_in_doubt or ended.code == "outcome-unknown" or "unless it was being committed" in ended.message
    )
    if untold and not may_be_more:
        yield f"applied, and not told: {untold}; {ended.in_short}: {ended.message}"
    if len(untold) > 1 and ended.code in {"terminated", "interrupted"} and not is_in_doubt:
        yield f"more than one applied and not told: {untold}: {ended.message}"


def _outside(unknown: re.Match[str], untold: list[str], ended: Ended) -> Iterator[str]:
    """What is applied and not told, and is none of those that the message leaves open."""
    first, last = unknown.groups()
    begins_elsewhere = untold[:1] not in ([], [first])
    goes_beyond = last in untold[:-1] if last else len(untold) > 1
    if begins_elsewhere or goes_beyond:
        yield f"applied, and neither told nor left open: {untold}: {ended.message}"


def find_wrong_loss(case: Case, ended: Ended, *, can_ask: bool) -> Iterator[str]:
    """What is wrong with how a run speaks of a lost connection. ``can_ask``: the server could be reached again."""
    if ended.exit_code == 0:
        return
    yield from find_wrong_code(ended)
    # A callback has no row that could tell.
    if can_ask and ended.code == "outcome-unknown" and "Callback" not in ended.message:
        found = _RUNNING.search(ended.message)
        if found is None or found[1] not in case.scripts or case.migration(found[1]).transactional:
            yield f"the outcome could have been looked up: {ended.message}"


def find_wrong_code(ended: Ended) -> Iterator[str]:
    """What is wrong with the exit code of a run that has lost its connection."""
    if ended.exit_code and ended.exit_code != _EXIT_CODES.get(ended.code):
        yield f"{ended.in_short} for a lost connection: {ended.message}"


def find_wrong_refusal(case: Case, ended: Ended, state: State) -> Iterator[str]:
    """What is wrong with how the run after the fault refuses to go on."""
    if not state.failed:
        yield f"the next run refuses without a reason: {ended.in_short}: {ended.message}"
        return
    for wanted in (state.failed[0], "taxiway repair"):
        if wanted not in ended.message:
            yield f"the refusal does not name '{wanted}': {ended.message}"
    begun = any(not row.success and row.execution_time < 0 for row in state.rows)
    if begun and "was begun" not in ended.message:
        yield f"the refusal does not say that it was begun and not finished: {ended.message}"
    if case.migration(state.failed[0]).index and "CREATE INDEX CONCURRENTLY" not in ended.message and begun:
        yield f"the refusal does not say what to do about an index: {ended.message}"
