"""From the text of taxiway.toml to a layer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway import errors
from taxiway.config.layers import Place, Raw, Scope
from taxiway.config.merge import merge
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.config.template import Reference, Template
from taxiway.config.toml import FLYWAY, TAXIWAY, Dialect, parse_toml

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
"with.dot" = "text"
"""


def written(value: Raw) -> object:
    """Text again, with a sign for each reference."""
    match value:
        case Template() as template:
            return template.form
        case tuple() as items:
            return tuple(map(written, items))
    return value


def given_by(text: str, dialect: Dialect = TAXIWAY) -> dict[str, object]:
    return {given.key: written(given.value) for given in parse_toml(text, dialect=dialect).given}


def test_values_of_a_file_are_given_by_key() -> None:
    assert given_by(TUTORIAL) == {
        "host": "x",
        "databaseName": "x",
        "user": "x",
        "password": "x",
        "port": "5432",
        "locations": ("filesystem:sql", "filesystem:more"),
        "outOfOrder": "True",
        "placeholders.DATABASE_NAME": "x",
        "placeholders.with.dot": "text",
    }


def test_origins_name_the_file_and_the_path() -> None:
    origins = {given.key: given.origin for given in parse_toml(TUTORIAL, name="other.toml").given}
    assert origins["databaseName"] == "other.toml: database.name"
    assert origins["outOfOrder"] == "other.toml: flyway.outOfOrder"
    assert origins["placeholders.DATABASE_NAME"] == "other.toml: flyway.placeholders.DATABASE_NAME"
    assert origins["placeholders.with.dot"] == 'other.toml: flyway.placeholders."with.dot"'


def test_an_empty_file_gives_nothing() -> None:
    assert parse_toml("") == Place()


# --- unknown keys


def typos(word: str) -> set[str]:
    missing = {word[:i] + word[i + 1 :] for i in range(len(word))}
    doubled = {word[:i] + word[i] + word[i:] for i in range(len(word))}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    return (missing | doubled | swapped) - {word, ""}


IN_FILES = [option for option in OPTIONS if option.in_files]


@pytest.mark.parametrize("option", IN_FILES, ids=lambda option: option.key)
def test_a_typo_in_any_key_names_the_right_one(option: Option) -> None:
    path = str(option.path)
    table, _, name = path.rpartition(".")
    known = {str(other.path) for other in IN_FILES}
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
        ("[environments.prod]\nuri = 'x'", "environments.prod.uri", "environments.prod.url"),
        ("[environments.prod]\ntarget = '1'", "environments.prod.target", "flyway.target"),
        (
            "[environments.prod.flyway]\ntarge = '1'",
            "environments.prod.flyway.targe",
            "environments.prod.flyway.target",
        ),
        ("[environments.prod.flyway]\nurl = 'u'", "environments.prod.flyway.url", "database.url"),
        (
            "[environments.prod.flyway]\ncherryPick = []",
            "environments.prod.flyway.cherryPick",
            "flyway.cherryPick",
        ),
        ("[enviroments.prod]\nurl = 'x'", "enviroments", "environments"),
        (
            "[flyway.postgresql]\ntransactional.lok = true",
            "flyway.postgresql.transactional.lok",
            "flyway.postgresql.transactional.lock",
        ),
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
    "option", [o for o in IN_FILES if o.resolved and o.kind is not Kind.MAP], ids=lambda o: o.key
)
def test_a_text_with_a_reference_fits_every_kind(option: Option) -> None:
    [given] = parse_toml(f"{option.path} = '${{env:X}}'").given
    assert given.value == Template((Reference("env", "X"),))


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
        "jdbcProperties.sslpassword = 'hunter2'",
    ],
)
@pytest.mark.parametrize("table", ["database", "environments.prod"])
def test_a_password_in_the_file_is_an_error_that_does_not_show_it(table: str, line: str) -> None:
    with pytest.raises(errors.InvalidOption) as caught:
        parse_toml(f"[{table}]\n{line}")
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
    assert len(parse_toml(f"[database]\n{line}").given) == 1


# --- environments


