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
from collections.abc import Iterable, Mapping
from typing import Final

from taxiway.postgres.libpq import result as answers
from taxiway.postgres.libpq.background import run_in_background
from taxiway.postgres.libpq.channel import OK, as_text
from taxiway.postgres.libpq.conninfo import strings
from taxiway.postgres.libpq.library import libpq
from taxiway.postgres.libpq.pipeline import Pipelined
from taxiway.postgres.libpq.result import ConnectionBroken, Result, ServerError

_COPIES: Final = frozenset({answers.COPY_IN, answers.COPY_OUT, answers.COPY_BOTH})


class Connection(Pipelined):
    """A connection of libpq's, with both ways to ask. Not for several threads."""

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
        if library.PQstatus(pointer) == OK:
            return cls(pointer)
        words = as_text(library.PQerrorMessage(pointer))
        library.PQfinish(pointer)
        raise ConnectionBroken(words)

    @property
    def address(self) -> str:
        """The IP address of the host that answered; empty for a socket of this machine."""
        return as_text(self._library.PQhostaddr(self._pointer))

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

    def execute(
        self, statements: bytes, *, with_rows: bool = True, copy_data: Iterable[bytes] = ()
    ) -> list[Result]:
        """Run one or several statements, and return what each came to. ``copy_data`` is for COPY FROM STDIN.

        Raises:
            ServerError: The server refused one; it has not run those behind it.
            ConnectionBroken: The session is over.
        """
        pointer = self._require()
        self._mind_an_interruption()
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
