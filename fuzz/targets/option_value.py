"""The text of any option: numbers, times, lists, locations, patterns, error overrides.

Holds: a value, or InvalidOption that names where the text came from; a secret stays one.
"""

from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, check_error
from taxiway.config.layers import Given
from taxiway.config.merge import convert
from taxiway.config.option import Group, Kind
from taxiway.config.options import BY_KEY, OPTIONS
from taxiway.errors import InvalidOption
from taxiway.secret import Secret

_KEYS: Final = sorted(BY_KEY)
_ORIGIN: Final = "FLYWAY_X"


def check(data: bytes) -> None:
    """See the top of this module."""
    draw = Draw(data)
    option = BY_KEY[draw.choose(_KEYS)]
    text = draw.rest().decode("utf-8", "surrogateescape")
    given = Given(option=option, value=text, origin=_ORIGIN, entry="a" if option.kind is Kind.MAP else "")
    try:
        value = convert(given, text)
    except InvalidOption as error:
        check_error(error)
        assert _ORIGIN in error.message
        return
    assert option.kind is not Kind.SECRET or isinstance(value, Secret)
    if option.group is Group.HISTORY:
        # The server has no other characters in names.
        str(value).encode()


def _input(key: str, text: str) -> bytes:
    return bytes([_KEYS.index(key)]) + settings_and(text)


_SEEDS: Final = (
    ("errorOverrides", "42P07:0:W-,*:*:E,x"),
    ("ignoreMigrationPatterns", "*:missing, versioned:pending"),
    ("cherryPick", "1,2.3,x y"),
    ("locations", "filesystem:sql,classpath:db/**,sql,s3:x"),
    ("target", "1.2?"),
    ("baselineVersion", "1_1"),
    ("url", "postgresql://u:p@h/d"),
    ("encoding", "UTF-8"),
    ("connectRetries", "10"),
    ("sqlMigrationSuffixes", ".sql,.pgsql"),
    ("placeholderPrefix", "${"),
    ("mixed", "TRUE"),
)

TARGET: Final = Target(
    name="option_value",
    check=check,
    modules=("taxiway.config.parse", "taxiway.config.options", "taxiway.model.rules", "taxiway.model.location"),
    seeds=(
        *(_input(key, text) for key, text in _SEEDS),
        *(bytes([number]) + b"31/12/2026 16:30" for number in range(len(_KEYS))),
        *(bytes([number]) + b"1" for number in range(len(_KEYS))),
    ),
    words=(
        *(
            ":",
            ",",
            "*",
            "-",
            "W",
            "true",
            "pending",
            "missing",
            "versioned",
            "filesystem:",
            "classpath:",
            "/",
            "?",
        ),
        *("latest", "next", "31/12/2026 16:30", "99999999999999999999", "٣", " ", "\0", "success", "42P07"),
    ),
    shapes={
        f"{option.key}, {name}": (
            lambda times, key=option.key, piece=piece: _input(key, piece * times)  # type: ignore[misc]  # per item
        )
        for option in OPTIONS
        for name, piece in (("letters", "a"), ("digits", "1"), ("commas", "a,"), ("colons", "a:"))
        if option.kind is not Kind.SECRET
    },
)