ENVIRONMENTS = """
[environments.prod]
url = "postgresql://prod/app"
schemas = ["app"]
[environments.prod.jdbcProperties]
sslmode = "verify-full"
[environments.prod.flyway]
cleanDisabled = true
[environments.prod.flyway.placeholders]
A = "b"
[environments.empty]
[flyway]
environment = "prod"
"""


@pytest.mark.parametrize("dialect", [TAXIWAY, FLYWAY])
def test_an_environment_has_values_and_overrides_of_its_own(dialect: Dialect) -> None:
    place = parse_toml(ENVIRONMENTS, dialect=dialect)
    assert {(given.scope, given.key) for given in place.given} == {
        (Scope("prod"), "url"),
        (Scope("prod"), "schemas"),
        (Scope("prod"), "jdbcProperties.sslmode"),
        (Scope("prod", overrides=True), "cleanDisabled"),
        (Scope("prod", overrides=True), "placeholders.A"),
        (Scope(), "environment"),
    }
    assert place.environments == {"prod", "empty"}


def test_origins_of_an_environment_have_its_name() -> None:
    origins = {
        given.key: given.origin for given in parse_toml(ENVIRONMENTS, name="flyway.toml", dialect=FLYWAY).given
    }
    assert origins["url"] == "flyway.toml: environments.prod.url"
    assert origins["placeholders.A"] == "flyway.toml: environments.prod.flyway.placeholders.A"


# --- flyway.toml


def test_passwords_in_flyways_file_are_taken_as_they_are() -> None:
    text = "[environments.default]\npassword = 'hunter2'\nurl = 'jdbc:postgresql://h/d?password=hunter3'"
    place = parse_toml(text, dialect=FLYWAY)
    assert {given.key for given in place.given} == {"password", "url"}
    assert "hunter" not in repr(place)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("target = 2", {"target": "2"}),
        ("target = 1.10", {"target": "1.10"}),
        ("baselineDescription = true", {"baselineDescription": "true"}),
        ("mixed = 'true'", {"mixed": "true"}),
        ("lockRetryCount = '3'", {"lockRetryCount": "3"}),
        ("cherryPick = [1, 2.0]", {"cherryPick": ("1", "2.0")}),
        ("placeholders = {A = 1}", {"placeholders.A": "1"}),
        ("locations = []", {}),
        ("ignoreMigrationPatterns = []", {}),
        ("ignoreMigrationPatterns = ['']", {"ignoreMigrationPatterns": ("",)}),
        ("defaultSchema = ''", {}),
        ("sqlMigrationPrefix = ''", {"sqlMigrationPrefix": ""}),
        ("target = '  2 '", {"target": "2"}),
        ("postgresql.transactional.lock = false", {"postgresql.transactional.lock": "False"}),
    ],
)
def test_flyways_file_is_read_as_generously_as_flyway_does(line: str, expected: dict[str, object]) -> None:
    assert given_by(f"[flyway]\n{line}", FLYWAY) == expected


@pytest.mark.parametrize("line", ["locations = 'sql'", "target = []", "target = 2020-01-01", "mixed = 1.5e1"])
def test_what_flyway_does_not_accept_is_an_error_here(line: str) -> None:
    with pytest.raises(errors.InvalidOption):
        merge([parse_toml(f"[flyway]\n{line}", dialect=FLYWAY).layer()])


