"""The results of a campaign as a Markdown page."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from faults.trial import Doubled, Lost, Part, Trial

_MOST_PROBLEMS: Final = 40
_LONGEST_PROBLEM: Final = 400

_METHOD: Final = """\
## How it is done

- Runs are those of the command line, in a process of their own, on a server of their own that keeps what it has
  committed when it is killed. A proxy (`sandbox/protocol_proxy.py`) sees every message between the two, without
  TLS, and acts at the chosen one. Over TLS it would see none: those runs are killed at random times. All that does
  not go through the proxy, the next run for example, is over TLS.
- First, a run without a fault is recorded. Each side of each of its messages, in both directions, connecting
  included, is a **point**. Between two messages that come one behind the other from the same side there is one.
- `reset` and `closed` end the connection for both sides, and what was on its way is lost. `SIGKILL` before a
  message: it is lost, and all behind it; after a message: what was written arrives.
- `mixed` has data, `COPY`, a function, a repeatable migration, callbacks around the run, `CREATE INDEX
  CONCURRENTLY`, and a script whose statements run without a transaction. `callbacks` has callbacks around each
  migration, so nothing is sent ahead. `group` is one transaction; `baseline-on-migrate` a database that had tables
  before.
- `connection lost at the commit`: as soon as the server has committed the migration, and before the run has heard
  of it, the connection is reset. The run opens another one to find out what came of it, and is cut off, killed or
  stopped at each message of that. Then it may end without knowing what was committed, if it says so.
- `repair`, `undo`, `the command baseline` and `clean` are those commands. What they may leave is known from runs
  that stop after each of their transactions: nothing else is accepted, to the last row of the history. Running the
  command again has to finish the job. Without a target, another `undo` would undo one migration more: such a run
  must end with exit 4, "run again", only if nothing was undone. A schema that `clean` was to drop may be left
  empty, because the history that told who had created it was dropped before.
- Statements leave **effects**: rows of a table without a key, so that what is done twice is there twice.
- Right after the fault: no session of the run is left, and no lock; each migration with a row has all its effects,
  once, and each without has none; only one that runs without a transaction may be on record as begun, with some of
  its effects. What the run has said is compared with that: exit 0 only if all is applied, "was not applied" only
  if it was not, and nothing applied that was not told of, unless the message says that it is not known.
- Then the next run, without a fault, has to finish the job. Where a migration without a transaction was cut off,
  it has to refuse, to name it, and to say what to do; that is done (drop its index, `taxiway repair`), and the run
  after it has to finish. At the end everything is there exactly once.

## How to repeat it

`make faults` does all of it in an hour, or less on an idle machine. It needs Java and Maven for the runs
beside Flyway, and root for the disks that are full; what is left out is said. `make faults ARGS="--share 0.1"`
plays a tenth of the points, and `make test` a small sample.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results of one campaign.

    Attributes:
        points: How many each case has.
        left_out: What could not be done, and why.
        arguments: What the campaign was called with.
    """

    day: date
    machine: str
    server: str
    seconds: float
    points: Mapping[str, int]
    trials: Sequence[Trial]
    left_out: Sequence[str] = ()
    arguments: str = ""


def render_page(report: Report) -> str:
    """The whole page."""
    parts = [part for part in Part if any(trial.part is part for trial in report.trials)]
    sections = (
        _introduction(report),
        _summary(report, parts),
        *(_section(part, [trial for trial in report.trials if trial.part is part]) for part in parts),
        _problems(report.trials),
        _METHOD,
    )
    return "\n".join(section for section in sections if section)


def _introduction(report: Report) -> str:
    call = f"`python -m faults {report.arguments}`" if report.arguments else "`make faults`"
    lines = [
        "<!-- Written by faults/page.py from one run of the campaign. Do not edit it: run it again. -->",
        "",
        "# Reliability",
        "",
        "Runs that are cut off, killed, stopped, and left alone by their server: what is left in the database,",
        "whether what the run has said of it is true, and whether the next run finishes the job.",
        "[Safety](safety.md) has the rules; here is what was seen.",
        "",
        f"All of it comes from one campaign: {call}, {report.day.isoformat()}, {report.seconds / 60:.0f} minutes.",
        "",
        f"- Machine: {report.machine}",
        f"- Server: PostgreSQL {report.server} on the same machine",
        f"- Points: {', '.join(f'{count} in `{name}`' for name, count in report.points.items())}",
        *(f"- **Left out:** {reason}" for reason in report.left_out),
        "",
    ]
    return "\n".join(lines)


def _summary(report: Report, parts: Sequence[Part]) -> str:
    rows = [
        [_title(part, trials), *_counts(trials)]
        for part in parts
        if (trials := [trial for trial in report.trials if trial.part is part])
    ]
    rows.append([f"**{text}**" for text in ("All", *_counts(report.trials))])
    text = (
        "Trials with problems are those in which anything at all was not as it has to be. Lost: what a run has\n"
        "recorded, or was to finish, was not there. Doubled: something was done or recorded more than once.\n\n"
    )
    return "## In short\n\n" + text + _table(["", "trials", "lost", "doubled", "with problems"], rows, numbers=4)


def _title(part: Part, trials: Sequence[Trial]) -> str:
    if part is not Part.RUNNERS:
        return str(part.value)
    counts = [trial.runs for trial in trials]
    return f"{part.value}: {sum(counts)} in all, at most {max(counts)}"


def _counts(trials: Sequence[Trial]) -> list[str]:
    kinds = [_count_problems(trials, kind) for kind in (Lost, Doubled, str)]
    return [f"{len(trials):,}", *map(str, kinds)]


def _section(part: Part, trials: Sequence[Trial]) -> str:
    groups = dict.fromkeys(trial.group for trial in trials)
    rows = [row for group in groups for row in _rows(group, [one for one in trials if one.group == group])]
    head = ["", "how the run ended", "what the next run came to", "trials", "with problems"]
    return f"## {part.value}\n\n" + _table(head, rows, numbers=2)


def _rows(group: str, trials: Sequence[Trial]) -> Iterator[list[str]]:
    """The first row of a group has its name."""
    counts = Counter((trial.outcome, trial.then) for trial in trials)
    name = group
    for (outcome, then), count in counts.most_common():
        alike = [trial for trial in trials if (trial.outcome, trial.then) == (outcome, then)]
        yield [name, outcome, then, f"{count}", f"{_count_problems(alike)}"]
        name = ""


def _problems(trials: Sequence[Trial]) -> str:
    found = [trial for trial in trials if trial.problems]
    if not found:
        return ""
    lines = [f"- {trial.what}: {_in_one_line(trial.problems[0])}" for trial in found[:_MOST_PROBLEMS]]
    if len(found) > _MOST_PROBLEMS:
        lines.append(f"- and {len(found) - _MOST_PROBLEMS} more")
    return "## Problems\n\n" + "\n".join(lines) + "\n"


def _in_one_line(problem: str) -> str:
    text = " ".join(problem.split()).replace("<", "&lt;")
    return text if len(text) <= _LONGEST_PROBLEM else f"{text[:_LONGEST_PROBLEM]} …"


def _count_problems(trials: Sequence[Trial], kind: type[str] = str) -> int:
    """How many trials have a problem of that kind."""
    return sum(any(isinstance(problem, kind) for problem in trial.problems) for trial in trials)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int) -> str:
    """The last so many columns hold numbers."""
    ruler = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ruler, *rows))
