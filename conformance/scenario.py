"""Scenarios: what is done, step by step, and the folders that describe it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

SCENARIOS: Final = Path(__file__).parent / "scenarios"
EXPECTED: Final = "expected.json"
_CASE: Final = "case.toml"
_STEP_KEYS: Final = {"command", "files", "remove", "sql", "options", "taxiway"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Change files, run statements, then a command.

    Attributes:
        write: Content by the path below the folder of scripts.
        remove: Paths below the folder of scripts; one that does not exist is no mistake.
        sql: Run as the owner of the database.
        options: By Flyway's names, for both tools.
        taxiway: Further options that only Taxiway has, or whose default is another one there.
    """

    command: str
    write: Mapping[str, bytes] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    sql: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    taxiway: Mapping[str, str] = field(default_factory=dict)

    def lay_out(self, scripts: Path) -> None:
        """Change the files."""
        for name in self.remove:
            (scripts / name).unlink(missing_ok=True)
        for name, content in self.write.items():
            path = scripts / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Why the tools do not agree in a scenario, for the compatibility page.

    Attributes:
        group: The section of the page (:mod:`conformance.page`).
        restore: How to get Flyway's behaviour; empty when there is no way.
    """

    group: str
    taxiway: str
    flyway: str
    why: str
    restore: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is done in a folder. ``topic`` is its place in the page; ``differs``, why the tools do not agree."""

    name: str
    title: str
    topic: str
    steps: tuple[Step, ...]
    differs: Difference | None = None


def read_scenarios(folder: Path = SCENARIOS) -> list[Scenario]:
    """Every scenario below a folder, by name."""
    return [read_scenario(path.parent) for path in sorted(folder.glob(f"*/{_CASE}"))]


def read_scenario(folder: Path) -> Scenario:
    """The scenario of a folder.

    Raises:
        ValueError: A step has a key that no step has.
    """
    case = tomllib.loads((folder / _CASE).read_text())
    return Scenario(
        name=folder.name,
        title=case["title"],
        topic=case["topic"],
        steps=tuple(_step(folder, step) for step in case["step"]),
        differs=Difference(**case["differs"]) if "differs" in case else None,
    )


def _step(folder: Path, step: Mapping[str, Any]) -> Step:
    if unknown := step.keys() - _STEP_KEYS:
        raise ValueError(f"{folder.name}: a step has no {', '.join(sorted(unknown))}")
    return Step(
        command=step["command"],
        write=_files(folder / step["files"]) if "files" in step else {},
        remove=tuple(step.get("remove", ())),
        sql=step.get("sql", ""),
        options=step.get("options", {}),
        taxiway=step.get("taxiway", {}),
    )


def _files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
