"""Statements sent one behind the other without waiting for answers (PostgreSQL manual, "Pipeline Mode")."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

from taxiway.postgres.libpq import result as answers
from taxiway.postgres.libpq.channel import Channel
from taxiway.postgres.libpq.result import ConnectionBroken, Result, ServerError

# How far the server may be behind in a pipeline. At 100 ms there and back this is some 10,000 statements a second,
# and memory does not grow with the script.
_STATEMENTS_AHEAD: Final = 1024
_BYTES_AHEAD: Final = 4 << 20


class Message(NamedTuple):
    """A statement for a pipeline.

    The rows that it returns are thrown away unless they are wanted. With ``flush``, its answer does not wait in
    the server for the answers to the next ones; without, there has to be another message behind it.
    """

    statement: bytes
    with_rows: bool = False
    flush: bool = True


class _Progress(Enum):
    """How far a pipeline has come: open, its end sent, and that answered, or the connection lost."""

    OPEN = auto()
    ENDING = auto()
    OVER = auto()


class Pipelined(Channel):
    """A connection that statements can be sent ahead on. When one fails, the server skips those behind it."""

    _progress = _Progress.OVER

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
        self._mind_an_interruption()
        if not self._library.PQenterPipelineMode(pointer):
            raise self._broken()
        self._progress = _Progress.OPEN
        try:
            yield from self._pipeline_results(pointer, messages)
        except ConnectionBroken:
            self._progress = _Progress.OVER
            raise
        finally:
            if self._progress is not _Progress.OVER:
                self._stop(self._sync)
            if self._pointer is not None:
                self._library.PQexitPipelineMode(pointer)

    def _pipeline_results(self, pointer: int, messages: Iterable[Message]) -> Iterator[Result]:
        window, feed = _Window(), _Feed(messages)
        while True:
            while window.has_room and (message := feed.take()):
                self._send_ahead(pointer, message)
                window.add(message)
            if not window:
                break
            result = self._pipelined_result(pointer, with_rows=window.is_first_with_rows)
            window.remove()
            yield result
        self._sync(pointer)
        if feed.failure:
            raise feed.failure

    def _send_ahead(self, pointer: int, message: Message) -> None:
        library = self._library
        if not library.PQsendQueryParams(pointer, message.statement, 0, None, None, None, None, 0) or (
            message.flush and not library.PQsendFlushRequest(pointer)
        ):
            raise self._broken()

    def _pipelined_result(self, pointer: int, *, with_rows: bool) -> Result:
        """The next answer."""
        library = self._library
        result = None
        # What separates the answers from each other is a NULL.
        while result is None:
            while self._is_busy(pointer):
                self._take_in(pointer, or_send=library.PQflush(pointer) > 0)
            result = library.PQgetResult(pointer)
            self._tell_notices()
        try:
            if library.PQresultStatus(result) != answers.FATAL_ERROR:
                return answers.read_result(library, result, with_rows=with_rows)
            failure = self._failure(result)
        finally:
            library.PQclear(result)
        if isinstance(failure, ServerError):
            self._sync(pointer)
        raise failure

    def _sync(self, pointer: int) -> None:
        """End the pipeline: the server answers what is left, with no more than a word for what it has skipped.

        It goes on where it was left when it is called again.
        """
        if self._progress is _Progress.OPEN:
            self._progress = _Progress.ENDING
            self._library.PQpipelineSync(pointer)
        self._flush(pointer)
        while self.is_usable:
            result = self._next_result(pointer)
            if result is None:
                continue
            status = self._library.PQresultStatus(result)
            self._library.PQclear(result)
            if status == answers.PIPELINE_SYNC:
                self._progress = _Progress.OVER
                return


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


class _Window:
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
