"""One commit of a Git repository, in a directory of its own, for as long as it is needed.

What is in the directory follows from the commit alone. Of Git's conversions (gitattributes(5)) those remain
that the repository asks for itself, in its ``.gitattributes``: ``eol``, ``ident`` and ``working-tree-encoding``,
so that the files are those of every other clone. Settings of the machine or the user have no part in it; filters
(Git LFS) do not run, and submodules and tags are not fetched.

Over SSH the host must show a key that is known beforehand. With a private key nothing else is used to log in;
without one, ssh uses the keys, the agent and the configuration of the user who runs it, for developers at their
own machine. Which host keys count is no matter of that configuration in either case.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from taxiway.errors import GitRefNotFound, NoTemporaryDirectory, TaxiwayError
from taxiway.nearest import find_nearest
from taxiway.secret import Secret
from taxiway.sources.git_branch import check_branch_name
from taxiway.sources.git_by_commit import CommitFetcher
from taxiway.sources.git_commit import parse_commit_id
from taxiway.sources.git_errors import explain, is_branch_missing, timed_out
from taxiway.sources.git_process import Finished, Git, TimedOut, environment, find_program, ssh_command
from taxiway.sources.git_remote import Remote, Transport, github_url
from taxiway.sources.known_hosts import SHIPPED_KNOWN_HOSTS
from taxiway.sources.private_file import private_file
from taxiway.sources.private_key import normalise_private_key

__all__ = ["Checkout", "GitRepository", "checkout", "github_url"]

_DEFAULT_TIMEOUT_SECONDS = 300.0
_BRANCHES_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRepository:
    """Where the repository is and how to get in.

    Attributes:
        url: An SSH URL, an scp-like address, an HTTPS URL of a public repository, or a path.
        private_key: What to log in with over SSH; PEM or OpenSSH format, without a passphrase.
        known_hosts: Lines of a known_hosts file; None for the keys that Taxiway ships (GitHub's).
    """

    url: str
    private_key: Secret | None = None
    known_hosts: str | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files of one commit. ``repository`` is its address for people, without credentials."""

    directory: Path
    branch: str
    commit: str
    repository: str


@contextmanager
def checkout(
    repository: GitRepository,
    branch: str | None,
    *,
    commit: str | None = None,
    timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS,
) -> Iterator[Checkout]:
    """The newest commit of a branch (None: of the default branch), fetched over a single connection.

    With ``commit``, a whole id, it is that one. It has to be on a branch of the repository: a host such as GitHub
    also hands out what strangers have pushed to their forks. That takes two connections, and a third one that
    fetches the history, without any file, if it is not the newest commit of a branch.

    The directory is gone when the block ends, however it ends, and so is every process that was started. The
    private key is on no disk and in no argument or variable of any process. (Where the system cannot keep files
    in memory it is in a directory that only its owner can enter, while git runs.)

    Raises:
        InvalidOption: The address, the name of the branch or the id of the commit cannot be used.
        NoTemporaryDirectory: There is no place for the files.
        SecretMalformed: The private key is none, or needs a passphrase.
        GitUnavailable, GitUnreachable, GitHostKeyRejected, GitAuthRejected: We did not get to the repository.
        GitRepositoryNotFound, GitRefNotFound: There is no such repository, or no such branch or commit in it.
        GitFailed: Anything else that git says no to.
    """
    if branch is not None:
        check_branch_name(branch)
    wanted = parse_commit_id(commit) if commit is not None else None
    remote = Remote.parse(repository.url)
    with _temporary_directory() as home:
        with _connection(repository, remote, Path(home), timeout_seconds) as connection:
            found = connection.fetch(wanted, Path(home)) if wanted else connection.clone(branch, Path(home))
        yield found


def _temporary_directory() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="taxiway-")
    except OSError as error:
        raise NoTemporaryDirectory(
            f"No temporary directory can be made: {error.strerror or error}.",
            hint="Make /tmp writable for the task's user, or set TMPDIR to a directory that is.",
        ) from error


