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
_OF_VARIABLES: Final = frozenset({"set", "unset", "getenv", "prompt"})
_VARIABLE: Final = re.compile(r"\\(?:set|unset|getenv)[ \t]+(?P<name>[A-Za-z_][A-Za-z0-9_]*)")

_END: Final = "End the statement with a semicolon, and use a DO block where its rows are needed."
_IN_DO: Final = "Use a DO block with IF in place of psql's own language."
_VALUE: Final = "Use a placeholder: write ${{{name}}} in the script, and set placeholders.{name} to the value."
_MESSAGE: Final = "Remove it, or say the same with RAISE NOTICE in a DO block."
_INCLUDED: Final = "Make the included file a migration of its own."
_CONNECTED: Final = (
    "Remove it: a migration runs in the database of the setting url. For another one, run Taxiway again with its "
    "url and other locations."
)
_QUIT: Final = "Remove it, and with it the statements behind it, which psql would not run."
_PLAIN: Final = "Write the character without the backslash."
_ELSE: Final = "Remove it: it is for psql, not for the server."
_HINTS: Final = {
    "copy": "Use COPY … FROM STDIN; with the rows on the lines below it and \\. on a line behind them.",
    ".": "Remove it: it ends the rows of a COPY … FROM STDIN, and none begins above it.",
    "!": "Remove it; a program can be a migration of its own, such as V2__name.sh, with scriptMigrations=true.",
    "password": "Use ALTER ROLE … PASSWORD with a placeholder.",
    "encoding": "Remove it, and set the option encoding to that of the file.",
    "restrict": "Put it on a line of its own, between statements, with its token and nothing behind.",
    "unrestrict": "Put it on a line of its own, between statements, with its token and nothing behind.",
    "gset": "Use a DO block with SELECT … INTO, or a placeholder with the value.",
    "gexec": "Use a DO block with a loop and EXECUTE.",
    "setenv": "Remove it: no program of psql's runs here that could read the variable.",
    **dict.fromkeys(("i", "ir", "include", "include_relative"), _INCLUDED),
    **dict.fromkeys(("c", "connect"), _CONNECTED),
    **dict.fromkeys(("g", "gx", "gdesc", "crosstabview", "watch", "bind"), _END),
    **dict.fromkeys(("if", "elif", "else", "endif"), _IN_DO),
    **dict.fromkeys(("echo", "qecho", "warn"), _MESSAGE),
    **dict.fromkeys(("q", "quit"), _QUIT),
    **dict.fromkeys((";", ":"), _PLAIN),
}
# Variables of psql itself that scripts set (PostgreSQL manual, psql, "Variables")
_FIRST_ERROR: Final = "Remove it: a script always stops at its first error here."
_TRANSACTION: Final = (
    "Remove it: each script runs in one transaction here; executeInTransaction=false in a .conf file beside the "
    "script has it run without one."
)
_OF_PSQL: Final = {
    "ON_ERROR_STOP": _FIRST_ERROR,
    "ON_ERROR_ROLLBACK": _FIRST_ERROR,
    "AUTOCOMMIT": _TRANSACTION,
    **dict.fromkeys(("ECHO", "ECHO_HIDDEN", "QUIET", "VERBOSITY", "SHOW_CONTEXT", "SHOW_ALL_RESULTS"), _ELSE),
    **dict.fromkeys(("FETCH_COUNT", "HIDE_TABLEAM", "HIDE_TOAST_COMPRESSION"), _ELSE),
}


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
        hint = _hint(match[1].removesuffix("+"), replaced.source, offset)
    return PsqlCommand(message, path=path, line=place.line, column=place.column, hint=hint)


def _hint(command: str, source: str, backslash: int) -> str:
    """What to do instead. Of the command's arguments only the name of a variable is looked at and shown."""
    if command not in _OF_VARIABLES:
        return _HINTS.get(command, _ELSE)
    variable = _VARIABLE.match(source, backslash)
    name = variable["name"] if variable else "NAME"
    return _OF_PSQL.get(name) or _VALUE.format(name=name)
