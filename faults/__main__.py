"""``python -m faults``: the whole campaign, written to docs/explanation/reliability.md.

It ends with 1 if anything was not as it has to be. With ``--share`` below 1 the page goes to standard output,
unless ``--output`` names a file.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.console import name_options, say, write_page
from bench.machine import describe_machine
from conformance.oracle import find_missing_programs
from faults.campaign import SEED, Campaign
from faults.command import hear_interruptions
from faults.page import Report, render_page
from faults.place import open_server
from faults.trial import Trial
from sandbox.directory import REPOSITORY_ROOT, temporary_directory

PAGE: Final = REPOSITORY_ROOT / "docs" / "explanation" / "reliability.md"

_EVERY: Final = 100


def main(arguments: Sequence[str]) -> int:
    """Play what was asked for, and write it down."""
    options = _parse(arguments)
    hear_interruptions()
    missing = find_missing_programs()
    left_out = [f"runs beside Flyway, because {', '.join(missing)} was not found"] if missing else []
    for reason in left_out:
        say(f"LEFT OUT: {reason}")
    trials: list[Trial] = []

    def report(trial: Trial) -> None:
        trials.append(trial)
        for problem in trial.problems:
            say(f"FAIL {trial.what}: {problem}")
        if len(trials) % _EVERY == 0:
            say(f"{len(trials)} trials, {time.monotonic() - started:.0f} s")

    started = time.monotonic()
    with temporary_directory() as directory:
        campaign = Campaign(directory, report, seed=options.seed, workers=options.workers, share=options.share)
        campaign.run(with_flyway=not missing)
    seconds = time.monotonic() - started
    with open_server() as server:
        version = server.version
    page = render_page(
        Report(
            day=datetime.now(UTC).date(),
            machine=describe_machine(),
            server=version,
            seconds=seconds,
            points=campaign.points,
            trials=trials,
            left_out=left_out,
            arguments=name_options(
                share=None if options.share == 1 else f"{options.share:g}",
                seed=None if options.seed == SEED else options.seed,
            ),
        )
    )
    write_page(page, options.output or (PAGE if options.share == 1 else None))
    failed = sum(bool(trial.problems) for trial in trials)
    say(f"{len(trials) - failed} of {len(trials)} trials as they have to be, in {seconds:.0f} s")
    return 1 if failed else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults")
    parser.add_argument("--share", type=float, default=1.0, help="of the points, from 0 to 1; all by default")
    parser.add_argument("--seed", type=int, default=SEED, help="of what is chosen at random")
    parser.add_argument("--workers", type=int, default=2, help="how many faults at messages are played at once")
    parser.add_argument("--output", type=Path, help="where to write the page")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
