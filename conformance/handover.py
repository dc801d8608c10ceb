"""Both tools on one database: in turn, each going on where the other one has stopped, and at the same time."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path
from typing import Final

from conformance.answer import Answer, Outcome
from conformance.database import Database, Playground
from conformance.oracle import Oracle
from conformance.scenario import Step
from conformance.tools import Flyway, Taxiway, Tool

_SETUP: Final = "create schema log; create table log.run (what text);"
_LOCKS: Final[Mapping[str, Mapping[str, str]]] = {
    "default lock": {},
    "session lock": {"postgresql.transactional.lock": "false"},
}
_SLOW_SECONDS: Final = 3
# How long the first tool may need to come to its slow script.
_START_SECONDS: Final = 15


def _logged(*names: str) -> dict[str, bytes]:
    """Scripts that write down that they have run."""
    return {name: f"insert into log.run values ('{name}');\n".encode() for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Steps that the tools take in turn. After each migrate, both have to find everything in order."""

    name: str
    steps: tuple[Step, ...]
    runs: int


STORIES: Final = (
    Story(
        name="versioned and repeatable",
        steps=(
            Step(command="migrate", write=_logged("V1__a.sql", "R__r.sql"), sql=_SETUP),
            Step(command="migrate", write=_logged("V2__b.sql", "sub/V2_1__c.sql")),
            Step(command="migrate", write={"R__r.sql": b"insert into log.run values ('again');\n"}),
            Step(command="migrate", write=_logged("V1_5__late.sql"), options={"outOfOrder": "true"}),
            Step(command="migrate"),
        ),
        runs=6,
    ),
    Story(
        name="baseline script",
        steps=(
            Step(command="migrate", write=_logged("V1__a.sql", "B2__base.sql", "V3__c.sql"), sql=_SETUP),
            Step(command="migrate", write=_logged("V4__d.sql", "B4__base.sql")),
            Step(command="migrate"),
        ),
        runs=3,
    ),
    Story(
        name="baseline",
        steps=(
            Step(command="baseline", write=_logged("V1__a.sql", "V2__b.sql"), sql=_SETUP + "create table old ()"),
            Step(command="migrate"),
            Step(command="migrate", write=_logged("V3__c.sql")),
        ),
        runs=2,
    ),
    Story(
        name="schemas",
        steps=tuple(
            Step(command="migrate", write=_logged(name), sql=sql, options={"schemas": 's1,My"S', "table": "h"})
            for name, sql in (("V1__a.sql", _SETUP), ("V2__b.sql", ""), ("V3__c.sql", ""))
        ),
        runs=3,
    ),
    Story(
        name="repair",
        steps=(
            Step(command="migrate", write=_logged("V1__a.sql", "V2__b.sql", "R__r.sql"), sql=_SETUP),
            Step(command="repair", write={"V1__a.sql": b"select 1;\n"}, remove=("R__r.sql",)),
            Step(command="migrate", write=_logged("V3__c.sql")),
            Step(command="migrate", write=_logged("R__r.sql")),
        ),
        runs=5,
    ),
)


@dataclass(frozen=True, slots=True)
class Relay:
    """Two tools on one database, with one folder of scripts."""

    database: Database
    scripts: Path
    lock: Mapping[str, str]

    def run(self, tool: Tool, command: str, options: Mapping[str, str]) -> Answer:
        """Let one tool run a command."""
        return tool.run(command, self.database, self.scripts, {**options, **self.lock})

    def take_turns(self, story: Story, tools: Sequence[Tool]) -> Iterator[str]:
        """What went wrong when the tools take the steps in turn, in words."""
        for number, (step, tool) in enumerate(zip(story.steps, cycle(tools)), start=1):
            step.lay_out(self.scripts)
            self.database.run(step.sql)
            answer = self.run(tool, step.command, step.options)
            if answer.outcome is not Outcome.OK:
                yield f"step {number}: {tool.name} {step.command}: {answer.outcome.value} {answer.code}"
            if step.command == "migrate":
                yield from (f"step {number}: {problem}" for problem in self._disagreements(tools, step.options))
        if (runs := len(self.database.contents().rows)) != story.runs:
            yield f"{runs} scripts were run instead of {story.runs}"

    def _disagreements(self, tools: Sequence[Tool], options: Mapping[str, str]) -> Iterator[str]:
        answers = [self.run(tool, "info", options) for tool in tools]
        if answers[0] != answers[1]:
            yield f"{tools[0].name} info {answers[0]}, {tools[1].name} info {answers[1]}"
        for tool in tools:
            answer = self.run(tool, "validate", options)
            if answer.outcome is not Outcome.OK:
                yield f"{tool.name} validate: {answer.outcome.value} {answer.lines or answer.code}"

    def race(self, tools: Sequence[Tool], *, patient: bool) -> Iterator[str]:
        """What went wrong when the second tool starts while the first one is in a slow script, in words.

        A patient one waits and finds nothing left to do; an impatient one is refused.
        """
        slow = f"insert into log.run values ('slow'); select pg_sleep({_SLOW_SECONDS});\n"
        Step(command="", write={"V1__slow.sql": slow.encode(), **_logged("V2__b.sql")}).lay_out(self.scripts)
        self.database.run(_SETUP)
        first, second = tools
        options = {} if patient else {"lockRetryCount": "0"}
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.run, first, "migrate", {})
            self._wait_for_the_script()
            late = self.run(second, "migrate", options)
            early = running.result()
        if early.outcome is not Outcome.OK:
            yield f"{first.name}, who was first: {early.outcome.value} {early.code}"
        if late.outcome is not (Outcome.OK if patient else Outcome.REFUSED):
            yield f"{second.name}, who was late: {late.outcome.value} {late.code}"
        ran = self.database.contents().rows
        if len(ran) != 2:
            yield f"not every script was run once: {ran}"

    def _wait_for_the_script(self) -> None:
        query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep%%' AND pid <> pg_backend_pid()"
        deadline = time.monotonic() + _START_SECONDS
        with self.database.connect() as connection:
            while time.monotonic() < deadline:
                if connection.execute(query).fetchall() != [(0,)]:
                    return
                time.sleep(0.05)


def run(playground: Playground, oracle: Oracle) -> int:
    """Every story and every race, in both orders and with both sorts of lock; how many went wrong."""
    flyway, taxiway = Flyway(oracle), Taxiway()
    orders: Sequence[tuple[Tool, Tool]] = ((flyway, taxiway), (taxiway, flyway))
    failed = total = 0
    for (lock_name, lock), tools in product(_LOCKS.items(), orders):
        for name, problems in _all(playground, lock, tools):
            total += 1
            failed += bool(problems)
            title = f"{name}, {tools[0].name} first, {lock_name}"
            print(f"{'FAIL' if problems else 'ok  '} hand-over: {title}", flush=True)
            for problem in problems[:3]:
                print(f"      {problem}")
    print(f"{total - failed} of {total} hand-overs as they have to be")
    return failed


def _all(
    playground: Playground, lock: Mapping[str, str], tools: tuple[Tool, Tool]
) -> Iterator[tuple[str, list[str]]]:
    for story in STORIES:
        with playground.database() as database, tempfile.TemporaryDirectory() as scripts:
            yield story.name, list(Relay(database, Path(scripts), lock).take_turns(story, tools))
    for patient in (True, False):
        with playground.database() as database, tempfile.TemporaryDirectory() as scripts:
            problems = list(Relay(database, Path(scripts), lock).race(tools, patient=patient))
            yield f"at once, {'patient' if patient else 'impatient'}", problems
