r"""Commands of psql in a script: those of ``pg_dump`` are passed over, all others are refused by name.

Where a backslash begins a command is told by :mod:`taxiway.sql.lexer`; up to where it reaches, by psqlscanslash.l.
"""

import re
from typing import Final

from taxiway.errors import PsqlCommand
from taxiway.model.script import ReplacedText

# PostgreSQL manual, psql: a token of letters and digits, which pg_dump 17.6 and later make at random. Between the
# two psql refuses its other commands, as we do everywhere: so the tokens need not agree. What might follow on the
# line behind another backslash is not passed over.
_RESTRICTION: Final = re.compile(r"\\(?:un)?restrict[ \t]+[A-Za-z0-9]+[ \t]*+(?=[\r\n]|\Z)")
_NAME: Final = re.compile(r"\\([A-Za-z_]+\+?|[;:.!?]?)")

_END: Final = "End the statement with a semicolon, and use a DO block where its rows are needed."
_IN_DO: Final = "Use a DO block with IF and RAISE in place of psql's own language."
_VALUES: Final = "Use placeholders: ${name}, with its value in the configuration."
_INCLUDED: Final = "Make the included file a migration of its own."
_CONNECTED: Final = "Remove it: a migration stays in the database that it was started for."
_PLAIN: Final = "Write the character without the backslash."
_HINTS: Final = {
    "copy": "Use COPY … FROM STDIN; with the rows on the lines below it and \\. on a line behind them.",
    ".": "Remove it: it ends the rows of a COPY … FROM STDIN, and none begins above it.",
    "password": "Use ALTER ROLE … PASSWORD with a placeholder.",
    "encoding": "Remove it, and set the option encoding to that of the file.",
    "restrict": "Put it on a line of its own, between statements, with its token and nothing behind.",
    "unrestrict": "Put it on a line of its own, between statements, with its token and nothing behind.",
    **dict.fromkeys(("i", "ir", "include", "include_relative"), _INCLUDED),
    **dict.fromkeys(("set", "unset", "getenv", "setenv", "prompt", "gset"), _VALUES),
    **dict.fromkeys(("c", "connect"), _CONNECTED),
    **dict.fromkeys(("g", "gx", "gdesc", "gexec", "crosstabview", "watch", "bind"), _END),
    **dict.fromkeys(("if", "elif", "else", "endif", "echo", "qecho", "warn", "q", "quit"), _IN_DO),
    **dict.fromkeys((";", ":"), _PLAIN),
}
_ELSE: Final = "Remove it: it is for psql, not for the server."


def find_end_of_restriction(text: str, backslash: int) -> int | None:
    r"""Behind the ``\restrict`` or ``\unrestrict`` that begins here; None if another command does."""
    match = _RESTRICTION.match(text, backslash)
    return match.end() if match else None


def psql_command(replaced: ReplacedText, backslash: int, *, path: str) -> PsqlCommand:
    """The error for the command that begins here.

    Its name is read from the source: a value that was put in for a placeholder may be secret.
    """
    offset = replaced.source_offset(backslash)
    place = replaced.locate(backslash)
    match = _NAME.match(replaced.source, offset)
    if not match:
        message = "The value of the placeholder that begins here has a backslash outside of quotes."
        hint = "Put the placeholder into quotes, or give it a value without a backslash."
    elif not match[1]:
        message, hint = "A backslash outside of quotes means nothing in SQL.", "Remove it, or put it into quotes."
    else:
        message = f"'{match[0]}' is a command of psql, and the server does not know it."
        hint = _HINTS.get(match[1].removesuffix("+"), _ELSE)
    return PsqlCommand(message, path=path, line=place.line, column=place.column, hint=hint)
