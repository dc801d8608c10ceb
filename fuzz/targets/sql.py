"""Scripts, from the text to the statements.

Holds: statements are slices of the text, in its order; what is between them is blank, comment, semicolon, psql's
``\\restrict`` or COPY data; a statement that is read alone is the same statement; a script that comes in chunks
has the same statements in the same places, wherever it is cut.
"""

import re
from collections.abc import Sequence
from functools import partial
from itertools import batched
from typing import Final, TypedDict

from fuzz.draw import Draw, settings_and
from fuzz.target import SECRET, Target, check_error, repeated, without_secret
from taxiway.errors import ScriptError
from taxiway.model.rules import Placeholders
from taxiway.model.script import ReplacedText, Statement, StatementKind
from taxiway.secret import Secret
from taxiway.sql.lexer import BLANKS
from taxiway.sql.pieces import replace_pieces
from taxiway.sql.script import parse_script
from taxiway.sql.statements import split, split_parts

_NONE: Final = Placeholders(enabled=False)
_SOME: Final = Placeholders(
    values={"quote": "'", "dollar": "$$", "backslash": "\\", "empty": "", "password": Secret(SECRET)},
    built_in={"flyway:table": "flyway_schema_history"},
)
_RESTRICTION: Final = re.compile(r"\\(?:un)?restrict[ \t]+[A-Za-z0-9]+")
_LINE_COMMENT: Final = re.compile(r"--[^\n\r]*")
_EDGE: Final = re.compile(r"/\*|\*/")


# The first is for inputs that are longer than those of the fuzzer.
_CHUNK_LENGTHS: Final = (4096, 1, 2, 5, 17, 64)
_PATH: Final = "V1__x.sql"

type _Place = tuple[str, StatementKind, str, int, int]


def check(data: bytes) -> None:
    """See the top of this module."""
    draw = Draw(data)
    placeholders = draw.choose((_NONE, _SOME))
    standard = not draw.boolean()
    mixed, in_transaction = draw.boolean(), not draw.boolean()
    declared = draw.choose((None, True, False))
    version = draw.choose((170000, 110000))
    chunk_length = draw.choose(_CHUNK_LENGTHS)
    source = without_secret(draw.text())
    read = partial(_places, placeholders=placeholders, standard=standard, version=version)
    whole, places = read(source)
    _, places_of_parts = read(source, chunk_length)
    assert places == places_of_parts, f"in chunks: {places_of_parts}, else {places}"
    try:
        script = parse_script(
            lambda: [source],
            placeholders,
            path=_PATH,
            filename=_PATH,
            server_version_num=version,
            standard_strings=standard,
            declared=declared,
            mixed=mixed,
            in_transaction=in_transaction,
        )
    except ScriptError as error:
        check_error(error, source)
        return
    assert whole is not None, "a script that cannot be split"
    statements = tuple(script.statements)
    _check_slices(whole, statements)
    _check_places(whole, statements)
    if not any(statement.kind is StatementKind.COPY_FROM_STDIN for statement in statements):
        _check_gaps(whole, statements)
    if "standard_conforming_strings" not in whole.text.lower():
        for statement in statements:
            _check_alone(statement, standard=standard, version=version)


class _Options(TypedDict):
    path: str
    server_version_num: int
    standard_conforming_strings: bool


def _places(
    source: str, chunk_length: int = 0, *, placeholders: Placeholders, standard: bool, version: int
) -> tuple[ReplacedText | None, list[_Place] | str]:
    """The text if it is one, and its statements, or the error in place of both."""
    chunks = map("".join, batched(source, chunk_length)) if chunk_length else iter([source])
    pieces = replace_pieces(chunks, placeholders, path=_PATH, filename=_PATH)
    options: _Options = {
        "path": _PATH,
        "server_version_num": version,
        "standard_conforming_strings": standard,
    }
    try:
        if chunk_length:
            return None, [*map(_place, split_parts(pieces, part_length=chunk_length, **options))]
        [whole] = pieces
        return whole, [*map(_place, split(whole, **options))]
    except ScriptError as error:
        check_error(error, source)
        # Of two mistakes in a script the chunks show another one first, when one of them is a placeholder.
        return None, "an error"


def _place(statement: Statement) -> _Place:
    place = statement.part.locate(statement.first_token)
    return statement.text, statement.kind, "".join(statement.copy_data), place.line, place.column


def _check_slices(whole: ReplacedText, statements: Sequence[Statement]) -> None:
    end = 0
    for statement in statements:
        assert statement.offset >= end, "statements overlap"
        end = statement.offset + len(statement.text)
        assert whole.text[statement.offset : end] == statement.text, "a statement is no slice of the text"
        assert statement.text == statement.text.strip(BLANKS), "a statement is not trimmed"
        assert statement.offset <= statement.first_token < end, "the first token is not in the statement"
        data = "".join(statement.copy_data)
        assert data in whole.text, "COPY data are no slice of the text"
        assert statement.kind is StatementKind.COPY_FROM_STDIN or not data


