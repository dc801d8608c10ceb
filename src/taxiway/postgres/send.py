"""Sending a statement of a script as it is, and taking in what it came to."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from taxiway import errors
from taxiway.engine.ports import StatementOutcome
from taxiway.model.event import ResultTable
from taxiway.model.script import Statement, StatementKind
from taxiway.postgres.errors import translate_error

_COPY_CHUNK_CHARACTERS: Final = 1 << 18


def send(
    connection: psycopg.Connection[Any], statement: Statement, *, keep_rows: bool = False
) -> StatementOutcome:
    """Run one statement in the simple query protocol, so that nothing in it is interpreted on our side.

    Raises:
        StatementFailed: The server refused it, or it cannot be said in the encoding of the session.
        ConnectionLost: The session is over.
    """
    nul = statement.text.find("\0")
    if nul >= 0:
        raise errors.StatementFailed(
            "The statement contains a NUL character, which PostgreSQL text cannot.", position=nul + 1
        )
    try:
        return _send(connection, statement, keep_rows=keep_rows)
    except psycopg.Error as error:
        ours = translate_error(error)
    # Raised here and not above: psycopg's exception shows the statement, which may hold the value of a secret
    # placeholder, and would go along as the context.
    raise ours


def _send(connection: psycopg.Connection[Any], statement: Statement, *, keep_rows: bool) -> StatementOutcome:
    with connection.cursor() as cursor:
        if statement.kind is StatementKind.COPY_FROM_STDIN:
            _copy(cursor, statement)
            return StatementOutcome(cursor.statusmessage or "")
        cursor.execute(_encoded(connection, statement.text))
        command = cursor.statusmessage or ""
        return StatementOutcome(command, tuple(_tables(cursor)) if keep_rows else ())


def _copy(cursor: psycopg.Cursor[Any], statement: Statement) -> None:
    data = statement.copy_data
    with cursor.copy(_encoded(cursor.connection, statement.text)) as copy:
        for start in range(0, len(data), _COPY_CHUNK_CHARACTERS):
            copy.write(_encoded(cursor.connection, data[start : start + _COPY_CHUNK_CHARACTERS]))


def _codec(connection: psycopg.Connection[Any]) -> str:
    """Python's name of the encoding that the server speaks now: a script may have set ``client_encoding``."""
    encoding = connection.info.encoding
    # "ascii" stands for SQL_ASCII, with which the server takes bytes as they are.
    return "utf-8" if encoding == "ascii" else encoding


def _encoded(connection: psycopg.Connection[Any], text: str) -> bytes:
    try:
        return text.encode(_codec(connection))
    except UnicodeEncodeError as error:
        missing = text[error.start]
    # Raised here and not above, where Python's exception would go along: it holds the whole text.
    raise errors.StatementFailed(
        f"The character '{missing}' does not exist in the client_encoding of the session, {_codec(connection)}, "
        "which the script has set."
    )


def _tables(cursor: psycopg.Cursor[Any]) -> Iterator[ResultTable]:
    """The rows of every result: a rule can make several of one statement."""
    more: bool | None = True
    while more:
        if cursor.pgresult and cursor.pgresult.status == ExecStatus.TUPLES_OK:
            yield _table(cursor.pgresult, _codec(cursor.connection))
        more = cursor.nextset()


def _table(result: PGresult, codec: str) -> ResultTable:
    """The values as the server wrote them, whatever their type."""

    def text(value: bytes | None) -> str | None:
        return None if value is None else bytes(value).decode(codec, "replace")

    columns = range(result.nfields)
    return ResultTable(
        columns=tuple(text(result.fname(column)) or "" for column in columns),
        rows=tuple(
            tuple(text(result.get_value(row, column)) for column in columns) for row in range(result.ntuples)
        ),
    )
