"""Targets and ignore patterns as text."""

import pytest

from taxiway.model.info import MigrationState
from taxiway.model.rules import IgnorePattern, Policy, Target, TargetKind
from taxiway.model.version import MigrationVersion


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("latest", Target()),
        ("LATEST", Target()),
        ("current", Target(TargetKind.CURRENT)),
        (" next ", Target(TargetKind.NEXT)),
        ("1.2", Target(TargetKind.VERSION, MigrationVersion("1.2"))),
        ("1_2", Target(TargetKind.VERSION, MigrationVersion("1.2"))),
        ("3?", Target(TargetKind.VERSION, MigrationVersion("3"), must_exist=False)),
    ],
)
def test_targets_are_read(text: str, target: Target) -> None:
    assert Target.parse(text) == target


@pytest.mark.parametrize("text", ["", "newest", "version", "1.2??", "?", "V1", "latest?"])
def test_what_is_no_target_is_refused_with_the_words_that_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"use latest, current, next, a version"):
        Target.parse(text)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("*:*", IgnorePattern(None, None)),
        ("*:future", IgnorePattern(None, MigrationState.FUTURE_SUCCESS)),
        (" Versioned : Missing ", IgnorePattern(repeatable=False, state=MigrationState.MISSING_SUCCESS)),
        ("repeatable:PENDING", IgnorePattern(repeatable=True, state=MigrationState.PENDING)),
        ("*:ignored", IgnorePattern(None, MigrationState.IGNORED)),
    ],
)
def test_ignore_patterns_are_read(text: str, pattern: IgnorePattern) -> None:
    assert IgnorePattern.parse(text) == pattern


@pytest.mark.parametrize("text", ["", "missing", "*:missing:x", "undo:missing", "*:failed", "*:", ":missing"])
def test_what_is_no_ignore_pattern_is_refused_with_the_words_that_are(text: str) -> None:
    with pytest.raises(ValueError, match=r"versioned, repeatable and state is one of .*missing, pending"):
        IgnorePattern.parse(text)


def test_missing_does_not_cover_failed_missing() -> None:
    pattern = IgnorePattern.parse("*:missing")
    assert pattern.matches(repeatable=False, state=MigrationState.MISSING_SUCCESS)
    assert not pattern.matches(repeatable=False, state=MigrationState.MISSING_FAILED)


@pytest.mark.parametrize(
    ("patterns", "covered"),
    [
        (("*:missing",), True),
        (("versioned:missing", "repeatable:missing"), True),
        (("versioned:missing",), False),
        ((), False),
    ],
)
def test_a_state_is_ignored_when_both_sorts_are_covered(patterns: tuple[str, ...], *, covered: bool) -> None:
    policy = Policy(ignore_patterns=tuple(map(IgnorePattern.parse, patterns)))
    assert policy.ignores(MigrationState.MISSING_SUCCESS) is covered
