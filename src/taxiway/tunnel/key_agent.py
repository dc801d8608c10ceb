"""A private key in the memory of an ``ssh-agent`` of our own: it is in no file, argument or variable.

The agent answers at a socket in a directory that only its owner can enter, and keeps its memory from other
programs of the same user (``ssh-agent(1)``), which a file without a name in our memory would not.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from taxiway.errors import BastionFailed, SecretMalformed
from taxiway.secret import Secret
from taxiway.tunnel.child import Child, find_program

_START_SECONDS: Final = 10
_POLL_SECONDS: Final = 0.01
# "ssh-add is unable to contact the authentication agent" (ssh-add manual, EXIT STATUS)
_NO_AGENT: Final = 2


async def start_key_agent(key: Secret, socket: Path, environment: Mapping[str, str]) -> Child:
    """An agent that holds this one key, at ``socket``.

    Raises:
        TunnelProgramMissing: There is no ssh-agent or ssh-add.
        BastionFailed: The agent did not start.
        SecretMalformed: ssh cannot read the key.
    """
    agent = await Child.start([find_program("ssh-agent"), "-D", "-a", str(socket)], environment)
    try:
        await _started(agent, socket)
        await _add(key, {**environment, "SSH_AUTH_SOCK": str(socket)})
    except BaseException:
        await agent.stop()
        raise
    return agent


async def appears(socket: Path, owner: Child, seconds: float) -> bool:
    """Whether a socket appears, before the program that should make it is over, or the time is."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not socket.exists():  # noqa: ASYNC240 - nobody tells, and to look takes microseconds
        if owner.has_ended or loop.time() > deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def _started(agent: Child, socket: Path) -> None:
    if not await appears(socket, agent, _START_SECONDS):
        said = agent.stderr.strip() or "it wrote nothing"
        raise BastionFailed(f"ssh-agent did not start: {said}.", hint="Try 'ssh-agent -D -d' by itself.")


async def _add(key: Secret, environment: Mapping[str, str]) -> None:
    """Give the agent the key. Its socket is there a moment before it listens (bind and listen are two calls)."""
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while (code := await _run_ssh_add(key, environment)) == _NO_AGENT:
        if asyncio.get_running_loop().time() > deadline:
            raise BastionFailed("ssh-agent does not answer.", hint="Try 'ssh-agent -D -d' by itself.")
        await asyncio.sleep(_POLL_SECONDS)
    if code:
        raise SecretMalformed(
            "ssh-add cannot read the private key for the bastion.",
            hint="Store the content of the private key file that ssh-keygen wrote, whole and unchanged.",
        )


async def _run_ssh_add(key: Secret, environment: Mapping[str, str]) -> int:
    adding = await asyncio.create_subprocess_exec(
        *(find_program("ssh-add"), "-q", "-"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(environment),
        start_new_session=True,
    )
    await adding.communicate(key.reveal().encode())
    return adding.returncode or 0
