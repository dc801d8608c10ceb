"""The programs that are measured, and how each of them is told to do the same.

Peers are fetched with the ordinary clients of their registries into a folder that is not part of the repository.
One that cannot be had is left out, and the page says why.
"""

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Final, override

from bench.measure import Command
from bench.server import Address
from conformance.oracle import Oracle, find_missing_programs
from sandbox.directory import REPOSITORY_ROOT
from sandbox.postgres import unpacked_programs

BUILD: Final = REPOSITORY_ROOT / "build" / "bench"

_DBMATE_VERSION: Final = "2.36.0"
_PYWAY_VERSION: Final = "0.3.33"
# Where "make conformance" puts Flyway.
_FLYWAY_JARS: Final = REPOSITORY_ROOT / "build" / "conformance" / "lib"

# Nothing on an empty database, as with the others.
_PSQL_INFO: Final = """\
SELECT 'SELECT * FROM history ORDER BY installed_rank' WHERE to_regclass('history') IS NOT NULL \\gexec
"""
_PSQL_HISTORY: Final = """\
CREATE TABLE history (
    installed_rank integer PRIMARY KEY, script text NOT NULL, installed_on timestamp NOT NULL DEFAULT now()
);
"""


class Step(Enum):
    """What a tool is asked to do."""

    INFO = "info"
    MIGRATE = "migrate"


class ToolUnavailable(Exception):
    """The tool cannot be had on this machine; the message says why."""


class Tool(ABC):
    """One of them.

    Attributes:
        name: What ``--tool`` calls it.
        title: What the page calls it.
        history: The table that has a row for each applied migration.
        does_steps_at_once: Several steps can be one process.
        skips_applied: Told to migrate again, it finds out that there is nothing to do.
    """

    name: str
    title: str
    history: str
    does_steps_at_once = False
    skips_applied = True

    @abstractmethod
    def install(self) -> str:
        """Fetch it, if need be; its version.

        Raises:
            ToolUnavailable: It cannot be had.
        """

    @abstractmethod
    def arguments(self, steps: Sequence[Step], scripts: Path, address: Address) -> list[str | Path]:
        """One command that does these steps."""

    def environment(self, scripts: Path, address: Address) -> dict[str, str]:  # noqa: ARG002 - for subclasses
        """What the command finds in its environment, next to PATH, HOME and LANG."""
        return {}

    def adapt(self, scripts: Path, target: Path) -> None:
        """Write the scripts to an empty folder as this tool wants them: here, as they are."""
        for script in scripts.iterdir():
            (target / script.name).hardlink_to(script)

    def commands(self, steps: Sequence[Step], scripts: Path, address: Address, directory: Path) -> list[Command]:
        """One command for each step."""
        return [self.command([step], scripts, address, directory) for step in steps]

    def command(self, steps: Sequence[Step], scripts: Path, address: Address, directory: Path) -> Command:
        """One command for all steps."""
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            **self.environment(scripts, address),
        }
        arguments = self.arguments(steps, scripts, address)
        return Command(arguments=arguments, environment=environment, directory=directory)


class Taxiway(Tool):
    """Ours: the command that is installed beside the interpreter that runs this."""

    name, title, history = "taxiway", "Taxiway", "flyway_schema_history"
    does_steps_at_once = True
    program = Path(sys.executable).parent / "taxiway"

    @override
    def install(self) -> str:
        if not self.program.exists():
            raise ToolUnavailable(f"{self.program.name} is not installed beside this Python")
        return _first_line(self.program, "--version").removeprefix("taxiway ")

    @override
    def arguments(self, steps: Sequence[Step], scripts: Path, address: Address) -> list[str | Path]:
        return [self.program, *(step.value for step in steps), "--url", address.url, "--locations", scripts]


class Psql(Tool):
    """The limit: one session that reads the same files and writes a row for each, and checks nothing."""

    name, title, history = "psql", "psql (one session)", "history"
    skips_applied = False

    @override
    def install(self) -> str:
        return _first_line(unpacked_programs() / "psql", "--version").removeprefix("psql (PostgreSQL) ")

    @override
    def adapt(self, scripts: Path, target: Path) -> None:
        (target / "info.sql").write_text(_PSQL_INFO)
        with (target / "migrate.sql").open("w") as file:
            file.write(_PSQL_HISTORY)
            for rank, script in enumerate(sorted(scripts.iterdir()), 1):
                row = f"INSERT INTO history (installed_rank, script) VALUES ({rank}, '{script.name}');"
                file.write(f"BEGIN;\n\\i '{script}'\n{row}\nCOMMIT;\n")

    @override
    def arguments(self, steps: Sequence[Step], scripts: Path, address: Address) -> list[str | Path]:
        base: list[str | Path] = [
            unpacked_programs() / "psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            address.url,
        ]
        return [*base, "-f", scripts / f"{steps[0].value}.sql"]

    @override
    def environment(self, scripts: Path, address: Address) -> dict[str, str]:
        return {"PSQLRC": os.devnull, "LD_LIBRARY_PATH": str(unpacked_programs().parent / "lib")}


