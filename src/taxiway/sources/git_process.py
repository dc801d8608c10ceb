"""Running git, and nothing of it left running.

The environment is made from scratch, so that neither the user's nor the machine's settings change what is fetched,
and no variable of ours (AWS credentials, passwords) reaches a child process.
"""

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taxiway.errors import GitUnavailable

# Settings that could change bytes, run programs, ask people or go on after the end.
_CONFIGURATION: Final = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.eol=lf",
    "core.fsmonitor=false",
    "credential.helper=",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
)

_SSH_OPTIONS: Final = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "UpdateHostKeys=no",
    "PasswordAuthentication=no",
    "KbdInteractiveAuthentication=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "ControlPath=none",
    "ConnectTimeout=15",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
)


class TimedOut(Exception):
    """git was ended because it took longer than it was given."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A git that has ended by itself."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The git program with the environment that it runs in. ``deadline`` is a value of the monotonic clock."""

    program: str
    environment: Mapping[str, str]
    deadline: float

    def run(self, *arguments: str) -> Finished:
        """Run git to its end, without input.

        Raises:
            TimedOut: The deadline has passed; git and everything that it started have been killed.
        """
        settings = [option for setting in _CONFIGURATION for option in ("-c", setting)]
        with _running([self.program, *settings, *arguments], self.environment) as process:
            try:
                stdout, stderr = process.communicate(timeout=max(0.0, self.deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise TimedOut from None
        return Finished(
            process.returncode, stdout.decode(errors="replace").strip(), stderr.decode(errors="replace").strip()
        )


def find_program(name: str) -> str:
    """The absolute path of a program.

    Raises:
        GitUnavailable: It is not on the PATH.
    """
    if program := shutil.which(name):
        return program
    raise GitUnavailable(
        f"The program '{name}' was not found on the PATH.", hint="Install git and an OpenSSH client (ssh)."
    )


def environment(home: Path, ssh_command: str | None, *, with_agent: bool) -> dict[str, str]:
    """The variables of git and its ssh. ``with_agent`` lets ssh find the user's key agent."""
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:https:ssh",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "SSH_ASKPASS_REQUIRE": "never",
    }
    if ssh_command:
        variables["GIT_SSH_COMMAND"] = ssh_command
    if with_agent and "SSH_AUTH_SOCK" in os.environ:
        variables["SSH_AUTH_SOCK"] = os.environ["SSH_AUTH_SOCK"]
    return variables


def ssh_command(*, known_hosts: str, private_key: str | None) -> str:
    """The ssh that git is to start: paths of two files; without a key, that of the user's own configuration."""
    # ssh splits the value of UserKnownHostsFile at spaces, unless it is in quotes.
    options = [*_SSH_OPTIONS, f'UserKnownHostsFile="{known_hosts}"']
    command = [find_program("ssh")]
    if private_key:
        command += ["-F", os.devnull, "-i", private_key]
        options += ["IdentitiesOnly=yes", "IdentityAgent=none"]
    return shlex.join([*command, *(part for option in options for part in ("-o", option))])


@contextmanager
def _running(command: list[str], variables: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own. When the block is left by an exception, that session is killed."""
    process = subprocess.Popen(  # noqa: S603  # an absolute path, no shell, arguments checked by the caller
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(variables),
        start_new_session=True,
    )
    try:
        yield process
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    # Killed before it is waited for: until then its number cannot belong to somebody else. macOS says
    # PermissionError when only the exit status is left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    process.wait()
    # ssh is git's child, not ours, unless we are the first process of the container: orphans are ours then.
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-process.pid, 0)
