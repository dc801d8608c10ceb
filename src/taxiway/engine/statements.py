"""Running the statements of scripts, one by one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from taxiway import errors
from taxiway.engine.tools import Tools
from taxiway.model.event import ResultTable, RowsReturned, StatementRun, Warned
from taxiway.model.rules import ErrorAction
from taxiway.model.script import LineCounter, Script, Statement
from taxiway.model.settings import MigrationSettings
from taxiway.sql.transactions import controls_transaction, rolls_back_and_chains

_SAVEPOINT: Final = Statement("SAVEPOINT taxiway_statement", 0, 0)
_RELEASE: Final = Statement("RELEASE SAVEPOINT taxiway_statement", 0, 0)
_ROLL_BACK: Final = Statement("ROLLBACK TO SAVEPOINT taxiway_statement; RELEASE SAVEPOINT taxiway_statement", 0, 0)

_CONSEQUENCES: Final = {
    "COMMIT": "if a later statement fails, what came before stays.",
    "ROLLBACK": "what came before is gone, and that is not taken for a failure.",
}


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
        group_begins_with: The first of the migrations that are in the transaction already, and whose rows nobody
            has committed yet.
        has_sent: A statement was sent: without a transaction, something may have been left behind.
        ends: ``COMMIT`` and ``ROLLBACK``, each once, as scripts have ended the transaction themselves.
    """

    tools: Tools
    settings: MigrationSettings
    transactional: bool
    group_begins_with: str | None = None
    has_sent: bool = False
    ends: list[str] = field(default_factory=list)

    @property
    def can_be_undone(self) -> bool:
        """All that it has done is in the open transaction, or was rolled back before that began."""
        return self.transactional and all(end == "ROLLBACK" for end in self.ends)

    @property
    def has_committed(self) -> bool:
        """A script has committed the transaction itself."""
        return "COMMIT" in self.ends

    def run(self, name: str, script: Script, hooks: StatementHooks | None = None) -> None:
        """Run every statement of a script; ``name`` is what events call it.

        Raises:
            StatementRefused: The server refused one.
            ScriptError: A large script, which is read while it runs, is not what it was.
        """
        for statement, line in statements_with_lines(script):
            if hooks:
                hooks.before()
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
        if self.ends and not self.tools.session.in_transaction:
            # As Flyway (JDBC without autocommit): after a COMMIT in a script, the next statement begins anew.
            self.tools.session.begin()
        clock = self.tools.clock
        started = clock.monotonic()
        self.has_sent = True
        command, tables = self._send(script, statement)
        duration_ms = milliseconds(clock.monotonic() - started)
        self.tools.on_event(StatementRun(script=name, line=line, duration_ms=duration_ms, command=command))
        for table in tables:
            self.tools.on_event(RowsReturned(script=name, table=self.redacted(table)))
        if self.transactional and (end := self._end_of_transaction(statement, command)):
            self._notice(end, name, script, statement)

    def _send(self, script: Script, statement: Statement) -> tuple[str, tuple[ResultTable, ...]]:
        """Run one statement, and say what it came to: nothing, if it failed and that is to be overlooked."""
        session, overrides = self.tools.session, self.tools.overrides
        guarded = overrides.may_forgive and session.in_transaction and not controls_transaction(statement)
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
            self.tools.on_event(remark._replace(message=self.tools.redact(remark.message)))

    def redacted(self, table: ResultTable) -> ResultTable:
        """A table with the values of secrets masked."""
        redact = self.tools.redact
        rows = (tuple(cell if cell is None else redact(cell) for cell in row) for row in table.rows)
        # The server cuts long names, so they are masked as quoted ones are: pieces of secrets too.
        columns = (redact(f'"{name}"').removeprefix('"').removesuffix('"') for name in table.columns)
        return ResultTable(tuple(columns), tuple(rows))

    def _end_of_transaction(self, statement: Statement, command: str) -> str | None:
        """By what a statement has ended the transaction, if it has; AND CHAIN opens the next one at once."""
        has_chained = command == "COMMIT" or (command == "ROLLBACK" and rolls_back_and_chains(statement))
        return command if has_chained or not self.tools.session.in_transaction else None

    def _notice(self, end: str, name: str, script: Script, statement: Statement) -> None:
        """Warn of the end of the transaction.

        Raises:
            StatementRefused: It takes migrations along that came before it in the group.
        """
        if end in self.ends:
            return
        self.ends.append(end)
        if self.ends == [end] and end != "COMMIT" and self.group_begins_with:
            message = (
                f"{end} has ended the transaction of the group, and taken along what came before it, from "
                f"{self.group_begins_with} on"
            )
            raise StatementRefused(script, statement, errors.StatementFailed(message))
        consequence = _CONSEQUENCES.get(end, "what came before is not committed.")
        self.tools.on_event(Warned(message=f"{name} ended its own transaction with {end}: {consequence}"))


def statements_with_lines(script: Script) -> Iterator[tuple[Statement, int]]:
    """The statements of a script, each with the line of the source that it begins in."""
    lines = LineCounter()
    for statement in script.statements:
        yield statement, lines.line(statement)


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, as the history has them."""
    return round(seconds * 1000)
