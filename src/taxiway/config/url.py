r"""What a database URL says itself, found without a driver.

Only the names of the parameters and the passwords are read, and generously: a text that libpq would refuse may
still hold a password. Forms: ``postgresql://user:password@host/name?key=value``, the same behind ``jdbc:``, and
libpq's ``key=value key='quoted \' value'`` (PostgreSQL manual, "Connection Strings").
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from taxiway.secret import Secret

_SCHEME: Final = re.compile(r"[a-z]+:", re.IGNORECASE)
# The user information is all that stands before the last "@" of the address, because "@" and "/" may stand in a
# password that was not percent-encoded. libpq ends it elsewhere; such a URL is refused when it is used. A "?" may
# stand in a password, too (the second choice): libpq looks for the first "@" before any "/", and for a "?" later.
_USER_INFORMATION: Final = re.compile(r"://(?P<user>[^:?]*)(?::(?P<password>[^?]*|[^@/]*))?@")
_ASSIGNMENT: Final = re.compile(
    r"(?P<key>\w+)\s*=\s*(?:'(?P<quoted>(?:[^'\\]|\\.)*)'?|(?P<plain>(?:[^\s\\]|\\.)*))", re.DOTALL
)


def parameters_in(url: str) -> frozenset[str]:
    """Names of the libpq parameters that the URL sets, apart from host, port and database name."""
    return frozenset(name for name, _ in _parameters(url))


def passwords_in(url: str) -> tuple[Secret, ...]:
    """Every password in the URL, as it is written and percent-decoded; empty ones are left out."""
    written = [value for name, value in _parameters(url) if name.endswith("password")]
    texts = dict.fromkeys(form for text in written for form in (text, unquote(text)) if form)
    return tuple(Secret(text) for text in texts)


def mask_passwords(url: str, mask: str) -> str:
    """The URL with ``mask`` in the place of every password."""
    if not _SCHEME.match(url):
        return _ASSIGNMENT.sub(lambda found: _mask_assignment(found, mask), url)
    found = _USER_INFORMATION.search(url)
    if found and found["password"]:
        url = url[: found.start("password")] + mask + url[found.end("password") :]
    address, question_mark, query = url.partition("?")
    return address + question_mark + "&".join(_mask_pair(pair, mask) for pair in query.split("&"))


def _mask_pair(pair: str, mask: str) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}{equals}{mask}" if unquote(name).lower().endswith("password") else pair


def _mask_assignment(found: re.Match[str], mask: str) -> str:
    return f"{found['key']}={mask}" if found["key"].lower().endswith("password") else found[0]


def _parameters(url: str) -> Iterator[tuple[str, str]]:
    return _uri_parameters(url) if _SCHEME.match(url) else _assignments(url)


def _uri_parameters(url: str) -> Iterator[tuple[str, str]]:
    if found := _USER_INFORMATION.search(url):
        yield from ((name, value) for name, value in found.groupdict().items() if value)
    for pair in url.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if name:
            yield unquote(name).lower(), value


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for found in _ASSIGNMENT.finditer(text):
        value = found["quoted"] if found["quoted"] is not None else found["plain"]
        yield found["key"].lower(), re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
