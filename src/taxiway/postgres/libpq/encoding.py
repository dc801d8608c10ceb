"""Python's names for the character sets that a client may speak with the server.

PostgreSQL manual, "Character Set Support".
"""

import codecs
from functools import cache
from typing import Final

# Those whose name Python does not know, or knows as another one
_NAMES: Final = {
    # The server takes bytes as they are.
    "SQL_ASCII": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "ALT": "cp866",
    "EUC_CN": "gb2312",
    "EUC_JIS_2004": "euc_jis_2004",
    "KOI8R": "koi8-r",
    "KOI8U": "koi8-u",
    "LATIN6": "iso8859-10",
    "LATIN7": "iso8859-13",
    "LATIN8": "iso8859-14",
    "LATIN9": "iso8859-15",
    "LATIN10": "iso8859-16",
    "SHIFT_JIS_2004": "shift_jis_2004",
    "SJIS": "cp932",
    "UHC": "cp949",
    "WIN": "cp1251",
}


@cache
def python_encoding(name: str) -> str:
    """The codec for a ``client_encoding``; UTF-8 for one that Python does not have (``EUC_TW``)."""
    guess = _NAMES.get(name) or name.replace("WIN", "cp", 1).replace("ISO_8859_", "iso8859-", 1)
    try:
        return codecs.lookup(guess).name
    except LookupError:
        return "utf-8"
