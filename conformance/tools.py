"""The two tools, each as something that answers commands."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import taxiway
from conformance.answer import Answer, Outcome, line, ok
from conformance.database import Database
from conformance.oracle import Hangs, Oracle
from taxiway.model.info import InfoResult, MigrationInfo
from taxiway.model.result import (
    BaselineResult,
    CleanResult,
    MigrateResult,
    RepairResult,
    UndoResult,
    ValidateResult,
)

# Taxiway is stricter where Flyway would pass over a mistake; these are Flyway's defaults.
_FLYWAY_DEFAULTS: Final = {"validateMigrationNaming": "false", "failOnMissingLocations": "false"}
_MAPS: Final = ("placeholders", "jdbcProperties")


class Tool(Protocol):
    """Flyway or Taxiway. ``name`` is ``flyway`` or ``taxiway``."""

    name: str

    def run(self, command: str, database: Database, scripts: Path, options: Mapping[str, str]) -> Answer:
        """Run a command. Options have Flyway's names; ``{scripts}`` in a value is the folder of scripts."""
        ...


class Flyway:
    """The real one."""

    name = "flyway"

    def __init__(self, oracle: Oracle, *, patience_seconds: float = 60.0) -> None:
        self._oracle, self._patience_seconds = oracle, patience_seconds

    def run(self, command: str, database: Database, scripts: Path, options: Mapping[str, str]) -> Answer:
        """Run a command in the oracle."""
        settings = {
            "url": database.jdbc_url,
            "user": "conformance",
            "password": database.password,
            **_in_place(options, scripts),
        }
        try:
            outcome, *lines = self._oracle.ask(
                command,
                {f"flyway.{key}": value for key, value in settings.items()},
                patience_seconds=self._patience_seconds,
            )
        except Hangs:
            database.end_sessions()
            return Answer(Outcome.HANGS)
        if outcome == Outcome.REFUSED.value:
            return Answer(Outcome.REFUSED, code=lines[0])
        return Answer(Outcome(outcome), tuple(lines))


class Taxiway:
    """Ours, through its front door for programs."""

    name = "taxiway"

    def run(self, command: str, database: Database, scripts: Path, options: Mapping[str, str]) -> Answer:
        """Run a command in this process."""
        arguments = to_arguments({**_FLYWAY_DEFAULTS, **_in_place(options, scripts)})
        try:
            function: Callable[..., Any] = getattr(taxiway, command)
            return to_answer(function(url=database.url, password=database.password, **arguments))
        except taxiway.TaxiwayError as error:
            return Answer(Outcome.REFUSED, code=error.code)
        except Exception as bug:  # noqa: BLE001 - one more way to differ, and no reason to end all other scenarios
            return Answer(Outcome.CRASHES, code=f"{type(bug).__name__}: {bug}")


def _in_place(options: Mapping[str, str], scripts: Path) -> dict[str, str]:
    given = {"locations": "filesystem:{scripts}", **options}
    return {key: value.replace("{scripts}", str(scripts)) for key, value in given.items()}


def to_arguments(options: Mapping[str, str]) -> dict[str, Any]:
    """Options by Flyway's names, as the functions of :mod:`taxiway` want them."""
    arguments: dict[str, Any] = {}
    for key, value in options.items():
        name, _, entry = key.partition(".")
        if name in _MAPS:
            arguments.setdefault(_snake_case(name), {})[entry] = value
        else:
            arguments[_snake_case(key)] = value
    return arguments


def _snake_case(key: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", key).replace(".", "_")


def to_answer(
    result: MigrateResult | InfoResult | ValidateResult | BaselineResult | RepairResult | CleanResult | UndoResult,
) -> Answer:
    """What a result of Taxiway says, in the words that are compared."""
    match result:
        case MigrateResult() | UndoResult():
            return ok(_migrate_lines(result))
        case InfoResult():
            return ok([_info_line(one) for one in result.migrations])
        case ValidateResult():
            outcome = Outcome.OK if result.successful else Outcome.INVALID
            return Answer(outcome, tuple(_validate_lines(result)))
        case BaselineResult():
            return ok([line(result.version)])
        case RepairResult():
            return ok(_repair_lines(result))
        case CleanResult():
            return ok(_clean_lines(result))


def _migrate_lines(result: MigrateResult | UndoResult) -> list[str]:
    ran = [line(one.kind.value, one.version, one.description, one.type) for one in result.migrations]
    return [line(result.initial_version, result.target_version), *ran]


def _info_line(info: MigrationInfo) -> str:
    source = info.applied or info.resolved
    checksum = source.checksum if source else None
    return line(info.version, info.description, info.type.value, info.state.value, checksum)


def _validate_lines(result: ValidateResult) -> list[str]:
    problems = [line(one.version, one.description, one.code) for one in result.problems]
    return [str(result.count), *problems] if result.successful else problems


def _repair_lines(result: RepairResult) -> list[str]:
    plan = result.plan
    actions: Sequence[tuple[str, Any]] = [
        *(("removed", row) for row in plan.removals),
        *(("deleted", one.before) for one in plan.deletions),
        *(("aligned", one.before) for one in plan.alignments),
    ]
    return [line(action, row.version, row.description) for action, row in actions]


def _clean_lines(result: CleanResult) -> list[str]:
    cleaned = [line("cleaned", schema) for schema in result.cleaned]
    return [*cleaned, *(line("dropped", schema) for schema in result.dropped)]
