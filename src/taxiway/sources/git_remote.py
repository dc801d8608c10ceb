"""Addresses of Git repositories: which transport they mean, who the host is, and what may be shown of them.

Terminology:

transport
    How git gets there: over SSH, over HTTPS, or through the file system of this machine.
scp-like address
    ``user@host:path``, the short form of ``ssh://user@host/path``.
"""

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from taxiway.errors import InvalidOption


class Transport(Enum):
    """How git gets to the repository; the value is git's name for it."""

    SSH = "ssh"
    HTTPS = "https"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository that may be asked for.

    Attributes:
        url: What git is given.
        display: What people are shown: the address as it was given. It has no credentials.
        host: ``host`` or ``host:port``; empty for a repository on this machine.
    """

    transport: Transport
    url: str
    display: str
    host: str

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read a URL, an scp-like address or a path.

        Raises:
            InvalidOption: git would run a program for it, send credentials in clear, or take it for an option;
                or it carries a password.
        """
        if not address or address.startswith("-") or not address.isprintable():
            raise _invalid(repr(address), "that is not an address")
        if _HELPER.match(address):
            raise _invalid(address, "only ssh, https and paths on this machine are supported")
        if _CREDENTIALS.search(address):
            raise _has_password(address)
        if "://" in address:
            return cls._from_url(address)
        if _USER_AND_PASSWORD.match(address):
            raise _has_password(address)
        if scp_like := _SCP_LIKE.match(address):
            return cls(Transport.SSH, address, address, scp_like["host"].strip("[]"))
        # git makes a shallow clone of a URL only, so that a path has to become one.
        return cls(Transport.FILE, Path(address).absolute().as_uri(), address, "")

    @classmethod
    def _from_url(cls, address: str) -> Self:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise _invalid(address, "that is not a URL") from None
        transport = _TRANSPORTS.get(parts.scheme)
        if transport is None:
            raise _invalid(address, "only ssh, https and paths on this machine are supported")
        # The user of an SSH URL is a plain name; in an HTTPS URL a token may stand in its place.
        if parts.password is not None or (parts.username is not None and transport is not Transport.SSH):
            raise _has_password(address)
        return cls(transport, address, address, f"{host}:{port}" if port else host)


def github_url(owner: str, path: str) -> str:
    """The SSH address of a repository on GitHub: ``git@github.com:OWNER/PATH.git``. ``path`` may end in ``.git``.

    Raises:
        InvalidOption: GitHub has no such names.
    """
    name = path.removesuffix(".git")
    for part in (owner, name):
        if not _GITHUB_NAME.fullmatch(part):
            raise InvalidOption(
                f"{part!r} cannot be the owner or the name of a repository on GitHub.",
                hint="Set REPOSITORY_OWNER and REPOSITORY_PATH to the two parts of github.com/OWNER/NAME.",
            )
    return f"git@github.com:{owner}/{name}.git"


_TRANSPORTS: Final = {transport.value: transport for transport in Transport}
# "ext::command" and its like run a program of the caller's choice.
_HELPER: Final = re.compile(r"[A-Za-z0-9+.-]+::")
# git's rule: a colon before the first slash. The brackets are for IPv6 and for host:port.
_SCP_LIKE: Final = re.compile(r"(?:[^/@:\[\]]+@)?(?P<host>\[[^]/]+\]|[^/:\[\]]+):")
_GITHUB_NAME: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.][A-Za-z0-9_.-]*", re.ASCII)
_USER_AND_PASSWORD: Final = re.compile(r"[^/@:]*:[^/@]*@")
# In anything but a URL they are those of one whose scheme is misspelt.
_CREDENTIALS: Final = re.compile(r"//[^/@:]*:[^/@]*@")
_USER_INFORMATION: Final = re.compile(r"(?:\A['\"]?|(?<=/))[^/]*@")


def _has_password(address: str) -> InvalidOption:
    return InvalidOption(
        f"Git repository {_without_credentials(address)}: the address contains credentials.",
        hint="Remove them, and use an SSH address (git@HOST:OWNER/NAME.git) with a deploy key.",
    )


def _invalid(address: str, reason: str) -> InvalidOption:
    return InvalidOption(
        f"Git repository {_without_credentials(address)}: {reason}.",
        hint="Use git@HOST:OWNER/NAME.git, ssh://git@HOST:PORT/PATH, https://HOST/PATH or a path.",
    )


def _without_credentials(address: str) -> str:
    # At the start of an address, of one in quotes, or behind a slash, which may be that of a misspelt "://":
    # everything up to the "@".
    return _USER_INFORMATION.sub("****@", address)
