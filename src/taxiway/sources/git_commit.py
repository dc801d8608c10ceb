"""Ids of commits: only whole ones, because a beginning may be that of two commits tomorrow."""

import re
from typing import Final

from taxiway.errors import InvalidOption

# SHA-1, and SHA-256 of repositories that have it (gitformat-index(5), "hash-function-transition")
_COMMIT_ID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BEGINNING: Final = re.compile(r"[0-9a-f]{4,63}")


def parse_commit_id(text: str) -> str:
    """The id, in small letters.

    Raises:
        InvalidOption: It is a beginning of one, or none at all. Such a text never reaches git.
    """
    commit = text.strip().lower()
    if _COMMIT_ID.fullmatch(commit):
        return commit
    if _BEGINNING.fullmatch(commit):
        raise InvalidOption(
            f"'{commit}' is only the beginning of a commit's id.",
            hint=f"Give all of its 40 digits, as 'git rev-parse {commit}' shows them.",
        )
    raise InvalidOption(
        f"{text!r} is not the id of a commit.",
        hint="Give all of its 40 digits, as 'git rev-parse HEAD' shows them.",
    )
