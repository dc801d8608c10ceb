"""File names of migrations: ``V1_2__add_users.sql`` is a kind, a version and a description.

The algorithm is that of Flyway 13 (``ResourceNameParser``, ``ResourceNameValidator``). Prefixes, the separator and
the names of events are case-sensitive; suffixes are not. Flyway also reads ``Vlatest__``, ``Vcurrent__`` and
``Vnext__`` as versions, which can only be an accident: here they are invalid names.

Terminology:

body
    The file name without its suffix.
event
    A moment of a command that a callback script is named after, such as ``beforeMigrate``.
program
    A script in another language than SQL, such as ``V3__import.py`` or ``afterMigrate.sh``.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from taxiway.model.callback import CallbackEvent
from taxiway.model.migration import MigrationKind
from taxiway.model.rules import Naming
from taxiway.model.version import MigrationVersion
from taxiway.nearest import find_nearest


class MigrationName(NamedTuple):
    """The name of a migration. Only a repeatable one has no version."""

    kind: MigrationKind
    version: MigrationVersion | None
    description: str


class CallbackName(NamedTuple):
    """The name of a callback script."""

    event: CallbackEvent
    description: str


class InvalidName(NamedTuple):
    """An SQL file that is neither; ``reason`` completes the sentence "invalid, because …"."""

    reason: str


class ProgramName(NamedTuple):
    """The name of a program. ``extension`` is in small letters, with its dot; empty for a file without one."""

    name: MigrationName | CallbackName
    extension: str


type ParsedName = MigrationName | CallbackName | InvalidName

# How the file is run follows from its extension; a file without one is run itself (Flyway 13, script migrations).
_PROGRAM_EXTENSIONS: Final = (".cmd", ".bat", ".ps1", ".py", ".sh", ".bash")
_PROGRAM_KINDS: Final = (MigrationKind.VERSIONED, MigrationKind.REPEATABLE, MigrationKind.BASELINE)

# The last one is how Flyway writes "latest" as a number (Java's Long.MAX_VALUE).
_RESERVED_VERSIONS: Final = frozenset({"latest", "current", "next", str(2**63 - 1)})

# What people write when they miss the separator or hit the wrong case: V1_create, v1.2-add_users, R_views.
_LOOSE_BODY: Final = re.compile(r"([0-9]+(?:[._][0-9]+)*)?[-_. ]+([^-_. ].*)", re.DOTALL)


def parse_filename(name: str, naming: Naming) -> ParsedName | None:
    """What a file is by its name; ``None`` for a file that has none of the suffixes and is none of our business.

    ``name`` has no folders. Hidden files count, as with Flyway.
    """
    body = _body(name, naming.suffixes)
    if body is None:
        return None
    parsed = _parse_body(body, naming)
    if isinstance(parsed, InvalidName) and (better := _nearest_name(body, name, naming)):
        return InvalidName(f"{parsed.reason}; did you mean '{better}'?")
    return parsed


def parse_program_name(name: str, naming: Naming) -> ProgramName | None:
    """What a program is by its name; ``None`` for any other file, ``README`` and ``deploy.sh`` included.

    Flyway 13 knows versioned, repeatable and baseline programs, and callbacks. A name that is not quite one is no
    program: folders of migrations have scripts for people, too.
    """
    body = _body(name, _PROGRAM_EXTENSIONS)
    # Any dot begins an extension, also that of "V1.2__import", which Flyway does not run either.
    if body is None and "." in name:
        return None
    parsed = _parse_body(name if body is None else body, naming)
    if isinstance(parsed, InvalidName):
        return None
    if isinstance(parsed, MigrationName) and parsed.kind not in _PROGRAM_KINDS:
        return None
    return ProgramName(parsed, extension="" if body is None else name[len(body) :].lower())


def _body(name: str, suffixes: Sequence[str]) -> str | None:
    for suffix in suffixes:
        cut = len(name) - len(suffix)
        if cut >= 0 and name[cut:].lower() == suffix.lower():
            return name[:cut]
    return None


def _parse_body(body: str, naming: Naming) -> ParsedName:
    for prefix, meaning in _candidates(body[:1], naming):
        if body.startswith(prefix):
            rest = body[len(prefix) :]
            left, _, right = rest.partition(naming.separator)
            description = right.replace("_", " ")
            if isinstance(meaning, CallbackEvent):
                return _callback(meaning, left, description)
            # Flyway takes "R.sql" for no migration either, without a word.
            if not rest:
                return InvalidName(f"nothing follows the prefix '{prefix}'")
            return _migration(meaning, left, description)
    shown = ", ".join(prefix for prefix, meaning in _prefixes(naming) if isinstance(meaning, MigrationKind))
    return InvalidName(f"it starts with none of the prefixes {shown}")


@lru_cache(maxsize=128)
def _candidates(beginning: str, naming: Naming) -> tuple[tuple[str, MigrationKind | CallbackEvent], ...]:
    """Those of the prefixes that a body with this first character may have."""
    return tuple(one for one in _prefixes(naming) if one[0].startswith(beginning) or not one[0])


@lru_cache(maxsize=8)
def _prefixes(naming: Naming) -> tuple[tuple[str, MigrationKind | CallbackEvent], ...]:
    """Prefixes with what they stand for, the longest first."""
    prefixes: list[tuple[str, MigrationKind | CallbackEvent]] = [
        (naming.versioned_prefix, MigrationKind.VERSIONED),
        (naming.repeatable_prefix, MigrationKind.REPEATABLE),
        (naming.baseline_prefix, MigrationKind.BASELINE),
        (naming.undo_prefix, MigrationKind.UNDO),
        *((event.value, event) for event in CallbackEvent),
    ]
    return tuple(sorted(prefixes, key=lambda item: len(item[0]), reverse=True))


def _callback(event: CallbackEvent, left: str, description: str) -> CallbackName | InvalidName:
    if left:
        return InvalidName(
            f"a callback is named '{event.value}' alone or with a description, and '{left}' is neither"
        )
    return CallbackName(event, description)


def _migration(kind: MigrationKind, left: str, description: str) -> MigrationName | InvalidName:
    if kind is MigrationKind.REPEATABLE:
        if left:
            return InvalidName(f"a repeatable migration has no version, and this one has '{left}'")
        return MigrationName(kind, None, description)
    if not left:
        return InvalidName("the version is missing")
    if left.lower() in _RESERVED_VERSIONS:
        return InvalidName(f"'{left}' is a word for the target, not a version")
    try:
        return MigrationName(kind, MigrationVersion(left), description)
    except ValueError as error:
        return InvalidName(str(error))


def _nearest_name(body: str, name: str, naming: Naming) -> str | None:
    """The name that was probably meant: right case of the prefix, separator after the version, a known event."""
    for prefix, meaning in _prefixes(naming):
        start = body[: len(prefix)]
        loose = _LOOSE_BODY.fullmatch(body[len(prefix) :])
        if isinstance(meaning, CallbackEvent) or start.lower() != prefix.lower() or loose is None:
            continue
        version, description = loose[1] or "", loose[2]
        better = f"{prefix}{version}{naming.separator}{description}"
        if naming.separator not in description and isinstance(_parse_body(better, naming), MigrationName):
            return better + name[len(body) :]
    return _nearest_callback(body, name, naming)


def _nearest_callback(body: str, name: str, naming: Naming) -> str | None:
    event, separator, description = body.partition(naming.separator)
    near = find_nearest(event, (one.value for one in CallbackEvent))
    return f"{near}{separator}{description}{name[len(body) :]}" if near else None
