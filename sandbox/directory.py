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

_SHARED_MEMORY: Final = Path("/dev/shm")
_ROOM_BYTES: Final = 4 * 1024**3


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


def make_directory(parent: Path | None = None) -> Path:
    """A new temporary directory below ``parent``, or where the system has them; symbolic links are resolved.

    Only we can list it. When we are root, other accounts may pass through it, because PostgreSQL runs as
    ``nobody`` below it; the files in it have their own permissions.
    """
    directory = Path(tempfile.mkdtemp(prefix="taxiway-sandbox-", dir=parent)).resolve()
    directory.chmod(0o700 if unprivileged_account() is None else 0o711)
    return directory


def _memory_with_room() -> Path | None:
    """The file system in memory that Linux has, when it is large and runs programs: not in most containers."""
    if not _SHARED_MEMORY.is_dir() or not os.access(_SHARED_MEMORY, os.W_OK):
        return None
    about = os.statvfs(_SHARED_MEMORY)
    has_room = about.f_bavail * about.f_frsize >= _ROOM_BYTES and not about.f_flag & os.ST_NOEXEC
    return _SHARED_MEMORY if has_room else None


@contextmanager
def temporary_directory(*, in_memory: bool = False) -> Iterator[Path]:
    """:func:`make_directory`, removed with everything in it on the way out; ``in_memory`` where that has room."""
    directory = make_directory(_memory_with_room() if in_memory else None)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
