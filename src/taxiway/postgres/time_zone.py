"""The client's time zone, as a name that the server knows.

The usual ways to set it are read here; what knows the others takes longer to load than a command to run.
"""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

# Where the system keeps zones, and how a file of one begins (RFC 9636, "TZif").
_ZONES: Final = "/usr/share/zoneinfo"
_MAGIC: Final = b"TZif"

_LINK: Final = Path("/etc/localtime")
_NAME: Final = Path("/etc/timezone")
# Further places where some systems have a name
_OTHERS: Final = ("/etc/sysconfig/clock", "/etc/conf.d/clock", "/var/db/zoneinfo", "/system/bin/getprop")


def local_time_zone() -> str:
    """The client's time zone as a name that PostgreSQL and :mod:`zoneinfo` know.

    Where there is none (``TZ=JST-9``) it is the zone of today's offset; those count whole hours only.
    """
    return _usual_name() or _any_name() or _name_of_offset()


def _usual_name() -> str | None:
    """What ``TZ`` says, or the files of the system if they agree."""
    if given := _given():
        names = {given}
    elif any(map(os.path.exists, _OTHERS)):
        return None
    else:
        names = set(_of_the_system())
    return names.pop() if len(names) == 1 and all(map(_is_zone, names)) else None


def _given() -> str:
    return os.environ.get("TZ", "").removeprefix(":")


def _of_the_system() -> Iterator[str]:
    """The zone that the time of the machine is linked to, and the one that is named."""
    if _LINK.is_symlink():
        yield os.path.realpath(_LINK).removeprefix(f"{_ZONES}/")
    if _NAME.exists():
        yield _NAME.read_text(encoding="ascii", errors="replace").strip()


def _is_zone(name: str) -> bool:
    path = os.path.normpath(f"{_ZONES}/{name}")
    try:
        return path == f"{_ZONES}/{name}" and Path(path).read_bytes().startswith(_MAGIC)
    except (OSError, ValueError):
        return False


def _any_name() -> str | None:
    """The same, wherever it may be set and kept."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    import tzlocal

    try:
        return ZoneInfo(given).key if (given := _given()) else tzlocal.get_localzone_name()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _name_of_offset() -> str:
    # POSIX counts to the west: Etc/GMT-9 is nine hours ahead.
    hours, rest = divmod(datetime.now().astimezone().utcoffset() or timedelta(), timedelta(hours=1))
    return "UTC" if rest or not hours else f"Etc/GMT{-hours:+d}"
