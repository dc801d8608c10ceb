import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.git_server import GitServer
from taxiway import errors
from taxiway.secret import Secret
from taxiway.sources.git import GitRepository, checkout
from tests.integration.sources.conftest import Recording, Upstream

PREFIX = "127.0.0.1"


def failure(
    repository: GitRepository, branch: str | None = "trunk", *, seconds: float = 60
) -> errors.TaxiwayError:
    with pytest.raises(errors.TaxiwayError) as caught, checkout(repository, branch, timeout_seconds=seconds):
        pass
    assert caught.value.hint
    return caught.value


def another_key(tmp_path: Path, *, passphrase: str = "") -> Path:
    path = tmp_path / "another"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that accepts connections and never says a word."""
    with socket.create_server((PREFIX, 0)) as server:
        yield server.getsockname()[1]


def test_a_branch_that_is_not_there_is_named_with_its_nearest(repository: GitRepository) -> None:
    error = failure(repository, "devlop")
    assert isinstance(error, errors.GitRefNotFound)
    assert error.message == f"{repository.url} has no branch 'devlop'."
    assert error.hint == "Did you mean 'develop'?"


def test_for_a_branch_that_resembles_no_other_all_are_named(repository: GitRepository) -> None:
    hint = str(failure(repository, "2025").hint)
    assert "trunk" in hint
    assert "push yours first" in hint


def test_a_tag_is_not_a_branch(repository: GitRepository) -> None:
    error = failure(repository, "v1")
    assert isinstance(error, errors.GitRefNotFound)
    assert "'v1' is a tag" in error.message


def test_an_empty_repository_has_no_commit(git_server: GitServer, repository: GitRepository) -> None:
    (git_server.root / "empty.git").mkdir(exist_ok=True)
    Upstream(git_server.root / "empty.git").git("init", "--quiet", "--bare")
    error = failure(replace(repository, url=git_server.url("empty")), None)
    assert isinstance(error, errors.GitRefNotFound)
    assert "no commit on its default branch" in error.message


def test_a_branch_name_that_could_be_an_option_never_reaches_git(
    repository: GitRepository, recording: Recording
) -> None:
    assert isinstance(failure(repository, "--upload-pack=touch /tmp/x"), errors.InvalidOption)
    assert recording.count("git") == 0


def test_a_branch_name_is_one_argument(repository: GitRepository, recording: Recording) -> None:
    assert isinstance(failure(repository, "x;id$(id)`id`"), errors.GitRefNotFound)
    assert "\n--branch=x;id$(id)`id`\n" in recording.text()


def test_a_repository_that_is_not_there(git_server: GitServer, repository: GitRepository) -> None:
    error = failure(replace(repository, url=git_server.url("nothing")))
    assert isinstance(error, errors.GitRepositoryNotFound)
    assert "nothing.git" in error.message


def test_a_directory_on_this_machine_that_is_no_repository(tmp_path: Path) -> None:
    assert isinstance(failure(GitRepository(url=str(tmp_path))), errors.GitRepositoryNotFound)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_repository_of_another_user_can_be_read_once_it_is_given_to_us(
    upstream: Upstream, tmp_path: Path
) -> None:
    repository = GitRepository(url=str(shutil.copytree(upstream.path, tmp_path / "theirs.git")))
    os.chown(repository.url, 12345, -1)
    error = failure(repository)
    assert isinstance(error, errors.GitFailed)
    assert "belongs to another user" in error.message
    assert "chown" in str(error.hint)
    os.chown(repository.url, os.geteuid(), -1)
    with checkout(repository, "trunk") as found:
        assert found.branch == "trunk"


def test_a_key_that_the_host_does_not_know(repository: GitRepository, tmp_path: Path) -> None:
    stranger = Secret(another_key(tmp_path).read_text())
    error = failure(replace(repository, private_key=stranger))
    assert isinstance(error, errors.GitAuthRejected)
    assert "deploy key" in str(error.hint)


def test_no_key_at_all(repository: GitRepository) -> None:
    assert isinstance(failure(replace(repository, private_key=None)), errors.GitAuthRejected)


def test_a_key_that_was_damaged_on_its_way(repository: GitRepository) -> None:
    text = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\n"
    error = failure(replace(repository, private_key=Secret(text)))
    assert isinstance(error, errors.SecretMalformed)
    assert "MIIEow" not in f"{error} {error.hint}"


def test_a_key_with_a_passphrase(repository: GitRepository, tmp_path: Path) -> None:
    protected = Secret(another_key(tmp_path, passphrase="long enough").read_text())
    error = failure(replace(repository, private_key=protected))
    assert isinstance(error, errors.SecretMalformed)
    assert "passphrase" in error.message


def test_a_host_with_another_key_than_the_known_one(repository: GitRepository, tmp_path: Path) -> None:
    other = " ".join(another_key(tmp_path).with_suffix(".pub").read_text().split()[:2])
    host = str(repository.known_hosts).split()[0]
    error = failure(replace(repository, known_hosts=f"{host} {other}\n"))
    assert isinstance(error, errors.GitHostKeyRejected)
    assert "may be somebody else" in error.message


@pytest.mark.parametrize("known_hosts", ["", None], ids=["none", "those of GitHub"])
def test_a_host_whose_key_is_not_known(repository: GitRepository, known_hosts: str | None) -> None:
    error = failure(replace(repository, known_hosts=known_hosts))
    assert isinstance(error, errors.GitHostKeyRejected)
    assert "is not known" in error.message


def test_a_port_where_nobody_listens(repository: GitRepository) -> None:
    with socket.create_server((PREFIX, 0)) as server:
        port = server.getsockname()[1]
    error = failure(replace(repository, url=f"ssh://git@{PREFIX}:{port}/x.git"))
    assert isinstance(error, errors.GitUnreachable)
    assert f"{PREFIX}:{port}" in error.message


def test_a_host_that_has_no_address(repository: GitRepository) -> None:
    error = failure(replace(repository, url="git@nowhere.invalid:x.git"))
    assert isinstance(error, errors.GitUnreachable)


def test_a_server_that_says_nothing_is_given_up_in_time(repository: GitRepository, silent_port: int) -> None:
    started = time.monotonic()
    error = failure(replace(repository, url=f"ssh://git@{PREFIX}:{silent_port}/x.git"), seconds=0.5)
    assert isinstance(error, errors.GitUnreachable)
    assert "within 0.5 s" in error.message
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(("present", "missing"), [((), "git"), (("git",), "ssh")])
def test_a_missing_program_is_named(
    repository: GitRepository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    present: tuple[str, ...],
    missing: str,
) -> None:
    for name in present:
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tmp_path))
    error = failure(repository)
    assert isinstance(error, errors.GitUnavailable)
    assert f"'{missing}'" in error.message


def test_a_repository_on_this_machine_needs_no_ssh(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(tmp_path))
    with checkout(GitRepository(url=str(upstream.path)), None) as found:
        assert found.branch == "trunk"
