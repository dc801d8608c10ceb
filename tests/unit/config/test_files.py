"""Which files are read, and which of them wins."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.load import load
from taxiway.config.merge import Loaded
from taxiway.config.option import Group
from taxiway.model.location import Location


@pytest.fixture
def world(tmp_path: Path) -> Path:
    for name in ("install/conf", "home", "project/work"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def write(world: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (world / name).write_text(text, encoding="utf-8")


def load_in(world: Path, arguments: Mapping[str, object] | None = None, **environ: str) -> Loaded:
    return load(
        arguments or {},
        environ={"FLYWAY_HOME": str(world / "install")} | environ,
        directory=world / "project",
        home=world / "home",
        secret=lambda _id, _key: "",
        read_stdin=lambda: "flyway.table=stdin",
    )


def toml(value: str) -> str:
    return f"flyway.table = '{value}'"


def conf(value: str) -> str:
    return f"flyway.table={value}"


TOML_PLACES = (
    "install/conf/flyway.toml",
    "install/conf/flyway.user.toml",
    "home/flyway.toml",
    "home/flyway.user.toml",
    "project/flyway.toml",
    "project/flyway.user.toml",
    "project/work/flyway.toml",
    "project/work/flyway.user.toml",
)
CONF_PLACES = (
    "install/conf/flyway.conf",
    "home/flyway.conf",
    "project/flyway.conf",
    "project/work/flyway.conf",
)


@pytest.mark.parametrize(
    ("places", "write_value"), [(TOML_PLACES, toml), (CONF_PLACES, conf)], ids=["toml", "conf"]
)
def test_later_places_win_over_earlier_ones(world: Path, places: tuple[str, ...], write_value: object) -> None:
    assert callable(write_value)
    for count in range(1, len(places) + 1):
        write(world, {places[count - 1]: write_value(str(count))})
        loaded = load_in(world, {"workingDirectory": "work"})
        assert loaded.settings.migrations.table == str(count)
        assert loaded.files == tuple(world / place for place in places[:count])


def test_files_that_are_named_come_after_the_usual_ones_and_those_of_arguments_last(world: Path) -> None:
    write(world, {"project/flyway.toml": toml("usual"), "project/a.toml": toml("a"), "project/b.toml": toml("b")})
    assert load_in(world, FLYWAY_CONFIG_FILES="a.toml").settings.migrations.table == "a"
    loaded = load_in(world, {"configFiles": "b.toml"}, FLYWAY_CONFIG_FILES="a.toml")
    assert loaded.settings.migrations.table == "b"
    assert [path.name for path in loaded.files] == ["flyway.toml", "a.toml", "b.toml"]


def test_toml_wins_over_conf_when_both_are_there_and_the_other_is_told(world: Path) -> None:
    write(world, {"project/flyway.toml": toml("toml"), "home/flyway.conf": conf("conf")})
    loaded = load_in(world)
    assert loaded.settings.migrations.table == "toml"
    assert loaded.warnings == (
        "~/flyway.conf is not read: flyway.toml wins, and Flyway's two syntaxes never mix.",
    )


def test_what_is_not_read_is_told_with_all_that_win_over_it(world: Path) -> None:
    files = {"project/flyway.toml": "", "home/flyway.user.toml": "", "project/flyway.conf": ""}
    write(world, files | {"project/x.conf": "", "project/y.conf": ""})
    assert load_in(world).warnings == (
        "flyway.conf is not read: ~/flyway.user.toml and flyway.toml win, and Flyway's two syntaxes never mix.",
    )
    assert load_in(world, {"configFiles": "-"}, FLYWAY_CONFIG_FILES="z.toml").warnings == (
        "~/flyway.user.toml is not read: standard input wins, and Flyway's two syntaxes never mix.",
        "flyway.toml is not read: standard input wins, and Flyway's two syntaxes never mix.",
        "z.toml is not read: standard input wins, and Flyway's two syntaxes never mix.",
    )


@pytest.mark.parametrize("variable", [False, True])
def test_a_named_conf_file_decides_for_the_syntax_of_conf(world: Path, variable: bool) -> None:
    write(world, {"project/flyway.toml": toml("toml"), "project/x.conf": conf("x")})
    loaded = (
        load_in(world, FLYWAY_CONFIG_FILES="x.conf") if variable else load_in(world, {"configFiles": ["x.conf"]})
    )
    assert loaded.settings.migrations.table == "x"
    assert [path.name for path in loaded.files] == ["x.conf"]


def test_arguments_decide_the_syntax_before_the_variable(world: Path) -> None:
    write(world, {"project/x.conf": conf("x"), "project/y.toml": toml("y")})
    loaded = load_in(world, {"configFiles": "y.toml"}, FLYWAY_CONFIG_FILES="x.conf")
    assert [path.name for path in loaded.files] == ["y.toml"]


@pytest.mark.parametrize("names", ["a.toml,b.conf", "-,a.toml"])
def test_files_of_both_syntaxes_together_are_an_error(world: Path, names: str) -> None:
    with pytest.raises(errors.InvalidOption, match=r"^--config-files: files in TOML and"):
        load_in(world, {"configFiles": names})


@pytest.mark.parametrize("name", ["absent.toml", "absent.conf"])
def test_a_named_file_that_is_not_there_is_an_error_that_tells_who_named_it(world: Path, name: str) -> None:
    absent = f"{world}/project/{name} cannot be read: there is no such file."
    with pytest.raises(errors.ConfigFileUnreadable) as caught:
        load_in(world, {"configFiles": name})
    assert str(caught.value) == f"--config-files: {absent}"
    with pytest.raises(errors.ConfigFileUnreadable) as caught:
        load_in(world, FLYWAY_CONFIG_FILES=name)
    assert str(caught.value) == f"FLYWAY_CONFIG_FILES: {absent}"
    assert "FLYWAY_CONFIG_FILES" in (caught.value.hint or "")


def test_a_hyphen_is_standard_input(world: Path) -> None:
    loaded = load_in(world, {"configFiles": "-"})
    assert loaded.settings.migrations.table == "stdin"
    assert loaded.origins["table"] == "standard input: flyway.table"


def test_our_own_file_lies_above_those_of_flyway(world: Path) -> None:
    write(world, {"project/flyway.toml": toml("flyway"), "project/taxiway.toml": toml("taxiway")})
    loaded = load_in(world)
    assert loaded.settings.migrations.table == "taxiway"
    assert [path.name for path in loaded.files] == ["flyway.toml", "taxiway.toml"]


def test_origins_tell_the_files_apart(world: Path) -> None:
    write(
        world,
        {
            "project/flyway.toml": "flyway.table = 'x'",
            "home/flyway.toml": "flyway.encoding = 'UTF-16'",
            "install/conf/flyway.toml": "flyway.group = true",
        },
    )
    origins = load_in(world).origins
    assert origins["table"] == "flyway.toml: flyway.table"
    assert origins["encoding"] == "~/flyway.toml: flyway.encoding"
    assert origins["group"] == f"{world}/install/conf/flyway.toml: flyway.group"


def test_a_home_directory_that_is_the_project_is_read_once(world: Path) -> None:
    write(world, {"project/flyway.toml": toml("x")})
    loaded = load({}, environ={}, directory=world / "project", home=world / "project", secret=lambda _id, _key: "")
    assert loaded.files == (world / "project/flyway.toml",)


def test_what_is_not_read_of_a_home_directory_that_is_the_project_is_told_once(world: Path) -> None:
    write(world, {"project/flyway.toml": "", "project/flyway.conf": ""})
    loaded = load({}, environ={}, directory=world / "project", home=world / "project", secret=lambda _id, _key: "")
    assert loaded.warnings == ("flyway.conf is not read: flyway.toml wins, and Flyway's two syntaxes never mix.",)


def test_the_encoding_is_for_the_syntax_of_conf(world: Path) -> None:
    (world / "project/flyway.conf").write_bytes("flyway.table=täble".encode("latin-1"))
    with pytest.raises(errors.ConfigFileUnreadable, match=r"flyway\.conf:1: byte 14 is not text in UTF-8"):
        load_in(world)
    assert load_in(world, FLYWAY_CONFIG_FILE_ENCODING="ISO-8859-1").settings.migrations.table == "täble"
    assert load_in(world, {"configFileEncoding": "ISO8859_1"}).settings.migrations.table == "täble"


def test_an_encoding_that_nobody_knows_is_an_error(world: Path) -> None:
    with pytest.raises(errors.InvalidOption, match="--config-file-encoding"):
        load_in(world, {"configFileEncoding": "UTF-88"})


def test_a_byte_order_mark_before_conf_is_dropped(world: Path) -> None:
    (world / "project/flyway.conf").write_bytes(b"\xef\xbb\xbfflyway.table=x")
    assert load_in(world).settings.migrations.table == "x"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00\x01\x02", b"{", b"flyway.x", b"= = =", b"flyway = 1"])
def test_garbage_in_toml_is_our_error(world: Path, content: bytes) -> None:
    (world / "project/flyway.toml").write_bytes(content)
    with pytest.raises(errors.ConfigError) as caught:
        load_in(world)
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"flyway.x", b"flyway.mixed=maybe"])
def test_garbage_in_conf_is_our_error(world: Path, content: bytes) -> None:
    (world / "project/flyway.conf").write_bytes(content)
    with pytest.raises(errors.ConfigError) as caught:
        load_in(world)
    assert caught.value.hint


def test_without_files_nothing_is_read(world: Path) -> None:
    loaded = load_in(world)
    assert (loaded.files, loaded.warnings) == ((), ())


def test_only_the_groups_that_are_needed_are_resolved(world: Path) -> None:
    write(
        world,
        {"project/flyway.toml": "[flyway]\nlocations = ['a']\n[environments.default]\nuser = '${env.NOT_SET}'"},
    )
    loaded = load(
        {},
        environ={},
        directory=world / "project",
        secret=lambda _id, _key: "",
        groups=(Group.CONFIGURATION, Group.LOCATIONS),
    )
    assert loaded.settings.migrations.locations == (Location("filesystem", "a"),)
    assert loaded.settings.database.user is None
