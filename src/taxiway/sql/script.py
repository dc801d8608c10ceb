"""From the text of a file to a script that can be run."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from taxiway.errors import MixedTransactions
from taxiway.model.rules import Placeholders
from taxiway.model.script import ReplacedText, Replacement, Script, Statement, StatementKind
from taxiway.sql.placeholders import replace
from taxiway.sql.statements import split

_BYTE_ORDER_MARK: Final = "\ufeff"
_LONGEST_EXCERPT: Final = 60


def parse_script(
    source: str,
    placeholders: Placeholders,
    *,
    path: str,
    filename: str | None,
    mixed: bool,
    server_version_num: int,
    standard_strings: bool = True,
    in_transaction: bool = True,
    declared: bool | None = None,
) -> Script:
    """Replace placeholders, split into statements, and decide whether the script runs in one transaction.

    It does not as soon as one statement refuses a transaction block; ``mixed`` allows others beside that one. It
    does not either when ``in_transaction``, the rule for all scripts, is false: kinds may be mixed then. What the
    script's own configuration says, ``declared``, wins over all of that (Flyway 13, ``executeInTransaction``).
    ``standard_strings`` is the session's ``standard_conforming_strings`` when the script begins.
    Byte order marks are dropped wherever they stand (Flyway 13): files that were joined have some in the middle.

    Raises:
        UnknownPlaceholder: A placeholder has no value, or is not closed.
        UnterminatedText: A quotation, comment or routine's body is not closed.
        MixedTransactions: Both kinds of statement are there, and nothing allows it.
    """
    replaced = _replace(source, placeholders, path=path, filename=filename)
    statements = tuple(
        split(
            replaced,
            path=path,
            server_version_num=server_version_num,
            standard_conforming_strings=standard_strings,
        )
    )
    if declared is not None:
        return Script(replaced, statements, transactional=declared)
    if in_transaction and not mixed:
        _refuse_mixture(replaced, statements, path)
    transactional = in_transaction and not any(map(_refuses_transaction, statements))
    return Script(replaced, statements, transactional=transactional)


def _refuses_transaction(statement: Statement) -> bool:
    return statement.kind is StatementKind.NON_TRANSACTIONAL


def _refuse_mixture(replaced: ReplacedText, statements: Sequence[Statement], path: str) -> None:
    """At the first statement that is not of the first one's kind."""
    for statement in statements:
        if _refuses_transaction(statement) != _refuses_transaction(statements[0]):
            raise _mixed(replaced, statement, path)


def _mixed(replaced: ReplacedText, statement: Statement, path: str) -> MixedTransactions:
    # The words come from the source: a value that was put in may be secret.
    place = replaced.locate(statement.first_token)
    words = place.line_text[place.column - 1 :]
    excerpt = words if len(words) <= _LONGEST_EXCERPT else f"{words[:_LONGEST_EXCERPT]}…"
    does, others = (
        ("cannot run in a transaction", "need one")
        if _refuses_transaction(statement)
        else ("needs a transaction", "cannot run in one")
    )
    return MixedTransactions(
        f"'{excerpt}' {does}, and the statements before it {others}.",
        path=path,
        line=place.line,
        column=place.column,
        hint="Move it to a script of its own, or set mixed=true to run the whole script without a transaction.",
    )


def _replace(source: str, placeholders: Placeholders, *, path: str, filename: str | None) -> ReplacedText:
    text = source.replace(_BYTE_ORDER_MARK, "")
    replaced = replace(text, placeholders, path=path, filename=filename)
    return replaced if len(text) == len(source) else _with_byte_order_marks(source, replaced)


def _with_byte_order_marks(source: str, replaced: ReplacedText) -> ReplacedText:
    """The same text, traced back to the source with its marks: each of them was replaced by nothing."""
    marks = [match.start() for match in re.finditer(_BYTE_ORDER_MARK, source)]
    # Where they stood, counted in the text that has none
    gaps = [mark - index for index, mark in enumerate(marks)]

    def in_source(offset: int) -> int:
        return offset + bisect_right(gaps, offset)

    placeholders = [
        Replacement(in_source(r.source_start), in_source(r.source_end - 1) + 1, r.start, r.end)
        for r in replaced.replacements
    ]
    dropped = [
        Replacement(mark, mark + 1, start, start)
        for mark, gap in zip(marks, gaps, strict=True)
        if (start := _offset_in_text(replaced, gap)) is not None
    ]
    both = sorted(placeholders + dropped, key=lambda r: r.source_start)
    return ReplacedText(source, replaced.text, tuple(both))


def _offset_in_text(replaced: ReplacedText, source_offset: int) -> int | None:
    """From an offset in the source to the replaced text; None inside a placeholder."""
    index = bisect_right(replaced.replacements, source_offset, key=lambda r: r.source_start) - 1
    if index < 0:
        return source_offset
    before = replaced.replacements[index]
    if source_offset == before.source_start:
        return before.start
    return before.end + source_offset - before.source_end if source_offset >= before.source_end else None
