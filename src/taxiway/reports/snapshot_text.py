"""Snapshots and restores as text for people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from taxiway.model.snapshot import ACTOR_TAG, REASON_TAG, Difference, Snapshot
from taxiway.reports.table import escape_controls, render_table

_HEADER: Final = ("Snapshot", "Age", "Size", "Engine", "Status", "Settings", "Who", "Why")
_SECONDS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def render_snapshot_list(snapshots: Sequence[Snapshot], now: datetime) -> str:
    """A table, the newest first."""
    cells = [
        (
            one.name,
            render_age(one.created_at, now),
            f"{one.size_gib} GiB" if one.size_gib is not None else "",
            f"{one.engine} {one.engine_version}".strip(),
            one.status if one.status == "available" else f"{one.status} {one.percent or 0} %",
            "yes" if one.manifest else "no",
            one.tags.get(ACTOR_TAG, "" if one.type == "manual" else f"({one.type})"),
            one.tags.get(REASON_TAG, ""),
        )
        for one in snapshots
    ]
    return render_table(_HEADER, cells, empty="No snapshots")


def render_age(moment: datetime | None, now: datetime) -> str:
    """How long ago it was, in the largest unit that fits; empty when it is not known."""
    if moment is None:
        return ""
    seconds = max(0, int((now - moment).total_seconds()))
    for size, unit in _SECONDS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def render_plan(title: str, steps: Sequence[str], notes: Sequence[str]) -> str:
    """What would be done, in order, and what is to be known before."""
    numbered = [f"  {number:2}. {words}" for number, words in enumerate(steps, 1)]
    return "\n".join([title, *numbered, *notes])


def render_differences(differences: Sequence[Difference]) -> str:
    """A line for each setting that is not as it has to be."""
    return "\n".join(
        f"  {one.where}: {one.name} is {_value(one.found)}, and has to be {_value(one.wanted)}"
        for one in differences
    )


def _value(value: object) -> str:
    return "not set" if value is None else escape_controls(str(value))
