"""Wildcards in locations, beside a naive matcher of whole paths."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.scan.wildcard import Wildcard, split_pattern


@pytest.mark.parametrize(
    ("path", "root", "pattern"),
    [
        ("sql", "sql", ""),
        ("a/b/*/c", "a/b", "*/c"),
        ("a/b*", "a", "b*"),
        ("*/c", "", "*/c"),
        ("/*/c", "/", "*/c"),
        ("/a/?", "/a", "?"),
        ("**", "", "**"),
        ("/sql", "/sql", ""),
    ],
)
def test_the_root_ends_before_the_first_wildcard(path: str, root: str, pattern: str) -> None:
    assert split_pattern(path) == (root, pattern)


def found(pattern: str, file: str) -> str | None:
    """The script path of a file below the root, as a search would have it; ``None`` if it is not found."""
    wildcard = Wildcard(pattern)
    state = wildcard.start
    *folders, name = file.split("/")
    for depth, folder in enumerate([None, *folders]):
        if folder is not None:
            state = wildcard.enter(state, folder)
        if wildcard.matches_folder(state):
            return "/".join([*folders[depth:], name])
    return file if wildcard.matches_file(state, name) else None


@pytest.mark.parametrize(
    ("pattern", "file", "script"),
    [
        # Flyway 13, with the script paths that it gives.
        ("", "x1/mig/V1__m.sql", "x1/mig/V1__m.sql"),
        ("*/mig", "x1/mig/V1__m.sql", "V1__m.sql"),
        ("x?/mig", "x1/mig/V1__m.sql", "V1__m.sql"),
        ("**/mig", "x1/mig/V1__m.sql", "V1__m.sql"),
        ("**/V?__*.sql", "x1/mig/V1__m.sql", "x1/mig/V1__m.sql"),
        ("**/V*.sql", "V1__m.sql", "V1__m.sql"),
        ("**/mig", "mig/V1__m.sql", "V1__m.sql"),
        ("**/mig", "a/b/mig/c/V1__m.sql", "c/V1__m.sql"),
        ("release*", "release1/V1__m.sql", "V1__m.sql"),
        ("release*", "release/V1__m.sql", None),
        ("release?", "release12/V1__m.sql", None),
        ("**/*", "V1__m.sql", None),
        ("**/*", "x1/mig/V1__m.sql", "mig/V1__m.sql"),
        ("*/mig", "x1/other/V1__m.sql", None),
        ("*/mig", "x1/y/mig/V1__m.sql", None),
        ("*", "V1__m", None),
        ("*.sql", "X1__m.SQL", None),
        ("V*.sql", "V1xsql", None),
        # Where Flyway finds nothing.
        ("**", "V1__m.sql", "V1__m.sql"),
        ("**", "x1/V1__m.sql", "x1/V1__m.sql"),
        ("*/**", "x1/a/V1__m.sql", "a/V1__m.sql"),
        ("release1.*", "release1.2/V1__m.sql", "V1__m.sql"),
        ("*/v1.0", "x/v1.0/a/V1__m.sql", "a/V1__m.sql"),
        # The outermost folder that matches counts.
        ("**/mig", "mig/x/mig/V1__m.sql", "x/mig/V1__m.sql"),
        # Hidden folders have to be named.
        ("**/mig", ".git/mig/V1__m.sql", None),
        ("*/mig", ".git/mig/V1__m.sql", None),
        ("*/.mig", "a/.mig/V1__m.sql", "V1__m.sql"),
        (".*/mig", ".a/mig/V1__m.sql", "V1__m.sql"),
        ("**/*.sql", "a/.V1__m.sql", "a/.V1__m.sql"),
    ],
)
def test_files_are_found_with_the_path_of_their_script(pattern: str, file: str, script: str | None) -> None:
    assert found(pattern, file) == script


def test_a_folder_that_cannot_match_is_not_entered() -> None:
    wildcard = Wildcard("*/mig/V*.sql")
    inside = wildcard.enter(wildcard.start, "x")
    assert not wildcard.enter(inside, "other")
    assert wildcard.enter(inside, "mig")


def test_many_stars_cost_little_time() -> None:
    wildcard = Wildcard("*a" * 40 + "*b")
    started = time.process_time()
    assert not wildcard.enter(wildcard.start, "a" * 255)
    assert time.process_time() - started < 1


PARTS = st.sampled_from(["**", "*", "?", "a", "a*", "*b", "a?", "*a*b", "a*b*a", "ab", "*.b", "a.b"])
NAMES = st.text("ab.", min_size=1, max_size=4).filter(lambda name: not name.startswith("."))


def naive(pattern: str, file: str) -> str | None:
    """Regular expressions for whole paths, tried for the file and for each of its folders."""
    expression = ""
    parts = pattern.split("/")
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        if part == "**":
            expression += "(?:[^/]+/)*"
        else:
            pieces = [".".join(map(re.escape, piece.split("?"))) for piece in part.split("*")]
            expression += "[^/]+".join(piece.replace(".", "[^/]") if "?" in part else piece for piece in pieces)
            expression += "/" * (not is_last)
    folders = file.split("/")[:-1]
    for depth in range(len(folders) + 1):
        path = "/".join(folders[:depth]) + "/" * (depth > 0)
        if re.fullmatch(expression if parts[-1] == "**" else expression + "/", path):
            return "/".join(file.split("/")[depth:])
    is_file_pattern = "." in parts[-1] and re.fullmatch(expression, file)
    return file if is_file_pattern else None


@given(
    st.lists(PARTS, min_size=1, max_size=4).map("/".join), st.lists(NAMES, min_size=1, max_size=5).map("/".join)
)
def test_the_search_agrees_with_whole_paths(pattern: str, file: str) -> None:
    assert found(pattern, file) == naive(pattern, file)
