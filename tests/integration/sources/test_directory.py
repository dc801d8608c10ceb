import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from taxiway.errors import LocationNotFound, UnreadableScript
from taxiway.model.location import Location
from taxiway.sources.directory import DirectorySources

_NOBODY = 65534


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A directory to write to as an ordinary user, because root may read everything."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        if os.geteuid() == 0:
            os.setresuid(_NOBODY, _NOBODY, 0)
        try:
            yield Path(directory)
        finally:
            if os.getresuid()[2] == 0:
                os.setresuid(0, 0, 0)


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def sources(
    root: Path, *locations: str, fail_on_missing: bool = True, inside: Path | None = None
) -> DirectorySources:
    split = (location.rpartition(":") for location in locations)
    parsed = [Location(prefix or "filesystem", path) for prefix, _, path in split]
    return DirectorySources(parsed, base=root, fail_on_missing=fail_on_missing, inside=inside)


def scripts(root: Path, *locations: str) -> list[str]:
    return [file.script for file in sources(root, *locations).files()]


def test_files_are_found_at_any_depth_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = ["V2__b.sql", "V1__a.sql", "a/b/c/V3__c.sql", "a-b/V4__d.sql", "a/V5__e.sql", "notes.txt"]
    write(tmp_path / "sql", dict.fromkeys(names, "select 1;"))
    assert scripts(tmp_path, "filesystem:sql") == sorted(names)


def test_a_file_has_its_absolute_path_and_its_bytes(tmp_path: Path) -> None:
    root = write(tmp_path, {"sql/x/V1__a.sql": "select 1;\r\n"})
    (file,) = sources(root, "filesystem:sql").files()
    assert (file.script, file.name) == ("x/V1__a.sql", "V1__a.sql")
    assert file.path == str(tmp_path / "sql/x/V1__a.sql")
    assert b"".join(file.chunks()) == b"select 1;\r\n"
    assert file.file == str(tmp_path / "sql/x/V1__a.sql")


def test_hidden_directories_are_left_out_and_hidden_files_are_not(tmp_path: Path) -> None:
    write(tmp_path, {"sql/.git/V1__a.sql": "", "sql/.V2__b.sql": "", "sql/x/.y/V3__c.sql": ""})
    assert scripts(tmp_path, "sql") == [".V2__b.sql"]


def test_a_hidden_directory_is_searched_when_it_is_the_location(tmp_path: Path) -> None:
    write(tmp_path, {".sql/V1__a.sql": ""})
    assert scripts(tmp_path, ".sql") == ["V1__a.sql"]


def test_locations_are_taken_in_the_order_of_their_text(tmp_path: Path) -> None:
    write(tmp_path, {"a/V9__a.sql": "", "b/V1__b.sql": ""})
    assert scripts(tmp_path, "b", "a") == ["V9__a.sql", "V1__b.sql"]


@pytest.mark.parametrize("duplicate", ["sql", "./sql", "sql/../sql", "link"])
def test_a_location_that_is_listed_twice_is_read_once(tmp_path: Path, duplicate: str) -> None:
    write(tmp_path, {"sql/V1__a.sql": ""})
    (tmp_path / "link").symlink_to("sql")
    found = sources(tmp_path, "sql", duplicate)
    assert [file.script for file in found.files()] == ["V1__a.sql"]
    assert "more than once" in found.warnings[0]


@pytest.mark.parametrize("child", ["sql/a", "./sql/a", "sql/a/b"])
def test_a_location_below_another_one_is_dropped(tmp_path: Path, child: str) -> None:
    write(tmp_path, {"sql/a/b/V1__a.sql": ""})
    found = sources(tmp_path, child, "sql")
    assert [file.script for file in found.files()] == ["a/b/V1__a.sql"]
    assert found.warnings == [f"Location filesystem:{child} is dropped: it lies below filesystem:sql."]


def test_a_location_whose_name_only_starts_alike_is_kept(tmp_path: Path) -> None:
    write(tmp_path, {"sql/V1__a.sql": "", "sql2/V2__b.sql": ""})
    assert scripts(tmp_path, "sql", "sql2") == ["V1__a.sql", "V2__b.sql"]


def test_a_missing_location_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(LocationNotFound) as caught:
        sources(tmp_path, "sql").files()
    assert caught.value.message == (
        f"Location filesystem:sql: not found ({tmp_path}/sql, base directory {tmp_path})."
    )
    assert "failOnMissingLocations" in str(caught.value.hint)


