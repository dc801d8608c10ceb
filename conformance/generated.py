"""Random histories: files that come, change and go between commands, with both tools in step.

A history is made from a seed and its number alone, so one that differs can be made again:
``python -m conformance.generated --seed 1 --first 137 --count 1``.

What the tools are known to do differently (docs/reference/compatibility.md) is left out: scripts that fail without
a transaction only come with the session lock, and scripts that cannot be planned only in scenarios.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Final

from conformance.bench import open_bench
from conformance.database import Database, Playground
from conformance.oracle import Oracle
from conformance.play import find_step_differences, play_steps
from conformance.scenario import Step
from conformance.tools import Flyway, Taxiway

# Where scripts write down that they have run; it is not managed, so clean leaves it alone.
_SETUP: Final = "create schema log; create table log.run (what text);"
_LEGACY: Final = " create table older (i int);"

_COMMANDS: Final = {"migrate": 12, "validate": 3, "repair": 3, "baseline": 2, "info": 1, "clean": 1}
_PATTERNS: Final = (
    "*:missing", "*:pending", "*:ignored", "*:future", "*:*", "versioned:missing", "repeatable:missing",
    "versioned:*", "*:missing,*:future", "*:ignored,*:missing", "repeatable:pending", "versioned:future",
)  # fmt: skip
_DESCRIPTIONS: Final = ("a", "b c", "Z", "long_name", "")
_MOST_STEPS: Final = 8
_MOST_ATTEMPTS: Final = 80
# Without these, a smaller history would differ for another reason than the one that it was made from.
_KEPT: Final = ("placeholders.x", "cleanDisabled", "postgresql.transactional.lock", "mixed", "group")


@dataclass(slots=True)
class _Author:
    """Makes up one history. ``files`` are those that are there after the steps so far."""

    random: random.Random
    files: dict[str, str] = field(default_factory=dict)
    edits: int = 0
    session_lock: bool = False
    mixed: bool = False
    group: bool = False
    schemas: str = ""

    def steps(self) -> Iterator[Step]:
        """The history. After each command comes an ``info``, which shows every state."""
        chance = self.random.random
        self.session_lock, self.mixed, self.group = chance() < 0.4, chance() < 0.3, chance() < 0.15
        # A known difference: the scenario group-mixed-fails.
        self.mixed = self.mixed and not self.group
        self.schemas = self.random.choice(["", "", "", "", "s1", "s1,s2"])
        setup = _SETUP + (_LEGACY if chance() < 0.25 else "")
        for number in range(self.random.randint(3, _MOST_STEPS)):
            step = self._step(setup if number == 0 else "", at_least=2 if number == 0 else 0)
            yield step
            yield Step(command="info", options=step.options)

    def _step(self, sql: str, *, at_least: int) -> Step:
        before = dict(self.files)
        for _ in range(max(at_least, self.random.choice([0, 1, 1, 2, 3]))):
            self.random.choice(self._edits())()
        command = self.random.choices(list(_COMMANDS), list(_COMMANDS.values()))[0]
        if command in {"clean", "baseline"} and self._has_twins():
            command = "validate"
        options = dict(self._options())
        if self._has_twins():
            options = _without(options, "validateOnMigrate")
        return Step(
            command=command,
            write={name: text.encode() for name, text in self.files.items() if before.get(name) != text},
            remove=tuple(sorted(before.keys() - self.files.keys())),
            sql=sql,
            options=options,
        )

    def _edits(self) -> Sequence[Callable[[], None]]:
        return (
            *[self._add_next] * 6, *[self._add_late] * 3, *[self._add_repeatable] * 4, *[self._edit] * 4,
            *[self._remove] * 3, *[self._rename] * 2, *[self._mend] * 3, self._add_baseline, self._add_callback,
            self._add_configuration, self._copy_version,
        )  # fmt: skip

    # --- files ---

    def _add_next(self) -> None:
        self._write(f"V{int(max(self._versions(), default=0)) + 1}__{self._description()}.sql")

    def _add_late(self) -> None:
        top = max(self._versions(), default=1)
        self._write(f"V{self.random.randint(0, int(top))}.{self.random.randint(1, 9)}__{self._description()}.sql")

    def _add_repeatable(self) -> None:
        self._write(f"R__{self._description()}.sql")

    def _add_baseline(self) -> None:
        version = self.random.choice([*self._versions(), 2.0])
        # Two of one version, or one beside two migrations of its version: a duplicate for Flyway by chance only.
        if not any(name.startswith("B") or "twice" in name for name in self.files):
            self._write(f"B{version:g}__{self._description()}.sql")

    def _add_callback(self) -> None:
        event = self.random.choice(["beforeMigrate", "afterMigrate", "beforeEachMigrate", "afterVersioned"])
        # A known difference: the scenario group-fails-after-versioned.
        if event == "afterVersioned" and self.group:
            event = "afterMigrate"
        self.files[f"{event}.sql"] = f"insert into log.run values ('{event}');\n"

    def _add_configuration(self) -> None:
        if self.session_lock and (name := self._any_script()):
            self.files[f"{name}.conf"] = f"executeInTransaction={self.random.choice(['true', 'false'])}\n"

    def _copy_version(self) -> None:
        """A duplicate, now and then; it is soon deleted again, because everything is refused meanwhile."""
        if any(name.startswith("B") for name in self.files):
            return
        if self.random.random() < 0.3 and (versions := self._versions()):
            self._write(f"V{self.random.choice(versions):g}.0__twice.sql")

    def _edit(self) -> None:
        if name := self._any_script():
            self._write(name)

    def _remove(self) -> None:
        if self.files:
            del self.files[self.random.choice(sorted(self.files))]

    def _rename(self) -> None:
        if name := self._any_script():
            text = self.files.pop(name)
            self.files[f"{name.partition('__')[0]}__renamed {self.random.randint(1, 3)}.sql"] = text

    def _mend(self) -> None:
        for name, text in self.files.items():
            if "nope" in text or "twice" in name:
                self.files[name] = self._good(name)
        self.files = {name: text for name, text in self.files.items() if "twice" not in name}

    def _write(self, name: str) -> None:
        self.edits += 1
        roll = self.random.random()
        text = self._good(name)
        if roll < 0.12:
            text += "select nope;\n"
        elif roll < 0.2 and self.mixed and self.session_lock:
            text = f"vacuum log.run;\n{text}select nope;\n"
        elif roll < 0.28 and not self.group:
            text = "vacuum log.run;\n"
        elif roll < 0.36:
            text += "-- ${x}\n"
        self.files[name] = text

    def _good(self, name: str) -> str:
        return (
            f"insert into log.run values ('{name} {self.edits} ${{x}}');\ncreate table if not exists t (i int);\n"
        )

    def _any_script(self) -> str:
        scripts = sorted(name for name in self.files if name[0] in "VRB" and name.endswith(".sql"))
        return self.random.choice(scripts) if scripts else ""

    def _versions(self) -> list[float]:
        return [float(name[1:].partition("__")[0].removesuffix(".0")) for name in self.files if name[0] == "V"]

    def _has_twins(self) -> bool:
        """Two files claim the same place. Flyway does not look at them before everything that it does."""
        places = [name.replace(".0__", "__").partition("__") for name in self.files if name.endswith(".sql")]
        taken = [(start, name if start == "R" else "") for start, _, name in places if start[0] in "VRB"]
        return len(taken) != len(set(taken))

    def _description(self) -> str:
        return self.random.choice(_DESCRIPTIONS)

    # --- options ---

    def _options(self) -> Iterator[tuple[str, str]]:
        yield "placeholders.x", self.random.choice(["one", "one", "one", "two"])
        yield "cleanDisabled", "false"
        if self.session_lock:
            yield "postgresql.transactional.lock", "false"
        if self.schemas:
            yield "schemas", self.schemas
        yield from (("mixed", "true"),) if self.mixed else ()
        yield from (("group", "true"),) if self.group else ()
        yield from self._now_and_then()

    def _now_and_then(self) -> Iterator[tuple[str, str]]:
        targets = [*(f"{version:g}" for version in self._versions()), "next", "current", "latest", "99?"]
        for chance, key, values in (
            (0.3, "outOfOrder", ["true"]),
            (0.2, "target", targets),
            (0.3, "ignoreMigrationPatterns", _PATTERNS),
            (0.15, "validateOnMigrate", ["false"]),
            (0.06, "skipExecutingMigrations", ["true"]),
            (0.2, "baselineOnMigrate", ["true"]),
            (0.3, "baselineVersion", ["0", "1", "2", "2.5"]),
            (0.1, "baselineDescription", ["first", "second"]),
            (0.05, "createSchemas", ["false"]),
            (0.05, "skipDefaultCallbacks", ["true"]),
        ):
            if self.random.random() < chance:
                yield key, self.random.choice(values)


def make_history(seed: int, number: int) -> tuple[Step, ...]:
    """The history of that number; always the same one."""
    return tuple(_Author(random.Random(f"{seed}/{number}")).steps())


@dataclass(frozen=True, slots=True)
class Pair:
    """Both tools, each with a database that is used again and again."""

    flyway: Flyway
    taxiway: Taxiway
    theirs: Database
    ours: Database

    def find_differences(self, steps: Sequence[Step]) -> list[str]:
        """Where the tools differ, in words."""
        with ThreadPoolExecutor(1) as pool:
            theirs = pool.submit(play_steps, steps, self.flyway, self.theirs)
            ours = play_steps(steps, self.taxiway, self.ours)
            differences = find_step_differences(theirs.result(), ours)
        self.theirs.clear()
        self.ours.clear()
        return differences


def shrink(steps: tuple[Step, ...], still_differs: Callable[[tuple[Step, ...]], bool]) -> tuple[Step, ...]:
    """A smaller history that still differs: one part after the other is left out, as long as that goes well."""
    attempts = 0
    changed = True
    while changed and attempts < _MOST_ATTEMPTS:
        changed = False
        for smaller in _smaller(steps):
            attempts += 1
            if still_differs(smaller):
                steps, changed = smaller, True
                break
            if attempts >= _MOST_ATTEMPTS:
                break
    return steps


def _smaller(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Every history with one step, option or change of a file less. A step's files then come with the next one."""
    for index in reversed(range(len(steps))):
        yield (*steps[:index], *_inherit(steps[index], steps[index + 1 :]))
    for index, step in enumerate(steps):
        for simpler in _simpler(step):
            yield (*steps[:index], simpler, *steps[index + 1 :])


