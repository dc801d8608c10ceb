"""What ``standard_conforming_strings`` is at each place of a script: how the server reads ``'…'`` from there on.

psql is told by the server after each statement. We split before anything runs, so we follow the script's own
words: SET, SET LOCAL until the transaction ends, RESET, DISCARD ALL. Dumps of servers before 9.1 have such a SET
at the top. Not followed: ``set_config``, a SET in a routine, a SET that the server refuses or a ROLLBACK takes
back.
"""

import re
from typing import Final

NAME: Final = re.compile("standard_conforming_strings", re.IGNORECASE | re.ASCII)

_NAME: Final = '"?STANDARD_CONFORMING_STRINGS"?'
_SETS: Final = re.compile(rf"SET (?:SESSION |(LOCAL ))?{_NAME} (?:TO|=) (?:E?['\"]|\$\w*\$)?([A-Z]+|[01])\b")
_RESETS: Final = re.compile(rf"(?:RESET (?:{_NAME}|ALL)|DISCARD ALL)$")
_ENDS_TRANSACTION: Final = re.compile(r"(?:COMMIT|END|ROLLBACK|ABORT)\b(?!.* TO | PREPARED)")

# The server takes the beginning of a word for the word, as long as it is clear which (bool.c, parse_bool).
_VALUES: Final = {
    **dict.fromkeys(("1", "T", "TR", "TRU", "TRUE", "Y", "YE", "YES", "ON"), True),
    **dict.fromkeys(("0", "F", "FA", "FAL", "FALS", "FALSE", "N", "NO", "OF", "OFF"), False),
}

FIRST_WORDS: Final = frozenset({"SET", "RESET", "DISCARD", "COMMIT", "END", "ROLLBACK", "ABORT"})


class StringSetting:
    """The setting, in a script that begins with ``initial``. ``standard`` is what it is now."""

    __slots__ = ("_initial", "_session", "standard")

    def __init__(self, *, initial: bool) -> None:
        self.standard = self._session = self._initial = initial

    def follow(self, words: str) -> None:
        """Take a statement into account: its tokens in capital letters, with a blank between them.

        Statements that do not begin with one of :data:`FIRST_WORDS` change nothing.
        """
        if match := _SETS.match(words):
            self._set(match[2], local=bool(match[1]))
        elif _RESETS.match(words):
            self.standard = self._session = self._initial
        elif _ENDS_TRANSACTION.match(words):
            self.standard = self._session

    def _set(self, word: str, *, local: bool) -> None:
        self.standard = self._initial if word == "DEFAULT" else _VALUES.get(word, self.standard)
        if not local:
            self._session = self.standard
