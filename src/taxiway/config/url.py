r"""What a database URL says itself, found without a driver.

Only the names of the parameters and the passwords are read, and generously: a text that libpq would refuse may
still hold a password. Forms: ``postgresql://user:password@host/name?key=value``, the same behind ``jdbc:``, with
the schemes of other programs (``postgresql+psycopg:``) or none, and libpq's ``key=value key='quoted \' value'``
(PostgreSQL manual, "Connection Strings").

Terminology:

password
    The value of every parameter whose name speaks of a secret: an ``accessToken`` is one.
"""

import re
from collections.abc import Iterator
from typing import Final

from taxiway.config.confidential import is_confidential
from taxiway.secret import Secret

# A connection string of libpq has the first "=" before anything that only a URL has there.
_CONNECTION_STRING: Final = re.compile(r"[^:/@?=]*=")
_SCHEMES: Final = r"(?>(?:[a-z][a-z0-9+.-]*+:)*+//|jdbc:[a-z]+:|)"
# The user information is all that stands before the last "@" of the address, because "@" and "/" may stand in a
# password that was not percent-encoded. libpq ends it elsewhere; such a URL is refused when it is used. A "?" may
# stand in user and password, too (the second choices): libpq looks for the first "@" before any "/", and for a "?"
# later.
_USER_INFORMATION: Final = re.compile(
    rf"{_SCHEMES}(?P<user>[^:?]*|[^:@/]*)(?::(?P<password>[^?]*|[^@/]*))?@", re.IGNORECASE
)
# A key begins where a word does: to try every letter of a long text would take the square of its length. Only
# blanks of ASCII end a value, as in C: a password may have a no-break space.
_ASSIGNMENT: Final = re.compile(
    r"(?<!\w)(?P<key>\w++)\s*=\s*(?:'(?P<quoted>(?:[^'\\]++|\\.)*+)'?|(?P<plain>(?:[^\s\\]++|\\.)*+))",
    re.DOTALL | re.ASCII,
)


def parameters_in(url: str) -> frozenset[str]:
    """Names of the libpq parameters that the URL sets, apart from host, port and database name."""
    return frozenset(name for name, _ in _parameters(url))


def passwords_in(url: str) -> tuple[Secret, ...]:
    """Every password in the URL, as it is written and percent-decoded; empty ones are left out.

    To Java's driver a plus sign is a blank, to libpq it is a plus sign: both are told.
    """
    written = [value for name, value in _parameters(url) if is_confidential(name)]
    texts = dict.fromkeys(
        form for text in written for form in (text, _unquoted(text), _unquoted(text.replace("+", " "))) if form
    )
    return tuple(Secret(text) for text in texts)


def mask_passwords(url: str, mask: str) -> str:
    """The URL with ``mask`` in the place of every password."""
    if _CONNECTION_STRING.match(url):
        return _ASSIGNMENT.sub(lambda found: _mask_assignment(found, mask), url)
    pieces: list[str] = []
    done = 0
    for start, end in sorted(_spans_of_passwords(url)):
        # A parameter may begin in a password with a "?" in it.
        if start >= done:
            pieces += url[done:start], mask
        done = max(done, end)
    return "".join([*pieces, url[done:]])


def _spans_of_passwords(url: str) -> Iterator[tuple[int, int]]:
    return ((start, end) for name, start, end in _uri_parameters(url) if is_confidential(name) and start < end)


def _mask_assignment(found: re.Match[str], mask: str) -> str:
    return f"{found['key']}={mask}" if is_confidential(found["key"]) else found[0]


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)


def _parameters(url: str) -> Iterator[tuple[str, str]]:
    if _CONNECTION_STRING.match(url):
        return _assignments(url)
    return ((name, url[start:end]) for name, start, end in _uri_parameters(url))


def _uri_parameters(url: str) -> Iterator[tuple[str, int, int]]:
    """Names, and where their values begin and end."""
    if found := _USER_INFORMATION.match(url):
        yield from ((name, *found.span(name)) for name, value in found.groupdict().items() if value)
    address, _, query = url.partition("?")
    position = len(address) + 1
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        end = position + len(pair)
        if name:
            yield _unquoted(name).lower(), end - len(value), end
        position = end + 1


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for found in _ASSIGNMENT.finditer(text):
        value = found["quoted"] if found["quoted"] is not None else found["plain"]
        yield found["key"].lower(), re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
