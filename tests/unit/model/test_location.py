"""Where to look for scripts, as it is written."""

import pytest

from taxiway.model.location import Location


@pytest.mark.parametrize(
    ("text", "prefix", "path"),
    [
        ("filesystem:sql", "filesystem", "sql"),
        ("sql", "filesystem", "sql"),
        ("  filesystem:sql ", "filesystem", "sql"),
        ("filesystem:/a//b/", "filesystem", "/a/b"),
        ("filesystem:./a/../b", "filesystem", "./a/../b"),
        ("filesystem:db/**/V*.sql", "filesystem", "db/**/V*.sql"),
        ("filesystem:a:b", "filesystem", "a:b"),
        ("classpath:db/migration", "classpath", "db/migration"),
        ("classpath:/db/migration/", "classpath", "db/migration"),
    ],
)
def test_a_location_is_a_prefix_and_a_path(text: str, prefix: str, path: str) -> None:
    location = Location.parse(text)
    assert location == Location(prefix, path)
    assert Location.parse(str(location)) == location


@pytest.mark.parametrize("text", ["s3:bucket/sql", "gcs:bucket", "Filesystem:x", ":x", "C:\\sql"])
def test_an_unknown_prefix_names_the_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match="use 'filesystem:' or 'classpath:'"):
        Location.parse(text)


@pytest.mark.parametrize("text", ["", " ", "filesystem:", "classpath:/"])
def test_a_location_has_a_path(text: str) -> None:
    with pytest.raises(ValueError, match="has no path"):
        Location.parse(text)
