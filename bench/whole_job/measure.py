"""Takes the samples: both jobs in turns, from an empty database, on one emulator, one repository, one server."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.measure import Command, CommandFailed, take_sample
from bench.quota import QuotaUnavailable, task_limits
from bench.run import Outcome
from bench.tools import Flyway, Taxiway, ToolUnavailable
from bench.whole_job.aws_cli import install_aws_cli
from sandbox.world import REPOSITORY, World

PIPELINE: Final = "the tutorial's pipeline"
TAXIWAY: Final = "taxiway run"

_SCRIPT: Final = Path(__file__).parent / "pipeline.sh"
_BRANCH: Final = "develop"
_MIGRATIONS: Final = 5
_LIMIT_SECONDS: Final = 300.0
# A quarter of a processor and half a gigabyte: the smallest task of Fargate, and the one of the tutorial.
_SHARE: Final = 0.25
_MEMORY_MIB: Final = 512
LIMITED: Final = f"{_SHARE} CPU and {_MEMORY_MIB} MB"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """The outcomes of both under one limit, by their names; ``skipped`` is why there are none."""

    title: str
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    skipped: str | None = None


def measure_whole_job(*, runs: int, report: Callable[[str], None]) -> list[JobResult]:
    """Both jobs, unlimited and held to the limits of a small task.

    A job is all that the container does from its start to its end: secrets, clone, info, migrate, info. Peak
    memory is that of its largest process.
    """
    limits: dict[str, Callable[[], AbstractContextManager[Sequence[Path]]]] = {
        "unlimited": lambda: nullcontext(()),
        LIMITED: lambda: task_limits(_SHARE, _MEMORY_MIB),
    }
    try:
        cli = install_aws_cli()
        Flyway().install()
    except ToolUnavailable as error:
        return [JobResult(title=title, skipped=str(error)) for title in limits]
    results = []
    with World() as world:
        commands = {PIPELINE: _pipeline(world, cli), TAXIWAY: _taxiway(world)}
        for title, limit in limits.items():
            try:
                with limit() as groups:
                    outcomes = _measure(world, commands, groups, runs, report)
            except QuotaUnavailable as error:
                results.append(JobResult(title=title, skipped=str(error)))
            else:
                results.append(JobResult(title=title, outcomes=outcomes))
    return results


def _measure(
    world: World,
    commands: Mapping[str, Command],
    groups: Sequence[Path],
    runs: int,
    report: Callable[[str], None],
) -> dict[str, Outcome]:
    outcomes = {name: Outcome() for name in commands}
    for number in range(runs + 1):
        for name, outcome in outcomes.items():
            if outcome.failure:
                continue
            try:
                with _empty_database(world):
                    sample = take_sample(commands[name], limit_seconds=_LIMIT_SECONDS, groups=groups)
                    _check(world)
            except CommandFailed as error:
                outcome.failure = str(error)
                report(f"whole job: {name}: {error}\n{error.log}")
                continue
            # The first of each finds nothing in the caches of the machine.
            if number:
                outcome.samples.append(sample)
                report(f"whole job: {name}: {sample.wall_seconds:.2f} s")
    return outcomes


@contextmanager
def _empty_database(world: World) -> Iterator[None]:
    """The world's database, empty as at the beginning, and none of the roles that the project makes."""
    roles = world.postgres.roles()
    try:
        yield
    finally:
        world.postgres.drop_database(world.database)
        for role in world.postgres.roles() - roles:
            world.postgres.drop_role(role)
        world.postgres.create_database(world.database, "sqladmin")


def _check(world: World) -> None:
    with world.connect() as connection:
        row = connection.execute("SELECT count(*) FROM flyway_schema_history WHERE success").fetchone()
    if row != (_MIGRATIONS,):
        raise CommandFailed(f"{row} migrations were applied, and not {_MIGRATIONS}", "")


def _taxiway(world: World) -> Command:
    return Command(
        arguments=[Taxiway.program, "run", _BRANCH],
        environment=_environment(world, f"{Path(sys.executable).parent}:/usr/bin:/bin"),
        directory=world.directory,
    )


def _pipeline(world: World, cli: Path) -> Command:
    place = {
        "GIT_HOST": "127.0.0.1",
        "GIT_PORT": str(world.git.port),
        "REPOSITORY_URL": world.git.url(REPOSITORY),
    }
    path = f"{cli}:{os.environ.get('PATH', os.defpath)}"
    return Command(
        arguments=["bash", _SCRIPT, _BRANCH, Flyway().class_path],
        environment=_environment(world, path) | place,
        directory=world.directory,
    )


def _environment(world: World, path: str) -> dict[str, str]:
    home = {"HOME": str(world.directory), "TMPDIR": str(world.directory)}
    return {"PATH": path, "LANG": "C.UTF-8", **home, **world.task_environment()}
