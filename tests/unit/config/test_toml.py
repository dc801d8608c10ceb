"""From the text of taxiway.toml to a layer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.config.toml import parse_toml

TUTORIAL = """
[database]
host = "${env:DB_HOST}"
name = "${env:DB_NAME}"
user = "${secret:postgresql@auroradb@master@sqladmin#username}"
password = "${secret:postgresql@auroradb@master@sqladmin#password}"
port = 5432

[flyway]
locations = ["filesystem:sql", "filesystem:more"]
outOfOrder = true

[flyway.placeholders]
DATABASE_NAME = "${env:DB_NAME}"
"with.dot" = "x"
"""


def given_by(text: str) -> dict[str, object]:
    return {given.key: given.value for given in parse_toml(text).values()}


def test_values_of_a_file_are_given_by_key() -> None:
    assert given_by(TUTORIAL) == {
        "host": "${env:DB_HOST}",
        "databaseName": "${env:DB_NAME}",
        "user": "${secret:postgresql@auroradb@master@sqladmin#username}",
        "password": "${secret:postgresql@auroradb@master@sqladmin#password}",
        "port": "5432",
        "locations": ("filesystem:sql", "filesystem:more"),
        "outOfOrder": "True",
        "placeholders.DATABASE_NAME": "${env:DB_NAME}",
        "placeholders.with.dot": "x",
    }


def test_origins_name_the_file_and_the_path() -> None:
    origins = {given.key: given.origin for given in parse_toml(TUTORIAL, name="other.toml").values()}
    assert origins["databaseName"] == "other.toml: database.name"
    assert origins["outOfOrder"] == "other.toml: flyway.outOfOrder"
    assert origins["placeholders.DATABASE_NAME"] == "other.toml: flyway.placeholders.DATABASE_NAME"
    assert origins["placeholders.with.dot"] == 'other.toml: flyway.placeholders."with.dot"'


def test_an_empty_file_gives_nothing() -> None:
    assert parse_toml("") == {}


# --- unknown keys


def typos(word: str) -> set[str]:
    missing = {word[:i] + word[i + 1 :] for i in range(len(word))}
    doubled = {word[:i] + word[i] + word[i:] for i in range(len(word))}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    return (missing | doubled | swapped) - {word, ""}


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_a_typo_in_any_key_names_the_right_one(option: Option) -> None:
    path = option.path
    table, _, name = path.rpartition(".")
    known = {other.path for other in OPTIONS}
    for typo in typos(name) - {other.rpartition(".")[2] for other in known}:
        with pytest.raises(errors.UnknownOption) as caught:
            parse_toml(f"[{table}]\n{typo} = 1")
        assert (caught.value.key, caught.value.nearest) == (f"{table}.{typo}", path)


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("[flyway]\nout-of-order = true", "flyway.out-of-order", "flyway.outOfOrder"),
        ("[flyway]\nout_of_order = true", "flyway.out_of_order", "flyway.outOfOrder"),
        ("[flyway]\nhost = 'h'", "flyway.host", "database.host"),
        ("[database]\nlocations = []", "database.locations", "flyway.locations"),
        ("[database]\ndbname = 'd'", "database.dbname", "database.name"),
        ("locations = []", "locations", "flyway.locations"),
        ("[fylway]\ntarget = '1'", "fylway", "flyway"),
        ("[databases]\nhost = 'h'", "databases", "database"),
        ("[flyway.placeholder]\nA = 'a'", "flyway.placeholder", "flyway.placeholders"),
        ("[placeholders]\nA = 'a'", "placeholders", "flyway.placeholders"),
        ('"flyway.target" = "1"', '"flyway.target"', None),
        ('"new\\nline" = 1', '"new\\nline"', None),
        ("[environments.default]\nurl = 'x'", "environments", None),
        ("[flyway]\nzzz = 1", "flyway.zzz", None),
    ],
)
def test_an_unknown_key_is_an_error_with_the_nearest_known_one(text: str, key: str, nearest: str | None) -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        parse_toml(text)
    assert (caught.value.key, caught.value.nearest) == (key, nearest)
    assert str(caught.value) == f"taxiway.toml: unknown key '{key}'."


def test_unknown_keys_are_found_before_anything_else_is_looked_at() -> None:
    with pytest.raises(errors.UnknownOption):
        parse_toml("[flyway]\ntarget = 1\ntable = '${nonsense'\n[database]\npassword = 'x'\nhots = 'y'")


# --- types


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flyway = 3", "taxiway.toml: flyway: expected a table, found a whole number."),
        ("[[flyway]]", "taxiway.toml: flyway: expected a table, found a list."),
        ("[flyway]\ntarget = 2", "taxiway.toml: flyway.target: expected text in quotes, found a whole number."),
        ("[flyway]\ntarget = 1.1", "taxiway.toml: flyway.target: expected text in quotes, found a number."),
        (
            "[flyway]\ntarget = 2020-01-01",
            "taxiway.toml: flyway.target: expected text in quotes, found a date or time.",
        ),
        ("[flyway.table]", "taxiway.toml: flyway.table: expected text in quotes, found a table."),
        ("[flyway]\nmixed = 'true'", "taxiway.toml: flyway.mixed: expected true or false, found a text."),
        ("[flyway]\nmixed = 1", "taxiway.toml: flyway.mixed: expected true or false, found a whole number."),
        ("[database]\nport = '1'", "taxiway.toml: database.port: expected a whole number, found a text."),
        ("[database]\nport = true", "taxiway.toml: database.port: expected a whole number, found true or false."),
        ("[database]\nport = 1.5", "taxiway.toml: database.port: expected a whole number, found a number."),
        ("[flyway]\nlocations = 'sql'", "taxiway.toml: flyway.locations: expected a list of texts, found a text."),
        (
            "[flyway]\nlocations = ['sql', 1]",
            "taxiway.toml: flyway.locations[1]: expected text in quotes, found a whole number.",
        ),
        (
            "[flyway]\nplaceholders = 'a=b'",
            "taxiway.toml: flyway.placeholders: expected a table of texts, found a text.",
        ),
        (
            "[flyway.placeholders]\nN = 1",
            "taxiway.toml: flyway.placeholders.N: expected text in quotes, found a whole number.",
        ),
        (
            "[database]\npassword = 1234",
            "taxiway.toml: database.password: expected text in quotes, found a whole number.",
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_that_says_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(errors.InvalidOption) as caught:
        parse_toml(text)
    assert str(caught.value) == message
    assert caught.value.hint


@pytest.mark.parametrize(
    "option", [o for o in OPTIONS if o.resolved and o.kind is not Kind.MAP], ids=lambda o: o.key
)
def test_a_text_with_a_reference_fits_every_kind(option: Option) -> None:
    path = option.path
    assert list(given_by(f"{path} = '${{env:X}}'").values()) == ["${env:X}"]


def test_flyways_own_placeholder_syntax_is_not_taken_for_a_reference() -> None:
    text = "[flyway]\nplaceholderPrefix = '${'\nplaceholderSuffix = '}'\nplaceholderSeparator = '$${'"
    assert given_by(text) == {
        "placeholderPrefix": "${",
        "placeholderSuffix": "}",
        "placeholderSeparator": "$${",
    }


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[flyway.placeholders]\nA = '1'\na = '2'", "flyway.placeholders.a: the name is there twice"),
        ("[flyway.placeholders]\n'' = '1'", 'flyway.placeholders."": the name is empty'),
    ],
)
def test_names_of_placeholders_are_there_and_differ_in_more_than_case(text: str, place: str) -> None:
    with pytest.raises(errors.InvalidOption) as caught:
        parse_toml(text)
    assert place in str(caught.value)


# --- references and passwords


def test_references_are_checked_when_the_file_is_read() -> None:
    with pytest.raises(errors.UnknownResolver, match=r"taxiway\.toml: flyway\.locations\[0\]: unknown resolver"):
        parse_toml("[flyway]\nlocations = ['${evn:SQL}']")


@pytest.mark.parametrize(
    "line",
    [
        "password = 'hunter2'",
        "password = ''",
        "password = '$${env:hunter2}'",
        "url = 'postgresql://u:hunter2@h/db'",
        "url = 'postgresql://h/db?password=hunter2'",
        "url = 'postgresql://u:${secret:pg@x#password}@h/db'",
        "url = 'host=h password=hunter2'",
    ],
)
def test_a_password_in_the_file_is_an_error_that_does_not_show_it(line: str) -> None:
    with pytest.raises(errors.InvalidOption) as caught:
        parse_toml(f"[database]\n{line}")
    assert "a password must not be written in this file" in str(caught.value)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert "${secret:ID#KEY}" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "line",
    [
        "password = '${secret:a#password}'",
        "password = '${env:PGPASSWORD}'",
        "password = 'prefix-${env:P}'",
        "url = 'postgresql://${env:DB_HOST}:5432/${env:DB_NAME}'",
        "url = 'postgresql://${secret:pg@aurora@master#host}/db'",
        "url = '${secret:database/url}'",
    ],
)
def test_references_to_passwords_and_urls_without_one_are_accepted(line: str) -> None:
    assert len(parse_toml(f"[database]\n{line}")) == 1


# --- not TOML


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[flyway]\ntarget = \n", "at line 2, column 10"),
        ("[flyway\n", "at line 1, column 8"),
        ("a = 1\na = 2\n", "at line 2, column 6"),
        ("[flyway", "at end of document"),
        ("x = " + "9" * 5000, "too large"),
    ],
)
def test_a_syntax_error_names_line_and_column(text: str, reason: str) -> None:
    with pytest.raises(errors.ConfigFileUnreadable) as caught:
        parse_toml(text)
    assert str(caught.value).startswith("taxiway.toml is not TOML: ")
    assert reason in str(caught.value)


def test_a_file_nested_too_deeply_is_our_error() -> None:
    with pytest.raises(errors.ConfigFileUnreadable):
        parse_toml("x = " + "[" * 50_000)


@given(st.text(max_size=80))
def test_any_text_gives_a_layer_or_our_error(text: str) -> None:
    try:
        parse_toml(text)
    except errors.ConfigError:
        return
