"""Addresses of repositories, names of branches, owners and names on GitHub.

Holds: a value or InvalidOption; what stands before an ``@`` as a password is in no error and in nothing shown.
"""

import re
from contextlib import suppress
from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import SECRET, Target, check_error, repeated, without_secret
from taxiway.errors import InvalidOption
from taxiway.sources.git_branch import check_branch_name
from taxiway.sources.git_remote import Remote, github_url

_PASSWORD: Final = re.compile(rf"//[^/@:]*:[^/@]*{SECRET}[^/@]*@|\A[^/@:]*:[^/@]*{SECRET}[^/@]*@")
# transport.c of git: what may be a name of a scheme, and two colons
_HELPER: Final = re.compile(r"[A-Za-z0-9+.-]*::")


def check(data: bytes) -> None:
    """See the top of this module."""
    address = Draw(data).texts()[0]
    if address.count(SECRET) > 1 or not _PASSWORD.search(address):
        address = without_secret(address)
    try:
        remote = Remote.parse(address)
    except InvalidOption as error:
        check_error(error)
    else:
        assert SECRET not in remote.display, "a password is shown"
        assert not remote.url.startswith("-"), "git would take it for an option"
        assert not _HELPER.match(remote.url), "git would run a program for it"
    with suppress(InvalidOption):
        check_branch_name(address)
        assert address
        assert not address.startswith("-")
    with suppress(InvalidOption):
        assert github_url(address, address).isprintable()


TARGET: Final = Target(
    name="git_address",
    check=check,
    modules=("taxiway.sources.git_remote", "taxiway.sources.git_branch"),
    seeds=tuple(
        settings_and(text)
        for text in (
            *(
                "git@github.com:o/n.git",
                "ssh://git@h:22/p",
                "https://h/p",
                f"https://u:{SECRET}@h/p",
                "/srv/x",
                "x",
            ),
            *(f"u:{SECRET}@h:p", "ext::sh -c x", "-x", "file:///x", "ssh://[::1]:22/x", "[h:22]:p", "ssh://h:x/p"),
            *(f"\udc91//u:{SECRET}@h/p", f"ftp1//u:{SECRET}@h/p", f"s:1//u:{SECRET}@:/p", f"]:{SECRET}@"),
            *("http://[x", "https://t@h/p", "feature/x", "a..b", "a.lock", "HEAD", "@", "a@{b", ".a", "o", ".."),
            *(f"ftp://u:{SECRET}@h/p", f"ssh://u:{SECRET}@[x/p", f"ssh://u:{SECRET}@h:x/p"),
        )
    ),
    words=(
        "://",
        "ssh",
        "https",
        "@",
        ":",
        "/",
        "[",
        "]",
        "::",
        "git",
        SECRET,
        "..",
        ".lock",
        "@{",
        "//",
        "-",
        "%40",
    ),
    shapes={
        "letters": repeated("a"),
        "ats": repeated("@"),
        "colons": repeated(":"),
        "letters and colons": repeated("a:"),
        "slashes": repeated("/"),
        "schemes": repeated("a://"),
        "passwords": repeated("a:b@", before="ssh://"),
        "dots": repeated("a."),
        "locks": repeated(".lock"),
        "brackets": repeated("["),
        "quotes": repeated("'"),
    },
)
