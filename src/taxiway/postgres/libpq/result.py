"""What the server answers: results and errors, as values of Python.

Terminology:

tag
    What the server calls a finished command: ``INSERT 0 1``.
"""

import ctypes
from typing import Final, NamedTuple

# What a result is: ExecStatusType of libpq-fe.h
EMPTY_QUERY: Final = 0
COMMAND_OK: Final = 1
TUPLES_OK: Final = 2
COPY_OUT: Final = 3
COPY_IN: Final = 4
FATAL_ERROR: Final = 7
COPY_BOTH: Final = 8
PIPELINE_SYNC: Final = 10
PIPELINE_ABORTED: Final = 11

# Field codes of errors and notices (PostgreSQL manual, "Error and Notice Message Fields"; postgres_ext.h)
_SEVERITY, _SQLSTATE, _PRIMARY, _DETAIL, _HINT, _POSITION, _CONTEXT = map(ord, "VCMDHPW")
_LOCALIZED_SEVERITY: Final = ord("S")


class Diagnostics(NamedTuple):
    """The fields of an error or notice. ``position`` counts characters of the statement from 1."""

    severity: str
    message: str
    sqlstate: str | None = None
    detail: str | None = None
    hint: str | None = None
    position: int | None = None
    context: str | None = None


class ServerError(Exception):
    """The server refused a statement; the session may go on, unless the severity is FATAL or PANIC."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        super().__init__(diagnostics.message)
        self.diagnostics = diagnostics


class ConnectionBroken(Exception):
    """There is no connection, or none any more. The text is libpq's."""


class Result(NamedTuple):
    """What one statement came to. Names and values are in the client encoding, as the server wrote them.

    ``columns`` is ``None`` for a command that returns no rows.
    """

    tag: str
    columns: tuple[bytes, ...] | None = None
    rows: tuple[tuple[bytes | None, ...], ...] = ()


def read_result(library: ctypes.CDLL, pointer: int, *, with_rows: bool) -> Result:
    """Copy what a ``PGresult`` holds; of rows that are not wanted, nothing but the tag."""
    tag = (library.PQcmdStatus(pointer) or b"").decode("ascii", "replace")
    if not with_rows or library.PQresultStatus(pointer) != TUPLES_OK:
        return Result(tag)
    columns = range(library.PQnfields(pointer))
    names = tuple(library.PQfname(pointer, column) or b"" for column in columns)
    rows = range(library.PQntuples(pointer))
    return Result(tag, names, tuple(_row(library, pointer, row, columns) for row in rows))


def _row(library: ctypes.CDLL, pointer: int, row: int, columns: range) -> tuple[bytes | None, ...]:
    # An empty value and NULL look the same; asking is only needed for those.
    get, is_null = library.PQgetvalue, library.PQgetisnull
    return tuple(
        get(pointer, row, column) or (None if is_null(pointer, row, column) else b"") for column in columns
    )


def read_diagnostics(library: ctypes.CDLL, pointer: int, encoding: str) -> Diagnostics:
    """The fields of a ``PGresult`` that is an error or a notice."""

    def field(code: int) -> str | None:
        value = library.PQresultErrorField(pointer, code)
        return value.decode(encoding, "replace") if value is not None else None

    position = field(_POSITION)
    message = field(_PRIMARY)
    if message is None:
        message = (library.PQresultErrorMessage(pointer) or b"").decode(encoding, "replace").strip()
    return Diagnostics(
        severity=field(_SEVERITY) or field(_LOCALIZED_SEVERITY) or "",
        message=message,
        sqlstate=field(_SQLSTATE),
        detail=field(_DETAIL),
        hint=field(_HINT),
        position=int(position) if position else None,
        context=field(_CONTEXT),
    )
