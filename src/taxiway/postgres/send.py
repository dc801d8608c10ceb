"""Sending statements of scripts as they are, and taking in what they came to."""

from collections.abc import Iterator, Sequence
from typing import Final

from taxiway import errors
from taxiway.engine.ports import StatementOutcome
from taxiway.model.event import ResultTable
from taxiway.model.script import Statement, StatementKind
from taxiway.postgres.errors import translate_error
from taxiway.postgres.libpq.connection import Connection
from taxiway.postgres.libpq.result import ConnectionBroken, Result, ServerError

_COPY_CHUNK_CHARACTERS: Final = 1 << 18


def send(connection: Connection, statement: Statement, *, keep_rows: bool = False) -> StatementOutcome:
    """Run one statement in the simple query protocol, so that nothing in it is interpreted on our side.

    Raises:
        StatementFailed: The server refused it, or it cannot be said in the encoding of the session.
        ConnectionLost: The session is over.
    """
    text = encode_statement(statement, connection.encoding)
    copy_data = _copy_data(connection, statement) if statement.kind is StatementKind.COPY_FROM_STDIN else ()
    try:
        results = connection.execute(text, with_rows=keep_rows, copy_data=copy_data)
    except (ServerError, ConnectionBroken) as error:
        ours = translate_error(error)
    else:
        return outcome(results, connection.encoding, keep_rows=keep_rows)
    # Raised here and not above, where the server's own words would go along as the context.
    raise ours


def encode_statement(statement: Statement, encoding: str) -> bytes:
    """A statement as the server is to get it.

    Raises:
        StatementFailed: It cannot be said in the encoding of the session, or has a NUL character.
    """
    nul = statement.text.find("\0")
    if nul >= 0:
        raise errors.StatementFailed(
            "The statement contains a NUL character, which PostgreSQL text cannot.", position=nul + 1
        )
    return _encoded(statement.text, encoding)


def outcome(results: Sequence[Result], encoding: str, *, keep_rows: bool) -> StatementOutcome:
    """What a statement came to: a rule can make several results of one."""
    tag = results[-1].tag if results else ""
    if not keep_rows:
        return StatementOutcome(tag)
    return StatementOutcome(
        tag, tuple(_table(result, encoding) for result in results if result.columns is not None)
    )


def _copy_data(connection: Connection, statement: Statement) -> Iterator[bytes]:
    encoding = connection.encoding
    for data in statement.copy_data:
        for start in range(0, len(data), _COPY_CHUNK_CHARACTERS):
            yield _encoded(data[start : start + _COPY_CHUNK_CHARACTERS], encoding)


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        missing = text[error.start]
    # Raised here and not above, where Python's exception would go along: it holds the whole text.
    raise errors.StatementFailed(
        f"The character '{missing}' does not exist in the client_encoding of the session, {encoding}, "
        "which the script has set."
    )


def _table(result: Result, encoding: str) -> ResultTable:
    """The values as the server wrote them, whatever their type."""

    def text(value: bytes | None) -> str | None:
        return None if value is None else value.decode(encoding, "replace")

    return ResultTable(
        columns=tuple(text(name) or "" for name in result.columns or ()),
        rows=tuple(tuple(text(value) for value in row) for row in result.rows),
    )
