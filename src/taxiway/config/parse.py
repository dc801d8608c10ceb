"""From the text of an option to its value: one small function for each sort of value.

Every function takes text and raises ValueError with a phrase that can follow the name of the option. The phrase
may quote the text: secret texts do not come here.
"""

import re
from collections.abc import Callable
from typing import Final

from taxiway.config.url import passwords_in
from taxiway.secret import Secret

# Eighteen digits fit the 64-bit numbers of the server and keep int() away from its limit on very long texts.
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


def boolean(text: str) -> bool:
    """``true`` or ``false`` in any case, nothing else (Flyway 13)."""
    match text.strip().lower():
        case "true":
            return True
        case "false":
            return False
    raise ValueError(f"'{text}' is neither true nor false")


def whole_number(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers within bounds, which are part of the range."""
    wanted = f"a whole number from {minimum}" + (f" to {maximum}" if maximum is not None else "")

    def parse(text: str) -> int:
        if not _WHOLE_NUMBER.fullmatch(text.strip()):
            raise ValueError(f"'{text}' is not {wanted}")
        number = int(text)
        if number < minimum or (maximum is not None and number > maximum):
            raise ValueError(f"{number} is not {wanted}")
        return number

    return parse


def port(text: str) -> str:
    """A TCP port, as the text that libpq wants."""
    return str(whole_number(1, 65535)(text))


def one_of(*words: str) -> Callable[[str], str]:
    """A parser of a fixed set of words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"'{text}' is none of {', '.join(words)}")
        return text

    return parse


def encoding(text: str) -> str:
    """The name of a character encoding that Python knows; the usual Java names are among them."""
    try:
        "a".encode(text)  # codecs.lookup() would accept "hex" too, which does not give text
    except (LookupError, ValueError):
        raise ValueError(f"'{text}' is not a known character encoding") from None
    return text


def url(text: str) -> str | Secret:
    """A database URL; the whole of it is a secret as soon as there is a password in it."""
    return Secret(text) if passwords_in(text) else text
