"""From the text of a file to a script that can be run."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, TypedDict

from taxiway.errors import MixedTransactions
from taxiway.model.rules import Placeholders
from taxiway.model.script import Script, Statement, StatementKind
from taxiway.sql.pieces import replace_pieces
from taxiway.sql.statements import split, split_parts
from taxiway.sql.transactions import may_end_transaction

# Statements sent ahead have their encoding before this could have had its effect.
_ENCODING: Final = "client_encoding"
# SET TRANSACTION, transaction_isolation and its kin, in a routine's body too; SET LOCAL of each has the word.
_TRANSACTION: Final = "transaction"
_SETS_NAMES: Final = re.compile(r"set\b.*\bnames\b", re.DOTALL)
_LONGEST_EXCERPT: Final = 60
LONGEST_SMALL_SCRIPT: Final = 2 << 20
"""In characters: longer ones are better not kept in memory."""


def parse_script(
    read: Callable[[], Iterable[str]],
    placeholders: Placeholders,
    *,
    path: str,
    filename: str | None,
    mixed: bool,
    server_version_num: int,
    standard_strings: bool = True,
    in_transaction: bool = True,
    declared: bool | None = None,
    longest_kept: int = LONGEST_SMALL_SCRIPT,
    look: Callable[[], Iterable[str]] | None = None,
) -> Script:
    """Replace placeholders, split into statements, and decide whether the script runs in one transaction.

    It does not as soon as one statement refuses a transaction block; ``mixed`` allows others beside that one. It
    does not either when ``in_transaction``, the rule for all scripts, is false: kinds may be mixed then. What the
    script's own configuration says, ``declared``, wins over all of that (Flyway 13, ``executeInTransaction``).
    ``standard_strings`` is the session's ``standard_conforming_strings`` when the script begins.

    ``read`` yields the text in chunks. The statements of a small script are kept. One that is longer than
    ``longest_kept``, in characters, is gone through now, with ``look`` if that is cheaper, and is read again
    whenever its statements are.

    Raises:
        UnknownPlaceholder: A placeholder has no value, or is not closed.
        UnterminatedText: A quotation, comment or routine's body is not closed.
        MixedTransactions: Both kinds of statement are there, and nothing allows it.
    """
    pieces = partial(replace_pieces, placeholders=placeholders, path=path, filename=filename)
    options: _SplitOptions = {
        "path": path,
        "server_version_num": server_version_num,
        "standard_conforming_strings": standard_strings,
    }
    text = _read_small(read(), longest_kept)
    statements: Iterable[Statement]
    seen: Iterable[Statement]
    if text is None:
        statements = _ReadAnew(lambda: split_parts(pieces(read()), **options))
        seen = split_parts(pieces((look or read)()), **options)
    else:
        [whole] = pieces([text])
        seen = statements = tuple(split(whole, **options))
    found = _look_at(seen, path, may_be_mixed=mixed or not in_transaction or declared is not None)
    transactional = declared if declared is not None else in_transaction and not found.refuses_transaction
    return Script(
        statements,
        transactional,
        can_be_sent_ahead=transactional and found.can_be_sent_ahead,
        may_choose_snapshot=found.may_choose_snapshot,
        length=len(text or ""),
    )


def _read_small(chunks: Iterable[str], longest: int) -> str | None:
    """The whole text, or ``None`` if it is better not kept in memory."""
    found: list[str] = []
    length = 0
    for chunk in chunks:
        found.append(chunk)
        length += len(chunk)
        if length > longest:
            return None
    return "".join(found)


class _SplitOptions(TypedDict):
    path: str
    server_version_num: int
    standard_conforming_strings: bool


@dataclass(frozen=True, slots=True)
class _ReadAnew:
    """Statements that are made again each time they are gone through."""

    statements: Callable[[], Iterator[Statement]]

    def __iter__(self) -> Iterator[Statement]:
        return self.statements()


@dataclass(slots=True)
class _Found:
    """What the statements of a script mean for how it can be run."""

    refuses_transaction: bool = False
    can_be_sent_ahead: bool = True
    may_choose_snapshot: bool = False


def _look_at(statements: Iterable[Statement], path: str, *, may_be_mixed: bool) -> _Found:
    """Go through a script.

    Raises:
        MixedTransactions: At the first statement that is not of the first one's kind.
    """
    found = _Found()
    of_first: bool | None = None
    for statement in statements:
        refuses = statement.kind is StatementKind.NON_TRANSACTIONAL
        of_first = refuses if of_first is None else of_first
        if refuses != of_first and not may_be_mixed:
            raise _mixed(statement, path)
        found.refuses_transaction = found.refuses_transaction or refuses
        if statement.kind is not StatementKind.TRANSACTIONAL or may_end_transaction(statement):
            found.can_be_sent_ahead = False
        if found.can_be_sent_ahead:
            _look_for_settings(statement, found)
    return found


def _look_for_settings(statement: Statement, found: _Found) -> None:
    words = statement.text.lower()
    if _ENCODING in words or _SETS_NAMES.match(words, statement.first_token - statement.offset):
        found.can_be_sent_ahead = False
    if _TRANSACTION in words:
        found.may_choose_snapshot = True


def _mixed(statement: Statement, path: str) -> MixedTransactions:
    # The words come from the source: a value that was put in may be secret.
    place = statement.part.locate(statement.first_token)
    words = place.line_text[place.offset_in_line :]
    excerpt = words if len(words) <= _LONGEST_EXCERPT else f"{words[:_LONGEST_EXCERPT]}…"
    does, others = (
        ("cannot run in a transaction", "need one")
        if statement.kind is StatementKind.NON_TRANSACTIONAL
        else ("needs a transaction", "cannot run in one")
    )
    return MixedTransactions(
        f"'{excerpt}' {does}, and the statements before it {others}.",
        path=path,
        line=place.line,
        column=place.column,
        hint="Move it to a script of its own, or set mixed=true to run the whole script without a transaction.",
    )
