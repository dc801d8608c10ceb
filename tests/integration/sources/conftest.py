"""A repository on the Git host of the sandbox, and what the tests look at to see what git and ssh were told."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.git_server import GitServer
from taxiway.secret import Secret
from taxiway.sources.git import GitRepository

_CLEAN = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}

SCRIPT = b"select 1;\r\nselect 2;\n"


@dataclass(frozen=True)
class Upstream:
    """A bare repository: branches ``trunk`` (the default), ``develop`` and ``outside``; tag ``v1``; LF and CRLF."""

    path: Path

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=_CLEAN).stdout.strip()

    def commit_of(self, branch: str) -> str:
        return self.git("rev-parse", f"refs/heads/{branch}")


def commit(work: Path, message: str) -> None:
    for command in (["add", "--all"], ["commit", "--quiet", "--message", message]):
        subprocess.run(["git", "-C", str(work), *command], check=True, env=_CLEAN)


def make_upstream(path: Path, work: Path) -> Upstream:
    upstream = Upstream(path)
    path.mkdir(parents=True)
    upstream.git("init", "--quiet", "--bare", "--initial-branch=trunk")
    work.mkdir()
    here = Upstream(work)
    here.git("init", "--quiet", "--initial-branch=trunk")
    (work / "sql").mkdir()
    (work / "sql/V1__a.sql").write_bytes(SCRIPT)
    commit(work, "First")
    here.git("tag", "v1")
    (work / "sql/V2__b.sql").write_bytes(SCRIPT)
    commit(work, "Second")
    here.git("checkout", "--quiet", "-b", "outside")
    (work / "sql/V3__c.sql").symlink_to("/etc/passwd")
    commit(work, "Link out of the repository")
    here.git("checkout", "--quiet", "-b", "develop", "trunk")
    (work / "sql/V3__product.sql").write_bytes(SCRIPT)
    commit(work, "Product")
    here.git("push", "--quiet", str(path), "trunk", "develop", "outside", "v1")
    return upstream


@pytest.fixture(scope="session")
def upstream(git_server: GitServer, tmp_path_factory: pytest.TempPathFactory) -> Upstream:
    return make_upstream(git_server.root / "shop-db.git", tmp_path_factory.mktemp("work") / "work")


@pytest.fixture
def repository(git_server: GitServer, upstream: Upstream) -> GitRepository:
    """The repository with everything that it takes to get in."""
    return GitRepository(
        url=git_server.url("shop-db"),
        private_key=Secret(git_server.private_key),
        known_hosts=git_server.known_hosts,
    )


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which everything temporary is made."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@dataclass(frozen=True)
class Recording:
    """What every git and ssh that we started was given, and which temporary files then had a private key."""

    directory: Path

    def text(self) -> str:
        return "\n".join(path.read_text() for path in self.directory.glob("*.*"))

    def files_with_keys(self) -> str:
        return (self.directory / "keys").read_text()

    def count(self, program: str) -> int:
        return len(list(self.directory.glob(f"{program}.*")))


@pytest.fixture
def recording(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    """git and ssh write down their arguments and variables before they do what they always do."""
    programs, records = tmp_path / "programs", tmp_path / "records"
    programs.mkdir()
    records.mkdir()
    for name in ("git", "ssh"):
        wrapper = programs / name
        wrapper.write_text(
            "#!/bin/sh\n"
            f'{{ printf "%s\\n" "$0" "$@"; env; }} > {records}/{name}.$$\n'
            f'grep -rl PRIVATE "$HOME" {temporary} >> {records}/keys\n'
            f'exec {shutil.which(name)} "$@"\n'
        )
        wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return Recording(records)