class Dbmate(Tool):
    """A program written in Go; its npm package for this platform has it."""

    name, title, history = "dbmate", "dbmate", "schema_migrations"
    program = BUILD / "dbmate" / _DBMATE_VERSION / "package" / "bin" / "dbmate"

    @override
    def install(self) -> str:
        if not self.program.exists():
            self._fetch()
        return _first_line(self.program, "--version").removeprefix("dbmate version ")

    def _fetch(self) -> None:
        directory = self.program.parents[2]
        directory.mkdir(parents=True, exist_ok=True)
        package = f"@dbmate/{_npm_platform()}@{_DBMATE_VERSION}"
        archive = _run("npm", "pack", "--silent", package, directory=directory).split()[-1]
        shutil.unpack_archive(directory / archive, directory, filter="data")

    @override
    def adapt(self, scripts: Path, target: Path) -> None:
        for script in scripts.iterdir():
            with (target / script.name.removeprefix("V")).open("wb") as file, script.open("rb") as source:
                file.write(b"-- migrate:up\n")
                shutil.copyfileobj(source, file)
                file.write(b"-- migrate:down\n")

    @override
    def arguments(self, steps: Sequence[Step], scripts: Path, address: Address) -> list[str | Path]:
        command = "status" if steps[0] is Step.INFO else "migrate"
        return [self.program, "--url", address.url, "--migrations-dir", scripts, "--no-dump-schema", command]


class Pyway(Tool):
    """A program written in Python; the one of its kind that checks the checksums of what is applied."""

    name, title, history = "pyway", "pyway", "pyway"
    folder = BUILD / "pyway" / _PYWAY_VERSION

    @override
    def install(self) -> str:
        install_python_tool(self.folder, "pyway", f"pyway=={_PYWAY_VERSION}")
        return _PYWAY_VERSION

    @override
    def adapt(self, scripts: Path, target: Path) -> None:
        """Its versions have at least two numbers."""
        for script in scripts.iterdir():
            (target / script.name.replace("__", "_0__", 1)).hardlink_to(script)

    @override
    def arguments(self, steps: Sequence[Step], scripts: Path, address: Address) -> list[str | Path]:
        command = "info" if steps[0] is Step.INFO else "migrate"
        options = {
            "migration-dir": str(scripts),
            "table": self.history,
            "type": "postgres",
            "host": address.host,
            "port": str(address.port),
            "name": address.database,
            "username": address.user,
            # It insists on one; the server does not ask for it.
            "password": "unused",
        }
        return [
            self.folder / "bin" / "pyway",
            command,
            *(word for key, value in options.items() for word in (f"--database-{key}", value)),
        ]


class Flyway(Tool):
    """The real one: the libraries that ``make conformance`` fetches, with a main of a few lines.

    The command line that is distributed loads dozens of plugins and drivers on top, so it starts no faster.
    """

    name, title, history = "flyway", "Flyway", "flyway_schema_history"
    does_steps_at_once = True
    classes = BUILD / "flyway"
    class_path = f"{_FLYWAY_JARS}/*{os.pathsep}{classes}"

    @override
    def install(self) -> str:
        if missing := find_missing_programs():
            raise ToolUnavailable(f"{', '.join(missing)} not found")
        try:
            with Oracle() as oracle:
                version = oracle.version
        except subprocess.CalledProcessError as error:
            raise ToolUnavailable(f"it could not be fetched: {error}") from error
        source = Path(__file__).parent / "flyway" / "Commands.java"
        _run("javac", "-d", self.classes, "-cp", f"{_FLYWAY_JARS}/*", source, directory=REPOSITORY_ROOT)
        return version

    @override
    def arguments(self, steps: Sequence[Step], scripts: Path, address: Address) -> list[str | Path]:
        return ["java", "-cp", self.class_path, "Commands", *(step.value for step in steps)]

    @override
    def environment(self, scripts: Path, address: Address) -> dict[str, str]:
        place = f"{address.host}:{address.port}/{address.database}"
        return {
            "FLYWAY_URL": f"jdbc:postgresql://{place}?sslmode=disable",
            "FLYWAY_USER": address.user,
            "FLYWAY_LOCATIONS": f"filesystem:{scripts}",
        }


# In the order of the tables.
TOOLS: Final[tuple[Tool, ...]] = (Taxiway(), Psql(), Dbmate(), Pyway(), Flyway())


def install_python_tool(folder: Path, program: str, requirement: str) -> None:
    """Install a program that is written in Python into a virtual environment of its own, unless it is there.

    Raises:
        ToolUnavailable: It cannot be had.
    """
    if (folder / "bin" / program).exists():
        return
    uv = Path(sys.executable).parent / "uv"
    environment: list[str | Path] = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder]
    _run(*environment, directory=REPOSITORY_ROOT)
    install: list[str | Path] = [uv, "pip", "install", "--quiet", "--compile-bytecode"]
    _run(*install, "--python", folder / "bin" / "python", requirement, directory=REPOSITORY_ROOT)


def _npm_platform() -> str:
    """What npm's packages call this machine."""
    machine = os.uname().machine
    return f"{sys.platform}-{ {'x86_64': 'x64', 'aarch64': 'arm64'}.get(machine, machine) }"


def _first_line(program: Path, argument: str) -> str:
    return _run(program, argument, directory=REPOSITORY_ROOT).splitlines()[0]


def _run(*command: str | Path, directory: Path) -> str:
    try:
        return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        raise ToolUnavailable(f"{Path(command[0]).name} not found") from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or error.stdout).strip().splitlines()
        raise ToolUnavailable(f"{Path(command[0]).name}: {reason[-1] if reason else error}") from error
