"""A link through an SSH bastion: the ``ssh`` program, with one forwarding from a socket that only we can reach.

Who the bastion is has to be known beforehand. With host keys of our own nothing else counts; without, the
``known_hosts`` of the user does, and is never added to. With a key of our own nothing else is used to log in, and
the user's configuration has no say; without, ssh uses that configuration, the user's keys and the user's agent.
"""

import asyncio
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taxiway.errors import BastionUnreachable, InvalidOption, NoTemporaryDirectory, TunnelError
from taxiway.model.tunnel import Bastion
from taxiway.secret import Secret
from taxiway.tunnel.child import Child, find_program
from taxiway.tunnel.key_agent import appears, start_key_agent
from taxiway.tunnel.ssh_errors import explain, find_cause, last_line

# The name of the bastion in our known_hosts: whatever it is called, it has this key.
_ALIAS: Final = "taxiway-bastion"
_OPEN_SECONDS: Final = 40
_LISTEN_SECONDS: Final = 5
_POLL_SECONDS: Final = 0.01
_WORD_SECONDS: Final = 0.5
_CHUNK_BYTES: Final = 64 * 1024
_KEY_TYPES: Final = ("ssh-", "ecdsa-", "sk-")

_OPTIONS: Final = (
    "BatchMode=yes",
    "ExitOnForwardFailure=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "ControlMaster=no",
    "ControlPath=none",
    "StreamLocalBindMask=0177",
    "StreamLocalBindUnlink=yes",
    "ConnectTimeout=15",
    # A dead connection is found out within a minute.
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
    "LogLevel=INFO",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SshAccess:
    """How to get into the bastion. ``key`` in order, as :mod:`taxiway.sources.private_key` makes it."""

    bastion: Bastion
    key: Secret | None = None
    host_keys: tuple[str, ...] = ()


class SocketStream:
    """A connection over a socket (:class:`taxiway.tunnel.link.Stream`)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> bytes:
        """As :class:`taxiway.tunnel.link.Stream` has it."""
        try:
            return await self._reader.read(_CHUNK_BYTES)
        except OSError:
            return b""

    async def write(self, content: bytes) -> None:
        """As :class:`taxiway.tunnel.link.Stream` has it."""
        with suppress(OSError):
            self._writer.write(content)
            await self._writer.drain()

    async def end(self) -> None:
        """As :class:`taxiway.tunnel.link.Stream` has it."""
        with suppress(OSError):
            self._writer.write_eof()

    def close(self) -> None:
        """As :class:`taxiway.tunnel.link.Stream` has it."""
        self._writer.close()


class SshLink:
    """One ``ssh`` after another (:class:`taxiway.tunnel.link.Link`)."""

    def __init__(self, access: SshAccess, *, host: str, port: int) -> None:
        """``host`` and ``port`` are those of the database, as the bastion knows them."""
        self._access = access
        self._destination = f"{host}:{port}"
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._agent: Child | None = None
        self._ssh: Child | None = None

    async def open(self) -> None:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        find_program("ssh")
        home = self._home()
        if self._ssh:
            await self._ssh.stop()
        if self._access.key and (self._agent is None or self._agent.has_ended):
            self._agent = await start_key_agent(self._access.key, home / "agent", _environment())
        socket = home / "database"
        socket.unlink(missing_ok=True)
        self._ssh = await Child.start(self._command(home, socket), _environment())
        if not await appears(socket, self._ssh, _OPEN_SECONDS):
            await self._fail(self._ssh)

    async def connect(self) -> SocketStream:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        # The socket is there a moment before ssh listens at it (bind and listen are two calls).
        deadline = asyncio.get_running_loop().time() + _LISTEN_SECONDS
        while True:
            try:
                return SocketStream(*await asyncio.open_unix_connection(self._home() / "database"))
            except OSError as error:
                is_over = self._ssh is None or self._ssh.has_ended or asyncio.get_running_loop().time() > deadline
                if is_over or not isinstance(error, ConnectionRefusedError):
                    raise ConnectionError from error
            await asyncio.sleep(_POLL_SECONDS)

    async def lost(self) -> str:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        if self._ssh is None:
            return "it was never made"
        await self._ssh.wait()
        return last_line(self._ssh.stderr)

    async def find_refusal(self) -> TunnelError | None:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        # ssh closes the connection before it says why.
        await asyncio.sleep(_WORD_SECONDS)
        words = {"bastion": self._access.bastion.words, "destination": self._destination}
        return find_cause(self._ssh.stderr, **words) if self._ssh else None

    async def close(self) -> None:
        """As :class:`taxiway.tunnel.link.Link` has it."""
        for child in (self._ssh, self._agent):
            if child:
                await child.stop()
        self._ssh = self._agent = None
        if self._directory:
            self._directory.cleanup()
            self._directory = None

    async def _fail(self, ssh: Child) -> None:
        has_ended = ssh.has_ended
        await ssh.stop()
        bastion = self._access.bastion.words
        if not has_ended:
            raise BastionUnreachable(
                f"{bastion} did not let us in within {_OPEN_SECONDS} s.",
                hint="Check the name and the port, and that the bastion admits the address of this machine.",
            )
        raise explain(ssh.stderr, bastion=bastion, destination=self._destination)

    def _home(self) -> Path:
        """The directory of sockets and of the public host keys. No private key is ever in it."""
        if self._directory is None:
            try:
                self._directory = tempfile.TemporaryDirectory(prefix="taxiway-", ignore_cleanup_errors=True)
            except OSError as error:
                raise NoTemporaryDirectory(
                    f"No temporary directory can be made: {error.strerror or error}.",
                    hint="Set TMPDIR to a directory that you can write to.",
                ) from error
        return Path(self._directory.name)

    def _command(self, home: Path, socket: Path) -> list[str]:
        bastion, options = self._access.bastion, [*_OPTIONS]
        command = [find_program("ssh"), "-N", "-T"]
        if self._access.host_keys:
            known = home / "known_hosts"
            known.write_text("".join(f"{_ALIAS} {key}\n" for key in self._access.host_keys))
            options += [
                f'UserKnownHostsFile="{known}"',
                "GlobalKnownHostsFile=/dev/null",
                f"HostKeyAlias={_ALIAS}",
                "CheckHostIP=no",
            ]
        if self._access.key:
            command += ["-F", os.devnull]
            options += [f'IdentityAgent="{home / "agent"}"', "IdentityFile=none"]
        command += ["-L", f"{socket}:{self._destination}"]
        command += [part for option in options for part in ("-o", option)]
        command += ["-p", str(bastion.port)] if bastion.port else []
        command += ["-l", bastion.user] if bastion.user else []
        return [*command, "--", bastion.host]


def parse_bastion(text: str) -> Bastion:
    """The bastion of ``USER@HOST:PORT``; user and port may be left out. An IPv6 address stands in brackets.

    Raises:
        InvalidOption: It is none, or would be an option of ssh.
    """
    user, at, place = text.rpartition("@")
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, ""
    host = host.removeprefix("[").removesuffix("]")
    is_port = not colon or port == "" or (port.isascii() and port.isdigit() and 0 < int(port) < 65536)
    if not host or not is_port or (at and not user) or any(part.startswith("-") for part in (host, user)):
        raise InvalidOption(f"'{text}' is no bastion.", hint="Write USER@HOST or USER@HOST:PORT.")
    if not text.isprintable() or any(character in text for character in " '\"\\,;"):
        raise InvalidOption(f"{text!r} is no bastion.", hint="Write USER@HOST or USER@HOST:PORT.")
    return Bastion(host=host, user=user or None, port=int(port) if port else None)


def parse_host_key(text: str) -> str:
    """The algorithm and the key of a public key, of a line of ``known_hosts``, or of what ``ssh-keyscan`` prints.

    Raises:
        InvalidOption: It is none.
    """
    words = text.split()
    for number, word in enumerate(words[:-1]):
        if word.startswith(_KEY_TYPES) and words[number + 1].startswith("AAAA"):
            return f"{word} {words[number + 1]}"
    raise InvalidOption(
        f"'{text}' is no public host key.",
        hint="Write one such as 'ssh-ed25519 AAAA…': /etc/ssh/ssh_host_ed25519_key.pub of the bastion.",
    )


def _environment() -> dict[str, str]:
    """The variables of ssh: what it finds the user's configuration and agent by, and nothing secret of ours."""
    kept = ("PATH", "HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "TMPDIR", "XDG_RUNTIME_DIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}
