"""Versions of migrations, and targets.

Holds: a text is a version or a ValueError; versions are in one order, which agrees with equality and hash; what a
version shows is the same version.
"""

from contextlib import suppress
from itertools import product
from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, repeated
from taxiway.model.rules import Target as MigrationTarget
from taxiway.model.version import MigrationVersion


def check(data: bytes) -> None:
    """See the top of this module."""
    versions = []
    for text in Draw(data).texts()[:3]:
        with suppress(ValueError):
            MigrationTarget.parse(text)
        with suppress(ValueError):
            versions.append(MigrationVersion(text))
    for version in versions:
        assert MigrationVersion(version.text) == version, "what is shown is another version"
        assert MigrationVersion(f"{version.text}.0") == version, "a zero at the end makes a difference"
    for one, other in product(versions, versions):
        assert (one < other) + (one == other) + (one > other) == 1, "not one of less, equal and greater"
        assert one != other or hash(one) == hash(other), "equal, and hashed differently"
    ordered = sorted(versions)
    assert all(one <= other for index, one in enumerate(ordered) for other in ordered[index:]), "no order"


TARGET: Final = Target(
    name="version",
    check=check,
    modules=("taxiway.model.version",),
    seeds=tuple(
        settings_and(text)
        for text in (
            *(
                "1\0001.0\00001",
                "1.2.3\0001_2_3\0001.10",
                "-1\000+1\0000",
                "1.-2",
                "1..2",
                "",
                "٣",
                "latest\000NEXT",
            ),
            *("1.2?\000current?", " 1 \000x", "1." + "0" * 40),
        )
    ),
    words=("0", "1", "9", ".", "_", "-", "+", "\0", "latest", "current", "next", "?", "٣", " "),
    shapes={
        "digits": repeated("1"),
        "zeros": repeated("0"),
        "parts": repeated("1."),
        "trailing zeros": repeated(".0", before="1"),
        "underscores": repeated("_"),
        "signs": repeated("-"),
    },
)
