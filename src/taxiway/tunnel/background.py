"""Calls that wait, beside the event loop.

Each has a thread of its own, which the process does not wait for at its end: a call to AWS that is repeated for
half a minute must not hold up Ctrl-C.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress


async def call_beside[T](function: Callable[[], T]) -> T:
    """What the function gives, or raises."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # there is a result where there is no error

    def work() -> None:
        result, error = None, None
        try:
            result = function()
        except Exception as raised:  # noqa: BLE001 - it is raised where it is waited for
            error = raised
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, daemon=True).start()
    return await done
