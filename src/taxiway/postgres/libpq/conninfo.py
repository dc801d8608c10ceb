"""Connection strings and defaults, as libpq itself reads them (PostgreSQL manual, "Connection Strings")."""

import ctypes
from collections.abc import Iterable, Mapping
from ctypes import POINTER, c_char_p, c_void_p, cast

from taxiway.postgres.libpq.library import ConninfoOption, libpq


def parse_conninfo(text: str) -> dict[str, str]:
    """The parameters of a URL or of ``key=value`` pairs; percent-encoding is taken away.

    Raises:
        ValueError: libpq does not understand it. Its words say why; they may hold a piece of a password.
    """
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        message = "a character that libpq cannot take"
        raise ValueError(message)
    words = c_void_p()
    options = libpq().PQconninfoParse(encoded, ctypes.byref(words))
    if options:
        return _taken(options)
    message = (cast(words, c_char_p).value or b"").decode("utf-8", "replace")
    libpq().PQfreemem(words)
    raise ValueError(message)


def known_parameters() -> tuple[str, ...]:
    """The names of all parameters that libpq knows."""
    options = libpq().PQconndefaults()
    return tuple(_options(options)) if options else ()


def resolve_conninfo(given: Mapping[str, str]) -> dict[str, str]:
    """What libpq makes of these parameters with its variables and its service file. Nothing is connected to.

    What is wrong with them is not told here.
    """
    # libpq checks the mode after it has read everything else, and before it looks for the server.
    parameters = {**given, "sslmode": "none"}
    library = libpq()
    connection = library.PQconnectStartParams(strings(parameters.keys()), strings(parameters.values()), 0)
    try:
        return {name: value for name, value in _options(library.PQconninfo(connection)).items() if value}
    finally:
        library.PQfinish(connection)


def strings(texts: Iterable[str]) -> "ctypes.Array[ctypes.c_char_p]":
    """As C wants a list of strings: with a null pointer at its end."""
    encoded = [text.encode() for text in texts]
    return (c_char_p * (len(encoded) + 1))(*encoded, None)


def _taken(pointer: int) -> dict[str, str]:
    return {name: value for name, value in _options(pointer).items() if value is not None}


def _options(pointer: int) -> dict[str, str | None]:
    """Every option and its value; the list that libpq has made is given back."""
    options = cast(pointer, POINTER(ConninfoOption))
    found: dict[str, str | None] = {}
    while keyword := options[len(found)].keyword:
        value = options[len(found)].val
        found[keyword.decode()] = None if value is None else value.decode("utf-8", "replace")
    libpq().PQconninfoFree(pointer)
    return found
