"""A Git host: repositories served over real SSH to the holder of one read-only deploy key.

It does what GitHub does for a deploy key without write access, and nothing else: ``git-upload-pack`` of the
repositories below one root directory. The SSH server runs in a process of its own
(``python -m sandbox.git_server``) and starts the real git.

Terminology:

deploy key
    An SSH key pair that belongs to a repository instead of a person.
known_hosts line
    The host's name and public key as OpenSSH wants them: how a client knows that the host is this host.
"""

import argparse
import asyncio
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from sandbox.process import Part, report_ready, start_module

if TYPE_CHECKING:
    import asyncssh

_HOST: Final = "127.0.0.1"
_USER: Final = "git"
_REFUSED: Final = 128

# What the deploy key may not be used for besides; asyncssh does not know the short form "restrict".
_KEY_OPTIONS: Final = "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-pty"


class GitServer(Part):
    """One Git host.

    Attributes:
        root: Put bare repositories here; they are served at once.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.root = directory / "repositories"
        self._host_key = directory / "host_key"
        self._deploy_key = directory / "deploy_key"

    def start(self) -> Self:
        """Make the keys and start the server.

        Raises:
            StartFailed: It did not start.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        make_key(self._host_key, comment="sandbox host")
        make_key(self._deploy_key, comment="sandbox deploy key")
        authorized = self.directory / "authorized_keys"
        authorized.write_text(f"{_KEY_OPTIONS} {_public_half(self._deploy_key)}\n")
        options: list[str | Path] = [
            "--root",
            self.root,
            "--host-key",
            self._host_key,
            "--authorized-keys",
            authorized,
        ]
        self._process = start_module(
            "sandbox.git_server", [*options, "--authorized-keys", authorized], directory=self.directory
        )
        self.port = int((self.directory / "ready").read_text())
        return self

    def authorize(self, public: str) -> None:
        """Let the holder of another key in, as registering a deploy key does. It holds for the next connection."""
        with (self.directory / "authorized_keys").open("a") as file:
            file.write(f"{_KEY_OPTIONS} {public}\n")

    def url(self, repository: str) -> str:
        """The address of a repository below the root: ``ssh://git@127.0.0.1:PORT/sample-project.git``."""
        return f"ssh://{_USER}@{_HOST}:{self.port}/{repository}.git"

    @property
    def known_hosts(self) -> str:
        """The known_hosts line of this server."""
        algorithm, key, *_ = _public_half(self._host_key).split()
        return f"[{_HOST}]:{self.port} {algorithm} {key}\n"

    @property
    def private_key(self) -> str:
        """The private half of the deploy key, as OpenSSH writes it."""
        return self._deploy_key.read_text()


def make_key(path: Path, *, comment: str) -> None:
    """An ed25519 key pair without a passphrase: ``path``, and ``path.pub``. Replaces what is there."""
    path.unlink(missing_ok=True)
    command: list[str | Path] = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _public_half(key: Path) -> str:
    return key.with_name(key.name + ".pub").read_text().strip()


# --- the server's own process ---


def find_repository(root: Path, command: str | None) -> Path | None:
    """The repository that an SSH command asks for; None unless it is ``git-upload-pack`` of one below the root.

    Decided on the path that is left when every ``..`` and symbolic link is resolved.
    """
    try:
        program, argument = shlex.split(command or "")
    except ValueError:
        return None
    if program != "git-upload-pack":
        return None
    root = root.resolve()
    path = (root / argument.lstrip("/")).resolve()
    is_below = path != root and path.is_relative_to(root)
    return path if is_below and (path / "HEAD").is_file() else None


async def _serve_request(root: Path, request: "asyncssh.SSHServerProcess[bytes]") -> None:
    repository = find_repository(root, request.command)
    if repository is None:
        # GitHub's words for a repository that is not there or not shown to this key.
        request.stderr.write(b"ERROR: Repository not found.\n")
        request.exit(_REFUSED)
        return
    git = await asyncio.create_subprocess_exec(
        *("git", "upload-pack", "--strict", str(repository)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_git_environment(request.env),
    )
    await request.redirect(stdin=git.stdin, stdout=git.stdout, stderr=git.stderr)
    await request.stdout.drain()
    request.exit(await git.wait())


def _git_environment(requested: Mapping[str, str]) -> dict[str, str]:
    """No configuration but the repository's; of what the client sent, the version of the protocol only."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    if protocol := requested.get("GIT_PROTOCOL"):
        environment["GIT_PROTOCOL"] = protocol
    return environment


async def _serve(root: Path, host_key: Path, authorized_keys: Path, ready: Path) -> None:
    import asyncssh  # slow to import, and needed in this process only

    class Server(asyncssh.SSHServer):
        """Knows one user."""

        def connection_made(self, conn: "asyncssh.SSHServerConnection") -> None:
            self._connection = conn

        def begin_auth(self, username: str) -> bool:
            # Without keys of its own, every other user is refused like a stranger's key.
            if username == _USER:
                self._connection.set_authorized_keys(str(authorized_keys))
            return True

    acceptor = await asyncssh.create_server(
        Server,
        _HOST,
        0,
        server_host_keys=[str(host_key)],
        process_factory=lambda request: _serve_request(root, request),
        encoding=None,
        allow_pty=False,
        agent_forwarding=False,
    )
    report_ready(ready, acceptor.get_port())
    await acceptor.wait_closed()


def main() -> None:
    """Serve until ended by a signal."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.git_server", description="A read-only Git host.")
    for option in ("--root", "--host-key", "--authorized-keys", "--ready"):
        parser.add_argument(option, type=Path, required=True)
    options = parser.parse_args()
    asyncio.run(_serve(options.root, options.host_key, options.authorized_keys, options.ready))


if __name__ == "__main__":
    main()