def _check_places(whole: ReplacedText, statements: Sequence[Statement]) -> None:
    lines = whole.source.split("\n")
    for statement in statements:
        assert 0 <= whole.source_offset(statement.first_token) <= len(whole.source)
        place = whole.locate(statement.first_token)
        assert lines[place.line - 1].rstrip("\r") == place.line_text


def _check_gaps(whole: ReplacedText, statements: Sequence[Statement]) -> None:
    end = 0
    for statement in statements:
        assert not _code(whole.text[end : statement.offset]), "something between two statements is in none"
        end = statement.offset + len(statement.text)
    assert not _code(whole.text[end:]), "something behind the last statement is in none"


def _code(gap: str) -> str:
    """What is neither blank nor semicolon nor comment nor a command that is passed over."""
    kept, position = [], 0
    while position < len(gap):
        if comment := _LINE_COMMENT.match(gap, position) or _RESTRICTION.match(gap, position):
            position = comment.end()
        elif gap.startswith("/*", position):
            position = _end_of_comment(gap, position)
        else:
            kept.append(gap[position])
            position += 1
    return "".join(kept).strip(BLANKS + ";").replace(";", "").strip(BLANKS)


def _end_of_comment(text: str, position: int) -> int:
    depth = 0
    for edge in _EDGE.finditer(text, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise AssertionError("a comment between statements is not closed")


def _check_alone(statement: Statement, *, standard: bool, version: int) -> None:
    text = ReplacedText(statement.text, statement.text)
    again = list(split(text, path="again", server_version_num=version, standard_conforming_strings=standard))
    assert [one.text for one in again] == [statement.text], "read alone, it is another statement"
    assert again[0].kind is statement.kind, "read alone, it is of another kind"


_PLAIN: Final = "0000000"

_SEEDS: Final = (
    "select 1;\nselect 'a;b' -- c;\n;",
    "create function f() returns int language sql begin atomic select 1; end; select $$;$$, $a$;$a$",
    "copy t (a, b) from stdin; select 1;\n1\t2\n\\.\nselect 2",
    "vacuum; create index concurrently i on t (a)",
    "alter type t add value 'x'; alter table only a.b detach partition c.d concurrently;",
    "\\restrict abc\nselect 1;\n\\unrestrict abc\n\\i x.sql",
    "set standard_conforming_strings = off; select 'a\\';b'; commit; rollback to savepoint a",
    "set local standard_conforming_strings to 'on'; reset all; discard all",
    "select E'a\\''\n'b', u&'c' uescape '!', b'01', x'ff', n'd', 1.5e3, $1, u&\"e\", \"f\"\"g\" /* /* ; */ */;",
    "reindex (verbose, concurrently) table t; cluster; alter system set a = 1; drop index concurrently i",
    "alter subscription s set (failover = true, two_phase = off); copy (select 1) to stdout",
    "\ufeffselect 1;\ufeff select 2",
    "'never closed",
    "/* never /* closed */",
)
_WITH_PLACEHOLDERS: Final = (
    "select '${password}', ${quote}a${quote}, ${dollar};${dollar}; ${empty} ${flyway:table} ${flyway:filename}",
    "${quote} never closed",
    "${backslash}",
    "${nobody}",
    "${open",
)

TARGET: Final = Target(
    name="sql",
    check=check,
    modules=(
        "taxiway.sql.lexer",
        "taxiway.sql.statements",
        "taxiway.sql.script",
        "taxiway.sql.pieces",
        "taxiway.sql.psql",
        "taxiway.sql.string_setting",
        "taxiway.sql.transactions",
        "taxiway.model.script",
    ),
    seeds=(
        *(settings_and(text, f"000000{chunk}") for text in _SEEDS for chunk in "013"),
        *(settings_and(text, f"100000{chunk}") for text in _WITH_PLACEHOLDERS for chunk in "013"),
        settings_and("select 'a\\';b'\n'\\';' ;", "0100000"),
        settings_and("vacuum; select 1", "0010000"),
    ),
    words=(
        *(
            "'",
            "''",
            '"',
            '""',
            "$$",
            "$a$",
            "\\",
            "\\.",
            "\n\\.\n",
            "--",
            "/*",
            "*/",
            "(",
            ")",
            ";",
            "\n",
            "\r\n",
        ),
        *("e'", "E'", "u&'", 'u&"', "b'", "x'", "n'", "$1", "1.", "\ufeff", "${quote}", "${password}", "${"),
        *("begin atomic ", "end", "create function f() ", "create or replace procedure ", "case ", "select "),
        *("copy t from stdin;", "copy (", ") to stdout", "vacuum", "concurrently ", "alter type t add value "),
        *("set ", "standard_conforming_strings", "= off", "local ", "reset ", "discard all", "commit", "rollback"),
        *("\\restrict a1\n", "\\unrestrict a1\n", "\\set ", "\\copy ", "reindex ", "alter system ", "database d "),
    ),
    shapes={
        name: repeated(piece, settings=settings, before=before, after=after)
        for name, piece, settings, before, after in (
            ("statements", "a;", _PLAIN, "", ""),
            ("empty statements", ";", _PLAIN, "", ""),
            ("lines", "select 1;\n", _PLAIN, "", ""),
            ("one long line", "a ", _PLAIN, "", ""),
            ("one long word", "a", _PLAIN, "", ""),
            ("digits", "1", _PLAIN, "", ""),
            ("numbers", "1.", _PLAIN, "", ""),
            ("doubled quotes", "''", _PLAIN, "", ""),
            ("odd quotes", "''", _PLAIN, "'", ""),
            ("strings", "'a' ", _PLAIN, "", ""),
            ("backslashes in quotes", "\\", "0100000", "'", "'"),
            ("quotes behind backslashes", "\\'", "0100000", "'", ""),
            ("escape strings", "e'\\'' ", _PLAIN, "", ""),
            ("continued strings", "'a'\n", "0100000", "", ""),
            ("continued by comments", "'a'--\n", "0100000", "", ""),
            ("comments behind a string", "--\n", "0100000", "e'a'", ""),
            ("line breaks behind strings", "e'a'\n\n", _PLAIN, "", ""),
            ("blanks behind a string", " ", "0100000", "e'a'", ""),
            ("double quotes", '""', _PLAIN, '"', ""),
            ("dollars", "$", _PLAIN, "", ""),
            ("dollar quotes", "$a$ $a$", _PLAIN, "", ""),
            ("dollar tags in a quotation", "$b$", _PLAIN, "$a$", "$a$"),
            ("growing dollar tags", "$a", _PLAIN, "", ""),
            ("parameters", "$1 ", _PLAIN, "", ""),
            ("opening parentheses", "(", _PLAIN, "", ""),
            ("closing parentheses", ")", _PLAIN, "", ""),
            ("pairs", "()", _PLAIN, "", ""),
            ("rows", "(1, 'a', f(2)), ", _PLAIN, "insert into t values ", ""),
            ("open rows", "(1, (2, (3, (4 ", _PLAIN, "", ""),
            ("opening comments", "/*", _PLAIN, "", ""),
            ("closed comments", "/**/", _PLAIN, "", ""),
            ("comments in a comment", "/**/", _PLAIN, "/*", "*/"),
            ("line comments", "--\n", _PLAIN, "", ""),
            ("minus", "- ", _PLAIN, "", ""),
            ("slashes", "/", _PLAIN, "", ""),
            ("stars", "*", _PLAIN, "", ""),
            ("line breaks", "\n", _PLAIN, "", ""),
            ("blanks", " ", _PLAIN, "", "a"),
            ("byte order marks", "\ufeff", _PLAIN, "", ""),
            ("byte order marks and statements", "\ufeffa;", "1000000", "${quote}${quote};", ""),
            ("copies", "copy t from stdin;\n\\.\n", _PLAIN, "", ""),
            ("copies in one line", "copy t from stdin;", _PLAIN, "", ""),
            ("copies in one line, refused", "copy t from stdin;", _PLAIN, "", "a\n"),
            ("copy data", "1\n", _PLAIN, "copy t from stdin;\n", ""),
            ("ends of data in data", "a\\.", _PLAIN, "copy t from stdin;\n", ""),
            ("ends of data in lines of data", "a\\.\n", _PLAIN, "copy t from stdin;\n", ""),
            ("columns of a copy", "a,", _PLAIN, "copy t (", ") from stdin;"),
            ("dots of a copy", "a.", _PLAIN, "copy ", ""),
            ("parentheses of a copy", "(", _PLAIN, "copy ", ""),
            ("pairs of a copy", "( ) ", _PLAIN, "copy ", ""),
            ("copies to nobody", "copy ( ) ", _PLAIN, "", ""),
            ("restrictions", "\\restrict a\n", _PLAIN, "", ""),
            ("a long restriction", "a", _PLAIN, "\\restrict ", ""),
            ("routines", "create function f() begin atomic a; end; ", _PLAIN, "", ""),
            ("statements of a routine", "a; ", _PLAIN, "create function f() begin atomic ", "end"),
            ("bodies", "begin atomic ", _PLAIN, "create function ", ""),
            ("settings", "set standard_conforming_strings = off;", _PLAIN, "", ""),
            ("settings that never end", "set standard_conforming_strings ", _PLAIN, "", ""),
            ("words of a setting", "set ", _PLAIN, "", ""),
            ("rollbacks", "rollback to ", _PLAIN, "", ""),
            ("options of a reindex", "a, ", _PLAIN, "reindex (", ""),
            ("names of an alter", ". a ", _PLAIN, "alter table a ", ""),
            ("publications", " refresh = ", _PLAIN, "alter subscription a set publication ", ""),
            ("placeholders", "${quote}a", "1000000", "", ""),
            ("placeholders, statements", "${empty}a;\n", "1000000", "", ""),
            ("placeholders, refused", "${quote}${quote}", "1000000", "", "${quote}"),
            ("line comments and quotes", "--'\n", _PLAIN, "", ""),
            ("mixed", "vacuum;a;", "0010000", "", ""),
        )
    },
)
