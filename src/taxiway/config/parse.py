"""From the text of an option to its value: one small function for each sort of value.

Every function takes text and raises ValueError with a phrase that can follow the name of the option. The phrase
may quote the text: secret texts do not come here.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from taxiway import errors
from taxiway.config.url import passwords_in
from taxiway.model.info import MigrationState
from taxiway.scan.encoding import decode
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


def addresses(text: str) -> str:
    """IP addresses, separated by commas, as the text that libpq wants: it looks up no name here."""
    from ipaddress import ip_address

    for one in text.split(","):
        try:
            ip_address(one.strip().partition("%")[0])
        except ValueError:
            raise ValueError(f"'{one}' is not an IP address") from None
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """A parser of a fixed set of words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"'{text}' is none of {', '.join(words)}")
        return text

    return parse


def encoding(text: str) -> str:
    """The name of a character encoding, in Python's spelling or in Java's."""
    try:
        decode(b"", text, path="")
    except (errors.TaxiwayError, LookupError, ValueError):
        raise ValueError(f"'{text}' is not a known character encoding") from None
    return text


def url(text: str) -> str | Secret:
    """A database URL; the whole of it is a secret as soon as there is a password in it."""
    return Secret(text) if passwords_in(text) else text


def date(text: str) -> datetime:
    """A day and a time such as ``31/12/2026 16:30`` (Flyway 13), without a zone."""
    try:
        return datetime.strptime(text.strip(), "%d/%m/%Y %H:%M")  # noqa: DTZ007 - in the zone of the session
    except ValueError:
        raise ValueError(f"'{text}' is not a time such as 31/12/2026 16:30") from None


def state(text: str) -> MigrationState:
    """The state of a migration by its constant's name in any case (Flyway 13), or by the name that info shows."""
    word = text.strip().casefold()
    for candidate in MigrationState:
        if word in {candidate.name.casefold(), candidate.value.casefold()}:
            return candidate
    known = ", ".join(candidate.name.lower() for candidate in MigrationState)
    raise ValueError(f"'{text}' is not a state of migrations: use {known}")
