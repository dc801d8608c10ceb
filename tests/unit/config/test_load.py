"""Everything together: a file, an environment, arguments, secrets."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from taxiway import errors
from taxiway.config.files import FileReader
from taxiway.config.layers import Place
from taxiway.config.load import load
from taxiway.config.merge import Loaded, merge
from taxiway.config.option import Group
from taxiway.config.options import OPTIONS
from taxiway.config.template import Reference
from taxiway.config.toml import parse_toml
from taxiway.secret import Secret

TUTORIAL = """
[database]
host = "${env:DB_HOST}"
name = "${env:DB_NAME}"
user = "${secret:postgresql@auroradb@master@sqladmin#username}"
password = "${secret:postgresql@auroradb@master@sqladmin#password}"
[flyway]
locations = ["filesystem:sql"]
[flyway.placeholders]
DATABASE_NAME = "${env:DB_NAME}"
READ_ONLY_PASSWORD = "${secret:postgresql@auroradb@master@read_only#password}"
"""
ENVIRON = {"DB_HOST": "db.example.com", "DB_NAME": "sample"}


class Secrets:
    """Answers like Secrets Manager, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, secret_id: str, key: str | None) -> str | Secret:
        self.asked.append((secret_id, key))
        return "sqladmin" if key == "username" else Secret(f"hunter2 of {secret_id}")


def read_file(path: Path) -> Place:
    return FileReader(directory=path.parent, environ={}).read_taxiway(path)


def loaded_from(text: str, directory: Path, secrets: Secrets, **environ: str) -> Loaded:
    (directory / "taxiway.toml").write_text(text, encoding="utf-8")
    return load({}, environ=environ, directory=directory, secret=secrets)


def test_the_file_of_the_tutorial_gives_its_settings(tmp_path: Path) -> None:
    loaded = loaded_from(TUTORIAL, tmp_path, Secrets(), **ENVIRON)
    assert loaded.settings.database.parameters == {"host": "db.example.com", "dbname": "sample"}
    assert loaded.settings.database.user == "sqladmin"
    assert loaded.settings.database.password == Secret("hunter2 of postgresql@auroradb@master@sqladmin")
    assert loaded.settings.migrations.placeholders.values == {
        "DATABASE_NAME": "sample",
        "READ_ONLY_PASSWORD": Secret("hunter2 of postgresql@auroradb@master@read_only"),
    }
    assert len(loaded.secrets) == 2
    assert loaded.origins["host"] == "DB_HOST"
    assert loaded.origins["user"] == "taxiway.toml: database.user"
    assert "hunter2" not in repr(loaded)


def test_only_what_wins_is_fetched(tmp_path: Path) -> None:
    secrets = Secrets()
    environ = ENVIRON | {
        "FLYWAY_PASSWORD": "p",
        "FLYWAY_USER": "u",
        "FLYWAY_PLACEHOLDERS_READ_ONLY_PASSWORD": "r",
    }
    loaded_from(TUTORIAL, tmp_path, secrets, **environ)
    assert secrets.asked == []


def test_a_url_that_replaces_the_address_leaves_its_references_alone(tmp_path: Path) -> None:
    text = "[database]\nhost = '${env:NOT_SET}'\nuser = '${secret:x#username}'"
    secrets = Secrets()
    loaded = loaded_from(text, tmp_path, secrets, FLYWAY_URL="postgresql://me@h/db")
    assert loaded.settings.database.user is None
    assert secrets.asked == []


def test_nothing_is_fetched_when_the_file_has_an_error(tmp_path: Path) -> None:
    secrets = Secrets()
    with pytest.raises(errors.UnknownOption):
        loaded_from(TUTORIAL + "\n[flyway.placeholder]\nA = 'x'", tmp_path, secrets, **ENVIRON)
    assert secrets.asked == []


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("port = '${env:PORT}'", "5433"),
        ("host = 'db-${env:STAGE}.example.com'", "db-prod.example.com"),
    ],
)
def test_references_are_resolved_before_conversion(line: str, field: str, tmp_path: Path) -> None:
    loaded = loaded_from(f"[database]\n{line}", tmp_path, Secrets(), PORT="5433", STAGE="prod")
    assert list(loaded.settings.database.parameters.values()) == [field]


def test_a_list_in_a_variable_is_split_and_items_with_references_are_not(tmp_path: Path) -> None:
    text = "[flyway]\nschemas = '${env:TWO}'\nsqlMigrationSuffixes = ['${env:TWO}', '.sql']"
    migrations = loaded_from(text, tmp_path, Secrets(), TWO="a, b").settings.migrations
    assert migrations.schemas == ("a", "b")
    assert migrations.naming.suffixes == ("a, b", ".sql")


