"""From layers to settings: precedence, the URL and its parts, conversion."""

from collections.abc import Mapping

import pytest

from taxiway import errors
from taxiway.config.arguments import read_arguments
from taxiway.config.merge import Loaded, find_visible_secrets, merge
from taxiway.config.toml import parse_toml
from taxiway.config.variables import read_variables
from taxiway.model.info import MigrationState
from taxiway.model.location import Location
from taxiway.model.rules import IgnorePattern, Target, TargetKind
from taxiway.model.settings import DatabaseSettings, Settings
from taxiway.model.version import MigrationVersion
from taxiway.secret import Secret


def merged(
    arguments: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None, file: str = ""
) -> Loaded:
    layers = [
        read_arguments(arguments or {}).layer(),
        read_variables(environ or {}).layer(),
        parse_toml(file).layer(),
    ]
    return merge(layers)


def settings(
    arguments: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None, file: str = ""
) -> Settings:
    return merged(arguments, environ, file).settings


def invalid(arguments: Mapping[str, object]) -> errors.InvalidOption:
    with pytest.raises(errors.InvalidOption) as caught:
        merged(arguments)
    return caught.value


# --- precedence

ARGUMENT = {"table": "argument"}
VARIABLE = {"FLYWAY_TABLE": "variable"}
FILE = "flyway.table = 'file'"


@pytest.mark.parametrize(
    ("arguments", "environ", "file", "value", "origin"),
    [
        (ARGUMENT, VARIABLE, FILE, "argument", "--table"),
        (ARGUMENT, {}, FILE, "argument", "--table"),
        ({}, VARIABLE, FILE, "variable", "FLYWAY_TABLE"),
        ({}, {}, FILE, "file", "taxiway.toml: flyway.table"),
        ({}, {}, "", "flyway_schema_history", "default"),
    ],
)
def test_the_highest_layer_wins_and_is_remembered(
    arguments: Mapping[str, object], environ: Mapping[str, str], file: str, value: str, origin: str
) -> None:
    loaded = merged(arguments, environ, file)
    assert (loaded.settings.migrations.table, loaded.origins["table"]) == (value, origin)


def test_placeholders_merge_by_name_in_any_case_and_keep_the_spelling_of_the_file() -> None:
    loaded = merged(
        {"placeholders": {"b": "argument", "D": "argument"}},
        {"FLYWAY_PLACEHOLDERS_B": "variable", "FLYWAY_PLACEHOLDERS_C": "variable"},
        "flyway.placeholders = {A = 'file', B = 'file', C = 'file'}",
    )
    assert loaded.settings.migrations.placeholders.values == {
        "A": "file",
        "B": "argument",
        "C": "variable",
        "D": "argument",
    }
    assert loaded.origins["placeholders.B"] == "--placeholder b"
    assert loaded.origins["placeholders.C"] == "FLYWAY_PLACEHOLDERS_C"


def test_a_list_replaces_a_lower_list_as_a_whole() -> None:
    given = settings({}, {"FLYWAY_LOCATIONS": "x"}, "flyway.locations = ['a', 'b']")
    assert given.migrations.locations == (Location("filesystem", "x"),)


# --- the URL and its parts

PARTS = "[database]\nhost = 'file'\nport = 1\nname = 'file'\nuser = 'file'\nsslmode = 'require'"


def database(environ: Mapping[str, str], file: str) -> DatabaseSettings:
    return settings({}, environ, file).database


def test_a_url_from_a_higher_layer_discards_the_address_of_a_lower_one() -> None:
    given = database({"FLYWAY_URL": "postgresql://variable/db"}, PARTS)
    assert given.url == "postgresql://variable/db"
    assert given.parameters == {"sslmode": "require"}
    assert given.user == "file"


def test_a_url_from_a_higher_layer_discards_whatever_else_it_says_itself() -> None:
    given = database({"FLYWAY_URL": "postgresql://me@variable/db?sslmode=verify-full"}, PARTS)
    assert given.user is None
    assert given.parameters == {}


def test_a_part_from_a_higher_layer_wins_over_the_url_of_a_lower_one() -> None:
    given = database({"flyway_host": "variable"}, "database.url = 'postgresql://file/db'")
    assert given.url == "postgresql://file/db"
    assert given.parameters == {"host": "variable"}


def test_a_part_beside_a_url_in_the_same_layer_stays_and_wins() -> None:
    given = database({"flyway_host": "h", "FLYWAY_URL": "postgresql://u/db"}, PARTS)
    assert given.parameters == {"host": "h", "sslmode": "require"}