def test_a_file_is_not_a_location(tmp_path: Path) -> None:
    write(tmp_path, {"sql": ""})
    with pytest.raises(LocationNotFound, match="not a directory"):
        sources(tmp_path, "sql").files()


@pytest.mark.parametrize("location", ["sql", "sql/below"])
def test_a_location_that_cannot_be_read_is_an_error(unprivileged: Path, location: str) -> None:
    write(unprivileged, {"sql/below/V1__a.sql": ""})
    (unprivileged / "sql").chmod(0)
    with pytest.raises(LocationNotFound, match="not readable"):
        sources(unprivileged, location).files()
    (unprivileged / "sql").chmod(0o700)


def test_a_missing_location_is_skipped_with_a_warning_when_that_was_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"b/V1__a.sql": ""})
    found = sources(tmp_path, "a", "b", fail_on_missing=False)
    assert [file.script for file in found.files()] == ["V1__a.sql"]
    assert found.warnings == [
        f"Location filesystem:a: not found ({tmp_path}/a, base directory {tmp_path}). It is skipped."
    ]


def test_warnings_are_not_repeated_when_the_files_are_listed_again(tmp_path: Path) -> None:
    found = sources(tmp_path, "a", fail_on_missing=False)
    found.files()
    found.files()
    assert len(found.warnings) == 1


def test_symbolic_links_are_followed(tmp_path: Path) -> None:
    write(tmp_path, {"shared/V2__b.sql": "two", "V1__a.sql": "one"})
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql/common").symlink_to("../shared")
    (tmp_path / "sql/V1__a.sql").symlink_to("../V1__a.sql")
    found = sources(tmp_path, "sql").files()
    assert [(file.script, b"".join(file.chunks())) for file in found] == [
        ("V1__a.sql", b"one"),
        ("common/V2__b.sql", b"two"),
    ]


def test_links_that_lead_back_up_or_nowhere_do_not_hang(tmp_path: Path) -> None:
    write(tmp_path, {"sql/a/V1__a.sql": ""})
    (tmp_path / "sql/a/up").symlink_to("..")
    (tmp_path / "sql/a/here").symlink_to(".")
    (tmp_path / "sql/itself").symlink_to("itself")
    (tmp_path / "sql/nowhere.sql").symlink_to("nowhere")
    assert scripts(tmp_path, "sql") == ["a/V1__a.sql"]


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    os.mkfifo(tmp_path / "sql/V1__a.sql")
    assert scripts(tmp_path, "sql") == []


def test_what_cannot_be_read_is_left_out_with_a_warning(unprivileged: Path) -> None:
    write(unprivileged, {"sql/V1__a.sql": "", "sql/x/V2__b.sql": "", "sql/V3__c.sql": ""})
    (unprivileged / "sql/V1__a.sql").chmod(0)
    (unprivileged / "sql/x").chmod(0)
    found = sources(unprivileged, "sql")
    assert [file.script for file in found.files()] == ["V3__c.sql"]
    assert sorted(found.warnings) == [
        f"{unprivileged}/sql/V1__a.sql: file skipped, it cannot be read.",
        f"{unprivileged}/sql/x/: directory skipped, it cannot be read (Permission denied).",
    ]
    (unprivileged / "sql/x").chmod(0o700)


def test_ten_thousand_files_are_quick(tmp_path: Path) -> None:
    write(tmp_path, {"one": ""})
    for folder in range(100):
        (tmp_path / f"sql/{folder}").mkdir(parents=True)
        for number in range(100):
            # Another name for the same file takes less time than another file.
            os.link(tmp_path / "one", tmp_path / f"sql/{folder}/V{folder}_{number}__x.sql")
    started = time.process_time()
    assert len(scripts(tmp_path, "sql")) == 10_000
    assert time.process_time() - started < 2


# --- wildcards ---

