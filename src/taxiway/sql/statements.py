"""Split a script into statements, and tell how each has to be sent.

Terminology:

head
    The forms of a statement's first tokens, each with a blank behind it: ``DROP INDEX CONCURRENTLY " . I ``.
routine
    A function or procedure. Its body may be plain SQL with semicolons in it (``BEGIN ATOMIC … END``).

Where Flyway 13 splits wrongly we do as the server would: a parenthesis left open ends with its statement, a
statement may begin with a parenthesis, CASE may stand anywhere in a routine's body, and COPY data may end with the
file.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice, takewhile
from typing import Final

from taxiway.errors import ScriptError
from taxiway.model.script import ReplacedText, Statement, StatementKind
from taxiway.sql.lexer import BLANKS, Lexer, Token

# How many tokens of a statement the rules below look at, by its first word; no other statement is looked at. The
# longest rule is ALTER TABLE … DETACH PARTITION … with qualified names. A list of columns after COPY has no limit.
_HEAD_LENGTHS: Final[Mapping[str, int | None]] = {
    "ALTER": 32,
    "CLUSTER": 32,
    "COMMIT": 2,
    "COPY": None,
    "CREATE": 4,
    "DISCARD": 2,
    "DROP": 3,
    "REINDEX": 32,
    "ROLLBACK": 2,
    "VACUUM": 1,
}

_NAME: Final = r"[^ ]+ (?:\. [^ ]+ )*"
_OPTIONS: Final = r"\( [^()]*\) "
_OFF: Final = r"(?:FALSE|OFF|0) "

# What the server refuses inside a transaction block: first word, and patterns for the rest of the head. From the
# manual pages of PostgreSQL 14 to 18 and the places where the server calls PreventInTransactionBlock. CREATE and
# DROP SUBSCRIPTION are refused in some cases only; Flyway 13 always treats them so. Missing, because the text does
# not tell: CLUSTER and REINDEX of a partitioned table, CALL of a procedure that commits.
_REFUSING_TRANSACTION: Final[Mapping[str, tuple[str, ...]]] = {
    "ALTER": (
        r"SYSTEM ",
        rf"DATABASE {_NAME}SET TABLESPACE [^ ]+ $",
        rf"SUBSCRIPTION {_NAME}REFRESH ",
        rf"SUBSCRIPTION {_NAME}(?:SET|ADD|DROP) PUBLICATION (?!.* REFRESH = {_OFF})",
        rf"SUBSCRIPTION {_NAME}SET \( (?:[^()]* , )?(?:FAILOVER|TWO_PHASE) ",
        rf"TABLE (?:IF EXISTS )?(?:ONLY )?(?:\( )?{_NAME}(?:\) )?(?:\* )?DETACH PARTITION {_NAME}CONCURRENTLY ",
    ),
    "CLUSTER": (rf"(?:VERBOSE |{_OPTIONS})?$",),
    "COMMIT": (r"PREPARED ",),
    "CREATE": (r"DATABASE ", r"SUBSCRIPTION ", r"TABLESPACE ", r"(?:UNIQUE )?INDEX CONCURRENTLY "),
    "DISCARD": (r"ALL ",),
    "DROP": (r"DATABASE ", r"SUBSCRIPTION ", r"TABLESPACE ", r"INDEX CONCURRENTLY "),
    "REINDEX": (
        rf"(?:{_OPTIONS})?(?:VERBOSE )?(?:DATABASE|SCHEMA|SYSTEM) ",
        rf"(?:{_OPTIONS})?(?:INDEX|TABLE) CONCURRENTLY ",
        rf"\( (?:[^()]* , )?CONCURRENTLY (?!{_OFF})",
    ),
    "ROLLBACK": (r"PREPARED ",),
    "VACUUM": (r"",),
}
_REFUSES_TRANSACTION: Final = re.compile(
    "|".join(f"{word} (?:{'|'.join(rests)})" for word, rests in _REFUSING_TRANSACTION.items())
)
_ADDS_ENUM_VALUE: Final = re.compile(rf"ALTER TYPE {_NAME}ADD VALUE ")
_ADDS_ENUM_VALUE_IN_TRANSACTION_SINCE: Final = 120000

# The server reads STDOUT as STDIN where only that makes sense.
_COPIES_FROM_STDIN: Final = re.compile(rf"COPY (?:BINARY )?{_NAME}(?:{_OPTIONS})?FROM (?:STDIN|STDOUT) ")
_COPIES_TO_STDOUT: Final = re.compile(
    rf"COPY (?:\( .*\) |(?:BINARY )?{_NAME}(?:{_OPTIONS})?)TO (?:STDIN|STDOUT) ", re.DOTALL
)
_CREATES_ROUTINE: Final = re.compile(r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) ")


def split(replaced: ReplacedText, *, path: str, server_version_num: int) -> Iterator[Statement]:
    r"""The statements of a script, one by one, as they are asked for.

    As Flyway 13 has it: a semicolon without a statement is dropped, and the comments before it too. The
    semicolon of the last statement may be missing. Comments alone are no statement. The data of
    ``COPY … FROM STDIN`` begin on the line after the semicolon, and what else is on the semicolon's line is lost.

    Raises:
        UnterminatedText: A quotation, comment or routine's body is opened and never closed.
        ScriptError: A COPY wants to send its rows to us. The driver of Flyway refuses it when it is run.
    """
    lexer = Lexer(replaced, path=path)
    position = 0
    while first := next(lexer.tokens(position), None):
        if first.form == ";":
            position = first.end
        else:
            head = _head(lexer, first)
            if _COPIES_TO_STDOUT.match(head):
                raise _copies_to_nobody(replaced, first, path)
            kind = _kind(head, server_version_num)
            statement, position = _read_statement(lexer, position, first, head, kind)
            yield statement


def _read_statement(
    lexer: Lexer, position: int, first: Token, head: str, kind: StatementKind
) -> tuple[Statement, int]:
    """The statement, and where the next one may begin. Comments before its first token are its own."""
    end = _end_of_routine(lexer, first) if _CREATES_ROUTINE.match(head) else _end_of_statement(lexer, first)
    text = lexer.text[position:end].lstrip(BLANKS)
    offset = end - len(text)
    text = text.rstrip(BLANKS)
    if kind is StatementKind.COPY_FROM_STDIN:
        data, following = _copy_data(lexer.text, end)
        return Statement(text, offset, first.start, kind, data), following
    return Statement(text, offset, first.start, kind), end + 1


def _head(lexer: Lexer, first: Token) -> str:
    """The head of a statement, empty if no rule is about statements that begin so."""
    if first.form not in _HEAD_LENGTHS:
        return ""
    forms = (token.form for token in islice(lexer.tokens(first.start), _HEAD_LENGTHS[first.form]))
    return "".join(f"{form} " for form in takewhile(lambda form: form != ";", forms))


def _kind(head: str, server_version_num: int) -> StatementKind:
    if not head:
        return StatementKind.TRANSACTIONAL
    if _COPIES_FROM_STDIN.match(head):
        return StatementKind.COPY_FROM_STDIN
    if _REFUSES_TRANSACTION.match(head):
        return StatementKind.NON_TRANSACTIONAL
    if server_version_num < _ADDS_ENUM_VALUE_IN_TRANSACTION_SINCE and _ADDS_ENUM_VALUE.match(head):
        return StatementKind.NON_TRANSACTIONAL
    return StatementKind.TRANSACTIONAL


def _copies_to_nobody(replaced: ReplacedText, first: Token, path: str) -> ScriptError:
    place = replaced.locate(first.start)
    return ScriptError(
        "COPY … TO STDOUT cannot be run in a migration: there is nobody to receive its rows.",
        path=path,
        line=place.line,
        column=place.column,
        hint="Remove the statement, and run it with psql when you want its rows.",
    )


def _end_of_statement(lexer: Lexer, first: Token) -> int:
    """The first semicolon outside of parentheses, or the end of the text."""
    depth = 0
    position = lexer.find_mark(first.start)
    while position < len(lexer.text):
        mark = lexer.text[position]
        if mark == ";" and depth == 0:
            break
        depth = _depth_after(mark, depth)
        position = lexer.find_mark(position + 1)
    return position


def _end_of_routine(lexer: Lexer, first: Token) -> int:
    """The first semicolon outside of parentheses and of a body, or the end of the text.

    A body is closed by an END right after a semicolon or ATOMIC: in PostgreSQL's grammar the closing one stands
    nowhere else, and no other one stands there. So CASE … END needs no counting, and ``AS end`` does no harm.
    """
    depth = 0
    body: Token | None = None
    before = first
    for token in lexer.tokens(first.start):
        if depth == 0:
            if token.form == ";" and not body:
                return token.start
            if token.form == "ATOMIC" and before.form == "BEGIN":
                body = before
            elif token.form == "END" and before.form in {";", "ATOMIC"}:
                body = None
        depth = _depth_after(token.form, depth)
        before = token
    if body:
        raise lexer.unterminated("body of the routine", "END (after a semicolon)", body.start)
    return len(lexer.text)


def _depth_after(mark: str, depth: int) -> int:
    if mark == "(":
        return depth + 1
    return max(depth - 1, 0) if mark == ")" else depth


def _copy_data(text: str, semicolon: int) -> tuple[str, int]:
    r"""The data after a COPY, and where the script goes on: after the line ``\.``, or at the end of the text."""
    start = _next_line(text, semicolon)
    position = start
    while (terminator := text.find(r"\.", position)) >= 0:
        line = text.rfind("\n", 0, terminator) + 1
        position = _next_line(text, terminator)
        if text[line:position].strip(BLANKS) == r"\.":
            return text[start:line], position
    return text[start:], len(text)


def _next_line(text: str, position: int) -> int:
    return text.find("\n", position) + 1 or len(text)