def _inherit(left_out: Step, rest: tuple[Step, ...]) -> tuple[Step, ...]:
    if not rest:
        return ()
    heir = rest[0]
    write = {name: text for name, text in left_out.write.items() if name not in heir.remove} | dict(heir.write)
    remove = (*(name for name in left_out.remove if name not in heir.write), *heir.remove)
    return (replace(heir, write=write, remove=remove, sql=left_out.sql + heir.sql), *rest[1:])


def _simpler(step: Step) -> Iterator[Step]:
    for key in sorted(step.options.keys() - _KEPT):
        yield replace(step, options=_without(step.options, key))
    for name in step.write:
        yield replace(step, write={key: value for key, value in step.write.items() if key != name})
    for name in step.remove:
        yield replace(step, remove=tuple(one for one in step.remove if one != name))


def _without(options: Mapping[str, str], key: str) -> dict[str, str]:
    return {name: value for name, value in options.items() if name != key}


def describe(steps: Iterable[Step]) -> str:
    """A history as a person would write it down."""
    lines: list[str] = []
    for number, step in enumerate(steps, start=1):
        options = " ".join(f"-{key}={value}" for key, value in step.options.items())
        lines.append(f"{number}. {step.command} {options}".rstrip())
        lines += [f"     sql    {step.sql}"] if step.sql else []
        lines += [f"     remove {name}" for name in step.remove]
        lines += [f"     write  {name}: {text.decode()!r}" for name, text in step.write.items()]
    return "\n".join(lines)


