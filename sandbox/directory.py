"""The temporary directory that everything of a sandbox lives in, and the account that PostgreSQL runs as."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

REPOSITORY_ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Account:
    """A system account that a child runs as."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Make this account the owner of a file or directory."""
        os.chown(path, self.uid, self.gid)


class PopenArguments(TypedDict):
    """The arguments of :class:`subprocess.Popen` that say who the child is."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


def run_as(account: Account | None) -> PopenArguments:
    """For subprocess: become this account, with none of our further groups; None stays who we are."""
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def unprivileged_account() -> Account | None:
    """``nobody`` when we are root, whom PostgreSQL's programs refuse; None when we are somebody already."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def make_directory() -> Path:
    """A new temporary directory, with symbolic links resolved.

    Only we can list it. When we are root, other accounts may pass through it, because PostgreSQL runs as
    ``nobody`` below it; the files in it have their own permissions.
    """
    directory = Path(tempfile.mkdtemp(prefix="taxiway-sandbox-")).resolve()
    directory.chmod(0o700 if unprivileged_account() is None else 0o711)
    return directory


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """:func:`make_directory`, removed with everything in it on the way out."""
    directory = make_directory()
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
