"""One connection: statements go out, answers come in, and signals get through all the while.

Nothing here waits in C: sending and receiving do not block, and waiting is Python's, where a signal handler may
raise. Whatever ends a statement early that way cancels it on the server, and takes in the answer to that.

Terminology:

simple protocol
    One message with one or several statements, each run as the server reads it. The only one for COPY.
pipeline
    Statements sent one behind the other without waiting for answers (PostgreSQL manual, "Pipeline Mode"). When one
    fails, the server skips those behind it.
"""

import ctypes
import select
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from taxiway.postgres.libpq import result as answers
from taxiway.postgres.libpq.background import run_in_background
from taxiway.postgres.libpq.conninfo import strings
from taxiway.postgres.libpq.encoding import python_encoding
from taxiway.postgres.libpq.library import NOTICE_RECEIVER, libpq
from taxiway.postgres.libpq.result import ConnectionBroken, Diagnostics, Result, ServerError

_OK: Final = 0
_COPIES: Final = frozenset({answers.COPY_IN, answers.COPY_OUT, answers.COPY_BOTH})

# What a statement that was cancelled has to tell about it: a process that was asked to end has two seconds in all.
_SECONDS_TO_STOP: Final = 1.5

# How far the server may be behind in a pipeline. At 100 ms there and back this is some 10,000 statements a second,
# and memory does not grow with the script.
_STATEMENTS_AHEAD: Final = 1024
_BYTES_AHEAD: Final = 4 << 20


class Message(NamedTuple):
    """A statement for a pipeline. The rows that it returns are thrown away unless they are wanted."""

    statement: bytes
    with_rows: bool = False


class TransactionStatus(IntEnum):
    """``PGTransactionStatusType`` (libpq-fe.h)."""

    IDLE = 0
    ACTIVE = 1
    IN_TRANSACTION = 2
    IN_ERROR = 3
    UNKNOWN = 4