TREE = ["x1/mig/V1__m.sql", "x2/mig/V2__m.sql", "x1/other/V3__o.sql", "V4__top.sql", "release1.0/V5__r.sql"]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("b/*/mig", ["V1__m.sql", "V2__m.sql"]),
        ("b/x?/mig", ["V1__m.sql", "V2__m.sql"]),
        ("b/**/mig", ["V1__m.sql", "V2__m.sql"]),
        ("b/**/V?__m.sql", ["x1/mig/V1__m.sql", "x2/mig/V2__m.sql"]),
        ("b/x1*", []),
        ("b/x*", ["mig/V1__m.sql", "mig/V2__m.sql", "other/V3__o.sql"]),
        ("b/**/*", ["V5__r.sql", "mig/V1__m.sql", "mig/V2__m.sql", "other/V3__o.sql"]),
        # Flyway finds nothing here.
        ("b/release1.*", ["V5__r.sql"]),
        ("b/x1/**", ["mig/V1__m.sql", "other/V3__o.sql"]),
        ("?/x1/mig", ["V1__m.sql"]),
        ("**/mig", ["V1__m.sql", "V2__m.sql"]),
        ("classpath:b/*/mig", ["V1__m.sql", "V2__m.sql"]),
    ],
)
def test_wildcards_find_what_they_say(tmp_path: Path, location: str, expected: list[str]) -> None:
    write(tmp_path / "b", dict.fromkeys(TREE, "select 1;"))
    assert scripts(tmp_path, location) == expected


def test_files_with_equal_relative_paths_are_all_found(tmp_path: Path) -> None:
    write(tmp_path, {"b/x1/mig/V1__m.sql": "one", "b/x2/mig/V1__m.sql": "two"})
    found = sources(tmp_path, "b/*/mig").files()
    assert [(file.script, b"".join(file.chunks())) for file in found] == [
        ("V1__m.sql", b"one"),
        ("V1__m.sql", b"two"),
    ]


def test_a_pattern_of_files_finds_their_configuration_too(tmp_path: Path) -> None:
    write(tmp_path, {"b/x/V1__a.sql": "", "b/x/V1__a.sql.conf": "", "b/x/notes.conf": ""})
    assert scripts(tmp_path, "b/*/V*.sql") == ["x/V1__a.sql", "x/V1__a.sql.conf"]


def test_a_wildcard_below_another_location_is_kept_and_each_file_is_found_once(tmp_path: Path) -> None:
    write(tmp_path, {"b/x1/V1__a.sql": "", "c/x1/V2__b.sql": ""})
    found = sources(tmp_path, "b/*", "b", "c/*", "c/x1")
    assert [file.script for file in found.files()] == ["x1/V1__a.sql", "V2__b.sql"]
    assert found.warnings == []


def test_a_wildcard_that_is_listed_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"b/x1/V1__a.sql": ""})
    found = sources(tmp_path, "b/*", "./b/*")
    assert [file.script for file in found.files()] == ["V1__a.sql"]
    assert "more than once" in found.warnings[0]


def test_a_wildcard_that_nothing_matches_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, {"b/V1__a.sql": ""})
    found = sources(tmp_path, "b/*/mig")
    assert found.files() == []
    assert found.warnings == ["Location filesystem:b/*/mig: nothing matches."]


def test_the_directory_before_a_wildcard_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(LocationNotFound) as caught:
        sources(tmp_path, "a/b/*/mig").files()
    assert caught.value.message == (
        f"Location filesystem:a/b/*/mig: not found ({tmp_path}/a/b, base directory {tmp_path})."
    )


def test_directories_that_cannot_match_are_not_searched(unprivileged: Path) -> None:
    write(unprivileged, {"b/x1/mig/V1__a.sql": "", "b/x1/closed/V2__b.sql": ""})
    (unprivileged / "b/x1/closed").chmod(0)
    found = sources(unprivileged, "b/*/mig")
    assert [file.script for file in found.files()] == ["V1__a.sql"]
    assert found.warnings == []
    (unprivileged / "b/x1/closed").chmod(0o700)


# --- the class path ---


@pytest.mark.parametrize("location", ["classpath:db/migration", "classpath:/db/migration"])
def test_the_class_path_is_where_maven_and_gradle_keep_resources(tmp_path: Path, location: str) -> None:
    write(tmp_path, {"src/main/resources/db/migration/V1__a.sql": "", "db/migration/V2__b.sql": ""})
    assert scripts(tmp_path, location) == ["V1__a.sql"]


def test_without_such_resources_the_class_path_is_the_base(tmp_path: Path) -> None:
    write(tmp_path, {"db/migration/V2__b.sql": ""})
    assert scripts(tmp_path, "classpath:db/migration") == ["V2__b.sql"]


