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
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, takewhile
from typing import Final

from taxiway.errors import ScriptError, UnterminatedText
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

# Statements are read again when they reach beyond a part: most are much shorter than this.
_PART_LENGTH: Final = 1 << 20

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


def split_parts(
    pieces: Iterator[ReplacedText],
    *,
    path: str,
    server_version_num: int,
    standard_conforming_strings: bool = True,
    part_length: int = _PART_LENGTH,
) -> Iterator[Statement]:
    """The same statements for a script that comes in pieces, and no more of it in memory than is needed.

    That is ``part_length``, or the whole of a longer statement. The data of a COPY come piece by piece: what
    nobody takes of them before the next statement is asked for is passed over. Offsets count in
    :attr:`Statement.part`.

    Raises:
        UnterminatedText, PsqlCommand, ScriptError: As :func:`split` does.
    """
    strings = StringSetting(initial=standard_conforming_strings)
    first = next(pieces, ReplacedText("", ""))
    splitter = _Splitter(first, path, server_version_num, strings)
    splitter.expect(pieces, part_length)
    return splitter.statements()


class _PartEnds(Exception):
    """What is behind the part may decide."""


class _Splitter:
    """Goes through one script.

    A statement is read from the part that is in memory. When what is behind that could make a difference, more is
    read, and the statement is read again.

    The rest of a line with a COPY is read with the lexer's end set to the line's; ``_following`` is then where the
    script goes on behind the data.
    """

    def __init__(self, part: ReplacedText, path: str, server_version_num: int, strings: StringSetting) -> None:
        self._path, self._server_version_num, self._strings = path, server_version_num, strings
        self._pieces: Iterator[ReplacedText] = iter(())
        self._is_whole, self._part_length = True, 0
        self._following: tuple[ReplacedText, int] | None = None
        self._data: Iterable[str] = ()
        self._enter(part)

    def expect(self, pieces: Iterator[ReplacedText], part_length: int) -> None:
        """There may be more behind the part."""
        self._pieces, self._is_whole, self._part_length = pieces, False, part_length

    def statements(self) -> Iterator[Statement]:
        position: int | None = 0
        while position is not None:
            start = position
            try:
                statement, position = self._step(start)
            except (_PartEnds, UnterminatedText):
                if self._is_settled:
                    raise
                statement, position = None, self._grow(start)
            if statement is not None:
                yield statement
                self._pass_over_data()

    def _step(self, position: int) -> tuple[Statement | None, int | None]:
        """Read up to the end of a statement, or of something between statements. Returns where to go on."""
        first = next(self._lexer.tokens(position), None)
        if first is None:
            return None, self._leave_line()
        if first.form == ";":
            return None, first.end
        if first.form == "\\":
            return None, self._end_of_command(first)
        return self._read_statement(position, first)

    # --- the part ---

    @property
    def _is_settled(self) -> bool:
        """Nothing that is still to be read can change what the lexer has seen."""
        return self._is_whole or self._following is not None

    def _enter(self, part: ReplacedText) -> None:
        self._part = part
        self._lexer = Lexer(part, path=self._path, standard_strings=self._strings.standard)

    def _grow(self, position: int) -> int:
        """Go on in a part that begins here and reaches further. Returns where in that.

        It grows to twice its length, so that a long statement is not read again too often.
        """
        unread = self._part.behind(position)
        pieces = [unread]
        length = len(unread.text)
        enough = max(2 * length, self._part_length)
        while length <= enough and (piece := self._next_piece()) is not None:
            pieces.append(piece)
            length += len(piece.text)
        if len(pieces) == 1:
            return position
        self._enter(ReplacedText.joined(pieces))
        return 0

    def _next_piece(self) -> ReplacedText | None:
        piece = next(self._pieces, None)
        self._is_whole = piece is None
        return piece

    def _require_line(self, position: int) -> None:
        """See to it that the rest of the line is there."""
        if not self._is_settled and self._lexer.text.find("\n", position) < 0:
            raise _PartEnds

    def _leave_line(self) -> int | None:
        """Where to go on at the end: behind the data of the COPY in this line, if there is one."""
        if self._following is None:
            if not self._is_whole:
                raise _PartEnds
            return None
        (part, position), self._following = self._following, None
        if part is self._part:
            self._lexer.end = len(part.text)
        else:
            self._enter(part)
        return position

    # --- statements ---

    def _end_of_command(self, backslash: Token) -> int:
        self._require_line(backslash.start)
        end = find_end_of_restriction(self._lexer.text, backslash.start)
        if end is None:
            raise psql_command(self._part, backslash.start, path=self._path)
        return end

    def _read_statement(self, position: int, first: Token) -> tuple[Statement, int]:
        """The statement, and where the next one may begin. Comments before its first token are its own."""
        head = _head(self._lexer, first)
        end = self._find_end(first, head)
        if head and _COPIES_TO_STDOUT.match(head):
            raise self._error(_COPIES_TO_NOBODY, first)
        if first.form in FIRST_WORDS:
            self._follow_setting(first, end)
        text = self._lexer.text[position:end].lstrip(BLANKS)
        offset = end - len(text)
        text = text.rstrip(BLANKS)
        kind = _kind(head, self._server_version_num)
        if kind is StatementKind.COPY_FROM_STDIN:
            self._require_line(end)
            self._data = self._reach_data(end)
            return Statement(text, offset, first.start, kind, self._data, self._part), end + 1
        return Statement(text, offset, first.start, kind, part=self._part), end + 1

    def _find_end(self, first: Token, head: str) -> int:
        find = _end_of_routine if head and _CREATES_ROUTINE.match(head) else _end_of_statement
        end = find(self._lexer, first)
        if end == self._lexer.end:
            if self._following is not None:
                raise self._error(_INTERRUPTED, first)
            if not self._is_whole:
                raise _PartEnds
        elif self._lexer.text[end] == "\\":
            self._require_line(end)
            raise psql_command(self._part, end, path=self._path)
        return end

    def _follow_setting(self, first: Token, end: int) -> None:
        if first.form == "SET" and not NAME.search(self._lexer.text, first.end, end):
            return
        tokens = takewhile(lambda token: token.start < end, self._lexer.tokens(first.start))
        words = (self._lexer.text[token.start : token.end] for token in islice(tokens, _SETTING_LENGTH))
        self._strings.follow(" ".join(words).upper())
        self._lexer.read_strings(standard=self._strings.standard)

    def _error(self, message_and_hint: tuple[str, str], first: Token) -> ScriptError:
        place = self._part.locate(first.start)
        message, hint = message_and_hint
        return ScriptError(message, path=self._path, line=place.line, column=place.column, hint=hint)

    # --- data ---

    def _reach_data(self, end: int) -> Iterable[str]:
        """The data of the COPY that ends here. From now on, its line is the text; behind that they begin."""
        text = self._lexer.text
        if self._following is None:
            self._lexer.end = _next_line(text, end)
            self._following = self._part, self._lexer.end
        part, start = self._following
        found = _find_end_of_data(part.text, start, is_whole=self._is_whole)
        if found is None:
            return self._stream_data(part.behind(start))
        data_end, following = found
        self._following = part, following
        return (part.text[start:data_end],)

    def _pass_over_data(self) -> None:
        """What nobody has taken."""
        if self._data:
            deque(self._data, maxlen=0)
            self._data = ()

    def _stream_data(self, rest: ReplacedText) -> Iterator[str]:
        """The data that begin here and reach further than what was read."""
        line_start, in_line = 0, False
        while (found := _find_end_of_data(rest.text, line_start, is_whole=self._is_whole)) is None:
            text, decided = rest.text, _end_of_decided_data(rest.text, line_start)
            yield text[:decided]
            if text:
                in_line = decided == len(text) and not text.endswith("\n")
            rest = self._grown(rest, decided)
            line_start = _next_line(rest.text, 0) if in_line else 0
        data_end, following = found
        yield rest.text[:data_end]
        self._following = rest, following

    def _grown(self, part: ReplacedText, position: int) -> ReplacedText:
        """What is left of a part, with the next piece."""
        piece = self._next_piece()
        if piece is not None and position == len(part.text):
            return piece
        left = part.behind(position)
        return left if piece is None else ReplacedText.joined([left, piece])


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


def _find_end_of_data(text: str, start: int, *, is_whole: bool) -> tuple[int, int] | None:
    r"""Where the data that begin here end, and where the script goes on: at the line ``\\.`` and behind it.

    The end of the text ends them, too; None if there may be more of it.
    """
    # A single character is looked for much faster than two, and mostly there is none; two from behind.
    position = text.find("\\", start)
    last = position if position < 0 else text.rfind(r"\.", position)
    while 0 <= position <= last:
        terminator = text.find(r"\.", position)
        line = max(text.rfind("\n", start, terminator) + 1, start)
        position = _next_line(text, terminator)
        if text[line:position].strip(BLANKS) == r"\.":
            return (line, position) if is_whole or text[position - 1] == "\n" else None
    return (len(text), len(text)) if is_whole else None


def _end_of_decided_data(text: str, start: int) -> int:
    """Up to where the text is data, whatever is behind it: the last line may become the one that ends them."""
    line = max(text.rfind("\n") + 1, start)
    return line if text[line:].strip(BLANKS) in {"", "\\", r"\."} else len(text)


def _next_line(text: str, position: int) -> int:
    return text.find("\n", position) + 1 or len(text)
