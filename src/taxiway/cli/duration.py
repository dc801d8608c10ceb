"""Durations as people write them: ``90``, ``90s``, ``30m``, ``2h``."""

import re
from typing import Final

from taxiway.errors import InvalidOption

_DURATION: Final = re.compile(r"(?P<number>[0-9]{1,7})(?P<unit>[smh]?)")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}


def parse_duration(text: str) -> int:
    """The duration in seconds; without a unit it is seconds.

    Raises:
        InvalidOption: It is none, or zero.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = int(found["number"]) * _SECONDS[found["unit"]] if found else 0
    if not seconds:
        raise InvalidOption(f"'{text}' is no duration.", hint="Write one such as 90s, 30m or 2h.")
    return seconds
