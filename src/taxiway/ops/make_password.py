"""Passwords that nobody has thought of."""

import secrets
import string
from typing import Final

from taxiway.secret import Secret

# Neither quotes nor what RDS refuses ("/", "@", quotes, spaces), so that it can stand in SQL, a URL and a shell.
_CHARACTERS: Final = string.ascii_letters + string.digits
# 190 bits; RDS takes 128 characters at most, and some programs much fewer.
_LENGTH: Final = 32


def make_password() -> Secret:
    """32 letters and digits, from the system's source of randomness."""
    return Secret("".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH)))


def make_version(prefix: str = "taxiway-") -> str:
    """The name of a new version of a secret: 32 to 64 characters (ClientRequestToken, API reference)."""
    return f"{prefix}{secrets.token_hex(16)}"
