"""Running the statements of scripts, one by one."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from taxiway import errors
from taxiway.engine.tools import Tools
from taxiway.model.event import ResultTable, RowsReturned, StatementRun, Warned
from taxiway.model.rules import ErrorAction
from taxiway.model.script import LineCounter, Script, Statement
from taxiway.model.settings import MigrationSettings

_SAVEPOINT: Final = Statement("SAVEPOINT taxiway_statement", 0, 0)
_RELEASE: Final = Statement("RELEASE SAVEPOINT taxiway_statement", 0, 0)
_ROLL_BACK: Final = Statement("ROLLBACK TO SAVEPOINT taxiway_statement; RELEASE SAVEPOINT taxiway_statement", 0, 0)

# What ends or names a part of a transaction gets on with no savepoint of ours, nor does what has to come first in
# one (PostgreSQL manual, SET TRANSACTION: not in a subtransaction).
_CONTROLS_TRANSACTION: Final = re.compile(
    r"(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE)\b"
    r"|SET\s+(?:(?:LOCAL|SESSION)\s+)?TRANSACTION\w*\b",
    re.IGNORECASE,
)


class StatementRefused(Exception):
    """The server refused a statement of a script. ``statement`` is ``None`` when it refused the commit."""

    def __init__(
        self,
        script: Script,
        statement: Statement | None,
        error: errors.StatementFailed | errors.PermissionDenied,
    ) -> None:
        super().__init__(error.message)
        self.script, self.statement, self.error = script, statement, error


@dataclass(frozen=True, slots=True)
class StatementHooks:
    """What is to be done before and after each statement of a script."""

    before: Callable[[], None]
    after: Callable[[], None]


@dataclass(slots=True)
class ScriptRun:
    """Scripts that share one transaction, or have none: a migration and the callbacks around it, for example.

    Attributes:
        has_sent: A statement was sent: without a transaction, something may have been left behind.
        ended_by: ``COMMIT`` or ``ROLLBACK``, if a script has ended the transaction itself.
    """

    tools: Tools
    settings: MigrationSettings
    transactional: bool
    has_sent: bool = False
    ended_by: str | None = None

    @property
    def can_be_undone(self) -> bool:
        """All that it has done is in the open transaction."""
        return self.transactional and self.ended_by is None

    def run(self, name: str, script: Script, hooks: StatementHooks | None = None) -> None:
        """Run every statement of a script; ``name`` is what events call it.

        Raises:
            StatementRefused: The server refused one.
        """
        lines = LineCounter(script.replaced.source)
        for statement in script.statements:
            if hooks:
                hooks.before()
            line = lines.line(script.replaced.source_offset(statement.first_token))
            self._run(name, script, statement, line)
            if hooks:
                hooks.after()

    def commit(self, script: Script) -> None:
        """Commit what is open; does nothing without a transaction.

        Raises:
            StatementRefused: The server refused to, because of a deferred constraint for example.
        """
        try:
            self.tools.session.commit()
        except errors.StatementFailed as error:
            raise StatementRefused(script, None, error) from error

    def _run(self, name: str, script: Script, statement: Statement, line: int) -> None:
        if self.ended_by and not self.tools.session.in_transaction:
            # As Flyway (JDBC without autocommit): after a COMMIT in a script, the next statement begins anew.
            self.tools.session.begin()
        clock = self.tools.clock
        started = clock.monotonic()
        self.has_sent = True
        command, tables = self._send(script, statement)
        duration_ms = milliseconds(clock.monotonic() - started)
        self.tools.on_event(StatementRun(script=name, line=line, duration_ms=duration_ms, command=command))
        for table in tables:
            self.tools.on_event(RowsReturned(script=name, table=self._redacted(table)))
        self._notice_the_end_of_the_transaction(name, command)

    def _send(self, script: Script, statement: Statement) -> tuple[str, tuple[ResultTable, ...]]:
        """Run one statement, and say what it came to: nothing, if it failed and that is to be overlooked."""
        session, overrides = self.tools.session, self.tools.overrides
        guarded = overrides.may_forgive and session.in_transaction and not _controls_transaction(statement)
        if guarded:
            session.run(_SAVEPOINT)
        overrides.forget()
        try:
            outcome = session.run(statement, keep_rows=self.settings.output_query_results)
        except errors.StatementFailed as error:
            failure = error
        else:
            if overrides.failure is None:
                if guarded:
                    session.run(_RELEASE)
                return outcome.command, outcome.tables
            raise StatementRefused(script, statement, overrides.failure)
        self._overlook(failure, script, statement, guarded=guarded)
        return "", ()

    def _overlook(
        self, error: errors.StatementFailed, script: Script, statement: Statement, *, guarded: bool
    ) -> None:
        """Go on after an error that an override has made less of.

        Raises:
            StatementRefused: There is no such override, or no way to go on in this transaction.
        """
        session, overrides = self.tools.session, self.tools.overrides
        if overrides.of_error(error) is ErrorAction.ERROR or (session.in_transaction and not guarded):
            raise StatementRefused(script, statement, error)
        if guarded:
            session.run(_ROLL_BACK)
        if remark := overrides.of_forgiven(error):
            self.tools.on_event(replace(remark, message=self.tools.redact(remark.message)))

    def _redacted(self, table: ResultTable) -> ResultTable:
        redact = self.tools.redact
        rows = (tuple(cell if cell is None else redact(cell) for cell in row) for row in table.rows)
        # The server cuts long names, so they are masked as quoted ones are: pieces of secrets too.
        columns = (redact(f'"{name}"').removeprefix('"').removesuffix('"') for name in table.columns)
        return ResultTable(tuple(columns), tuple(rows))

    def _notice_the_end_of_the_transaction(self, name: str, command: str) -> None:
        # COMMIT AND CHAIN opens the next one at once.
        ended = command == "COMMIT" or not self.tools.session.in_transaction
        if not self.transactional or not ended:
            return
        if self.ended_by is None:
            self.tools.on_event(
                Warned(
                    message=f"{name} ended its own transaction (COMMIT or ROLLBACK): if a later statement fails, "
                    "what came before stays."
                )
            )
        self.ended_by = self.ended_by or command


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, as the history has them."""
    return round(seconds * 1000)


def _controls_transaction(statement: Statement) -> bool:
    return bool(_CONTROLS_TRANSACTION.match(statement.text, statement.first_token - statement.offset))
