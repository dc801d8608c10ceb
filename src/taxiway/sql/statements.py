"""Split a script into statements, and tell how each has to be sent.

Terminology:

head
    The forms of a statement's first tokens, each with a blank behind it: ``DROP INDEX CONCURRENTLY " . I ``.
routine
    A function or procedure. Its body may be plain SQL with semicolons in it (``BEGIN ATOMIC … END``).

Where Flyway 13 splits wrongly we do as psql and the server would: a parenthesis left open ends with its statement,
a statement may begin with a parenthesis, CASE may stand anywhere in a routine's body, COPY data may end with the
file, and what stands behind COPY on its line comes after the data.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice, takewhile
from typing import Final

from taxiway.errors import ScriptError
from taxiway.model.script import ReplacedText, Statement, StatementKind
from taxiway.sql.lexer import BLANKS, Lexer, Token
from taxiway.sql.psql import find_end_of_restriction, psql_command
from taxiway.sql.string_setting import FIRST_WORDS, NAME, StringSetting

# SET LOCAL standard_conforming_strings TO off has 5, ROLLBACK TRANSACTION TO SAVEPOINT a as well.
_SETTING_LENGTH: Final = 5

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
        rf"SUBSCRIPTION {_NAME}SET \( (?:[^()]* , )?(?:FAILOVER |TWO_PHASE = {_OFF})",
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
_COPIES_TO_NOBODY: Final = (
    "COPY … TO STDOUT cannot be run in a migration: there is nobody to receive its rows.",
    "Remove the statement, and run it with psql when you want its rows.",
)
_INTERRUPTED: Final = (
    "A statement that begins behind COPY … FROM STDIN has to end on that line: the next one belongs to the data.",
    "Move it to a line behind the data.",
)
_CREATES_ROUTINE: Final = re.compile(r"CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE) ")


def split(
    replaced: ReplacedText, *, path: str, server_version_num: int, standard_conforming_strings: bool = True
) -> Iterator[Statement]:
    r"""The statements of a script, one by one, as they are asked for.

    As Flyway 13 has it: a semicolon without a statement is dropped, and the comments before it too. The
    semicolon of the last statement may be missing. Comments alone are no statement. The data of
    ``COPY … FROM STDIN`` begin on the line after the semicolon.

    As psql has it: ``\restrict`` and ``\unrestrict`` between statements, which ``pg_dump`` writes, are dropped
    like that, too. Statements behind a COPY on its line come after it.

    ``standard_conforming_strings`` is the session's when the script begins.

    Raises:
        UnterminatedText: A quotation, comment or routine's body is opened and never closed.
        PsqlCommand: Any other command of psql.
        ScriptError: A COPY wants to send its rows to us. The driver of Flyway refuses it when it is run. Or a
            statement behind a COPY does not end on that line.
    """
    strings = StringSetting(initial=standard_conforming_strings)
    return _Splitter(replaced, path, server_version_num, strings).statements()


class _Splitter:
    """Goes through one script.

    The rest of a line with a COPY is read with the lexer's end set to the line's; ``_following`` is then where the
    script goes on behind the data.
    """

    def __init__(self, replaced: ReplacedText, path: str, server_version_num: int, strings: StringSetting) -> None:
        self._replaced, self._path, self._server_version_num = replaced, path, server_version_num
        self._strings = strings
        self._lexer = Lexer(replaced, path=path, standard_strings=strings.standard)
        self._following: int | None = None

    def statements(self) -> Iterator[Statement]:
        position: int | None = 0
        while position is not None:
            first = next(self._lexer.tokens(position), None)
            if first is None:
                position = self._leave_line()
            elif first.form == ";":
                position = first.end
            elif first.form == "\\":
                position = self._end_of_command(first)
            else:
                statement, position = self._read_statement(position, first)
                yield statement

    def _leave_line(self) -> int | None:
        """Where to go on at the end: behind the data of the COPY in this line, if there is one."""
        position, self._following = self._following, None
        self._lexer.end = len(self._lexer.text)
        return position

    def _end_of_command(self, backslash: Token) -> int:
        end = find_end_of_restriction(self._lexer.text, backslash.start)
        if end is None:
            raise psql_command(self._replaced, backslash.start, path=self._path)
        return end

    def _read_statement(self, position: int, first: Token) -> tuple[Statement, int]:
        """The statement, and where the next one may begin. Comments before its first token are its own."""
        head = _head(self._lexer, first)
        if head and _COPIES_TO_STDOUT.match(head):
            raise self._error(_COPIES_TO_NOBODY, first)
        end = self._find_end(first, head)
        if first.form in FIRST_WORDS:
            self._follow_setting(first, end)
        text = self._lexer.text[position:end].lstrip(BLANKS)
        offset = end - len(text)
        text = text.rstrip(BLANKS)
        kind = _kind(head, self._server_version_num)
        if kind is StatementKind.COPY_FROM_STDIN:
            data, following = self._read_data(end)
            return Statement(text, offset, first.start, kind, data), following
        return Statement(text, offset, first.start, kind), end + 1

    def _find_end(self, first: Token, head: str) -> int:
        find = _end_of_routine if head and _CREATES_ROUTINE.match(head) else _end_of_statement
        end = find(self._lexer, first)
        if end == self._lexer.end:
            if self._following is not None:
                raise self._error(_INTERRUPTED, first)
        elif self._lexer.text[end] == "\\":
            raise psql_command(self._replaced, end, path=self._path)
        return end

    def _follow_setting(self, first: Token, end: int) -> None:
        if first.form == "SET" and not NAME.search(self._lexer.text, first.end, end):
            return
        tokens = takewhile(lambda token: token.start < end, self._lexer.tokens(first.start))
        words = (self._lexer.text[token.start : token.end] for token in islice(tokens, _SETTING_LENGTH))
        self._strings.follow(" ".join(words).upper())
        self._lexer.read_strings(standard=self._strings.standard)

    def _read_data(self, end: int) -> tuple[str, int]:
        """The data of the COPY that ends here, and where the next statement may begin: on its line, or behind."""
        text = self._lexer.text
        line_end = self._lexer.end if self._following is not None else _next_line(text, end)
        data, following = _copy_data(text, self._following if self._following is not None else line_end)
        if text[end + 1 : line_end].strip(BLANKS):
            self._lexer.end, self._following = line_end, following
            return data, end + 1
        self._leave_line()
        return data, following

    def _error(self, message_and_hint: tuple[str, str], first: Token) -> ScriptError:
        place = self._replaced.locate(first.start)
        message, hint = message_and_hint
        return ScriptError(message, path=self._path, line=place.line, column=place.column, hint=hint)


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


def _end_of_statement(lexer: Lexer, first: Token) -> int:
    """The first semicolon outside of parentheses, a command of psql, or the end of the text."""
    depth = 0
    position = lexer.find_mark(first.start)
    while position < lexer.end:
        mark = lexer.text[position]
        if mark == "\\" or (mark == ";" and depth == 0):
            break
        depth = _depth_after(mark, depth)
        position = lexer.find_mark(position + 1)
    return position


def _end_of_routine(lexer: Lexer, first: Token) -> int:
    """The first semicolon outside of parentheses and of a body, a command of psql, or the end of the text.

    A body is closed by an END right after a semicolon or ATOMIC: in PostgreSQL's grammar the closing one stands
    nowhere else, and no other one stands there. So CASE … END needs no counting, and ``AS end`` does no harm.
    """
    depth = 0
    body: Token | None = None
    before = first
    for token in lexer.tokens(first.start):
        if token.form == "\\":
            return token.start
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
    return lexer.end


def _depth_after(mark: str, depth: int) -> int:
    if mark == "(":
        return depth + 1
    return max(depth - 1, 0) if mark == ")" else depth


def _copy_data(text: str, start: int) -> tuple[str, int]:
    r"""The data that begin here, and where the script goes on: after the line ``\.``, or at the end."""
    position = start
    while (terminator := text.find(r"\.", position)) >= 0:
        line = text.rfind("\n", 0, terminator) + 1
        position = _next_line(text, terminator)
        if text[line:position].strip(BLANKS) == r"\.":
            return text[start:line], position
    return text[start:], len(text)


def _next_line(text: str, position: int) -> int:
    return text.find("\n", position) + 1 or len(text)