@contextmanager
def _connection(
    repository: GitRepository, remote: Remote, home: Path, timeout_seconds: float
) -> Iterator["_Connection"]:
    program = find_program("git")
    deadline = time.monotonic() + timeout_seconds
    with ExitStack() as files:
        command = _ssh_command(repository, files) if remote.transport is Transport.SSH else None
        variables = environment(home, command, with_agent=repository.private_key is None)
        git = Git(program=program, environment=variables, deadline=deadline)
        yield _Connection(git, remote, timeout_seconds)


def _ssh_command(repository: GitRepository, files: ExitStack) -> str:
    lines = SHIPPED_KNOWN_HOSTS if repository.known_hosts is None else repository.known_hosts
    known_hosts = files.enter_context(private_file(lines.encode("utf-8", "surrogateescape")))
    if repository.private_key is None:
        return ssh_command(known_hosts=known_hosts, private_key=None)
    key = normalise_private_key(repository.private_key).reveal().encode()
    return ssh_command(known_hosts=known_hosts, private_key=files.enter_context(private_file(key)))


@dataclass(frozen=True, slots=True)
class _Connection:
    """git, ready to talk to one remote."""

    git: Git
    remote: Remote
    timeout_seconds: float

    def fetch(self, commit: str, home: Path) -> Checkout:
        """Fetch and check out this commit; see :func:`checkout`."""
        directory = home / "checkout"
        branch = CommitFetcher(self._run, self.remote).fetch(commit, directory, home / "history")
        return Checkout(directory, branch, commit, self.remote.display)

    def clone(self, branch: str | None, home: Path) -> Checkout:
        """Fetch and check out the newest commit of a branch; see :func:`checkout`."""
        directory = home / "checkout"
        options = [
            "--quiet",
            "--depth=1",
            "--single-branch",
            "--no-tags",
            "--no-recurse-submodules",
            "--template=",
        ]
        if branch is not None:
            options.append(f"--branch={branch}")
        cloned = self._run("clone", *options, "--", self.remote.url, str(directory))
        if cloned.returncode:
            raise self._why_not_cloned(branch, cloned.stderr)
        return self._look(branch, directory)

    def _look(self, branch: str | None, directory: Path) -> Checkout:
        """What has been checked out: git is content with a tag, and with no commit at all."""
        head = self._run("-C", str(directory), "rev-parse", "--verify", "--quiet", "HEAD")
        if head.returncode:
            raise GitRefNotFound(
                f"{self.remote.display} has no commit on its default branch.",
                hint="Push the migrations, or name the branch that they are on.",
            )
        reference = self._run("-C", str(directory), "symbolic-ref", "--quiet", "HEAD")
        if reference.returncode:
            raise self._no_branch(branch)
        name = reference.stdout.removeprefix("refs/heads/")
        return Checkout(directory, name, head.stdout, self.remote.display)

    def _no_branch(self, branch: str | None) -> GitRefNotFound:
        if branch is None:
            message = f"{self.remote.display} has no default branch."
        else:
            message = f"'{branch}' is a tag of {self.remote.display}, not a branch."
        return GitRefNotFound(message, hint="Name a branch.")

    def _why_not_cloned(self, branch: str | None, stderr: str) -> TaxiwayError:
        if branch is None or not is_branch_missing(stderr):
            return explain(stderr, self.remote)
        branches = self._branches()
        if nearest := find_nearest(branch, branches):
            hint = f"Did you mean '{nearest}'?"
        elif branches:
            hint = f"Name one that it has ({', '.join(sorted(branches)[:_BRANCHES_SHOWN])}), or push yours first."
        else:
            hint = f"Push it first: git push origin {branch}"
        return GitRefNotFound(f"{self.remote.display} has no branch '{branch}'.", hint=hint)

    def _branches(self) -> list[str]:
        """All branches, for a hint; none when that fails. A connection of its own, after a failure only."""
        try:
            listed = self.git.run("ls-remote", "--quiet", "--heads", "--", self.remote.url)
        except TimedOut:
            return []
        return [line.partition("refs/heads/")[2] for line in listed.stdout.splitlines()]

    def _run(self, *arguments: str) -> Finished:
        try:
            return self.git.run(*arguments)
        except TimedOut:
            raise timed_out(self.remote, self.timeout_seconds) from None
