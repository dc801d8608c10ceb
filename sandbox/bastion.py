"""A bastion: an SSH server that lets the holder of one key through to one port, and does nothing else.

A real ``sshd`` where there is one; ``asyncssh`` otherwise, in a process of its own.
Both read the same ``authorized_keys``, with ``permitopen``.

Terminology:

host of the private network
    A name that only the bastion can resolve, and where on this machine its port is.
"""

import argparse
import asyncio
import getpass
import json
import os
import shutil
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from sandbox.git_server import make_key
from sandbox.process import ChildProcess, Part, report_ready, start_module

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncssh

_HOST: Final = "127.0.0.1"

_SSHD: Final = """\
Port {port}
ListenAddress {address}
HostKey {host_key}
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile {authorized_keys}
AllowAgentForwarding no
X11Forwarding no
PermitTTY no
PermitUserRC no
LogLevel VERBOSE
"""

# A name of the private network is known to the bastion alone: it has an /etc/hosts of its own.
_WITH_HOSTS: Final = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


def find_sshd() -> str | None:
    """The server, where names of the private network can be given to it: that takes root, on Linux."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    can_mount = os.geteuid() == 0 and shutil.which("unshare") is not None
    return program if program and can_mount else None


class Bastion(Part):
    """One bastion, for ``user``, which forwards to one host and port.

    Attributes:
        user: Who logs in.
        address: Where it listens.
    """

    def __init__(
        self, directory: Path, *, name: str, port: int, sshd: str | None, address: str = _HOST, there: str = _HOST
    ) -> None:
        """``name`` and ``port``: where it leads to; ``there``: the address of that. Without ``sshd``: asyncssh."""
        super().__init__(directory)
        self.address = address
        self.user = getpass.getuser() if sshd else "tunnel"
        self._sshd, self._name, self._to_port, self._there = sshd, name, port, there
        self._host_key, self._key = directory / "host_key", directory / "key"

    def start(self) -> Self:
        """Make the keys and start the server.

        Raises:
            StartFailed: It did not start.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        make_key(self._host_key, comment="sandbox bastion")
        make_key(self._key, comment="sandbox tunnel key")
        public = self._key.with_suffix(".pub").read_text().strip()
        restrict = "restrict,port-forwarding" if self._sshd else "no-agent-forwarding,no-X11-forwarding,no-pty"
        authorized = self.directory / "authorized_keys"
        authorized.write_text(f'{restrict},permitopen="{self._name}:{self._to_port}" {public}\n')
        if self._sshd:
            self._start_sshd(self._sshd, authorized)
        else:
            self._start_asyncssh(authorized)
        return self

    @property
    def host_key(self) -> str:
        """The public host key."""
        return " ".join(self._host_key.with_suffix(".pub").read_text().split()[:2])

    @property
    def private_key(self) -> str:
        """What lets its user in."""
        return self._key.read_text()

    @property
    def log(self) -> str:
        """What the server has written."""
        return (self.directory / "log").read_text(errors="replace")

    def _start_sshd(self, sshd: str, authorized: Path) -> None:
        self.port = _free_port(self.address)
        configuration, hosts = self.directory / "sshd_config", self.directory / "hosts"
        configuration.write_text(
            _SSHD.format(port=self.port, address=self.address, host_key=self._host_key, authorized_keys=authorized)
        )
        hosts.write_text(f"127.0.0.1 localhost\n{self._there} {self._name}\n")
        hosts.chmod(0o644)
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._process = ChildProcess(
            "sshd",
            [
                "unshare",
                "--mount",
                "/bin/sh",
                "-c",
                _WITH_HOSTS,
                "sh",
                hosts,
                sshd,
                "-D",
                "-e",
                "-f",
                configuration,
            ],
            environment={"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
            log=self.directory / "log",
            signals=(signal.SIGTERM, signal.SIGKILL),
        )
        self._process.wait_until(lambda: _answers(self.address, self.port))

    def _start_asyncssh(self, authorized: Path) -> None:
        options = {
            "host_key": str(self._host_key),
            "authorized_keys": str(authorized),
            "address": self.address,
            "user": self.user,
            "name": self._name,
            "port": self._to_port,
            "there": self._there,
        }
        self._process = start_module(
            "sandbox.bastion", ["--options", json.dumps(options)], directory=self.directory
        )
        self.port = int((self.directory / "ready").read_text())


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


# --- asyncssh, in a process of its own ---


async def _serve(options: dict[str, str], ready: Path) -> None:
    import asyncssh  # slow to import, and needed in this process only

    async def forward(reader: "asyncssh.SSHReader[bytes]", writer: "asyncssh.SSHWriter[bytes]") -> None:
        there, back = await asyncio.open_connection(options["there"], int(options["port"]))

        async def outwards() -> None:
            with suppress(OSError):
                while content := await reader.read(32768):
                    back.write(content)
                    await back.drain()
            back.close()

        async def inwards() -> None:
            with suppress(OSError):
                while content := await there.read(32768):
                    writer.write(content)
                    await writer.drain()
            writer.close()

        await asyncio.gather(outwards(), inwards(), return_exceptions=True)

    class Server(asyncssh.SSHServer):
        """Knows one user, and one host."""

        def connection_made(self, conn: "asyncssh.SSHServerConnection") -> None:
            self._connection = conn

        def begin_auth(self, username: str) -> bool:
            if username == options["user"]:
                self._connection.set_authorized_keys(options["authorized_keys"])
            return True

        def connection_requested(
            self, dest_host: str, dest_port: int, _orig_host: str, _orig_port: int
        ) -> "bool | Callable[[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]], Awaitable[None]]":
            """With the key's own limits, which asyncssh has looked at before."""
            is_known = (dest_host, dest_port) == (options["name"], int(options["port"]))
            return forward if is_known else False

    acceptor = await asyncssh.create_server(
        Server,
        options["address"],
        0,
        server_host_keys=[options["host_key"]],
        encoding=None,
        allow_pty=False,
        agent_forwarding=False,
    )
    report_ready(ready, acceptor.get_port())
    await acceptor.wait_closed()


def main() -> None:
    """Serve until ended by a signal."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.bastion", description="An SSH bastion.")
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--options", type=json.loads, required=True)
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.options, arguments.ready))


if __name__ == "__main__":
    main()
