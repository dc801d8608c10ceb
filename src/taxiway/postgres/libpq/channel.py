"""What every way of asking needs: sending, taking in, waiting, notices, and an end.

Nothing here waits in C: sending and receiving do not block, and waiting is Python's, where a signal handler may
raise.
"""

import ctypes
import select
import sys
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from taxiway.interruption import is_interruption, pieces
from taxiway.postgres.libpq import result as answers
from taxiway.postgres.libpq.background import run_in_background
from taxiway.postgres.libpq.encoding import python_encoding
from taxiway.postgres.libpq.library import NOTICE_RECEIVER, libpq
from taxiway.postgres.libpq.result import ConnectionBroken, Diagnostics, ServerError

OK: Final = 0
"""``CONNECTION_OK`` (libpq-fe.h)."""

# To cancel what runs; if the program is to end, for all that is said to the server on the way out. A process that
# was asked to end has two seconds in all.
_SECONDS_TO_STOP: Final = 1.5
_SECONDS_OF_A_CANCEL: Final = 0.5


class TransactionStatus(IntEnum):
    """``PGTransactionStatusType`` (libpq-fe.h)."""

    IDLE = 0
    ACTIVE = 1
    IN_TRANSACTION = 2
    IN_ERROR = 3
    UNKNOWN = 4


