"""libpq itself, loaded once and called through ctypes.

The functions are described in the PostgreSQL manual, chapter "libpq — C Library". Their binary interface has been
the same since PostgreSQL 8.0 (``libpq.so.5``).
"""

import ctypes
import sys
from ctypes import POINTER, c_char_p, c_int, c_void_p
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from taxiway.errors import LibraryMissing

# Pipeline mode came with 14.
_OLDEST: Final = 140000

# The wheel of psycopg-binary brings a current libpq with OpenSSL for every platform; nothing else of it is used.
_WHEEL: Final = "psycopg_binary"
_BUNDLED: Final = ("../psycopg_binary.libs/libpq-*.so*", ".dylibs/libpq*.dylib")
_OF_THE_SYSTEM: Final = ("libpq.5.dylib",) if sys.platform == "darwin" else ("libpq.so.5",)

NOTICE_RECEIVER: Final = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)
"""``PQnoticeReceiver``: what libpq calls with each notice."""

_STRINGS: Final = POINTER(c_char_p)
_FUNCTIONS: Final[dict[str, tuple[type | None, tuple[type, ...]]]] = {
    "PQconnectdbParams": (c_void_p, (_STRINGS, _STRINGS, c_int)),
    "PQconnectStartParams": (c_void_p, (_STRINGS, _STRINGS, c_int)),
    "PQconnectPoll": (c_int, (c_void_p,)),
    "PQsetErrorVerbosity": (c_int, (c_void_p, c_int)),
    "PQencryptPasswordConn": (c_void_p, (c_void_p, c_char_p, c_char_p, c_char_p)),
    "PQconninfo": (c_void_p, (c_void_p,)),
    "PQfinish": (None, (c_void_p,)),
    "PQstatus": (c_int, (c_void_p,)),
    "PQerrorMessage": (c_char_p, (c_void_p,)),
    "PQtransactionStatus": (c_int, (c_void_p,)),
    "PQparameterStatus": (c_char_p, (c_void_p, c_char_p)),
    "PQserverVersion": (c_int, (c_void_p,)),
    "PQbackendPID": (c_int, (c_void_p,)),
    "PQhost": (c_char_p, (c_void_p,)),
    "PQhostaddr": (c_char_p, (c_void_p,)),
    "PQport": (c_char_p, (c_void_p,)),
    "PQsocket": (c_int, (c_void_p,)),
    "PQsetnonblocking": (c_int, (c_void_p, c_int)),
    "PQsetNoticeReceiver": (c_void_p, (c_void_p, NOTICE_RECEIVER, c_void_p)),
    "PQsendQuery": (c_int, (c_void_p, c_char_p)),
    "PQsendQueryParams": (
        c_int,
        (c_void_p, c_char_p, c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_int),
    ),
    "PQflush": (c_int, (c_void_p,)),
    "PQconsumeInput": (c_int, (c_void_p,)),
    "PQisBusy": (c_int, (c_void_p,)),
    "PQgetResult": (c_void_p, (c_void_p,)),
    "PQputCopyData": (c_int, (c_void_p, c_char_p, c_int)),
    "PQputCopyEnd": (c_int, (c_void_p, c_char_p)),
    "PQgetCopyData": (c_int, (c_void_p, POINTER(c_void_p), c_int)),
    "PQfreemem": (None, (c_void_p,)),
    "PQenterPipelineMode": (c_int, (c_void_p,)),
    "PQexitPipelineMode": (c_int, (c_void_p,)),
    "PQpipelineSync": (c_int, (c_void_p,)),
    "PQsendFlushRequest": (c_int, (c_void_p,)),
    "PQgetCancel": (c_void_p, (c_void_p,)),
    "PQfreeCancel": (None, (c_void_p,)),
    "PQcancel": (c_int, (c_void_p, c_char_p, c_int)),
    "PQresultStatus": (c_int, (c_void_p,)),
    "PQresultErrorField": (c_char_p, (c_void_p, c_int)),
    "PQresultErrorMessage": (c_char_p, (c_void_p,)),
    "PQcmdStatus": (c_char_p, (c_void_p,)),
    "PQntuples": (c_int, (c_void_p,)),
    "PQnfields": (c_int, (c_void_p,)),
    "PQfname": (c_char_p, (c_void_p, c_int)),
    "PQgetvalue": (c_char_p, (c_void_p, c_int, c_int)),
    "PQgetisnull": (c_int, (c_void_p, c_int, c_int)),
    "PQclear": (None, (c_void_p,)),
    "PQconninfoParse": (c_void_p, (c_char_p, POINTER(c_void_p))),
    "PQconndefaults": (c_void_p, ()),
    "PQconninfoFree": (None, (c_void_p,)),
    "PQlibVersion": (c_int, ()),
}
# Since PostgreSQL 17: cancels over an encrypted connection where the session has one.
_NEWER: Final[dict[str, tuple[type | None, tuple[type, ...]]]] = {
    "PQcancelCreate": (c_void_p, (c_void_p,)),
    "PQcancelBlocking": (c_int, (c_void_p,)),
    "PQcancelFinish": (None, (c_void_p,)),
}


class ConninfoOption(ctypes.Structure):
    """``PQconninfoOption``: one connection parameter."""

    _fields_ = (
        ("keyword", c_char_p),
        ("envvar", c_char_p),
        ("compiled", c_char_p),
        ("val", c_char_p),
        ("label", c_char_p),
        ("dispchar", c_char_p),
        ("dispsize", c_int),
    )


@cache
def libpq() -> ctypes.CDLL:
    """The library with its functions declared: that of the wheel, or else the system's.

    Raises:
        LibraryMissing: There is none, or it is older than 14.
    """
    library = _load()
    for name, (result, arguments) in _FUNCTIONS.items():
        _declare(library, name, result, arguments)
    if library.PQlibVersion() < _OLDEST:
        raise LibraryMissing("libpq, the client library of PostgreSQL, is older than 14.")
    for name, (result, arguments) in _NEWER.items():
        if hasattr(library, name):
            _declare(library, name, result, arguments)
    return library


def _declare(library: ctypes.CDLL, name: str, result: type | None, arguments: tuple[type, ...]) -> None:
    function = library[name]
    function.restype, function.argtypes = result, arguments
    setattr(library, name, function)


def _load() -> ctypes.CDLL:
    for candidate in (*_bundled(), *_OF_THE_SYSTEM):
        try:
            return ctypes.CDLL(candidate)
        except OSError:
            continue
    raise LibraryMissing("libpq, the client library of PostgreSQL, is not to be found.")


def _bundled() -> list[str]:
    # Found without importing the package: that would load all of its driver.
    spec = PathFinder.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return []
    package = Path(spec.origin).parent
    return [str(path) for pattern in _BUNDLED for path in sorted(package.glob(pattern))]
