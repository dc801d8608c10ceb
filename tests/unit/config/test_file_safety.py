"""A configuration file of a clone is read from the clone only, and none is read without an end."""

from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.files import FileReader
from taxiway.config.layers import Place
from taxiway.config.load import load
from taxiway.config.merge import Loaded


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    directory = tmp_path / "clone"
    directory.mkdir()
    return directory


def load_from(clone: Path, home: Path | None = None, **environ: str) -> Loaded:
    return load({}, environ=environ, directory=clone, inside=clone, home=home, secret=lambda _id, _key: "")


def read_file(path: Path) -> Place:
    return FileReader(directory=path.parent, environ={}).read_taxiway(path)


def test_a_file_of_the_clone_is_read(clone: Path) -> None:
    (clone / "taxiway.toml").write_text("flyway.table = 'x'")
    assert load_from(clone).settings.migrations.table == "x"


def test_a_link_that_stays_in_the_clone_is_followed(clone: Path) -> None:
    (clone / "other.toml").write_text("flyway.table = 'x'")
    (clone / "taxiway.toml").symlink_to("other.toml")
    assert load_from(clone).settings.migrations.table == "x"


@pytest.mark.parametrize("target", ["../secret.toml", "/dev/zero", "../absent.toml", "../clone-2/secret.toml"])
def test_a_link_out_of_the_clone_is_refused_and_nothing_of_its_target_is_shown(clone: Path, target: str) -> None:
    for directory in (clone.parent, clone.parent / "clone-2"):
        directory.mkdir(exist_ok=True)
        (directory / "secret.toml").write_text("geheim = 1")
    (clone / "taxiway.toml").symlink_to(target)
    with pytest.raises(errors.ConfigFileUnreadable, match="points outside the repository") as caught:
        load_from(clone)
    assert "geheim" not in f"{caught.value} {caught.value.hint}"


def test_a_clone_that_is_itself_reached_through_a_link_is_no_way_out(clone: Path, tmp_path: Path) -> None:
    (clone / "taxiway.toml").write_text("flyway.table = 'x'")
    (tmp_path / "link").symlink_to(clone)
    assert load_from(tmp_path / "link").settings.migrations.table == "x"


@pytest.mark.parametrize("target", ["absent.toml", "taxiway.toml", "."])
def test_what_is_no_file_in_the_clone_is_refused(clone: Path, target: str) -> None:
    (clone / "taxiway.toml").symlink_to(target)
    with pytest.raises(errors.ConfigFileUnreadable, match=r"^taxiway\.toml is not a file\.$"):
        load_from(clone)


def test_a_file_without_an_end_is_not_read_to_the_end() -> None:
    with pytest.raises(errors.ConfigFileUnreadable, match="larger than 1 MiB"):
        read_file(Path("/dev/zero"))


@pytest.mark.parametrize("character", ["x", "é"])
def test_a_file_may_have_one_mebibyte(tmp_path: Path, character: str) -> None:
    file = tmp_path / "taxiway.toml"
    size = 1024 * 1024 - len("# ")
    file.write_text("# " + character * (size // len(character.encode())), encoding="utf-8")
    assert read_file(file) == Place()
    file.write_bytes(file.read_bytes() + "é".encode())
    with pytest.raises(errors.ConfigFileUnreadable, match="larger than 1 MiB"):
        read_file(file)


# --- files of Flyway


@pytest.mark.parametrize("name", ["flyway.toml", "flyway.user.toml", "flyway.conf"])
def test_links_of_flyways_files_do_not_lead_out_either(clone: Path, name: str) -> None:
    (clone.parent / "secret").write_text("geheim = 1")
    (clone / name).symlink_to("../secret")
    with pytest.raises(errors.ConfigFileUnreadable, match="points outside the repository") as caught:
        load_from(clone)
    assert "geheim" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("name", ["../other.toml", "/etc/hostname", "../other.conf"])
def test_a_variable_names_no_file_outside_of_the_clone(clone: Path, name: str) -> None:
    (clone.parent / "other.toml").write_text("")
    (clone.parent / "other.conf").write_text("")
    with pytest.raises(errors.ConfigFileUnreadable, match="points outside the repository"):
        load_from(clone, FLYWAY_CONFIG_FILES=name)


def test_a_variable_may_name_a_file_of_the_clone(clone: Path) -> None:
    (clone / "prod.conf").write_text("flyway.table=x")
    assert load_from(clone, FLYWAY_CONFIG_FILES="prod.conf").settings.migrations.table == "x"


def test_neither_the_home_directory_nor_an_installation_matters_for_a_clone(clone: Path) -> None:
    home = clone.parent / "home"
    (home / "conf").mkdir(parents=True)
    (home / "flyway.toml").write_text("flyway.table = 'home'")
    (home / "conf" / "flyway.toml").write_text("flyway.table = 'installation'")
    assert load_from(clone, home=home, FLYWAY_HOME=str(home)).files == ()


# --- what a repository must not decide


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("taxiway.toml", "[flyway]\nscriptMigrations = true", "flyway.scriptMigrations"),
        ("flyway.toml", "[flyway]\nscriptMigrations = true", "flyway.scriptMigrations"),
        ("flyway.conf", "flyway.scriptMigrations=true", "flyway.scriptMigrations"),
        (
            "flyway.toml",
            "[environments.default.flyway]\nscriptMigrations = true",
            "environments.default.flyway.scriptMigrations",
        ),
    ],
)
def test_a_repository_does_not_switch_programs_on(clone: Path, name: str, text: str, key: str) -> None:
    (clone / name).write_text(text)
    loaded = load_from(clone)
    assert loaded.settings.migrations.script_migrations is False
    assert loaded.warnings == (
        f"{name}: {key} is passed over: FLYWAY_SCRIPT_MIGRATIONS sets it, no file of the repository.",
    )
    at_home = load({}, environ={}, directory=clone, secret=lambda _id, _key: "")
    assert at_home.settings.migrations.script_migrations is True


def test_a_repository_does_not_switch_programs_off_either(clone: Path) -> None:
    (clone / "flyway.toml").write_text("[environments.default.flyway]\nscriptMigrations = false")
    loaded = load_from(clone, FLYWAY_SCRIPT_MIGRATIONS="true")
    assert loaded.settings.migrations.script_migrations is True