class Channel:
    """A connection of libpq's, and what is known of it. Not for several threads.

    Attributes:
        on_notice: Told of each notice of the server.
        silence_seconds: How long the server may be silent while it owes an answer, before ``on_silence`` is asked
            what to do: it returns to wait as long again, and raises to end the wait. It is told how often in a row
            it was asked, with nothing heard in between. 0 for no limit.
    """

    def __init__(self, pointer: int) -> None:
        self.on_notice: Callable[[Diagnostics], None] = lambda _: None
        self.on_silence: Callable[[int], None] = lambda _: None
        self.silence_seconds = 0.0
        self._library = libpq()
        self._pointer: int | None = pointer
        self._poll = select.poll()
        self._socket = self._library.PQsocket(pointer)
        self._has_ended = False
        self._silences = 0
        self._deadline: float | None = None
        self._end: float | None = None
        self._notices: list[Diagnostics] = []
        # Kept for as long as libpq may call it.
        self._receiver = NOTICE_RECEIVER(self._receive_notice)
        self._library.PQsetNoticeReceiver(pointer, self._receiver, None)
        self._library.PQsetnonblocking(pointer, 1)

    # --- what is known of it ---

    @property
    def is_usable(self) -> bool:
        """Neither closed nor broken."""
        return self._pointer is not None and self._library.PQstatus(self._pointer) == OK

    @property
    def transaction_status(self) -> TransactionStatus:
        """Whether a transaction is open."""
        if self._pointer is None:
            return TransactionStatus.UNKNOWN
        return TransactionStatus(self._library.PQtransactionStatus(self._pointer))

    @property
    def is_in_transaction(self) -> bool:
        """A transaction block is open, failed ones included."""
        return self.transaction_status in {TransactionStatus.IN_TRANSACTION, TransactionStatus.IN_ERROR}

    @property
    def encoding(self) -> str:
        """Python's name of the encoding that both sides speak now."""
        return python_encoding(self.parameter("client_encoding") or "UTF8")

    @property
    def server_version(self) -> int:
        """As a number: ``170010``."""
        return int(self._library.PQserverVersion(self._pointer))

    @property
    def process_id(self) -> int:
        """Of the server's process for this session."""
        return int(self._library.PQbackendPID(self._pointer))

    @property
    def host(self) -> str:
        """The host that answered, or the directory of its socket."""
        return as_text(self._library.PQhost(self._pointer))

    @property
    def port(self) -> str:
        """The port of the host that answered."""
        return as_text(self._library.PQport(self._pointer))

    def parameter(self, name: str) -> str | None:
        """A setting that the server reports by itself when it changes."""
        if self._pointer is None:
            return None
        value = self._library.PQparameterStatus(self._pointer, name.encode())
        return None if value is None else as_text(value)

    def give_up_after(self, seconds: float) -> None:
        """Close the connection when an answer takes longer than this."""

        def give_up(_silences: int) -> None:
            raise ConnectionBroken(f"no answer for {seconds:g} seconds")

        self.silence_seconds, self.on_silence = seconds, give_up

    # --- what all of them need ---

    def _mind_an_interruption(self) -> None:
        """Wait for answers no longer than for so long in all, as long as the program is on its way out."""
        if not is_interruption(sys.exception()):
            self._end = None
        elif self._end is None:
            self._end = time.monotonic() + _SECONDS_TO_STOP

    def _next_result(self, pointer: int) -> int | None:
        while self._is_busy(pointer):
            self._take_in(pointer)
        result = self._library.PQgetResult(pointer)
        self._tell_notices()
        return None if result is None else int(result)

    def _is_busy(self, pointer: int) -> bool:
        """Whether the next answer is not complete yet. Being asked makes libpq read what has come, notices too."""
        is_busy = bool(self._library.PQisBusy(pointer)) and not self._has_ended
        self._tell_notices()
        return is_busy

    def _flush(self, pointer: int) -> None:
        """Send what is queued. Answers are taken in meanwhile: the server reads on when it is rid of them."""
        while self._library.PQflush(pointer) > 0 and not self._has_ended:
            self._take_in(pointer, or_send=True)

    def _take_in(self, pointer: int, *, or_send: bool = False) -> None:
        """Wait until the server has sent something, or takes more, and take in what there is."""
        if self._wait(select.POLLIN | (select.POLLOUT if or_send else 0)) & ~select.POLLOUT:
            self._silences = 0
            # What the server has said last is still to be read; libpq tells of the end behind that.
            self._has_ended = not self._library.PQconsumeInput(pointer)

    def _wait(self, events: int) -> int:
        self._poll.register(self._socket, events)
        while True:
            for seconds in pieces(self._seconds_to_wait()):
                if ready := self._poll.poll(seconds * 1000):
                    return ready[0][1]
            if self._deadline is not None:
                raise TimeoutError
            if self._end is not None:
                self.close()
                raise ConnectionBroken("no answer in the time that there is to stop")
            self._ask_about_silence()

    def _ask_about_silence(self) -> None:
        self._silences += 1
        try:
            self.on_silence(self._silences)
        except ConnectionBroken:
            if self._poll.poll(0):
                # The answer has come while we asked.
                return
            self.close()
            raise

    def _seconds_to_wait(self) -> float | None:
        end = self._end if self._deadline is None else self._deadline
        if end is not None:
            return max(end - time.monotonic(), 0)
        return self.silence_seconds or None

    def _failure(self, result: int) -> ServerError | ConnectionBroken:
        diagnostics = answers.read_diagnostics(self._library, result, self.encoding)
        # What libpq has found out itself has no SQLSTATE.
        return ConnectionBroken(diagnostics.message) if diagnostics.sqlstate is None else ServerError(diagnostics)

    def _broken(self) -> ConnectionBroken:
        return ConnectionBroken(as_text(self._library.PQerrorMessage(self._require())))

    def _require(self) -> int:
        if self._pointer is None:
            raise ConnectionBroken("the connection is closed")
        return self._pointer

    # --- notices ---

    def _receive_notice(self, _argument: int | None, result: int) -> None:
        # Called from C, where what a listener raises would be lost: it is told later.
        self._notices.append(answers.read_diagnostics(self._library, result, self.encoding))

    def _tell_notices(self) -> None:
        while self._notices:
            self.on_notice(self._notices.pop(0))

    # --- its end ---

    def _stop(self, drain: Callable[[int], None]) -> None:
        """Cancel what runs and take in the answer to it; close the connection if that takes too long."""
        if self._pointer is None:
            return
        self._mind_an_interruption()
        end = self._end or time.monotonic() + _SECONDS_TO_STOP
        is_stopped = False
        try:
            while not is_stopped and time.monotonic() < end:
                is_stopped = self._stops_by(end, self._pointer, drain)
        finally:
            self._deadline = None
            if not is_stopped:
                self.close()

    def _stops_by(self, end: float, pointer: int, drain: Callable[[int], None]) -> bool:
        """Cancel once, and wait a while for the answer.

        A server that is between two statements of a pipeline ignores it (PostgreSQL 17, ``ProcessInterrupts``).
        """
        try:
            self._cancel(pointer, seconds=max(end - time.monotonic(), 0))
            self._deadline = min(end, time.monotonic() + _SECONDS_OF_A_CANCEL)
            drain(pointer)
        except TimeoutError:
            return False
        return True

    def _cancel(self, pointer: int, *, seconds: float) -> None:
        """Ask the server to cancel what it runs for us: another connection, so in the background.

        Raises:
            TimeoutError: Nobody has answered for so long.
        """
        library = self._library
        if hasattr(library, "PQcancelCreate"):
            request = library.PQcancelCreate(pointer)

            def ask() -> None:
                library.PQcancelBlocking(request)
                library.PQcancelFinish(request)

        else:
            request, words = library.PQgetCancel(pointer), ctypes.create_string_buffer(256)

            def ask() -> None:
                library.PQcancel(request, words, len(words))
                library.PQfreeCancel(request)

        run_in_background(ask, abandon=lambda _: None, timeout_seconds=seconds)

    def close(self) -> None:
        """End the session. The server rolls back what is open and frees the locks."""
        if self._pointer is not None:
            pointer, self._pointer = self._pointer, None
            self._library.PQfinish(pointer)


def as_text(value: bytes | None) -> str:
    """What libpq says, which is in no particular encoding."""
    return (value or b"").decode("utf-8", "replace")
