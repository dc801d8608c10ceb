"""Passwords that are valid everywhere and awkward nearly everywhere."""

import secrets
from typing import Final

# Each of these is special to somebody on the way: SQL, shells, URLs, libpq, INI, JSON, str.format, re.sub, Flyway.
AWKWARD: Final = "'\"\\1$%41@/ :#?&=+;,*!"

# A placeholder is replaced as text, as by Flyway, and ours stand between the quotes of an SQL literal.
_SPECIAL_IN_SQL_LITERAL: Final = "'\\"


def make_password() -> str:
    """A random password with every awkward character in it."""
    return secrets.token_urlsafe(9) + AWKWARD + secrets.token_urlsafe(9)


def make_placeholder_password() -> str:
    """The same without what cannot stand between the quotes of an SQL literal."""
    return "".join(character for character in make_password() if character not in _SPECIAL_IN_SQL_LITERAL)