@pytest.mark.parametrize(
    "text",
    [
        "name = 'x'\nid = 'y'\ndatabaseType = 'postgresql'",
        "[flywayDesktop]\ndevelopmentEnvironment = 'x'\n[redgateCompare]\nx = 1",
        "[whatever]\na = 1",
        "[flyway.check]\nmajorRules2 = []",
        "[flyway]\njarDirs = []\nlicenseKey = 'x'\nreportEnabled = false",
        "[environments.default]\ndisplayName = 'x'\ndriver = 'y'\n[environments.default.resolvers.vault]\nurl = 'z'",
    ],
)
def test_what_belongs_to_others_is_left_alone(text: str) -> None:
    place = parse_toml(text, dialect=FLYWAY)
    assert (place.given, place.warnings) == ((), ())


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("[flyway]\nurl = 'x'", "flyway.url", "environments.default.url"),
        ("[flyway]\nschemas = ['x']", "flyway.schemas", "environments.default.schemas"),
        ("[flyway]\noutOfOrdr = true", "flyway.outOfOrdr", "flyway.outOfOrder"),
        ("[fylway]\ntarget = '1'", "fylway", "flyway"),
        (
            "[environments.a.flyway]\nundoSqlMigrationPrefix = 'X'",
            "environments.a.flyway.undoSqlMigrationPrefix",
            "flyway.undoSqlMigrationPrefix",
        ),
    ],
)
def test_unknown_keys_of_flyways_file_are_errors(text: str, key: str, nearest: str) -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        parse_toml(text, name="flyway.toml", dialect=FLYWAY)
    assert (caught.value.key, caught.value.nearest) == (key, nearest)


def test_unknown_keys_of_an_environment_are_warned_of() -> None:
    place = parse_toml("[environments.prod]\nulr = 'x'\nzzz = 1", name="flyway.toml", dialect=FLYWAY)
    assert place.warnings == (
        (
            "flyway.toml: unknown key 'environments.prod.ulr' is ignored, as Flyway does. "
            "Did you mean 'environments.prod.url'?"
        ),
        "flyway.toml: unknown key 'environments.prod.zzz' is ignored, as Flyway does.",
    )


@pytest.mark.parametrize("key", ["host", "port", "name", "sslmode", "sslrootcert"])
def test_keys_of_ours_are_unknown_to_an_environment_of_flyways_file(key: str) -> None:
    place = parse_toml(f"[environments.prod]\n{key} = '1'", dialect=FLYWAY)
    assert place.given == ()
    assert len(place.warnings) == 1


def test_all_unknown_keys_of_a_file_are_told_at_once() -> None:
    text = "[flyway]\noutOfOrdr = true\nzzz = 1\n[fylway]\nx = 1"
    with pytest.raises(errors.UnknownOption) as caught:
        parse_toml(text)
    assert str(caught.value) == (
        "taxiway.toml: 3 unknown keys:\n"
        "  fylway (did you mean 'flyway'?)\n"
        "  flyway.outOfOrdr (did you mean 'flyway.outOfOrder'?)\n"
        "  flyway.zzz"
    )


def test_keys_that_flyway_has_no_more_name_what_replaces_them() -> None:
    text = "[flyway]\ncleanOnValidationError = true\nignorePendingMigrations = true\n[flyway.plugins.vault]\nurl = 'x'"
    with pytest.raises(errors.ObsoleteOption) as caught:
        parse_toml(text, name="flyway.toml", dialect=FLYWAY)
    assert dict(caught.value.obsolete) == {
        "flyway.cleanOnValidationError": None,
        "flyway.ignorePendingMigrations": 'ignoreMigrationPatterns with "*:pending"',
        "flyway.plugins": None,
    }


def test_a_dry_run_is_refused_and_a_report_is_warned_of() -> None:
    with pytest.raises(errors.UnsupportedOption, match=r"flyway\.toml: flyway\.dryRunOutput"):
        parse_toml("[flyway]\ndryRunOutput = 'x.sql'", name="flyway.toml", dialect=FLYWAY)
    assert len(parse_toml("[flyway]\nreportEnabled = true", dialect=FLYWAY).warnings) == 1


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


@given(st.text(max_size=80), st.sampled_from([TAXIWAY, FLYWAY]))
def test_any_text_gives_a_place_or_our_error(text: str, dialect: Dialect) -> None:
    try:
        parse_toml(text, dialect=dialect)
    except errors.ConfigError:
        return


def test_our_table_in_a_file_of_flyways_is_warned_of() -> None:
    place = parse_toml('[database]\nhost = "db"\n', name="flyway.toml", dialect=FLYWAY)
    assert place.given == ()
    assert place.warnings == ("flyway.toml: [database] has no effect: it belongs in a taxiway.toml.",)
