"""Locations with wildcards, walked folder by folder.

Holds: the folders and files that match are those that a second matcher finds, which is slow and simple.
"""

from typing import Final

from fuzz.draw import Draw, settings_and
from fuzz.target import Target, repeated
from taxiway.model.location import Location
from taxiway.scan.wildcard import ANY_FOLDERS, Wildcard, has_wildcard, split_pattern

# The simple matcher takes every way there is.
_LONGEST: Final = 24


def check(data: bytes) -> None:
    """See the top of this module."""
    pattern, path, *_ = [*Draw(data).texts(), ""]
    root, below = split_pattern(pattern)
    assert not any(map(has_wildcard, root.split("/")))
    assert not pattern or has_wildcard(below) or not below
    try:
        Location.parse(pattern)
    except ValueError as error:
        assert str(error)
    *folders, name = path.split("/")
    wildcard = Wildcard(pattern)
    state = wildcard.start
    for folder in folders:
        state = wildcard.enter(state, folder)
    matched = wildcard.matches_folder(state), wildcard.matches_file(state, name)
    segments = pattern.split("/") if pattern else []
    if max(map(len, (*segments, *folders, segments, folders, name)), default=0) <= _LONGEST:
        assert matched == _expected(segments, folders, name), f"{pattern!r} and {path!r}: {matched}"


def _expected(segments: list[str], folders: list[str], name: str) -> tuple[bool, bool]:
    is_file = bool(segments) and "." in segments[-1] and _fits(segments[-1], name)
    return _walk(segments, folders), is_file and _walk(segments[:-1], folders)


def _walk(segments: list[str], folders: list[str]) -> bool:
    if not segments:
        return not folders
    first, *rest = segments
    if first == ANY_FOLDERS and _walk(rest, folders):
        return True
    if not folders or (folders[0].startswith(".") and not first.startswith(".")):
        return False
    if first == ANY_FOLDERS:
        return _walk(segments, folders[1:])
    return _fits(first, folders[0]) and _walk(rest, folders[1:])


def _fits(segment: str, name: str) -> bool:
    """A table of what the beginnings of the one make of the beginnings of the other; stars are one or more."""
    reached = {0}
    position = 0
    while position < len(segment):
        if segment[position] == "*":
            while position < len(segment) and segment[position] == "*":
                position += 1
            reached = set(range(min(reached, default=len(name)) + 1, len(name) + 1))
            continue
        character = segment[position]
        reached = {at + 1 for at in reached if at < len(name) and character in {"?", name[at]}}
        position += 1
    return len(name) in reached


TARGET: Final = Target(
    name="wildcard",
    check=check,
    modules=("taxiway.scan.wildcard", "taxiway.model.location"),
    seeds=tuple(
        settings_and(text)
        for text in (
            *("db/**/v?\0db/a/b/v1/x.sql", "db/*.sql\0db/x.sql", "**\0a/b/c", "/a*b*c/x\0abc/x/y", "a?*\0abc/"),
            *("filesystem:x/*\0x/y", "s3:x\0", "\0", "**/**/a\0x/a/y", ".*\0.git/x", "*\0.git/x", "a***b\0aab/b"),
        )
    ),
    words=("*", "**", "?", "/", ".", "\0", "a", "b", "filesystem:", "classpath:", "**/", ".sql"),
    shapes={
        "stars": repeated("*", after="\0aaaa/b"),
        "stars and letters": repeated("*a", after="\0aaaa/b"),
        "stars and long names": lambda times: b"*a" * 20 + b"\0" + b"a" * times + b"b/",
        "question marks": repeated("?", after="\0aaaa/b"),
        "segments": repeated("a/", after="\0a/b"),
        "folders": repeated("a/", before="**\0"),
        "folders, many patterns": repeated("a/", before="**/**/**/a\0"),
        "any folders": repeated("**/", after="\0a/b"),
        "long names": repeated("a", before="*b\0", after="/"),
        "long names, no end": repeated("ab", before="*a*c\0", after="/"),
    },
)
