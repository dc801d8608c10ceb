"""From a refused statement, or a program that failed, to an error that shows the place in the script."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from taxiway import errors
from taxiway.engine.advice import advise
from taxiway.engine.programs import ProgramFailed
from taxiway.engine.statements import StatementRefused
from taxiway.model.callback import Callback
from taxiway.model.migration import MigrationKind
from taxiway.model.plan import PlannedMigration
from taxiway.model.result import MigrateResult, UndoResult
from taxiway.model.script import Position

_CONTEXT_LINES: Final = 2
# protocol_violation and indeterminate_datatype (PostgreSQL manual, "PostgreSQL Error Codes")
_OF_PROTOCOL: Final = frozenset({"08P01", "42P18"})
_UNDEFINED_PARAMETER: Final = "42P02"
_PARAMETER: Final = re.compile(r"\$[0-9]+")
_WIDEST_LINE: Final = 160


def as_if_not_ahead(refused: StatementRefused) -> StatementRefused:
    """The same refusal in the words for a statement that was not sent ahead, if a ``$1`` in it is the reason.

    The server takes that for a parameter when it is sent ahead, and says so without a place.
    """
    statement, error = refused.statement, refused.error
    if statement is None or error.sqlstate not in _OF_PROTOCOL:
        return refused
    from taxiway.sql.lexer import Lexer

    lexer = Lexer(statement.part, path="")
    lexer.end = statement.offset + len(statement.text)
    found = next((token for token in lexer.tokens(statement.offset) if _PARAMETER.fullmatch(token.form)), None)
    if found is None:
        return refused
    failed = errors.StatementFailed(
        f"there is no parameter {found.form}",
        sqlstate=_UNDEFINED_PARAMETER,
        position=found.start - statement.offset + 1,
    )
    return StatementRefused(refused.script, statement, failed)


@dataclass(frozen=True, slots=True)
class GroupSoFar:
    """What the migrations before this one, of the same group, have come to.

    Attributes:
        begins_with: The first script whose row nobody has committed yet.
        programs: What these did has stayed, whatever happens, and nothing is on record of it.
        has_committed: A script has committed itself, and all before it.
    """

    begins_with: str | None
    programs: tuple[str, ...]
    has_committed: bool


class MigrationRefused(Exception):
    """A migration has failed. ``undone``: it left nothing behind itself. ``group``: what those before it left."""

    def __init__(
        self,
        planned: PlannedMigration,
        cause: StatementRefused | ProgramFailed,
        *,
        undone: bool,
        group: GroupSoFar | None = None,
    ) -> None:
        super().__init__(str(cause))
        self.planned, self.cause = planned, cause
        self.undone, self.group = undone, group

    @property
    def rolled_back(self) -> bool:
        """Nothing has stayed, of the whole group if it is in one."""
        return self.undone and not (self.group and (self.group.programs or self.group.has_committed))


def migration_failed(
    refused: MigrationRefused, result: MigrateResult | UndoResult, *, user: str, redact: Callable[[str], str]
) -> errors.MigrationFailed:
    """The error for people and programs. The excerpt is of the script as written, so it shows no values.

    ``user`` is whom privileges are to be granted to.
    """
    migration, cause = refused.planned.migration, refused.cause
    failure = _Failure(cause, redact)
    what = (
        f"Undo of {_undone(refused)}" if migration.kind is MigrationKind.UNDO else f"Migration {migration.script}"
    )
    at_commit = " while its history row was written and committed" if failure.at_commit else ""
    return errors.MigrationFailed(
        f"{what} failed{at_commit}.\n{failure.describe(migration.path)}",
        kind=migration.kind,
        script=migration.script,
        path=migration.path,
        line=failure.line,
        column=failure.column,
        excerpt=failure.excerpt,
        sqlstate=failure.sqlstate,
        rolled_back=refused.rolled_back,
        result=result,
        details=failure.details,
        hint=_hint(refused, user),
    )


def callback_failed(
    callback: Callback,
    cause: StatementRefused | ProgramFailed,
    *,
    user: str,
    redact: Callable[[str], str],
    rolled_back: bool,
) -> errors.CallbackFailed:
    """The error for people and programs; positions and excerpt are those of the script as written."""
    failure = _Failure(cause, redact)
    at_commit = " while it was committed" if failure.at_commit else ""
    kept = "Nothing of this callback was kept." if rolled_back else "What it did before that has stayed."
    then = _advice(cause, user) or "Mend the callback and run again."
    return errors.CallbackFailed(
        f"Callback {callback.script} failed{at_commit}.\n{failure.describe(callback.path)}",
        event=callback.event.value,
        script=callback.script,
        path=callback.path,
        line=failure.line,
        column=failure.column,
        excerpt=failure.excerpt,
        sqlstate=failure.sqlstate,
        details=failure.details,
        hint=f"{kept} {then}",
    )


class _Failure:
    """What there is to show of a failure, with secrets masked."""

    def __init__(self, cause: StatementRefused | ProgramFailed, redact: Callable[[str], str]) -> None:
        self._cause, self._redact = cause, redact
        self._place = _place(cause) if isinstance(cause, StatementRefused) else None

    @property
    def at_commit(self) -> bool:
        return isinstance(self._cause, StatementRefused) and self._cause.statement is None

    @property
    def line(self) -> int | None:
        return self._place.line if self._place else None

    @property
    def column(self) -> int | None:
        return self._place.column if self._place else None

    @property
    def sqlstate(self) -> str | None:
        return self._cause.error.sqlstate if isinstance(self._cause, StatementRefused) else None

    @property
    def excerpt(self) -> str:
        if isinstance(self._cause, StatementRefused) and self._place:
            return self._redact(_excerpt(self._cause, self._place))
        return ""

    @property
    def details(self) -> dict[str, str]:
        if not isinstance(self._cause, StatementRefused):
            return {}
        return {name: self._redact(text) for name, text in _details(self._cause.error).items()}

    def describe(self, path: str) -> str:
        """Place, words and SQLSTATE, on one line."""
        where = f"{path}:{self.line}:{self.column}" if self._place else path
        return f"{where}: {self._redact(str(self._cause))}" + (
            f" (SQLSTATE {self.sqlstate})" if self.sqlstate else ""
        )


def _place(refused: StatementRefused) -> Position | None:
    if refused.statement is None:
        return None
    position = getattr(refused.error, "position", None)
    offset = refused.statement.offset + position - 1 if position else refused.statement.first_token
    return refused.statement.part.locate(offset)


def _excerpt(refused: StatementRefused, place: Position) -> str:
    """The line with its neighbours above, numbered, and a caret under the place."""
    width = len(str(place.line))
    lines = _lines_above(refused, place)
    above = [
        f"{number:>{width}} | {_window(text.rstrip(chr(13)), 0)[0]}"
        for number, text in enumerate(lines, start=place.line - len(lines))
    ]
    text, before = _window(place.line_text, place.offset_in_line)
    indent = "".join("\t" if char == "\t" else " " for char in text[:before])
    return "\n".join([*above, f"{place.line:>{width}} | {text}", f"{' ' * width} | {indent}^"])


def _lines_above(refused: StatementRefused, place: Position) -> list[str]:
    """Those of them that are in memory with the statement."""
    if refused.statement is None:
        return []
    part = refused.statement.part
    number = place.line - part.start.line
    return part.source.split("\n", number + 1)[max(0, number - _CONTEXT_LINES) : number]


def _window(line: str, offset: int) -> tuple[str, int]:
    """The part of a long line around an offset, and where the offset is in it."""
    start = max(0, offset - _WIDEST_LINE // 2) if len(line) > _WIDEST_LINE else 0
    piece = line[start : start + _WIDEST_LINE]
    left, right = "…" if start else "", "…" if start + _WIDEST_LINE < len(line) else ""
    return f"{left}{piece}{right}", offset - start + len(left)


def _details(error: errors.DatabaseError) -> dict[str, str]:
    named = {"detail": "detail", "hint": "server_hint", "context": "context"}
    return {name: text for name, field in named.items() if (text := getattr(error, field, None))}


def _undone(refused: MigrationRefused) -> str:
    migration = refused.planned.migration
    return f"version {migration.version} with {migration.script}"


def _advice(cause: StatementRefused | ProgramFailed, user: str) -> str | None:
    return advise(cause.error, user=user) if isinstance(cause, StatementRefused) else None


def _hint(refused: MigrationRefused, user: str) -> str:
    if refused.rolled_back:
        what = "group" if refused.group else "migration"
        kept = [f"Nothing of this {what} was kept."]
    else:
        kept = [*_kept_of_the_group(refused), _kept_of_itself(refused)]
    return " ".join([*kept, _advice(refused.cause, user) or "Mend the script and run again."])


def _kept_of_the_group(refused: MigrationRefused) -> Iterator[str]:
    if refused.group and refused.group.has_committed:
        yield "A script of this group has committed: what came before that has stayed, and the history has it."
    if refused.group and refused.group.programs:
        yield f"What {', '.join(refused.group.programs)} did has stayed, and the history has no row for it."


def _kept_of_itself(refused: MigrationRefused) -> str:
    if refused.undone:
        return "Nothing else of this group was kept."
    if refused.planned.migration.program:
        return "What the program did before it failed has stayed, and the history has no row for it."
    if refused.planned.script.transactional:
        return (
            "The script ended its own transaction before it failed, so part of it has stayed. "
            "Look at the database, and take that back first."
        )
    return (
        "It ran outside a transaction: what came before the failed statement has stayed. Mend the database, and "
        "run 'taxiway repair' to remove the row marked failed from the history."
    )
