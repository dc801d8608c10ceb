"""A call that waits in C, made where it keeps no signal waiting."""

import _thread
from collections.abc import Callable

from taxiway.interruption import pieces


def run_in_background[T](
    call: Callable[[], T], *, abandon: Callable[[T], object], timeout_seconds: float | None = None
) -> T:
    """Make the call in a thread of its own and return what it returns; signal handlers run meanwhile.

    If one of them raises, or time is up, nobody waits for the call any more: what it returns in the end goes to
    ``abandon``.

    Raises:
        TimeoutError: Time is up.
    """
    outcome: list[T | BaseException] = []
    done, guard = _thread.allocate_lock(), _thread.allocate_lock()
    is_abandoned = False

    def work() -> None:
        nonlocal outcome
        try:
            value: T | BaseException = call()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that waits
            value = error
        with guard:
            outcome.append(value)
            if is_abandoned and not isinstance(value, BaseException):
                abandon(value)
        done.release()

    done.acquire()
    _thread.start_new_thread(work, ())
    is_done = False
    try:
        is_done = any(done.acquire(timeout=seconds) for seconds in pieces(timeout_seconds))
    finally:
        with guard:
            is_abandoned = not is_done
            if is_abandoned and outcome and not isinstance(outcome[0], BaseException):
                abandon(outcome[0])
    if not is_done:
        raise TimeoutError
    [value] = outcome
    if isinstance(value, BaseException):
        raise value
    return value