def test_values_of_variables_and_arguments_are_plain_text(tmp_path: Path) -> None:
    secrets = Secrets()
    loaded = load(
        {"table": "${env:A}", "placeholders": {"X": "${secret:x}"}},
        environ={"FLYWAY_INSTALLED_BY": "$${env:A}"},
        directory=tmp_path,
        secret=secrets,
    )
    assert loaded.settings.migrations.table == "${env:A}"
    assert loaded.settings.migrations.placeholders.values == {"X": "${secret:x}"}
    assert loaded.settings.migrations.installed_by == "$${env:A}"
    assert secrets.asked == []


@pytest.mark.parametrize(
    "line",
    [
        "database.user = '${secret:x#login}'",
        "flyway.locations = ['sql', '${secret:x}']",
        "flyway.mixed = '${secret:x}'",
    ],
)
def test_a_confidential_value_in_an_option_that_is_shown_is_refused(line: str, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption, match="confidential") as caught:
        loaded_from(line, tmp_path, Secrets())
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_variable_that_is_not_set_names_the_key_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(errors.VariableNotSet, match=r"^taxiway\.toml: database\.host: .* DB_SERVER is not set"):
        loaded_from("database.host = '${env:DB_SERVER}'", tmp_path, Secrets())


# --- variables that any program may have

NETWORK = {"DB_HOST": "other", "DB_PORT": "tcp://10.0.0.11:5432", "DB_NAME": "other", "DB_SSLMODE": "?"}


