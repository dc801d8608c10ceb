"""Fetching exactly one commit, once it is certain that a branch of the repository has it.

A host such as GitHub keeps the commits of a repository and of all its forks together, and hands out each of them
by its id: whoever can open a pull request can put one there. So the id alone proves nothing. What counts is that
one of the repository's own branches leads to it.

Terminology:

Tip:
    The newest commit of a branch.
history
    All commits of all branches, without any file (``--filter=tree:0``, partial clone of git-rev-list(1)).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taxiway.errors import GitRefNotFound
from taxiway.sources.git_errors import explain
from taxiway.sources.git_process import Finished
from taxiway.sources.git_remote import Remote

_HEADS: Final = "refs/heads/"
_QUIETLY: Final = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")


@dataclass(frozen=True, slots=True)
class CommitFetcher:
    """Fetches from one remote. ``run`` runs git to its end."""

    run: Callable[..., Finished]
    remote: Remote

    def fetch(self, commit: str, directory: Path, history: Path) -> str:
        """Check the commit out in ``directory``, and return the branch that has it: the default one if it does.

        Both directories are made; ``history`` is of no use afterwards.

        Raises:
            GitRefNotFound: No branch has it.
            TaxiwayError: The remote cannot be reached, or git fails.
        """
        tips, default = self._tips()
        having = [name for name, tip in tips.items() if tip == commit] or self._branches_with(commit, history)
        if not having:
            raise GitRefNotFound(
                f"No branch of {self.remote.display} has the commit {commit}.",
                hint="Push the branch that it is on, and compare the id with 'git rev-parse HEAD'.",
            )
        self._check_out(commit, directory)
        return default if default in having else min(having)

    def _tips(self) -> tuple[Mapping[str, str], str]:
        """The newest commit of each branch, and the name of the default branch; empty if there is none."""
        listed = self._checked("ls-remote", "--quiet", "--symref", "--", self.remote.url, "HEAD", f"{_HEADS}*")
        tips: dict[str, str] = {}
        default = ""
        for line in listed.stdout.splitlines():
            value, _, name = line.partition("\t")
            if name.startswith(_HEADS):
                tips[name.removeprefix(_HEADS)] = value
            elif name == "HEAD" and value.startswith("ref: "):
                default = value.removeprefix("ref: ").removeprefix(_HEADS)
        return tips, default

    def _branches_with(self, commit: str, history: Path) -> list[str]:
        self._checked("init", "--quiet", "--bare", "--template=", str(history))
        inside = ("-C", str(history))
        # By name: git remembers of a remote, not of an address, that files are left out.
        self._checked(*inside, "config", "remote.origin.url", self.remote.url)
        self._checked(*inside, *_QUIETLY, "--filter=tree:0", "origin", f"+{_HEADS}*:{_HEADS}*")
        # Asked of what is there: "--contains" would fail for an id that is not, or fetch what is behind it.
        if commit not in self._checked(*inside, "rev-list", "--all").stdout.split():
            return []
        name = "--format=%(refname:lstrip=2)"
        return self._checked(*inside, "for-each-ref", f"--contains={commit}", name, _HEADS).stdout.splitlines()

    def _check_out(self, commit: str, directory: Path) -> None:
        self._checked("init", "--quiet", "--template=", str(directory))
        inside = ("-C", str(directory))
        self._checked(*inside, *_QUIETLY, "--depth=1", "--", self.remote.url, commit)
        self._checked(*inside, "checkout", "--quiet", "--detach", commit)

    def _checked(self, *arguments: str) -> Finished:
        finished = self.run(*arguments)
        if finished.returncode:
            raise explain(finished.stderr, self.remote)
        return finished
