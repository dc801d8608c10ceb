"""Playing a scenario with one tool, and telling in words where two plays differ."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

import psycopg

from conformance.answer import Answer, Outcome
from conformance.database import Contents, Database, Playground
from conformance.scenario import Scenario, Step
from conformance.tools import Tool

_MOST_ITEMS: Final = 8


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of one step."""

    command: str
    answer: Answer
    contents: Contents


@dataclass(frozen=True, slots=True)
class Play:
    """What came of a scenario: each step, and the schema at the end, as ``pg_dump`` shows it."""

    steps: tuple[Observation, ...]
    schema: tuple[str, ...]


def play(scenario: Scenario, tool: Tool, playground: Playground) -> Play:
    """Play a scenario on a database of its own."""
    with playground.database() as database:
        steps = play_steps(scenario.steps, tool, database)
        return Play(tuple(steps), database.dump())


def play_steps(steps: Sequence[Step], tool: Tool, database: Database) -> list[Observation]:
    """Take steps, with a folder of scripts of their own."""
    with tempfile.TemporaryDirectory() as directory:
        # A folder further down: its name must not begin with a dot or hold anything odd.
        scripts = Path(directory) / "sql"
        scripts.mkdir()
        return [_take(step, tool, database, scripts) for step in steps]


def _take(step: Step, tool: Tool, database: Database, scripts: Path) -> Observation:
    step.lay_out(scripts)
    try:
        database.run(step.sql)
    except psycopg.Error as error:
        # The steps before have not come to what the statements build on.
        return Observation(step.command, Answer(Outcome.CRASHES, code=f"sql: {error}"), database.contents())
    options = {**step.options, **(step.taxiway if tool.name == "taxiway" else {})}
    answer = tool.run(step.command, database, scripts, options)
    return Observation(step.command, answer, database.contents())


def find_differences(theirs: Play, ours: Play) -> list[str]:
    """Where two plays differ, in words; nothing when they agree."""
    steps = find_step_differences(theirs.steps, ours.steps)
    return [*steps, *_compare("the schema at the end", theirs.schema, ours.schema)]


def find_step_differences(theirs: Sequence[Observation], ours: Sequence[Observation]) -> list[str]:
    """Where the steps of two plays differ, in words."""
    return [
        difference
        for number, (one, other) in enumerate(zip(theirs, ours, strict=True), start=1)
        for difference in _compare_step(f"step {number} ({one.command})", one, other)
    ]


def _compare_step(place: str, theirs: Observation, ours: Observation) -> Iterator[str]:
    if theirs.answer.outcome is not ours.answer.outcome:
        yield f"{place}: {_outcome(theirs.answer)} in Flyway, {_outcome(ours.answer)} in Taxiway"
    yield from _compare(f"{place}, the answer", theirs.answer.lines, ours.answer.lines)
    yield from _compare(f"{place}, the history", theirs.contents.history, ours.contents.history)
    yield from _compare(f"{place}, the objects", theirs.contents.objects, ours.contents.objects)
    yield from _compare(f"{place}, the rows", theirs.contents.rows, ours.contents.rows)


def _outcome(answer: Answer) -> str:
    return f"{answer.outcome.value} ({answer.code})" if answer.code else answer.outcome.value


def _compare(place: str, theirs: Sequence[object], ours: Sequence[object]) -> Iterator[str]:
    """Items that only one side has, or the first that stands elsewhere."""
    if theirs == ours:
        return
    missing = [f"  only Flyway   {item}" for item in theirs if item not in ours]
    added = [f"  only Taxiway  {item}" for item in ours if item not in theirs]
    other_place = [
        f"  item {number}: Flyway {one}, Taxiway {other}"
        for number, (one, other) in enumerate(zip_longest(theirs, ours), start=1)
        if one != other
    ]
    items = missing + added or other_place[:1]
    more = [f"  … and {len(items) - _MOST_ITEMS} more"] if len(items) > _MOST_ITEMS else []
    yield "\n".join([f"{place}:", *items[:_MOST_ITEMS], *more])