class Connection:
    """A connection of libpq's. Not for several threads.

    Attributes:
        on_notice: Told of each notice of the server.
        silence_seconds: How long the server may be silent while it owes an answer, before ``on_silence`` is asked
            what to do: it returns to wait as long again, and raises to end the wait. 0 for no limit.
    """

    def __init__(self, pointer: int) -> None:
        self.on_notice: Callable[[Diagnostics], None] = lambda _: None
        self.on_silence: Callable[[], None] = lambda: None
        self.silence_seconds = 0.0
        self._library = libpq()
        self._pointer: int | None = pointer
        self._poll = select.poll()
        self._socket = self._library.PQsocket(pointer)
        self._has_ended = False
        self._deadline: float | None = None
        self._notices: list[Diagnostics] = []
        # Kept for as long as libpq may call it.
        self._receiver = NOTICE_RECEIVER(self._receive_notice)
        self._library.PQsetNoticeReceiver(pointer, self._receiver, None)
        self._library.PQsetnonblocking(pointer, 1)

    @classmethod
    def open(cls, parameters: Mapping[str, str]) -> "Connection":
        """Connect, with everything that libpq adds from its variables and files.

        Raises:
            ConnectionBroken: It could not; libpq's words say why.
        """
        library = libpq()
        names, values = strings(parameters.keys()), strings(parameters.values())
        # libpq keeps its own time limit for each host only in a call that waits in C.
        pointer = run_in_background(lambda: library.PQconnectdbParams(names, values, 0), abandon=library.PQfinish)
        if library.PQstatus(pointer) == _OK:
            return cls(pointer)
        words = _text(library.PQerrorMessage(pointer))
        library.PQfinish(pointer)
        raise ConnectionBroken(words)

    # --- what is known of it ---

    @property
    def is_usable(self) -> bool:
        """Neither closed nor broken."""
        return self._pointer is not None and self._library.PQstatus(self._pointer) == _OK

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
        return _text(self._library.PQhost(self._pointer))

    @property
    def address(self) -> str:
        """The IP address of the host that answered; empty for a socket of this machine."""
        return _text(self._library.PQhostaddr(self._pointer))

    @property
    def port(self) -> str:
        """The port of the host that answered."""
        return _text(self._library.PQport(self._pointer))

    def parameter(self, name: str) -> str | None:
        """A setting that the server reports by itself when it changes."""
        if self._pointer is None:
            return None
        value = self._library.PQparameterStatus(self._pointer, name.encode())
        return None if value is None else _text(value)

    def encrypt_password(self, password: bytes, user: bytes) -> bytes:
        """The SCRAM-SHA-256 verifier of a password in UTF-8, with a salt of its own; nothing is sent.

        libpq makes it: SASLprep as the server does it, and as many iterations as that server wants (PostgreSQL
        manual, PQencryptPasswordConn and ``scram_iterations``).

        Raises:
            ConnectionBroken: It could not.
        """
        text = self._library.PQencryptPasswordConn(self._require(), password, user, b"scram-sha-256")
        if not text:
            raise self._broken()
        try:
            return ctypes.string_at(text)
        finally:
            self._library.PQfreemem(text)

    def give_up_after(self, seconds: float) -> None:
        """Close the connection when an answer takes longer than this."""

        def give_up() -> None:
            raise ConnectionBroken(f"no answer for {seconds:g} seconds")

        self.silence_seconds, self.on_silence = seconds, give_up

    # --- the simple protocol ---

    def execute(
        self, statements: bytes, *, with_rows: bool = True, copy_data: Iterable[bytes] = ()
    ) -> list[Result]:
        """Run one or several statements, and return what each came to. ``copy_data`` is for COPY FROM STDIN.

        Raises:
            ServerError: The server refused one; it has not run those behind it.
            ConnectionBroken: The session is over.
        """
        pointer = self._require()
        if not self._library.PQsendQuery(pointer, statements):
            raise self._broken()
        try:
            self._flush(pointer)
            return self._results(pointer, copy_data, with_rows=with_rows)
        except (ServerError, ConnectionBroken):
            raise
        except BaseException:
            self._stop(self._drain)
            raise

    def _results(self, pointer: int, copy_data: Iterable[bytes], *, with_rows: bool) -> list[Result]:
        results: list[Result] = []
        failure: ServerError | ConnectionBroken | None = None
        while result := self._next_result(pointer):
            try:
                status = self._library.PQresultStatus(result)
                if status == answers.FATAL_ERROR:
                    failure = failure or self._failure(result)
                elif status not in _COPIES:
                    results.append(answers.read_result(self._library, result, with_rows=with_rows))
            finally:
                self._library.PQclear(result)
            if status == answers.COPY_IN:
                self._copy_in(pointer, copy_data)
            elif status == answers.COPY_OUT:
                self._discard_copy(pointer)
        if failure:
            raise failure
        return results

    def _copy_in(self, pointer: int, data: Iterable[bytes]) -> None:
        for chunk in data:
            if self._library.PQputCopyData(pointer, chunk, len(chunk)) < 0:
                break
            # So that what is queued does not grow with the data.
            self._flush(pointer)
        self._library.PQputCopyEnd(pointer, None)
        self._flush(pointer)

    def _discard_copy(self, pointer: int) -> None:
        row = ctypes.c_void_p()
        while (length := self._library.PQgetCopyData(pointer, ctypes.byref(row), 1)) >= 0:
            if length:
                self._library.PQfreemem(row)
            else:
                self._take_in(pointer)

    def _drain(self, pointer: int) -> None:
        """Take in what is left of the answers. A COPY that wants data gets an error in their place."""
        while result := self._next_result(pointer):
            status = self._library.PQresultStatus(result)
            self._library.PQclear(result)
            if status == answers.COPY_IN:
                self._library.PQputCopyEnd(pointer, b"given up")
                self._flush(pointer)
            elif status == answers.COPY_OUT:
                self._discard_copy(pointer)

    # --- the pipeline ---

    def pipeline(self, messages: Iterable[Message]) -> Generator[Result]:
        """Send statements one behind the other; yield what each came to, in order, as soon as it is known.

        A statement is taken from ``messages`` when the server has caught up with most of those before. What
        taking one raises is raised when all before it have answered. If the iteration is given up, or something
        is raised in it, what runs is cancelled and the rest is not run; how far the server has come is not told.
        So close it (:func:`contextlib.closing`) where something may be raised while it waits to go on.

        Raises:
            ServerError: The server refused one; it has not run those behind it.
            ConnectionBroken: The session is over.
        """
        pointer = self._require()
        if not self._library.PQenterPipelineMode(pointer):
            raise self._broken()
        is_told = False
        try:
            yield from self._pipeline_results(pointer, messages)
            is_told = True
        except (ServerError, ConnectionBroken):
            is_told = True
            raise
        finally:
            if not is_told:
                self._stop(self._sync)
            if self._pointer is not None:
                self._library.PQexitPipelineMode(pointer)

    def _pipeline_results(self, pointer: int, messages: Iterable[Message]) -> Iterator[Result]:
        ahead, feed = _Ahead(), _Feed(messages)
        while True:
            while ahead.has_room and (message := feed.take()):
                self._send_ahead(pointer, message.statement)
                ahead.add(message)
            if not ahead:
                break
            if result := self._pipelined_result(pointer, with_rows=ahead.is_first_with_rows):
                ahead.remove()
                yield result
        self._sync(pointer)
        if feed.failure:
            raise feed.failure

    def _send_ahead(self, pointer: int, statement: bytes) -> None:
        library = self._library
        # With a flush for each, the answer to one does not wait in the server for the answers to the next ones.
        if not (
            library.PQsendQueryParams(pointer, statement, 0, None, None, None, None, 0)
            and library.PQsendFlushRequest(pointer)
        ):
            raise self._broken()

    def _pipelined_result(self, pointer: int, *, with_rows: bool) -> Result | None:
        """The next answer, or ``None`` if there was something else: what separates the answers from each other."""
        while self._is_busy(pointer):
            self._take_in(pointer, or_send=self._library.PQflush(pointer) > 0)
        result = self._library.PQgetResult(pointer)
        self._tell_notices()
        if result is None:
            return None
        try:
            status = self._library.PQresultStatus(result)
            if status != answers.FATAL_ERROR:
                return answers.read_result(self._library, result, with_rows=with_rows)
            failure = self._failure(result)
        finally:
            self._library.PQclear(result)
        if isinstance(failure, ServerError):
            self._sync(pointer)
        raise failure

    def _sync(self, pointer: int) -> None:
        """End the pipeline: the server answers what is left, with no more than a word for what it has skipped."""
        self._library.PQpipelineSync(pointer)
        self._flush(pointer)
        while self.is_usable:
            result = self._next_result(pointer)
            if result is None:
                continue
            status = self._library.PQresultStatus(result)
            self._library.PQclear(result)
            if status == answers.PIPELINE_SYNC:
                return

    # --- what all of them need ---

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
            # What the server has said last is still to be read; libpq tells of the end behind that.
            self._has_ended = not self._library.PQconsumeInput(pointer)

    def _wait(self, events: int) -> int:
        self._poll.register(self._socket, events)
        while True:
            seconds = self._seconds_to_wait()
            ready = self._poll.poll(None if seconds is None else seconds * 1000)
            if ready:
                return ready[0][1]
            if self._deadline is not None:
                raise TimeoutError
            self._ask_about_silence()

    def _ask_about_silence(self) -> None:
        try:
            self.on_silence()
        except ConnectionBroken:
            self.close()
            raise

    def _seconds_to_wait(self) -> float | None:
        if self._deadline is not None:
            return max(self._deadline - time.monotonic(), 0)
        return self.silence_seconds or None

    def _failure(self, result: int) -> ServerError | ConnectionBroken:
        diagnostics = answers.read_diagnostics(self._library, result, self.encoding)
        # What libpq has found out itself has no SQLSTATE.
        return ConnectionBroken(diagnostics.message) if diagnostics.sqlstate is None else ServerError(diagnostics)

    def _broken(self) -> ConnectionBroken:
        return ConnectionBroken(_text(self._library.PQerrorMessage(self._require())))

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
        self._deadline = time.monotonic() + _SECONDS_TO_STOP
        is_stopped = False
        try:
            self._cancel(self._pointer)
            drain(self._pointer)
            is_stopped = True
        except TimeoutError:
            pass
        finally:
            self._deadline = None
            if not is_stopped:
                self.close()

    def _cancel(self, pointer: int) -> None:
        """Ask the server to cancel what it runs for us: another connection, so in the background."""
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

        run_in_background(ask, abandon=lambda _: None, timeout_seconds=_SECONDS_TO_STOP)

    def close(self) -> None:
        """End the session. The server rolls back what is open and frees the locks."""
        if self._pointer is not None:
            pointer, self._pointer = self._pointer, None
            self._library.PQfinish(pointer)