def run(playground: Playground, oracle: Oracle, *, count: int, seed: int, first: int = 0) -> int:
    """Play so many histories with both tools; how many differ."""
    started, failed = time.monotonic(), 0
    with ExitStack() as stack:
        theirs, ours = (stack.enter_context(playground.database()) for _ in range(2))
        pair = Pair(Flyway(oracle), Taxiway(), theirs, ours)
        for number in range(first, first + count):
            steps = make_history(seed, number)
            if pair.find_differences(steps):
                failed += 1
                _report(seed, number, shrink(steps, lambda smaller: bool(pair.find_differences(smaller))), pair)
    seconds = time.monotonic() - started
    print(f"{count - failed} of {count} generated histories equal (seed {seed}, {seconds:.0f} s)")
    return failed


def _report(seed: int, number: int, steps: tuple[Step, ...], pair: Pair) -> None:
    differences = pair.find_differences(steps)
    print(f"FAIL generated history {number} of seed {seed}, made smaller:")
    for line in [*describe(steps).splitlines(), *differences[0].splitlines()] if differences else ():
        print(f"      {line}")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Only generated histories."""
    parser = argparse.ArgumentParser(prog="python -m conformance.generated")
    parser.add_argument("--count", type=int, default=500, help="how many histories")
    parser.add_argument("--seed", type=int, default=1, help="of the generator")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    options = parser.parse_args(arguments)
    with open_bench() as bench:
        failed = run(bench.playground, bench.oracle, count=options.count, seed=options.seed, first=options.first)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
