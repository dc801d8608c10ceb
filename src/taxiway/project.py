"""A set of scripts and a database, opened: where the engine meets its adapters.

Commands that follow each other (info, migrate, info) share one connection and one scan of the files.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from taxiway import errors
from taxiway.clock import SystemClock
from taxiway.engine import survey
from taxiway.engine.callbacks import Callbacks
from taxiway.engine.overrides import Overrides
from taxiway.engine.tools import Tools
from taxiway.model.callback import CallbackEvent
from taxiway.model.event import (
    Connected,
    NoticeReceived,
    SecretReadAgain,
    WaitingForDatabase,
    WakingDatabase,
    Warned,
)
from taxiway.reports.text import render_warning
from taxiway.scan.inventory import Inventory, take_inventory
from taxiway.scan.resolve import before_connect_callbacks
from taxiway.sources.directory import DirectorySources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from taxiway.engine.ports import Clock, EventSink, Rotations, SessionFacts
    from taxiway.engine.why import Records
    from taxiway.model.callback import Callback
    from taxiway.model.event import Event
    from taxiway.model.info import InfoResult
    from taxiway.model.ledger import RunOrigin
    from taxiway.model.migration import Program
    from taxiway.model.result import (
        BaselineResult,
        CleanResult,
        CommandResult,
        ConnectionTestResult,
        MigrateResult,
        RepairResult,
        RolesResult,
        UndoResult,
        ValidateResult,
    )
    from taxiway.model.role import Role
    from taxiway.model.rules import Placeholders
    from taxiway.model.settings import DatabaseSettings, LedgerSettings, MigrationSettings, Settings
    from taxiway.model.why import WhyResult
    from taxiway.postgres.credentials import Credentials
    from taxiway.postgres.session import PostgresSession
    from taxiway.secret import Redactor, Secret

# PostgreSQL 14 to 18 are tested.
_FIRST_UNKNOWN_SERVER: Final = 190000


class WarningCollector:
    """An event sink that passes everything on, and keeps what is a warning until a result takes it."""

    def __init__(self, on_event: EventSink) -> None:
        self._on_event = on_event
        self._texts: list[str] = []

    def __call__(self, event: Event) -> None:
        """Take in an event, and pass it on."""
        if (text := render_warning(event)) is not None:
            self._texts.append(text)
        self._on_event(event)

    def added_to[T: CommandResult](self, result: T) -> T:
        """The result, with every warning that no result before it has."""
        texts, self._texts = self._texts, []
        return replace(result, warnings=tuple(texts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """An open project. Each method is a command; results are values, events go to the sink.

    Results, that of a failure too, have the warnings since the result before. What came before the first command,
    of the files for example, belongs to it.
    """

    scope: survey.Scope
    settings: MigrationSettings
    tools: Tools
    warnings: WarningCollector
    records: Callable[[], Records]
    roles: tuple[Role, ...] = ()

    def info(self) -> InfoResult:
        """Every migration with its state."""
        from taxiway.engine.info import info

        with self._command(writes=False):
            result = info(self.scope, self.settings, self.tools)
        return self.warnings.added_to(result)

    def validate(self) -> ValidateResult:
        """Every disagreement between scripts and history."""
        from taxiway.engine.validate import validate

        with self._command(writes=False):
            result = validate(self.scope, self.settings, self.tools)
        return self.warnings.added_to(result)

    def migrate(self) -> MigrateResult:
        """Apply what is pending, and look after the declared roles. Raises as :mod:`taxiway.engine.roles`."""
        from taxiway.engine.migrate import migrate

        with self._command():
            result = self._migrate_with_roles() if self.roles else migrate(self.scope, self.settings, self.tools)
        return self.warnings.added_to(result)

    def _migrate_with_roles(self) -> MigrateResult:
        from taxiway.engine.roles import migrate_with_roles

        return migrate_with_roles(self.scope, self.roles, self.settings, self.tools)

    def look_after_roles(self, *, carry_out: bool = True) -> RolesResult:
        """Make the server's roles what is declared, or only say how. Raises as :mod:`taxiway.engine.roles`."""
        from taxiway.engine.roles import look_after_roles

        with self._command(needs_migrations=False, connects=carry_out):
            result = look_after_roles(self.scope, self.roles, self.settings, self.tools, carry_out=carry_out)
        return self.warnings.added_to(result)

    def undo(self) -> UndoResult:
        """Take back what was applied last. Raises as :func:`taxiway.engine.undo.undo`."""
        from taxiway.engine.undo import undo

        with self._command():
            result = undo(self.scope, self.settings, self.tools)
        return self.warnings.added_to(result)

    def baseline(self) -> BaselineResult:
        """Let the history begin at a version. Raises as :func:`taxiway.engine.baseline.baseline`."""
        from taxiway.engine.baseline import baseline

        with self._command(needs_migrations=False):
            result = baseline(self.scope, self.settings, self.tools)
        return self.warnings.added_to(result)

    def repair(self, *, carry_out: bool = True) -> RepairResult:
        """Make the history agree with the scripts, or only say how. Raises as :mod:`taxiway.engine.repair`."""
        from taxiway.engine.repair import repair

        with self._command(connects=carry_out, writes=carry_out):
            result = repair(self.scope, self.settings, self.tools, carry_out=carry_out)
        return self.warnings.added_to(result)

    def clean(self) -> CleanResult:
        """Drop every object of the managed schemas. Raises as :func:`taxiway.engine.clean.clean`."""
        from taxiway.engine.clean import clean

        with self._command(needs_migrations=False):
            result = clean(self.scope, self.settings, self.tools)
        return self.warnings.added_to(result)

    def why(self, name: str) -> WhyResult:
        """Where an object of the database comes from. Raises as :func:`taxiway.engine.why.why`."""
        from taxiway.engine.why import why

        return self.warnings.added_to(why(self.scope, self.tools, self.records(), name))

    @contextmanager
    def _command(
        self, *, needs_migrations: bool = True, connects: bool = True, writes: bool = True
    ) -> Iterator[None]:
        """What is the same for all commands: the first callbacks, the warnings of a failure.

        Where migrations are needed, what is wrong with one of them shows before any callback runs. Without
        ``connects`` none does: for a command that is to change nothing. What ``writes`` is refused by a server
        that may only read before any callback runs, too.
        """
        if needs_migrations:
            self.scope.require_order()
        if writes:
            from taxiway.engine.writable import require_writable

            require_writable(self.tools.session.facts)
        try:
            if connects:
                Callbacks(self.scope, self.settings, self.tools).fire(CallbackEvent.AFTER_CONNECT)
            yield
        except errors.TaxiwayError as error:
            if error.result is not None:
                error.result = self.warnings.added_to(error.result)
            raise


