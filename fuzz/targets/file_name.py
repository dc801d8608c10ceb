"""Names of migration files and of programs.

Holds: any name is read without an error; a name that is made of what was read is read as the same; the name that
is suggested for an invalid one is valid; a kind has a version exactly if it is not repeatable.
"""

import re
from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, repeated
from taxiway.model.migration import MigrationKind
from taxiway.model.rules import Naming
from taxiway.scan.filename import CallbackName, InvalidName, MigrationName, parse_filename, parse_program_name

_NAMINGS: Final = (
    Naming(),
    Naming(suffixes=(".sql", ".pgsql", ".SQL.x", "_s")),
    Naming(versioned_prefix="", repeatable_prefix="rep_", separator="-", suffixes=("",)),
    Naming(versioned_prefix="V", repeatable_prefix="V_R", baseline_prefix="beforeX", separator="_"),
    Naming(separator="__1", undo_prefix="v", suffixes=(".\u0130", ".sql")),
)
_SUGGESTION: Final = re.compile(r"; did you mean '(.*)'\?\Z", re.DOTALL)


def check(data: bytes) -> None:
    """See the top of this module."""
    draw = Draw(data)
    naming = draw.choose(_NAMINGS)
    name = draw.texts()[0]
    parsed = parse_filename(name, naming)
    match parsed:
        case MigrationName():
            _check_migration(parsed, name, naming)
        case InvalidName(reason):
            assert reason.strip()
            _check_suggestion(reason, naming)
        case CallbackName():
            assert name.startswith(parsed.event.value)
    program = parse_program_name(name, naming)
    if program is not None:
        assert name.lower().endswith(program.extension)
        assert not (isinstance(program.name, MigrationName) and program.name.kind is MigrationKind.UNDO)


def _check_migration(parsed: MigrationName, name: str, naming: Naming) -> None:
    assert (parsed.version is None) == (parsed.kind is MigrationKind.REPEATABLE)
    if parsed.version is not None:
        assert parsed.version.raw in name
    assert "_" not in parsed.description
    assert parse_filename(name, naming) == parsed


def _check_suggestion(reason: str, naming: Naming) -> None:
    if found := _SUGGESTION.search(reason):
        better = parse_filename(found[1], naming)
        assert isinstance(better, MigrationName | CallbackName), f"{found[1]!r} is suggested and is invalid"


TARGET: Final = Target(
    name="file_name",
    check=check,
    modules=("taxiway.scan.filename", "taxiway.model.version", "taxiway.nearest"),
    seeds=(
        *(
            settings_and(name, "0")
            for name in (
                *("V1__a.sql", "V1.2_3__a_b.SQL", "R__a.sql", "B1__b.sql", "U1__u.sql", "beforeMigrate.sql"),
                *("afterEachMigrate__x.sql", "v1_create.sql", "V1.2-add.sql", "R_views.sql", "beforeMigrat.sql"),
                *("V__a.sql", "R1__a.sql", "Vlatest__x.sql", "V1a__x.sql", "V.sql", "x.sql", ".sql", "V1.txt"),
                *("V1__a.py", "afterMigrate.sh", "R__x", "U1__x.py", "V1.2__x", "V٣__x.sql", "V\udcff__x.sql"),
            )
        ),
        settings_and("V1-a", "2"),
        settings_and("rep_-a", "2"),
        settings_and("V_R_a.sql", "3"),
        settings_and("V1__1a.\u0130", "4"),
    ),
    words=(
        *("V", "R", "B", "U", "__", "_", "-", ".", ".sql", ".py", ".sh", "before", "after", "Each", "Migrate"),
        *("Clean", "Info", "1", "0", "latest", "current", "next", "9223372036854775807", "rep_", "V_R"),
    ),
    shapes={
        "digits": repeated("1", settings="0", before="V", after="__a.sql"),
        "parts": repeated("1.", settings="0", before="V", after="1__a.sql"),
        "underscores": repeated("_", settings="0", before="V1", after=".sql"),
        "zeros": repeated(".0", settings="0", before="V1", after="__a.sql"),
        "loose parts": repeated("1_", settings="0", before="v", after="a.sql"),
        "loose separators": repeated("-", settings="0", before="V1", after=".sql"),
        "loose blanks and dots": repeated(" .", settings="0", before="v1", after="\n.sql"),
        "misspelt callback": repeated("beforeMigrat", settings="0", after=".sql"),
        "letters": repeated("a", settings="0", after=".sql"),
        "suffixes": repeated(".sql", settings="1", before="V1__a"),
    },
)
