"""``python -m conformance``: scenarios, generated histories and hand-overs, with both tools.

It ends with 1 if anything differs that is not known to.

Without Java or Maven nothing is compared, and that is said loudly; the exit code is 0, because a machine without
Java can still vouch for everything else (``tests/conformance`` plays the scenarios without it).
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Final

from conformance import generated, handover
from conformance.bench import Bench, open_bench
from conformance.expected import Expected, read_expected, write_expected
from conformance.oracle import find_missing_programs
from conformance.play import find_differences
from conformance.scenario import SCENARIOS, Scenario, read_scenarios

_COUNT: Final = 100
_SEED: Final = 1
# What went wrong once is seen again in every later step.
_MOST_PROBLEMS: Final = 3


def check(scenario: Scenario, bench: Bench) -> list[str]:
    """What is not as it was recorded, in words."""
    expected = read_expected(SCENARIOS / scenario.name)
    theirs, ours = bench.play(scenario)
    told = [*find_differences(expected.of("flyway"), theirs)]
    return [
        *(f"Flyway is not as it was recorded ('Taxiway' here is Flyway today): {one}" for one in told),
        *find_differences(expected.of("taxiway"), ours),
    ]


def record(scenario: Scenario, bench: Bench) -> list[str]:
    """Write what Flyway does, and where a difference is known, what Taxiway does. What is wrong, in words."""
    theirs, ours = bench.play(scenario)
    differences = find_differences(theirs, ours)
    write_expected(
        SCENARIOS / scenario.name,
        Expected(
            flyway_version=bench.oracle.version,
            flyway=theirs,
            taxiway=ours if differences and scenario.differs else None,
        ),
    )
    if scenario.differs:
        return [] if differences else ["there is no difference any more"]
    return differences


def run_scenarios(names: Sequence[str], bench: Bench, *, recording: bool) -> int:
    """Play the scenarios of these names, or all; how many are not as they have to be."""
    scenarios = [one for one in read_scenarios() if not names or one.name in names]
    failed = 0
    for scenario in scenarios:
        problems = record(scenario, bench) if recording else check(scenario, bench)
        failed += bool(problems)
        print(f"{'FAIL' if problems else 'ok  '} {scenario.name}: {scenario.title}", flush=True)
        for problem in problems[:_MOST_PROBLEMS]:
            print("      " + problem.replace("\n", "\n      "))
    different = sum(1 for one in scenarios if one.differs)
    print(
        f"{len(scenarios) - failed} of {len(scenarios)} scenarios as expected, {different} of them known to differ"
    )
    return failed


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; everything by default."""
    parser = argparse.ArgumentParser(prog="python -m conformance")
    parser.add_argument("names", nargs="*", help="only these scenarios")
    parser.add_argument("--record", action="store_true", help="write expected.json from what the tools do now")
    parser.add_argument("--count", type=int, default=_COUNT, help="how many generated histories")
    parser.add_argument("--seed", type=int, default=_SEED, help="of the generator")
    options = parser.parse_args(arguments)
    if missing := find_missing_programs():
        print(f"SKIPPED: {', '.join(missing)} not found, so NOTHING WAS COMPARED WITH FLYWAY.", file=sys.stderr)
        return 0
    started = time.monotonic()
    with open_bench() as bench:
        failed = run_scenarios(options.names, bench, recording=options.record)
        if not options.names and not options.record:
            failed += generated.run(bench.playground, bench.oracle, count=options.count, seed=options.seed)
            failed += handover.run(bench.playground, bench.oracle)
    print(f"{'FAILED' if failed else 'passed'} in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