class _Programs:
    """Programs of this machine; what runs them is loaded with the first one."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def run(
        self, program: Program, environment: Mapping[str, str | Secret], *, on_line: Callable[[str], None]
    ) -> int:
        from taxiway.sources.program import ChildPrograms

        return ChildPrograms(self._redact).run(program, environment, on_line=on_line)


@contextmanager
def _redacting(redact: Callable[[str], str]) -> Iterator[None]:
    """No error leaves the block with a secret in it."""
    try:
        yield
    except errors.TaxiwayError as error:
        error.redact(redact)
        raise


@contextmanager
def open_project(
    settings: Settings,
    *,
    base: Path,
    inside: Path | None = None,
    redact: Redactor,
    on_event: EventSink,
    run: RunOrigin | None = None,
) -> Iterator[Project]:
    """Find the scripts, run the programs for ``beforeConnect``, connect, resolve.

    ``base`` is what relative locations start from, if there is no ``workingDirectory``. ``inside`` is the clone
    that no script may lie outside of, symbolic links included; there, locations always start from ``base``.
    ``run`` is what the ledger is to record, from the connection to the end of the block; without it nothing is.

    Raises:
        SourceError, ScriptError: The files are not in order.
        CallbackFailed: A program for ``beforeConnect`` ended with a failure.
        DatabaseError: The database could not be reached.
    """
    sink = WarningCollector(on_event)
    with (
        _redacting(redact),
        _opened(settings, base=base, inside=inside, redact=redact, sink=sink, run=run) as project,
    ):
        yield project


@contextmanager
def _opened(
    settings: Settings,
    *,
    base: Path,
    inside: Path | None,
    redact: Redactor,
    sink: WarningCollector,
    run: RunOrigin | None,
) -> Iterator[Project]:
    migrations, clock = settings.migrations, SystemClock()
    overrides = Overrides(migrations.error_overrides)
    inventory = _take_inventory(migrations, base=base, inside=inside, on_event=sink)
    placeholders = _early_placeholders(migrations, clock)
    programs = _Programs(redact)
    database, credentials = _log_in(settings.database, redact)
    program_environment = _program_environment(settings.database, database) if inventory.has_programs else {}
    callbacks = before_connect_callbacks(inventory, migrations, placeholders=placeholders, environment=os.environ)
    _run_before_connect(callbacks, programs, program_environment, placeholders, sink=sink, redact=redact)
    with _greeted(database, credentials, overrides=overrides, clock=clock, redact=redact, sink=sink) as session:
        scope = survey.read_scope(
            migrations, inventory=inventory, session=session, placeholders=placeholders, environment=os.environ
        )
        with _recorded(session, scope, settings.ledger, run, redact=redact, sink=sink) as on_event:
            tools = Tools(
                session=session,
                clock=clock,
                on_event=on_event,
                redact=redact,
                programs=programs,
                program_environment={"FLYWAY_USER": session.facts.user} | program_environment,
                overrides=overrides,
                rotations=_rotations(settings.roles, redact),
            )
            records = partial(_records, session, scope, settings.ledger)
            yield Project(
                scope=scope, settings=migrations, tools=tools, warnings=sink, records=records, roles=settings.roles
            )


def _run_before_connect(
    callbacks: Sequence[Callback],
    programs: _Programs,
    environment: Mapping[str, str | Secret],
    placeholders: Placeholders,
    *,
    sink: EventSink,
    redact: Callable[[str], str],
) -> None:
    """Most projects have none: nothing is loaded for them."""
    if callbacks:
        from taxiway.engine.callback_runner import run_before_connect

        run_before_connect(
            callbacks,
            programs=programs,
            environment=environment,
            placeholders=placeholders,
            on_event=sink,
            redact=redact,
        )


def _rotations(roles: tuple[Role, ...], redact: Redactor) -> Rotations | None:
    """Those of the secrets of declared roles; nothing of AWS is loaded without one."""
    if not any(role.secret for role in roles):
        return None
    from taxiway.aws.rotations import AwsRotations
    from taxiway.aws.session import find_region

    return AwsRotations(find_region(os.environ), on_secret=redact.add)


def _records(session: PostgresSession, scope: survey.Scope, settings: LedgerSettings) -> Records:
    from taxiway.postgres.why import PostgresRecords

    has_history = session.look(scope.schemas, scope.table).history_exists
    return PostgresRecords(session, ledger_schema=settings.schema, table=scope.table, has_history=has_history)


@contextmanager
def _recorded(
    session: PostgresSession,
    scope: survey.Scope,
    settings: LedgerSettings,
    run: RunOrigin | None,
    *,
    redact: Callable[[str], str],
    sink: EventSink,
) -> Iterator[EventSink]:
    """The sink for what happens in a run that is recorded, if it is to be."""
    if run is None:
        yield sink
        return
    if settings.schema in scope.schemas:
        # Its tables would make an empty schema look used, and clean would drop them.
        sink(Warned(message=f"There is no ledger: the migrations manage its schema, {settings.schema}."))
        yield sink
        return
    from taxiway.engine.ledger import RunLedger
    from taxiway.postgres.ledger import PostgresLedger

    store = PostgresLedger(session, settings.schema)
    ledger = RunLedger(store=store, origin=run, table=scope.table, on_event=sink, redact=redact)
    ledger.begin()
    try:
        yield ledger
    except BaseException as failure:
        ledger.end(failure)
        raise
    ledger.end(None)


def _early_placeholders(migrations: MigrationSettings, clock: Clock) -> Placeholders:
    return survey.early_placeholders(
        migrations,
        clock=clock,
        working_directory=os.getcwd(),  # noqa: PTH109 - a text for a placeholder, not a path to walk
    )


def _log_in(database: DatabaseSettings, redact: Redactor) -> tuple[DatabaseSettings, Credentials | None]:
    """The settings with what a secret has of them, and who gives the login of each connection.

    Raises:
        SecretError, AwsError: The secret could not be read.
        ConfigError: The URL cannot be understood, or there is no host.
    """
    if not (database.secret or database.references or database.auth == "iam"):
        return database, None
    from taxiway.aws.credentials import make_login
    from taxiway.postgres.url import parse_url, with_address

    database = parse_url(database)
    login = make_login(database, on_secret=redact.add)
    if database.auth == "iam":
        return database, login
    if database.secret:
        database = with_address(database, login.read_address())
    return login.log_in(database), login


@contextmanager
def _greeted(
    database: DatabaseSettings,
    credentials: Credentials | None,
    *,
    overrides: Overrides,
    clock: Clock,
    redact: Callable[[str], str],
    sink: EventSink,
) -> Iterator[PostgresSession]:
    """An open session, and the people told of it."""
    with _open_session(
        database, credentials, overrides=overrides, clock=clock, redact=redact, on_event=sink
    ) as session:
        sink(Connected(database=session.facts.label, server_version=session.facts.server_version))
        _warn_of_new_server(session.facts, sink)
        yield session


@contextmanager
def _open_session(
    database: DatabaseSettings,
    credentials: Credentials | None,
    *,
    overrides: Overrides,
    clock: Clock,
    redact: Callable[[str], str],
    on_event: EventSink,
) -> Iterator[PostgresSession]:
    from taxiway.postgres.connection import open_session

    def on_notice(notice: NoticeReceived) -> None:
        remark = overrides.of_notice(notice._replace(message=redact(notice.message)))
        if remark:
            on_event(remark)

    def on_connecting(event: WaitingForDatabase | WakingDatabase | SecretReadAgain | Warned) -> None:
        if isinstance(event, WaitingForDatabase | WakingDatabase):
            on_event(event._replace(reason=redact(event.reason)))
        elif isinstance(event, Warned):
            on_event(event._replace(message=redact(event.message)))
        else:
            on_event(event)

    with open_session(
        database, clock=clock, on_notice=on_notice, on_event=on_connecting, credentials=credentials
    ) as session:
        yield session


def _take_inventory(
    settings: MigrationSettings, *, base: Path, inside: Path | None, on_event: EventSink
) -> Inventory:
    """Look at the files of all locations, those of ``callbackLocations`` too.

    Flyway 13 skips missing ones of the latter even with ``failOnMissingLocations``. Somebody has named them, and
    without their callbacks the migrations may do less than they should.
    """
    if inside is None and settings.working_directory:
        base /= settings.working_directory
    find = partial(DirectorySources, base=base, fail_on_missing=settings.fail_on_missing_locations, inside=inside)
    sources = find(settings.locations)
    callback_sources = find(settings.callback_locations, setting="callbackLocations")
    inventory = take_inventory(
        sources.files(),
        settings,
        callback_files=callback_sources.files() if settings.callback_locations else None,
    )
    # Only with validateMigrationNaming=false; Flyway tells how many there are, and not which.
    misnamed = [f"{path} is skipped: {reason}." for path, reason in inventory.invalid_names]
    for warning in [*sources.warnings, *callback_sources.warnings, *inventory.warnings, *misnamed]:
        on_event(Warned(message=warning))
    return inventory


def _warn_of_new_server(facts: SessionFacts, on_event: EventSink) -> None:
    if facts.server_version_num >= _FIRST_UNKNOWN_SERVER:
        message = (
            f"PostgreSQL {facts.server_version} is newer than Taxiway: statements that it refuses in a "
            "transaction may be taken for others."
        )
        on_event(Warned(message=message))


def _program_environment(given: DatabaseSettings, database: DatabaseSettings) -> dict[str, str | Secret]:
    """What Flyway tells programs of the connection (Flyway 13, script migrations).

    ``database`` is what was ``given`` with the login of a secret. Of IAM there is none: a token is for one login.

    Raises:
        InvalidOption, UnsupportedOption: The URL cannot be understood.
    """
    from taxiway.postgres.url import parse_url, url_for_programs  # loads libpq

    parsed = parse_url(database)
    variables = {
        "FLYWAY_URL": url_for_programs(given, parsed),
        "FLYWAY_USER": parsed.user,
        "FLYWAY_PASSWORD": parsed.password,
    }
    return {name: value for name, value in variables.items() if value}


def test_connection(settings: Settings, *, redact: Redactor, on_event: EventSink) -> ConnectionTestResult:
    """Open a session and close it again; no file is looked at.

    Raises:
        ConfigError, DatabaseError: The database could not be reached.
    """
    from taxiway.model.result import ConnectionTestResult

    sink = WarningCollector(on_event)
    with _redacting(redact):
        database, credentials = _log_in(settings.database, redact)
        with _open_session(
            database, credentials, overrides=Overrides(), clock=SystemClock(), redact=redact, on_event=sink
        ) as session:
            facts = session.facts
    result = ConnectionTestResult(label=facts.label, user=facts.user, server_version=facts.server_version)
    return sink.added_to(result)