def test_a_missing_class_path_says_both_places(tmp_path: Path) -> None:
    with pytest.raises(LocationNotFound) as caught:
        sources(tmp_path, "classpath:db").files()
    assert caught.value.message == (
        f"Location classpath:db: not found ({tmp_path}/src/main/resources/db, {tmp_path}/db, "
        f"base directory {tmp_path})."
    )


def test_the_class_path_and_the_same_directory_are_one_location(tmp_path: Path) -> None:
    write(tmp_path, {"src/main/resources/db/V1__a.sql": ""})
    found = sources(tmp_path, "classpath:db", "src/main/resources/db")
    assert [file.script for file in found.files()] == ["V1__a.sql"]
    assert "more than once" in found.warnings[0]


# --- in a clone ---


def test_in_a_clone_the_path_is_the_one_in_the_repository(tmp_path: Path) -> None:
    write(tmp_path, {"db/sql/x/V1__a.sql": ""})
    (file,) = sources(tmp_path, "db/sql", inside=tmp_path).files()
    assert (file.script, file.path) == ("x/V1__a.sql", "db/sql/x/V1__a.sql")


def test_the_whole_clone_can_be_a_location_without_its_git_directory(tmp_path: Path) -> None:
    write(tmp_path, {"V1__a.sql": "", ".git/config": ""})
    found = sources(tmp_path, ".", inside=tmp_path).files()
    assert [(file.script, file.path) for file in found] == [("V1__a.sql", "V1__a.sql")]


def test_the_base_may_lie_below_the_top_of_the_clone(tmp_path: Path) -> None:
    write(tmp_path, {"db/sql/V1__a.sql": "", "common/V2__b.sql": ""})
    found = sources(tmp_path / "db", "sql", "../common", inside=tmp_path).files()
    assert [file.path for file in found] == ["common/V2__b.sql", "db/sql/V1__a.sql"]


@pytest.mark.parametrize("target", ["../../secret/key", "../../secret", "/etc/passwd", "/etc"])
def test_a_link_out_of_the_clone_is_an_error(tmp_path: Path, target: str) -> None:
    write(tmp_path, {"secret/key": "hunter2", "clone/sql/V1__a.sql": ""})
    (tmp_path / "clone/sql/V2__b.sql").symlink_to(target)
    with pytest.raises(UnreadableScript) as caught:
        sources(tmp_path / "clone", "sql", inside=tmp_path / "clone").files()
    assert caught.value.message == "sql/V2__b.sql: symbolic link that points outside the repository."


def test_a_link_within_the_clone_is_followed(tmp_path: Path) -> None:
    write(tmp_path, {"clone/shared/V1__a.sql": "one", "clone/sql/x": ""})
    (tmp_path / "clone/sql/V1__a.sql").symlink_to("../shared/V1__a.sql")
    found = sources(tmp_path / "clone", "sql", inside=tmp_path / "clone").files()
    assert [(file.path, b"".join(file.chunks())) for file in found if file.script != "x"] == [
        ("sql/V1__a.sql", b"one")
    ]


@pytest.mark.parametrize("location", ["../secret", "/etc", "link"])
def test_a_location_outside_the_clone_is_not_read(tmp_path: Path, location: str) -> None:
    write(tmp_path, {"secret/key": "hunter2", "clone/x": ""})
    (tmp_path / "clone/link").symlink_to("/etc")
    with pytest.raises(LocationNotFound, match="not in the repository"):
        sources(tmp_path / "clone", location, inside=tmp_path / "clone").files()


def test_a_missing_location_in_a_clone_does_not_name_the_temporary_directory(tmp_path: Path) -> None:
    with pytest.raises(LocationNotFound) as caught:
        sources(tmp_path, "sql", inside=tmp_path).files()
    assert caught.value.message == "Location filesystem:sql: not found."


def test_a_missing_class_path_in_a_clone_says_both_places(tmp_path: Path) -> None:
    with pytest.raises(LocationNotFound) as caught:
        sources(tmp_path, "classpath:db", inside=tmp_path).files()
    assert caught.value.message == "Location classpath:db: not found (src/main/resources/db, db)."


def test_wildcards_in_a_clone_show_the_path_in_the_repository(tmp_path: Path) -> None:
    write(tmp_path, {"db/x/mig/V1__a.sql": "", "db/V2__b.sql": ""})
    found = sources(tmp_path / "db", "*/mig", inside=tmp_path).files()
    assert [(file.script, file.path) for file in found] == [("V1__a.sql", "db/x/mig/V1__a.sql")]
