"""What carries the connections of clients: the two kinds of links have this in common."""

from typing import Protocol

from taxiway.errors import TunnelError


class Stream(Protocol):
    """One connection within a link."""

    async def read(self) -> bytes:
        """Some bytes; none at the end, or when the link is lost."""
        ...

    async def write(self, content: bytes) -> None:
        """Send bytes; waits while too much is on its way. Harmless at the end."""
        ...

    async def end(self) -> None:
        """There is nothing more to send."""
        ...

    def close(self) -> None:
        """Give it up."""
        ...


class Link(Protocol):
    """A way to one port of one server."""

    async def open(self) -> None:
        """Make it; again, after it was lost.

        Raises:
            TaxiwayError: It cannot be made.
        """
        ...

    async def connect(self) -> Stream:
        """A connection to the other end.

        Raises:
            ConnectionError: The link is lost.
        """
        ...

    async def lost(self) -> str:
        """Return when the link is lost: why."""
        ...

    async def find_refusal(self) -> TunnelError | None:
        """Why the last connection ended at once, if the other end has said so."""
        ...

    async def close(self) -> None:
        """End it, with everything that belongs to it. Harmless when it was never made."""
        ...
