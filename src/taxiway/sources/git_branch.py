"""Names of branches: the rules of ``git check-ref-format --branch``, without asking git."""

import re
from typing import Final

from taxiway.errors import InvalidOption

_FORBIDDEN: Final = re.compile(
    r"""
    [\x00-\x20\x7f~^:?*\[\\]   # control characters, space, and what git uses to write revisions
    | \.\. | @\{ | //          # ranges, the reflog, empty components
    | (?:^|/)\.                # hidden components
    | \.lock(?:/|$)            # git's own lock files
    | ^[-/] | [/.]$            # options, absolute names, open ends
    | ^@$ | ^HEAD$             # names of something else
    """,
    re.VERBOSE,
)


def check_branch_name(name: str) -> None:
    """Return if git allows a branch of that name.

    Raises:
        InvalidOption: It does not. Such a name never reaches git, where it could be read as an option.
    """
    if not name:
        raise InvalidOption("The name of the branch is empty.", hint="Name a branch, or leave it out altogether.")
    if _FORBIDDEN.search(name):
        raise InvalidOption(
            f"{name!r} cannot be the name of a Git branch.",
            hint="Give the name as 'git branch' shows it, such as develop or feature/prices.",
        )
