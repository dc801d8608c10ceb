"""Is there a PostgreSQL at the other end? Asked once, before anybody is told that the tunnel is open.

Both kinds of links accept a connection before the other end has. Only an answer of the server proves the way.
"""

import asyncio
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from taxiway.errors import TunnelDatabaseUnreachable
from taxiway.model.tunnel import DatabaseAwaited, TunnelEvent
from taxiway.tunnel.link import Link

# SSLRequest (PostgreSQL manual, "Message Formats"); answered by S or N, before any login.
_TLS_REQUEST: Final = struct.pack("!ii", 8, 80877103)
_ANSWERS: Final = (b"S", b"N")
_PATIENCE_SECONDS: Final = 5
# Aurora that was paused for a day takes half a minute and more to wake up.
_MOST_SECONDS: Final = 120


async def probe_database(link: Link, destination: str, on_event: Callable[[TunnelEvent], None]) -> None:
    """Return when a PostgreSQL has answered.

    Raises:
        TunnelDatabaseUnreachable: None does, or something else does.
        BastionForwardRefused: The bastion does not forward to it.
    """
    asking = asyncio.ensure_future(_ask(link))
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asking), _PATIENCE_SECONDS)
        if not asking.done():
            on_event(DatabaseAwaited(_PATIENCE_SECONDS))
        answer = await asyncio.wait_for(asking, _MOST_SECONDS)
    except TimeoutError:
        raise TunnelDatabaseUnreachable(
            f"{destination} did not answer within {_MOST_SECONDS} s.",
            hint="Check that the database runs, and that its security group admits the other end of the tunnel.",
        ) from None
    except ConnectionError:
        answer = b""
    if answer in _ANSWERS:
        return
    if answer:
        raise TunnelDatabaseUnreachable(
            f"What answers at {destination} is no PostgreSQL.", hint="Check the host and the port of the database."
        )
    raise await link.find_refusal() or TunnelDatabaseUnreachable(
        f"{destination} closed the connection without an answer.",
        hint="Check the host and the port of the database, and that its security group admits the other end.",
    )


async def _ask(link: Link) -> bytes:
    stream = await link.connect()
    try:
        await stream.write(_TLS_REQUEST)
        return (await stream.read())[:1]
    finally:
        await stream.end()
        stream.close()
