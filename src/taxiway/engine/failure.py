"""From a refused statement to an error that shows the place in the script."""

from collections.abc import Callable
from typing import Final

from taxiway import errors
from taxiway.engine.advice import advise
from taxiway.engine.execute import StatementRefused
from taxiway.model.result import MigrateResult
from taxiway.model.script import Position

_CONTEXT_LINES: Final = 2
_WIDEST_LINE: Final = 160


def migration_failed(
    refused: StatementRefused, result: MigrateResult, *, user: str, redact: Callable[[str], str]
) -> errors.MigrationFailed:
    """The error for people and programs. The excerpt is of the script as written, so it shows no values.

    ``user`` is whom privileges are to be granted to.
    """
    migration, error = refused.planned.migration, refused.error
    place = _place(refused)
    words = redact(error.message)
    where = f"{migration.path}:{place.line}:{place.column}" if place else migration.path
    at_commit = "" if refused.statement else " while its history row was written and committed"
    return errors.MigrationFailed(
        f"Migration {migration.script} failed{at_commit}.\n{where}: {words}"
        + (f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""),
        kind=migration.kind,
        script=migration.script,
        path=migration.path,
        line=place.line if place else None,
        column=place.column if place else None,
        excerpt=redact(_excerpt(refused, place)) if place else "",
        sqlstate=error.sqlstate,
        rolled_back=refused.rolled_back,
        result=result,
        details={name: redact(text) for name, text in _details(error).items()},
        hint=_hint(refused, user),
    )


def _place(refused: StatementRefused) -> Position | None:
    if refused.statement is None:
        return None
    position = getattr(refused.error, "position", None)
    offset = refused.statement.offset + position - 1 if position else refused.statement.first_token
    return refused.planned.script.replaced.locate(offset)


def _excerpt(refused: StatementRefused, place: Position) -> str:
    """The line with its neighbours above, numbered, and a caret under the place."""
    lines = refused.planned.script.replaced.source.split("\n", place.line)[: place.line - 1]
    first = max(0, place.line - 1 - _CONTEXT_LINES)
    width = len(str(place.line))
    above = [
        f"{number:>{width}} | {_window(text.rstrip(chr(13)), 0)[0]}"
        for number, text in enumerate(lines[first:], start=first + 1)
    ]
    text, before = _window(place.line_text, place.column - 1)
    indent = "".join("\t" if char == "\t" else " " for char in text[:before])
    return "\n".join([*above, f"{place.line:>{width}} | {text}", f"{' ' * width} | {indent}^"])


def _window(line: str, offset: int) -> tuple[str, int]:
    """The part of a long line around an offset, and where the offset is in it."""
    start = max(0, offset - _WIDEST_LINE // 2) if len(line) > _WIDEST_LINE else 0
    piece = line[start : start + _WIDEST_LINE]
    left, right = "…" if start else "", "…" if start + _WIDEST_LINE < len(line) else ""
    return f"{left}{piece}{right}", offset - start + len(left)


def _details(error: errors.DatabaseError) -> dict[str, str]:
    named = {"detail": "detail", "hint": "server_hint", "context": "context"}
    return {name: text for name, field in named.items() if (text := getattr(error, field, None))}


def _hint(refused: StatementRefused, user: str) -> str:
    then = advise(refused.error, user=user) or "Mend the script and run again."
    if refused.rolled_back:
        return f"Nothing of this migration was kept. {then}"
    if refused.planned.script.transactional:
        return (
            "The script ended its own transaction before it failed, so part of it has stayed. "
            f"Look at the database, and take that back first. {then}"
        )
    return (
        "It ran outside a transaction: what came before the failed statement has stayed. Mend the database, and "
        f"delete the row marked failed (success = false) from the history. {then}"
    )
