"""Builds the bare repository that the Git host serves, from the sample project, with the real git.

Author, dates and configuration are fixed, so the same files always give the same commit ids.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.directory import REPOSITORY_ROOT

SAMPLE_PROJECT: Final = REPOSITORY_ROOT / "examples" / "sample-project"
_SAMPLE_BRANCHES: Final = REPOSITORY_ROOT / "examples" / "sample-project-branches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch with one commit on top of the branch before it.

    Attributes:
        added: The folder whose files the commit adds or replaces.
    """

    name: str
    message: str
    added: Path


SAMPLE_BRANCHES: Final = (
    Branch(name="main", message="Add roles, the sample table and its function", added=SAMPLE_PROJECT),
    Branch(name="develop", message="Add product table migration", added=_SAMPLE_BRANCHES / "develop"),
    Branch(name="broken", message="Add a price to the product table", added=_SAMPLE_BRANCHES / "broken"),
)

_IDENTITY: Final = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (
        ("NAME", "Sandbox"),
        ("EMAIL", "sandbox@example.com"),
        ("DATE", "2025-01-01T00:00:00Z"),
    )
}

# As on GitHub: a client may leave files out and may ask for a commit by its id.
_SERVED_CONFIGURATION: Final = ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant")


def make_repository(path: Path, branches: Sequence[Branch] = SAMPLE_BRANCHES) -> dict[str, str]:
    """Make the bare repository ``path`` and return each branch's commit id; the first branch is the default."""
    _git("init", "--quiet", "--bare", f"--initial-branch={branches[0].name}", str(path))
    for key in _SERVED_CONFIGURATION:
        _git("-C", str(path), "config", key, "true")
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        work_tree = Path(directory)
        _git("init", "--quiet", str(work_tree))
        return {branch.name: _push(work_tree, branch, path) for branch in branches}


def _push(work_tree: Path, branch: Branch, repository: Path) -> str:
    """One more commit with the branch's files laid over what is there, pushed under the branch's name."""
    # Without the files' times: git takes a file of the same size and time for the one it knows.
    shutil.copytree(branch.added, work_tree, symlinks=True, dirs_exist_ok=True, copy_function=shutil.copy)
    git = ("-C", str(work_tree))
    _git(*git, "add", "--all")
    _git(*git, "commit", "--quiet", "--message", branch.message)
    _git(*git, "push", "--quiet", str(repository), f"HEAD:refs/heads/{branch.name}")
    return _git(*git, "rev-parse", "HEAD")


def _git(*arguments: str) -> str:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **_IDENTITY,
    }
    result = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, env=environment)
    return result.stdout.strip()