@pytest.mark.parametrize(
    ("arguments", "environ", "name", "text", "origin"),
    [
        ({"url": "postgresql://h/d3"}, {}, "taxiway.toml", "", "--url"),
        ({}, {"FLYWAY_URL": "postgresql://h/d3"}, "taxiway.toml", "", "FLYWAY_URL"),
        ({}, {}, "flyway.conf", "flyway.url=postgresql://h/d3", "flyway.conf: flyway.url"),
        (
            {},
            {},
            "flyway.toml",
            "environments.default.url = 'postgresql://h/d3'",
            "flyway.toml: environments.default.url",
        ),
    ],
)
def test_beside_a_url_of_the_caller_or_of_flyway_they_are_passed_over_unread(
    arguments: dict[str, str], environ: dict[str, str], name: str, text: str, origin: str, *, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    loaded = load(arguments, environ=NETWORK | environ, directory=tmp_path, secret=Secrets())
    assert (loaded.settings.database.url, loaded.settings.database.parameters) == ("postgresql://h/d3", {})
    assert loaded.warnings == (
        f"DB_HOST, DB_PORT, DB_NAME, DB_SSLMODE are passed over: the database is that of {origin}.",
    )


def test_over_a_url_in_our_file_they_win(tmp_path: Path) -> None:
    loaded = loaded_from("database.url = 'postgresql://h/d3'", tmp_path, Secrets(), DB_HOST="prod")
    assert loaded.settings.database.parameters == {"host": "prod"}
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("taxiway.toml", "database.url = 'postgresql://evil/d'"),
        ("flyway.conf", "flyway.url=jdbc:postgresql://evil/d"),
        ("flyway.toml", "environments.default.url = 'jdbc:postgresql://evil/d'"),
    ],
)
def test_no_file_of_a_clone_takes_the_address_away_from_the_task(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    task = {"DB_HOST": "prod", "DB_PORT": "5432", "DB_NAME": "app", "DB_SSLMODE": "verify-full"}
    loaded = load({}, environ=task, directory=tmp_path, secret=Secrets(), inside=tmp_path)
    assert loaded.settings.database.parameters == {
        "host": "prod",
        "port": "5432",
        "dbname": "app",
        "sslmode": "verify-full",
    }


def test_those_that_the_url_refers_to_are_not_warned_of(tmp_path: Path) -> None:
    text = "database.url = 'postgresql://${env:DB_HOST}/${env:DB_NAME}'"
    loaded = loaded_from(text, tmp_path, Secrets(), DB_HOST="h", DB_NAME="d")
    assert (loaded.settings.database.url, loaded.warnings) == ("postgresql://h/d", ())


def test_without_a_url_they_hold_and_are_checked(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption, match="DB_PORT: 'tcp"):
        load({}, environ=NETWORK, directory=tmp_path, secret=Secrets())


def test_other_settings_of_the_address_hold_beside_a_url(tmp_path: Path) -> None:
    environ = {"FLYWAY_URL": "postgresql://h/d", "flyway_host": "variable"}
    loaded = load({"port": "9"}, environ=environ, directory=tmp_path, secret=Secrets())
    assert loaded.settings.database.parameters == {"host": "variable", "port": "9"}


# --- variables whose names speak of secrets


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("taxiway.toml", "flyway.placeholders.X = 'a ${env:APP_TOKEN}'"),
        ("taxiway.toml", "flyway.placeholders = {X = 'a ${placeholder:Y}', Y = '${env:APP_TOKEN}'}"),
        ("flyway.toml", "flyway.placeholders.X = 'a ${env.APP_TOKEN}'"),
        ("flyway.toml", "flyway.placeholders.X = 'a ${env.APP_TOKEN:aD}'"),
        ("flyway.conf", "flyway.placeholders.X=a ${APP_TOKEN}"),
    ],
)
def test_a_value_that_comes_from_one_is_a_secret(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    loaded = load({}, environ={"APP_TOKEN": "hunter2"}, directory=tmp_path, secret=Secrets())
    assert loaded.settings.migrations.placeholders.values["X"] == Secret("a hunter2")
    assert {"a hunter2", "hunter2"} == {secret.reveal() for secret in loaded.secrets}
    assert "hunter2" not in repr(loaded)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("taxiway.toml", "flyway.table = 't_${env:APP_TOKEN}'"),
        ("taxiway.toml", "flyway = {table = 't_${placeholder:X}', placeholders = {X = '${env:APP_TOKEN}'}}"),
        ("flyway.conf", "flyway.table=t_${APP_TOKEN}"),
    ],
)
def test_an_option_that_is_shown_keeps_it_and_the_redactor_learns_it(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    loaded = load({}, environ={"APP_TOKEN": "hunter2"}, directory=tmp_path, secret=Secrets())
    assert loaded.settings.migrations.table == "t_hunter2"
    assert Secret("hunter2") in loaded.secrets


def test_a_boolean_or_a_number_is_no_secret_whatever_the_variable_is_called(tmp_path: Path) -> None:
    loaded = loaded_from("flyway.mixed = '${env:TOKEN}'", tmp_path, Secrets(), TOKEN="true")
    assert (loaded.settings.migrations.mixed, loaded.secrets) == (True, ())


# --- commands that need a part of the settings


def test_references_may_name_what_a_command_does_not_need(tmp_path: Path) -> None:
    text = "flyway.locations = ['${placeholder:X}']\nflyway.placeholders.X = 'there'\ndatabase.port = '${env:NO}'"
    (tmp_path / "taxiway.toml").write_text(text, encoding="utf-8")
    groups = (Group.CONFIGURATION, Group.LOCATIONS)
    loaded = load({}, environ={}, directory=tmp_path, secret=Secrets(), groups=groups)
    assert [str(location) for location in loaded.settings.migrations.locations] == ["filesystem:there"]
    assert loaded.settings.migrations.placeholders.values == {}


# --- variables in small letters


def test_variables_in_small_letters_are_read_beside_files_in_toml_only(tmp_path: Path) -> None:
    environ = {"flyway_table": "x", "flyway_environment": "default"}
    assert load({}, environ=environ, directory=tmp_path, secret=Secrets()).settings.migrations.table == "x"
    (tmp_path / "flyway.conf").write_text("flyway.table=y")
    loaded = load({}, environ=environ, directory=tmp_path, secret=Secrets())
    assert loaded.settings.migrations.table == "y"
    assert loaded.origins["environment"] == "flyway_environment"
    assert loaded.warnings == (
        "flyway_table has no effect: variables in small letters are read beside files in TOML only.",
    )


# --- finding and reading the file


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load({}, environ={}, directory=tmp_path, secret=Secrets())
    assert set(loaded.origins.values()) == {"default"}


def test_parent_folders_are_not_searched(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text("flyway.table = 'x'", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    loaded = load({}, environ={}, directory=tmp_path / "sub", secret=Secrets())
    assert loaded.origins["table"] == "default"


def test_a_file_that_is_named_takes_the_place_of_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text("flyway.table = 'x'", encoding="utf-8")
    other = tmp_path / "other.toml"
    other.write_text("flyway.encoding = 'UTF-16'", encoding="utf-8")
    loaded = load({}, environ={}, directory=tmp_path, secret=Secrets(), file=other)
    assert loaded.origins["table"] == "default"
    assert loaded.origins["encoding"] == "other.toml: flyway.encoding"


def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigFileUnreadable, match=r"absent\.toml cannot be read: No such file"):
        load({}, environ={}, directory=tmp_path, secret=Secrets(), file=tmp_path / "absent.toml")


def test_a_dangling_link_and_a_directory_are_not_taken_for_an_absent_file(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").symlink_to("absent.toml")
    with pytest.raises(errors.ConfigFileUnreadable):
        load({}, environ={}, directory=tmp_path, secret=Secrets())
    (tmp_path / "directory.toml").mkdir()
    with pytest.raises(errors.ConfigFileUnreadable, match="Is a directory"):
        read_file(tmp_path / "directory.toml")


def test_a_byte_order_mark_is_dropped_only_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "taxiway.toml"
    file.write_bytes(b"\xef\xbb\xbfflyway.table = 'x'")
    assert len(read_file(file).given) == 1
    file.write_bytes(b"flyway.table = 'x'\n\xef\xbb\xbf")
    with pytest.raises(errors.ConfigFileUnreadable):
        read_file(file)


def test_a_file_that_is_not_utf_8_is_an_error_that_names_the_byte(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_bytes(b"# \xe4")
    with pytest.raises(errors.ConfigFileUnreadable, match="byte 2 is not text in UTF-8"):
        read_file(tmp_path / "taxiway.toml")


# --- any file at all

SCALARS = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        ["${env:DB_NAME}", "${env:NO}", "${secret:a#b}", "${secret:a#username}", "${", "true", "5", "V1"]
    ),
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=8), SCALARS, max_size=3)
)
PATHS = st.one_of(
    st.sampled_from([option.path for option in OPTIONS if option.path]), st.text(max_size=12).map(json.dumps)
)


