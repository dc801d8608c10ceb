"""Further branches on the Git host of a world."""

import subprocess

from sandbox.world import REPOSITORY, World


def add_branch(world: World, branch: str, path: str, text: str, *, start: str = "develop") -> None:
    """A branch with one more file on the Git host."""
    work = world.directory / f"work-{branch}"
    repository = world.git.root / f"{REPOSITORY}.git"
    _git("clone", "--quiet", "--branch", start, str(repository), str(work))
    (work / path).write_text(text)
    inside = ("-C", str(work), "-c", "user.name=Test", "-c", "user.email=test@example.com")
    _git(*inside, "add", "--all")
    _git(*inside, "commit", "--quiet", "--message", f"Add {path}")
    _git(*inside, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)
