r"""From the text of ``flyway.conf`` to a place.

The syntax is that of :mod:`taxiway.scan.properties`, and besides (Flyway 13):

- ``${NAME}`` is an environment variable, or nothing when it is not set. It is replaced once a line has been taken
  apart, so that what is in the variable is never syntax. Flyway replaces it before.
- Lists are separated by commas.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from taxiway.config.confidential import is_confidential
from taxiway.config.keys import FlatKey, KeyCheck, find_nearest_key
from taxiway.config.layers import EVERYWHERE, Given, Place, to_place
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.scan.properties import parse_properties
from taxiway.secret import Secret

_PREFIX: Final = "flyway."
_KNOWN: Final = {option.key: option for option in OPTIONS if option.in_files}
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9_]+)\}", re.ASCII)


def parse_conf(text: str, *, name: str = "flyway.conf", environ: Mapping[str, str]) -> Place:
    """What a file says; ``name`` is what messages call it.

    Raises:
        UnknownOption: Keys that begin with ``flyway.`` and that no option has.
        ObsoleteOption: Keys that Flyway had once.
        UnsupportedOption: A key of Flyway's that cannot be had here.
    """
    check = KeyCheck(name)
    given: list[Given] = []
    for written in {one.key: one for one in parse_properties(text)}.values():
        key, value = (_expand(part, environ) for part in (written.key, written.value))
        if not key.startswith(_PREFIX):
            check.warnings.append(f"{name}: {written.key} is ignored: it does not begin with '{_PREFIX}'.")
        elif found := _find(key, value, check, written=written.key):
            option, entry = found
            if value or option.may_be_empty:
                secrets = tuple(_confidential(f"{written.key}={written.value}", environ))
                origin = f"{name}: {written.key}"
                given.append(Given(option=option, value=value, origin=origin, entry=entry, confidential=secrets))
    check.finish()
    return to_place(given, check.warnings)


def _find(key: str, value: str, check: KeyCheck, *, written: str) -> tuple[Option, str] | None:
    """The option of a key, and the entry if it is a map. Messages tell it as ``written``: a part may be secret."""
    flat = FlatKey(key.removeprefix(_PREFIX), EVERYWHERE)
    found = flat.find_option()
    if found and found[0].in_files and (found[0].kind is Kind.MAP) == bool(found[1]):
        return found
    if foreign := flat.find_foreign():
        check.foreign(written, value, foreign)
    else:
        near = check.suggest(lambda: find_nearest_key(flat.name, _KNOWN)) if written == key else None
        check.unknown(written, f"{_PREFIX}{near}" if near else None)
    return None


def _expand(text: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environ.get(found[1], ""), text)


def _confidential(text: str, environ: Mapping[str, str]) -> Iterator[Secret]:
    """The values of the variables in a text whose names speak of secrets."""
    return (Secret(environ.get(name, "")) for name in _VARIABLE.findall(text) if is_confidential(name))
