"""The Git host serves its repositories to the holder of the deploy key, and nothing else to anybody."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.git_server import GitServer, find_repository, make_key
from sandbox.repository import make_repository


@dataclass(frozen=True)
class Client:
    """git and ssh as a stranger to this machine would have them: no configuration, one key, one known host."""

    directory: Path
    server: GitServer

    def git(
        self, *arguments: str, key: Path | None = None, user: str = "git"
    ) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_SSH_COMMAND": " ".join([*self._ssh(key), "-l", user]),
        }
        return subprocess.run(["git", *arguments], check=False, capture_output=True, text=True, env=environment)

    def ssh(self, command: str) -> "subprocess.CompletedProcess[str]":
        arguments = [*self._ssh(None), "-p", str(self.server.port), "git@127.0.0.1", command]
        return subprocess.run(arguments, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def _ssh(self, key: Path | None) -> list[str]:
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self.directory / "known_hosts"),
            "GlobalKnownHostsFile": "/dev/null",
        }
        identity = str(key or self.directory / "key")
        return [
            "ssh",
            "-F",
            "/dev/null",
            "-i",
            identity,
            *(f"-o{name}={value}" for name, value in options.items()),
        ]


@pytest.fixture(scope="module")
def commits(git_server: GitServer) -> dict[str, str]:
    return make_repository(git_server.root / "sample-project.git")


@pytest.fixture
def client(git_server: GitServer, commits: dict[str, str], tmp_path: Path) -> Client:
    (tmp_path / "known_hosts").write_text(git_server.known_hosts)
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text(git_server.private_key)
    return Client(tmp_path, git_server)


def test_the_deploy_key_clones_a_branch(client: Client, commits: dict[str, str], tmp_path: Path) -> None:
    url = client.server.url("sample-project")
    clone = client.git("clone", "--branch", "develop", "--depth", "1", url, str(tmp_path / "clone"))
    assert clone.returncode == 0, clone.stderr
    assert client.git("-C", str(tmp_path / "clone"), "rev-parse", "HEAD").stdout.strip() == commits["develop"]
    assert (tmp_path / "clone/sql/V1.1.0__CreateProductTable.sql").is_file()


def test_a_commit_can_be_asked_for_by_its_id_without_its_files(
    client: Client, commits: dict[str, str], tmp_path: Path
) -> None:
    url, clone = client.server.url("sample-project"), str(tmp_path / "clone")
    client.git("init", clone)
    fetch = client.git("-C", clone, "fetch", "--depth=1", "--filter=blob:none", url, commits["develop"])
    assert fetch.returncode == 0, fetch.stderr
    assert "filtering not recognized" not in fetch.stderr


def test_protocol_version_2_is_spoken(client: Client) -> None:
    listing = client.git(
        *(
            "-c",
            "protocol.version=2",
            "ls-remote",
            "--server-option=x",
            client.server.url("sample-project"),
            "main",
        )
    )
    assert listing.returncode == 0, listing.stderr
    assert "refs/heads/main" in listing.stdout


def test_another_key_is_refused(client: Client, tmp_path: Path) -> None:
    make_key(tmp_path / "other", comment="stranger")
    listing = client.git("ls-remote", client.server.url("sample-project"), key=tmp_path / "other")
    assert listing.returncode == 128
    assert "Permission denied" in listing.stderr


def test_another_user_is_refused(client: Client) -> None:
    url = client.server.url("sample-project").replace("git@", "root@")
    listing = client.git("ls-remote", url, user="root")
    assert listing.returncode == 128
    assert "Permission denied" in listing.stderr


def test_another_host_key_is_noticed(client: Client, tmp_path: Path) -> None:
    make_key(tmp_path / "impostor", comment="impostor")
    algorithm, key, _ = (tmp_path / "impostor.pub").read_text().split()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{client.server.port} {algorithm} {key}\n")
    listing = client.git("ls-remote", client.server.url("sample-project"))
    assert listing.returncode == 128
    assert "Host key verification failed" in listing.stderr


def test_pushing_is_refused(client: Client, tmp_path: Path) -> None:
    url, clone = client.server.url("sample-project"), str(tmp_path / "clone")
    client.git("clone", url, clone)
    push = client.git("-C", clone, "push", "origin", "HEAD:refs/heads/mine")
    assert push.returncode == 128
    assert "ERROR: Repository not found." in push.stderr


@pytest.mark.parametrize(
    "command",
    [
        "id",
        "git-receive-pack '/sample-project.git'",
        "git-upload-archive '/sample-project.git'",
        "git-upload-pack '/sample-project.git' extra",
        "git-upload-pack '/sample-project.git'; id",
        "git-upload-pack '/nothing.git'",
        "git-upload-pack 'unfinished",
    ],
)
def test_every_other_command_is_refused(client: Client, command: str) -> None:
    result = client.ssh(command)
    assert (result.returncode, result.stdout) == (128, "")
    assert "ERROR: Repository not found." in result.stderr


def test_a_shell_and_a_tunnel_are_refused(client: Client) -> None:
    assert client.ssh("").returncode == 128
    port = client.server.port
    tunnel = subprocess.run(
        [*client._ssh(None), "-p", str(port), "-W", f"127.0.0.1:{port}", "git@127.0.0.1"],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert tunnel.returncode == 255
    assert "open failed" in tunnel.stderr


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for repository in (root / "a.git", root / "team/b.git", tmp_path / "outside.git"):
        repository.mkdir(parents=True)
        (repository / "HEAD").write_text("ref: refs/heads/main\n")
    (root / "link.git").symlink_to(tmp_path / "outside.git")
    return root


@pytest.mark.parametrize(
    ("argument", "found"), [("/a.git", "a.git"), ("a.git", "a.git"), ("/team/b.git", "team/b.git")]
)
def test_a_repository_at_any_depth_is_found(root: Path, argument: str, found: str) -> None:
    assert find_repository(root, f"git-upload-pack '{argument}'") == (root / found).resolve()


@pytest.mark.parametrize(
    "argument",
    [
        "/../outside.git",
        "../outside.git",
        "/team/../../outside.git",
        "//../outside.git",
        "/link.git",
        "/",
        "",
        ".",
    ],
)
def test_no_path_leads_out_of_the_root(root: Path, argument: str) -> None:
    assert find_repository(root, f"git-upload-pack '{argument}'") is None