def test_a_part_above_a_url_above_a_part() -> None:
    given = settings({"port": 9}, {"FLYWAY_URL": "postgresql://u/db"}, PARTS).database
    assert given.parameters == {"port": "9", "sslmode": "require"}


def test_a_password_in_a_url_makes_the_url_secret_and_is_known_on_its_own() -> None:
    loaded = merged({}, {"FLYWAY_URL": "postgresql://u:p%40w@h/db"})
    assert loaded.settings.database.url == Secret("postgresql://u:p%40w@h/db")
    assert [secret.reveal() for secret in loaded.secrets] == ["postgresql://u:p%40w@h/db", "p%40w", "p@w"]


# --- conversion


@pytest.mark.parametrize(("text", "value"), [("true", True), ("TRUE", True), ("False", False), (" true ", True)])
def test_booleans_are_true_or_false_in_any_case(text: str, value: bool) -> None:
    assert settings({"outOfOrder": text}).migrations.policy.out_of_order is value


def test_lists_are_split_at_commas_and_trimmed() -> None:
    given = settings({"schemas": " a, B ,,c "}).migrations
    assert given.schemas == ("a", "B", "c")


def test_items_of_a_list_keep_their_commas() -> None:
    assert settings({}, {}, "flyway.schemas = ['a,b', ' c ']").migrations.schemas == ("a,b", "c")


def test_every_value_reaches_its_field() -> None:
    given = settings(
        {
            "target": "1.2?",
            "ignoreMigrationPatterns": "versioned:missing",
            "locations": "filesystem:/a//b/",
            "port": "0005433",
            "sslmode": "verify-full",
            "encoding": "windows-1252",
            "sqlMigrationPrefix": "",
            "lockRetryCount": "-1",
            "password": "hunter2",
        }
    )
    assert given.migrations.policy.target == Target(TargetKind.VERSION, MigrationVersion("1.2"), must_exist=False)
    assert given.migrations.policy.ignore_patterns == (IgnorePattern(False, MigrationState.MISSING_SUCCESS),)
    assert given.migrations.locations == (Location("filesystem", "/a/b"),)
    assert given.database.parameters == {"port": "5433", "sslmode": "verify-full"}
    assert given.migrations.encoding == "windows-1252"
    assert given.migrations.naming.versioned_prefix == ""
    assert given.migrations.lock_retry_count == -1
    assert given.database.password == Secret("hunter2")


@pytest.mark.parametrize("value", ["", [], [""], " , "])
def test_no_pattern_at_all_can_be_asked_for(value: object) -> None:
    assert settings({"ignoreMigrationPatterns": value}).migrations.policy.ignore_patterns == ()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("outOfOrder", "yes", "--out-of-order: 'yes' is neither true nor false."),
        ("connectRetries", "-1", "--connect-retries: -1 is not a whole number from 0."),
        ("connectRetries", "1e3", "--connect-retries: '1e3' is not a whole number from 0."),
        ("connectRetries", "１", "--connect-retries: '１' is not a whole number from 0."),  # noqa: RUF001 - on purpose
        ("lockRetryCount", "-2", "--lock-retry-count: -2 is not a whole number from -1."),
        ("port", "65536", "--port: 65536 is not a whole number from 1 to 65535."),
        ("port", "9" * 30, f"--port: '{'9' * 30}' is not a whole number from 1 to 65535."),
        (
            "sslmode",
            "full",
            "--sslmode: 'full' is none of disable, allow, prefer, require, verify-ca, verify-full.",
        ),
        ("encoding", "UTF-88", "--encoding: 'UTF-88' is not a known character encoding."),
        ("encoding", "hex", "--encoding: 'hex' is not a known character encoding."),
        ("encoding", "a\0b", "--encoding: the value has a NUL character."),
        ("locations", "a\0b", "--locations: the value has a NUL character."),
        ("table", "a\udcff", "--table: the value has bytes that are not UTF-8."),
        ("schemas", "a,b\udcff", "--schemas: the value has bytes that are not UTF-8."),
        (
            "locations",
            "s3:bucket",
            "--locations: unknown location prefix 's3:' in 's3:bucket': use 'filesystem:' or 'classpath:'.",
        ),
        ("locations", "", "--locations: the value is empty."),
        ("locations", [], "--locations: the value is empty."),
        ("sqlMigrationSuffixes", ",", "--sql-migration-suffixes: the value is empty."),
        ("sqlMigrationSeparator", "", "--sql-migration-separator: the value is empty."),
        ("placeholderPrefix", "", "--placeholder-prefix: the value is empty."),
        ("placeholderSuffix", "", "--placeholder-suffix: the value is empty."),
        ("placeholderSeparator", "", "--placeholder-separator: the value is empty."),
        ("table", "", "--table: the value is empty."),
        ("url", "", "--url: the value is empty."),
        ("password", Secret(""), "-password: the value is empty."),
    ],
)
def test_a_value_that_an_option_does_not_accept_is_an_error(key: str, value: object, message: str) -> None:
    error = invalid({key: value})
    assert str(error) == message
    assert key in (error.hint or "")


