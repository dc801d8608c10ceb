"""Writes docs/reference/compatibility.md from the scenarios and the table of differences.

``python -m conformance.page`` writes it; ``--check`` changes nothing and fails when it is not up to date.
"""

import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from conformance.expected import read_expected
from conformance.scenario import SCENARIOS, Difference, Scenario, read_scenarios

PAGE: Final = Path(__file__).parent.parent / "docs" / "reference" / "compatibility.md"
_DIFFERENCES: Final = Path(__file__).parent / "differences.toml"

_GROUPS: Final = {"stricter": "Stricter", "safer": "Safer", "exact": "More exact", "other": "Other"}
_MISSING: Final = "missing"

_INTRODUCTION: Final = """\
<!-- Written by conformance/page.py from conformance/scenarios and conformance/differences.toml. Change those. -->

# Compatibility with Flyway

The yardstick is the open-source edition of Flyway 13 on PostgreSQL.
[Decision 0011](../adr/0011-flyway-behaviour.md) says how its behaviour was established.

`make conformance` lets the real Flyway {version} and Taxiway do the same things, each on its own database. It
compares success and refusal, the answers, every column of the schema history but times, the states of `info`, the
schema as `pg_dump` shows it, and the rows of tables. The {count} scenarios below lie in `conformance/scenarios`;
`make test` plays them without Flyway, against what Flyway did. Random histories are compared as well, and so are
both tools on one database, in turn and at once.

## What is the same

- The number of the advisory lock: each tool waits for the other one
- `FLYWAY_*` variables, `flyway.toml` and `flyway.conf`, and what wins over what
- The fields of the JSON output
- Whatever these scenarios show
"""

_DIFFERENT: Final = """
## What is different

"Restore" says how to get Flyway's behaviour. "No" means that there is no way, because Flyway's behaviour is a
defect or leaves damage behind.
"""

_GOING_BACK: Final = """
## Going back

Both tools can work on the same database, in turn and at the same time.
[Move from Flyway](../how-to/move-from-flyway.md) tells how to move in and out.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A difference, and the scenario that shows it, if there is one."""

    difference: Difference
    scenario: str = ""


def read_rows(scenarios: Sequence[Scenario]) -> list[Row]:
    """Every known difference: those of the scenarios, and those that no scenario can show."""
    table = tomllib.loads(_DIFFERENCES.read_text())["difference"]
    shown = [Row(one.differs, one.name) for one in scenarios if one.differs]
    return [*shown, *(Row(Difference(**entry)) for entry in table)]


def render(scenarios: Sequence[Scenario], rows: Sequence[Row], *, version: str) -> str:
    """The page.

    Raises:
        ValueError: A difference belongs to no section.
    """
    if unknown := {row.difference.group for row in rows} - {*_GROUPS, _MISSING}:
        raise ValueError(f"no section of the page is called {', '.join(sorted(unknown))}")
    parts = [
        _INTRODUCTION.format(version=version, count=len(scenarios)),
        *_same([one for one in scenarios if not one.differs]),
        _DIFFERENT,
        *_different(rows),
        *_missing(rows),
        _GOING_BACK,
    ]
    return "".join(parts)


def _same(scenarios: Sequence[Scenario]) -> Iterator[str]:
    for topic, group in groupby(sorted(scenarios, key=lambda one: one.topic), key=lambda one: one.topic):
        yield f"\n### {topic}\n\n"
        yield from (f"- {one.title} (`{one.name}`)\n" for one in group)


def _different(rows: Sequence[Row]) -> Iterator[str]:
    for group, heading in _GROUPS.items():
        yield f"\n### {heading}\n\n| In Taxiway | In Flyway | Why | Restore | Scenario |\n"
        yield "| --- | --- | --- | --- | --- |\n"
        for row in rows:
            if row.difference.group == group:
                one, scenario = row.difference, f"`{row.scenario}`" if row.scenario else "none"
                yield f"| {one.taxiway} | {one.flyway} | {one.why} | {one.restore or 'no'} | {scenario} |\n"


def _missing(rows: Sequence[Row]) -> Iterator[str]:
    yield "\n## What is not there\n\n| Missing | In Flyway | What happens |\n| --- | --- | --- |\n"
    for row in rows:
        if row.difference.group == _MISSING:
            yield f"| {row.difference.taxiway} | {row.difference.flyway} | {row.difference.why} |\n"


def render_current() -> str:
    """The page as it has to be now."""
    scenarios = read_scenarios()
    versions = {read_expected(SCENARIOS / one.name).flyway_version for one in scenarios}
    return render(scenarios, read_rows(scenarios), version=max(versions))


def main(arguments: Sequence[str]) -> int:
    """Write the page, or check it."""
    text = render_current()
    if "--check" not in arguments:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    print("docs/reference/compatibility.md is not up to date; run: python -m conformance.page", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
