"""``expected.json``: what both tools made of a scenario, as it was recorded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.answer import Answer, Outcome
from conformance.database import Contents
from conformance.play import Observation, Play
from conformance.scenario import EXPECTED

type Json = dict[str, Any]

_NOTHING: Final = Contents((), (), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What was observed. ``taxiway`` is there only when it differs from ``flyway``."""

    flyway_version: str
    flyway: Play
    taxiway: Play | None = None

    def of(self, tool: str) -> Play:
        """What the tool of that name has to do."""
        return self.taxiway if tool == "taxiway" and self.taxiway else self.flyway


def read_expected(folder: Path) -> Expected:
    """What was recorded for the scenario of this folder."""
    value = json.loads((folder / EXPECTED).read_text())
    return Expected(
        flyway_version=value["flywayVersion"],
        flyway=_play(value["flyway"]),
        taxiway=_play(value["taxiway"]) if "taxiway" in value else None,
    )


def write_expected(folder: Path, expected: Expected) -> None:
    """Record it."""
    value: Json = {"flywayVersion": expected.flyway_version, "flyway": _play_json(expected.flyway)}
    if expected.taxiway:
        value["taxiway"] = _play_json(expected.taxiway)
    (folder / EXPECTED).write_text(render(value) + "\n")


def _play_json(play: Play) -> Json:
    before = [_NOTHING, *(step.contents for step in play.steps)]
    steps = [_step_json(step, contents) for step, contents in zip(play.steps, before, strict=False)]
    return {"steps": steps, "schema": play.schema}


def _step_json(step: Observation, before: Contents) -> Json:
    """Contents are told only where they have changed."""
    answer = step.answer
    value = {"command": step.command, "outcome": answer.outcome.value, "code": answer.code, "answer": answer.lines}
    changed = {
        name: getattr(step.contents, name)
        for name in Contents.__slots__
        if getattr(step.contents, name) != getattr(before, name)
    }
    return {name: item for name, item in value.items() if item} | changed


def _play(value: Json) -> Play:
    steps: list[Observation] = []
    for step in value["steps"]:
        steps.append(_step(step, steps[-1].contents if steps else _NOTHING))
    return Play(tuple(steps), tuple(value["schema"]))


def _step(value: Json, before: Contents) -> Observation:
    answer = Answer(Outcome(value["outcome"]), tuple(value.get("answer", ())), value.get("code", ""))
    history = tuple(tuple(row) for row in value["history"]) if "history" in value else before.history
    objects = tuple(value.get("objects", before.objects))
    rows = tuple(value.get("rows", before.rows))
    return Observation(value["command"], answer, Contents(history, objects, rows))


def render(value: object, indent: str = "") -> str:
    """JSON for people: one line for each item, and rows in one line."""
    inner = f"{indent} "
    match value:
        case dict():
            items = [f"{json.dumps(key)}: {render(item, inner)}" for key, item in value.items()]
            opening, closing = "{", "}"
        case list() | tuple() if not _is_row(value):
            items = [render(item, inner) for item in value]
            opening, closing = "[", "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
    if not items:
        return opening + closing
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}{closing}"


def _is_row(value: list[Any] | tuple[Any, ...]) -> bool:
    """History rows begin with their rank."""
    return bool(value) and isinstance(value[0], int)