@pytest.mark.parametrize(("key", "value"), [("target", "soon"), ("ignoreMigrationPatterns", "a:b:c")])
def test_errors_of_rules_name_where_the_value_came_from(key: str, value: str) -> None:
    assert str(invalid({key: value})).startswith("--")


@pytest.mark.parametrize(
    ("environ", "file", "origin"),
    [
        ({"FLYWAY_TARGET": "soon"}, "", "FLYWAY_TARGET: "),
        ({}, "flyway.target = 'soon'", "taxiway.toml: flyway.target: "),
    ],
)
def test_errors_name_the_variable_or_the_key_of_the_file(environ: dict[str, str], file: str, origin: str) -> None:
    with pytest.raises(errors.InvalidOption) as caught:
        merged({}, environ, file)
    assert str(caught.value).startswith(origin)


# --- placeholders


@pytest.mark.parametrize(
    ("name", "separator"), [("flyway:user", ":"), ("FlyWay:x", ":"), ("flyway.x", "."), ("flyway:", ":")]
)
def test_names_of_built_in_placeholders_cannot_be_given(name: str, separator: str) -> None:
    error = invalid({"placeholders": {name: "x"}, "placeholderSeparator": separator})
    assert str(error).startswith(f"--placeholder {name}: ")


def test_other_names_that_begin_with_flyway_can_be_given() -> None:
    values = settings({"placeholders": {"flyway.x": "a", "flywayUser": "b"}}).migrations.placeholders.values
    assert values == {"flyway.x": "a", "flywayUser": "b"}


@pytest.mark.parametrize(
    "name", ["READ_ONLY_PASSWORD", "passwd", "db_pwd", "clientSecret", "API_KEY", "auth-token", "privateKey"]
)
def test_a_placeholder_whose_name_speaks_of_a_secret_is_one(name: str) -> None:
    loaded = merged({"placeholders": {name: "hunter2"}})
    assert loaded.settings.migrations.placeholders.values == {name: Secret("hunter2")}
    assert loaded.secrets == (Secret("hunter2"),)


@pytest.mark.parametrize("name", ["DATABASE_NAME", "KEYSPACE", "passage", "primary_key"])
def test_other_placeholders_are_shown(name: str) -> None:
    assert settings({"placeholders": {name: "x"}}).migrations.placeholders.values == {name: "x"}


# --- secrets


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"url": "postgresql://u:pw@h/db"}, ("--url",)),
        ({"url": "postgresql://h/db?password=pw"}, ("--url",)),
        ({"url": "host=h password=pw"}, ("--url",)),
        ({"placeholders": {"A": "1", "APP_PASSWORD": "pw"}}, ("--placeholder APP_PASSWORD",)),
        ({"password": "pw"}, ("-password",)),
        ({"jdbcProperties.sslpassword": "pw"}, ("--jdbc-property sslpassword",)),
        ({"environments.prod.password": "pw"}, ("environments.prod.password",)),
        ({"environments.prod.url": "postgresql://u:pw@h/db"}, ("environments.prod.url",)),
        ({"url": "postgresql://u@h/db", "placeholders": {"A": "password"}, "target": None}, ()),
    ],
)
def test_what_is_confidential_on_a_command_line_is_found(
    arguments: Mapping[str, object], found: tuple[str, ...]
) -> None:
    assert find_visible_secrets(arguments) == found


@pytest.mark.parametrize("key", ["user", "host", "table", "locations", "target", "outOfOrder"])
def test_options_that_are_shown_refuse_secrets(key: str) -> None:
    error = invalid({key: Secret("hunter2")})
    assert "confidential" in str(error)
    assert "hunter2" not in f"{error} {error.hint}"


def test_what_is_confidential_is_listed_and_not_shown() -> None:
    loaded = merged(
        {"password": "hunter2", "placeholders": {"A": Secret("hunter3"), "B": "shown"}, "url": Secret("hunter4")}
    )
    assert [secret.reveal() for secret in loaded.secrets] == ["hunter2", "hunter3", "hunter4"]
    assert "hunter" not in repr(loaded)
