"""A set of scripts and a database, opened: where the engine meets its adapters.

Commands that follow each other (info, migrate, info) share one connection and one scan of the files.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway import errors
from taxiway.clock import SystemClock
from taxiway.engine import info as info_command
from taxiway.engine import migrate as migrate_command
from taxiway.engine import survey
from taxiway.engine import validate as validate_command
from taxiway.engine.ports import EventSink
from taxiway.model.event import Connected, Event, NoticeReceived, Warned
from taxiway.model.result import InfoResult, MigrateResult, ValidateResult
from taxiway.model.settings import MigrationSettings, Settings
from taxiway.reports.text import render_warning
from taxiway.sources.directory import DirectorySources

if TYPE_CHECKING:
    from taxiway.engine.ports import Session


class WarningCollector:
    """An event sink that passes everything on and keeps what is a warning."""

    def __init__(self, on_event: EventSink) -> None:
        self._on_event = on_event
        self._texts: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take in an event, and pass it on."""
        if (text := render_warning(event)) is not None:
            self._texts.append(text)
        self._on_event(event)

    def added_to(self, result: MigrateResult) -> MigrateResult:
        """The result, with every warning so far."""
        return replace(result, warnings=tuple(self._texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """An open project. Each method is a command; results are values, events go to the sink."""

    scope: survey.Scope
    settings: MigrationSettings
    tools: migrate_command.Tools
    warnings: WarningCollector

    def info(self) -> InfoResult:
        """Every migration with its state."""
        return info_command.info(self.scope, self.settings, self._session)

    def validate(self) -> ValidateResult:
        """Every disagreement between scripts and history."""
        return validate_command.validate(self.scope, self.settings, self._session)

    def migrate(self) -> MigrateResult:
        """Apply what is pending. Raises as :func:`taxiway.engine.migrate.migrate`.

        The result, that of a failure too, has every warning since the project was opened.
        """
        try:
            result = migrate_command.migrate(self.scope, self.settings, self.tools)
        except errors.TaxiwayError as error:
            if error.result is not None:
                error.result = self.warnings.added_to(error.result)
            raise
        return self.warnings.added_to(result)

    @property
    def _session(self) -> "Session":
        return self.tools.session


@contextmanager
def open_project(
    settings: Settings,
    *,
    base: Path,
    inside: Path | None = None,
    redact: Callable[[str], str],
    on_event: EventSink,
) -> Iterator[Project]:
    """Find the scripts, connect, resolve. ``base`` is what relative locations start from.

    ``inside`` is the clone that no script may lie outside of, symbolic links included.

    Raises:
        SourceError, ScriptError: The files are not in order.
        DatabaseError: The database could not be reached.
    """
    from taxiway.postgres.connection import open_session

    sources = DirectorySources(
        settings.migrations.locations,
        base=base,
        fail_on_missing=settings.migrations.fail_on_missing_locations,
        inside=inside,
    )
    clock = SystemClock()
    sink = WarningCollector(on_event)

    def on_notice(notice: NoticeReceived) -> None:
        sink(replace(notice, message=redact(notice.message)))

    with open_session(settings.database, clock=clock, on_notice=on_notice) as session:
        sink(Connected(database=session.facts.label, server_version=session.facts.server_version))
        scope = survey.read_scope(
            settings.migrations,
            sources=sources,
            session=session,
            clock=clock,
            working_directory=os.getcwd(),  # noqa: PTH109 - a text for a placeholder, not a path to walk
        )
        for warning in [*sources.warnings, *_passed_over(scope), *_misnamed(scope)]:
            sink(Warned(message=warning))
        tools = migrate_command.Tools(session=session, clock=clock, on_event=sink, redact=redact)
        yield Project(scope=scope, settings=settings.migrations, tools=tools, warnings=sink)


def _passed_over(scope: survey.Scope) -> list[str]:
    return [
        f"{path} is passed over: callbacks and script configuration files are not supported yet."
        for path in scope.resolution.passed_over
    ]


def _misnamed(scope: survey.Scope) -> list[str]:
    """Only with ``validateMigrationNaming=false``; Flyway tells how many there are, and not which."""
    return [f"{path} is skipped: {reason}." for path, reason in scope.resolution.invalid_names]
