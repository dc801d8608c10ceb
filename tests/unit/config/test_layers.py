"""What the environment and the arguments say."""

import pytest

from taxiway import errors
from taxiway.config.layers import arguments_layer, environment_layer
from taxiway.config.options import OPTIONS
from taxiway.secret import Secret


def in_environment(**environ: str) -> dict[str, object]:
    return {given.key: given.value for given in environment_layer(environ).values()}


def in_arguments(**arguments: object) -> dict[str, object]:
    return {given.key: given.value for given in arguments_layer(arguments).values()}


# --- environment


def test_every_option_has_its_variable() -> None:
    environ = {option.environment_variable: "x" for option in OPTIONS if option.key != "placeholders"}
    layer = environment_layer(environ)
    assert {given.option for given in layer.values()} == {o for o in OPTIONS if o.key != "placeholders"}
    assert {given.origin for given in layer.values()} == set(environ)


def test_names_of_placeholders_are_in_lower_case() -> None:
    assert in_environment(FLYWAY_PLACEHOLDERS_DB_NAME="x") == {"placeholders.db_name": "x"}


def test_the_settings_of_placeholders_are_not_placeholders() -> None:
    environ = {"FLYWAY_PLACEHOLDER_PREFIX": "[[", "FLYWAY_PLACEHOLDERS_PREFIX": "x", "FLYWAY_PLACEHOLDERS_": "y"}
    assert in_environment(**environ) == {"placeholderPrefix": "[[", "placeholders.prefix": "x"}


@pytest.mark.parametrize("name", ["FLYWAY_NOT_KNOWN", "FLYWAY_", "flyway_target", "TARGET", "PATH", "DB_PASSWORD"])
def test_other_variables_are_ignored(name: str) -> None:
    assert in_environment(**{name: "x"}) == {}


@pytest.mark.parametrize(
    "name", ["FLYWAY_TARGET", "FLYWAY_MIXED", "FLYWAY_PASSWORD", "FLYWAY_LOCATIONS", "DB_HOST", "DB_PORT"]
)
def test_an_empty_variable_counts_as_not_set(name: str) -> None:
    assert in_environment(**{name: ""}) == {}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("FLYWAY_IGNORE_MIGRATION_PATTERNS", "ignoreMigrationPatterns"),
        ("FLYWAY_SCHEMAS", "schemas"),
        ("FLYWAY_SQL_MIGRATION_PREFIX", "sqlMigrationPrefix"),
        ("FLYWAY_PLACEHOLDERS_X", "placeholders.x"),
    ],
)
def test_an_empty_variable_counts_where_the_option_accepts_an_empty_value(name: str, key: str) -> None:
    assert in_environment(**{name: ""}) == {key: ""}


# --- arguments


def test_arguments_are_given_by_key_and_their_origin_is_the_flag() -> None:
    layer = arguments_layer({"outOfOrder": True, "password": Secret("x"), "placeholders": {"A": "b"}})
    assert {given.key: given.origin for given in layer.values()} == {
        "outOfOrder": "--out-of-order",
        "password": "password",
        "placeholders.A": "--placeholder A",
    }


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("target", "1.2", "1.2"),
        ("target", "", ""),
        ("mixed", False, "False"),
        ("mixed", "true", "true"),
        ("port", 5432, "5432"),
        ("port", "5432", "5432"),
        ("locations", "a,b", "a,b"),
        ("locations", ["a", "b"], ("a", "b")),
        ("schemas", (), ()),
        ("password", Secret("x"), Secret("x")),
    ],
)
def test_values_of_the_right_type_are_accepted(key: str, value: object, expected: object) -> None:
    assert in_arguments(**{key: value}) == {key: expected}


def test_none_counts_as_not_given() -> None:
    assert in_arguments(target=None, placeholders=None) == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target", 1),
        ("table", True),
        ("mixed", 1),
        ("port", True),
        ("port", 1.5),
        ("locations", {"a": "b"}),
        ("locations", ["a", 1]),
        ("placeholders", "A=b"),
        ("placeholders", ["A=b"]),
        ("placeholders", {"A": 1}),
        ("password", b"hunter2"),
    ],
)
def test_values_of_other_types_are_errors_that_do_not_show_them(key: str, value: object) -> None:
    with pytest.raises(errors.InvalidOption, match=r"expected .*, found ") as caught:
        arguments_layer({key: value})
    assert "hunter2" not in str(caught.value)


def test_an_unknown_key_is_an_error_with_the_nearest_known_one() -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        arguments_layer({"outofordr": True})
    assert caught.value.nearest == "outOfOrder"


def test_values_are_not_in_the_repr_of_a_layer() -> None:
    environ = {"FLYWAY_PASSWORD": "hunter2", "FLYWAY_PLACEHOLDERS_X": "hunter2", "FLYWAY_URL": "hunter2"}
    assert "hunter2" not in repr(environment_layer(environ))
