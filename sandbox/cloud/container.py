"""What the agent needs of a container, whatever it is on this machine."""

from typing import Protocol


class CannotStart(Exception):
    """The program of the container does not exist or is none."""


class Container(Protocol):
    """A container that was started. Its maker raises :class:`CannotStart`."""

    @property
    def output(self) -> int:
        """The descriptor that both output streams are read from. It ends when the container has ended."""

    def terminate(self) -> None:
        """SIGTERM to the first process. It alone gets it."""

    def kill(self) -> None:
        """SIGKILL to all processes. Harmless when they have ended."""

    def wait(self) -> int:
        """Wait for the end of the first process, with which all end. The exit code as Docker tells it."""

    def was_killed_for_memory(self) -> bool:
        """Whether the kernel has ended a process of it because of the memory limit. To be asked after the end."""

    def close(self) -> None:
        """Give back what it holds. To be called when it has ended and its output was read."""