def as_toml(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case float():
            return repr(value)
    return json.dumps(value)


@given(st.dictionaries(PATHS, VALUES, max_size=4))
@example({"database.password": "${secret:a#b}", "flyway.placeholders": {"A": "${secret:a}"}})
@example({"flyway.ignoreMigrationPatterns": [], "flyway.schemas": [""]})
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_file_gives_settings_or_our_error_and_shows_no_secret(content: dict[str, object]) -> None:
    text = "\n".join(f"{path} = {as_toml(value)}" for path, value in content.items())

    def read(reference: Reference, _origin: str) -> str | Secret:
        return Secrets()(reference.name, reference.key) if reference.resolver == "secret" else "x"

    try:
        shown = repr(merge([parse_toml(text).layer()], read=read))
    except errors.TaxiwayError as error:
        shown = f"{error!r} {error.hint}"
    assert "hunter2" not in shown


# --- an address beside the name ---

TUNNEL = "[database]\nhost = 'db.example.com'\nhostaddr = '127.0.0.1'\nport = 15432\n"


def test_an_address_goes_with_the_host_that_it_was_given_for(tmp_path: Path) -> None:
    both = loaded_from(TUNNEL, tmp_path, Secrets()).settings.database.parameters
    assert both == {"host": "db.example.com", "hostaddr": "127.0.0.1", "port": "15432"}
    other = loaded_from(TUNNEL, tmp_path, Secrets(), DB_HOST="prod").settings.database.parameters
    assert other == {"host": "prod", "port": "15432"}
    moved = loaded_from(TUNNEL, tmp_path, Secrets(), DB_HOSTADDR="::1").settings.database.parameters
    assert moved["hostaddr"] == "::1"


def test_no_file_of_a_clone_says_what_address_the_host_has(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text(TUNNEL)
    loaded = load({}, environ={}, directory=tmp_path, inside=tmp_path, secret=Secrets())
    assert "hostaddr" not in loaded.settings.database.parameters
    assert loaded.warnings == (
        "taxiway.toml: database.hostaddr is passed over: DB_HOSTADDR sets it, no file of the repository.",
    )


@pytest.mark.parametrize("address", ["localhost", "10.0.0", "127.0.0.1,"])
def test_an_address_is_no_name(tmp_path: Path, address: str) -> None:
    with pytest.raises(errors.InvalidOption, match="is not an IP address"):
        loaded_from("", tmp_path, Secrets(), DB_HOSTADDR=address)


# --- what a rotation changes ---


def test_it_is_known_which_of_the_login_is_the_value_of_a_secret(tmp_path: Path) -> None:
    text = "[database]\nuser = '${secret:s#username}'\npassword = '${secret:rds!cluster-1}'"
    references = loaded_from(text, tmp_path, Secrets()).settings.database.references
    assert references == {"user": ("s", "username"), "password": ("rds!cluster-1", None)}


@pytest.mark.parametrize("password", ["x${secret:s#a}", "${secret:s#a}${secret:s#b}", "${env:PASSWORD}"])
def test_what_is_made_of_several_parts_is_no_value_of_a_secret(tmp_path: Path, password: str) -> None:
    loaded = loaded_from(f"[database]\npassword = '{password}'", tmp_path, Secrets(), PASSWORD="p")
    assert loaded.settings.database.references == {}


def test_a_password_from_a_higher_place_is_no_value_of_a_secret(tmp_path: Path) -> None:
    text = "[database]\npassword = '${secret:s#password}'"
    assert loaded_from(text, tmp_path, Secrets(), FLYWAY_PASSWORD="p").settings.database.references == {}