class _Feed:
    """The messages of a pipeline, taken one by one.

    Attributes:
        failure: What taking one has raised; there are no more behind it.
    """

    def __init__(self, messages: Iterable[Message]) -> None:
        self.failure: Exception | None = None
        self._messages = iter(messages)

    def take(self) -> Message | None:
        """The next message, or ``None`` behind the last one."""
        if self.failure:
            return None
        try:
            return next(self._messages, None)
        except Exception as error:  # noqa: BLE001 - raised as it is, when all before it have answered
            self.failure = error
            return None


class _Ahead:
    """What was sent in a pipeline and has no answer yet."""

    def __init__(self) -> None:
        self._messages: deque[tuple[int, bool]] = deque()
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._messages)

    @property
    def is_first_with_rows(self) -> bool:
        """The rows of the next answer are wanted."""
        return self._messages[0][1]

    @property
    def has_room(self) -> bool:
        """For another statement, however long that one is."""
        return len(self._messages) < _STATEMENTS_AHEAD and self._bytes < _BYTES_AHEAD

    def add(self, message: Message) -> None:
        """One more was sent."""
        self._messages.append((len(message.statement), message.with_rows))
        self._bytes += len(message.statement)

    def remove(self) -> None:
        """The first one has its answer."""
        size, _ = self._messages.popleft()
        self._bytes -= size


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
