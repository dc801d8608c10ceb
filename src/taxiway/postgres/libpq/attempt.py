"""An attempt to log in that tells how far it has come, in whatever language the server speaks.

While connecting, libpq gives words and no fields. Told to be verbose, it puts among them the SQLSTATE and the
server's routine that has raised the error (PostgreSQL manual, PQsetErrorVerbosity).
"""

import re
import select
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from taxiway.postgres.libpq.conninfo import strings
from taxiway.postgres.libpq.library import libpq

# Of PGVerbosity and of PostgresPollingStatusType (libpq-fe.h)
_VERBOSE: Final = 2
_FAILED, _READING, _WRITING = 0, 1, 2
_EVENTS: Final = {_READING: select.POLLIN, _WRITING: select.POLLOUT}

# Every state has a digit, and the severity before it, FATAL, has none.
_SQLSTATE: Final = re.compile(r":\s+(?=[A-Z]*[0-9])([0-9A-Z]{5}): ")
_ROUTINE: Final = re.compile(r":\s+(\w+), [\w.]+:\d+\s*$", re.MULTILINE)


class LoginAttempt(NamedTuple):
    """What it came to.

    Attributes:
        succeeded: There was a session; it is closed again.
        sqlstate: Of the server's refusal, if it has refused.
        routine: That of the server that refused.
        words: libpq's, without what verbosity has added.
    """

    succeeded: bool
    sqlstate: str = ""
    routine: str = ""
    words: str = ""


def attempt_login(parameters: Mapping[str, str], *, seconds: float) -> LoginAttempt:
    """Log in and out again, within that time."""
    library = libpq()
    pointer = library.PQconnectStartParams(strings(parameters.keys()), strings(parameters.values()), 0)
    try:
        library.PQsetErrorVerbosity(pointer, _VERBOSE)
        if not _is_over(pointer, time.monotonic() + seconds):
            return LoginAttempt(succeeded=False, words=f"no answer for {seconds:g} seconds")
        if library.PQstatus(pointer) == 0:
            return LoginAttempt(succeeded=True)
        return _refusal((library.PQerrorMessage(pointer) or b"").decode("utf-8", "replace"))
    finally:
        library.PQfinish(pointer)


def _is_over(pointer: int, deadline: float) -> bool:
    """Whether the attempt has come to an end in time, good or bad."""
    library = libpq()
    status = _FAILED if library.PQstatus(pointer) == 1 else _WRITING
    while events := _EVENTS.get(status):
        poll = select.poll()
        # libpq may go on with another socket, without TLS for example.
        poll.register(library.PQsocket(pointer), events)
        if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
            return False
        status = library.PQconnectPoll(pointer)
    return True


def _refusal(words: str) -> LoginAttempt:
    sqlstate, routine = _SQLSTATE.search(words), _ROUTINE.search(words)
    plain = _ROUTINE.sub("", _SQLSTATE.sub(": ", words, count=1))
    return LoginAttempt(
        succeeded=False,
        sqlstate=sqlstate[1] if sqlstate else "",
        routine=routine[1] if routine else "",
        words=" ".join(plain.split()).removesuffix(" LOCATION"),
    )
