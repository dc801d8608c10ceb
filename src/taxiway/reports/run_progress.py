"""How far the job of the container has come: what its last line needs, whatever ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from taxiway.model import event as events
from taxiway.model.info import InfoResult
from taxiway.model.run_report import COMMIT_DIGITS, RunReport
from taxiway.reports.text import EMPTY_SCHEMA

if TYPE_CHECKING:
    from taxiway.model.result import MigrateResult


@dataclass(slots=True)
class RunProgress:
    """What is known of the run so far.

    Attributes:
        code: That of the error that has ended it.
        is_complete: It has done everything that it was to do.
    """

    branch: str | None = None
    commit: str | None = None
    schema_version: str | None = None
    code: str | None = None
    is_complete: bool = False

    def note_checkout(self, branch: str, commit: str) -> None:
        """This commit is being run."""
        self.branch, self.commit = branch, commit

    def note_event(self, event: events.Event) -> None:
        """Take in what moves the version of the schema."""
        match event:
            case events.CurrentVersion():
                self.schema_version = event.version or EMPTY_SCHEMA
            case events.MigrationFinished() if event.migration.version is not None:
                self.schema_version = event.migration.version.text

    def note_result(self, result: InfoResult | MigrateResult) -> None:
        """Take in the version that the schema history shows."""
        if isinstance(result, InfoResult):
            self.schema_version = result.schema_version.text if result.schema_version else EMPTY_SCHEMA

    def report(self, exit_code: int, *, applied: int) -> RunReport:
        """The end of the run."""
        return RunReport(
            exit_code=exit_code,
            applied=applied,
            schema_version=self.schema_version,
            branch=self.branch,
            commit=self.commit[:COMMIT_DIGITS] if self.commit else None,
            code=self.code,
        )
