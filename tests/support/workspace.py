"""A folder of scripts and the database that they are for: what a user has before the first command."""

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import taxiway
from taxiway.api import Options, ignore_events
from taxiway.model.info import InfoResult
from taxiway.model.result import (
    BaselineResult,
    CleanResult,
    MigrateResult,
    RepairResult,
    UndoResult,
    ValidateResult,
)
from tests.support.builders import states
from tests.support.command import run_command, running_command
from tests.support.pytest_sandbox import Database

if TYPE_CHECKING:
    from taxiway.engine.ports import EventSink

type Row = tuple[Any, ...]

_HISTORY_COLUMNS = (
    "installed_rank, version, description, type, script, checksum, installed_by, installed_on, "
    "execution_time, success"
)
_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Workspace:
    """Scripts lie in ``sql`` below ``directory``, which is where commands are started."""

    database: Database
    directory: Path

    # --- scripts ---

    @property
    def scripts(self) -> Path:
        return self.directory / "sql"

    def write(self, scripts: Mapping[str, str | bytes]) -> None:
        """Scripts by their path below ``sql``."""
        for name, content in scripts.items():
            path = self.scripts / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    # --- the library ---

    def migrate(self, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> MigrateResult:
        return taxiway.migrate(on_event=on_event, **self._options(options))

    def info(self, **options: Unpack[Options]) -> InfoResult:
        return taxiway.info(**self._options(options))

    def validate(self, **options: Unpack[Options]) -> ValidateResult:
        return taxiway.validate(**self._options(options))

    def undo(self, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> UndoResult:
        return taxiway.undo(on_event=on_event, **self._options(options))

    def baseline(self, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> BaselineResult:
        return taxiway.baseline(on_event=on_event, **self._options(options))

    def repair(
        self, on_event: "EventSink" = ignore_events, *, carry_out: bool = True, **options: Unpack[Options]
    ) -> RepairResult:
        return taxiway.repair(carry_out=carry_out, on_event=on_event, **self._options(options))

    def clean(self, on_event: "EventSink" = ignore_events, **options: Unpack[Options]) -> CleanResult:
        return taxiway.clean(on_event=on_event, **self._options(options))

    def states(self, **options: Unpack[Options]) -> list[str]:
        """One line for each migration, such as ``1 Success``."""
        return states(self.info(**options).migrations)

    def _options(self, options: Options) -> Options:
        given: Options = {
            "url": self.database.url,
            "password": self.database.password,
            "locations": [f"filesystem:{self.scripts}"],
        }
        return {**given, **options}

    # --- the command ---

    def run(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, with this database in its environment."""
        return run_command(
            *arguments, directory=self.directory, environment=self.environment | dict(environment or {})
        )

    def answer(self, *arguments: str, exit_code: int = 0, **environment: str) -> dict[str, Any]:
        """What a command says in JSON, without a word beside it."""
        result = self.run(*arguments, "--output", "json", environment=environment)
        assert (result.returncode, result.stderr) == (exit_code, "")
        parsed = json.loads(result.stdout)
        assert isinstance(parsed, dict)
        return parsed

    def running(
        self, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> AbstractContextManager[subprocess.Popen[str]]:
        """The command while it runs. Killed on the way out."""
        return running_command(
            *arguments, directory=self.directory, environment=self.environment | dict(environment or {})
        )

    @property
    def environment(self) -> dict[str, str]:
        """What tells the command about this database."""
        return {"FLYWAY_URL": self.database.url, "FLYWAY_PASSWORD": self.database.password}

    # --- the database ---

    def wait_for(self, query: str) -> None:
        """Return as soon as a query has a row."""
        deadline = time.monotonic() + _SECONDS
        with self.database.connect(autocommit=True) as connection:
            while not connection.execute(query.encode()).fetchall():
                assert time.monotonic() < deadline, f"this never came true: {query}"
                time.sleep(0.02)

    def query(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Rows of a statement, run and committed as the owner."""
        with self.database.connect(autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        """The one value of a statement."""
        [(value,)] = self.query(statement, parameters)
        return value

    def history(self, table: str = "flyway_schema_history") -> list[dict[str, Any]]:
        """Rows of the schema history by rank. ``table`` is a name as SQL has it."""
        names = _HISTORY_COLUMNS.split(", ")
        rows = self.query(f"SELECT {_HISTORY_COLUMNS} FROM {table} ORDER BY installed_rank")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def applied(self) -> list[str | None]:
        """Versions in the history, in the order in which they were applied."""
        return [row["version"] for row in self.history()]
