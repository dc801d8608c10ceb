"""What the environment and the arguments say."""

import pytest

from taxiway import errors
from taxiway.config.arguments import program_layer, read_arguments, read_command_line
from taxiway.config.layers import Scope
from taxiway.config.option import Kind
from taxiway.config.options import OPTIONS
from taxiway.config.variables import read_variables
from taxiway.secret import Secret


def in_environment(**environ: str) -> dict[str, object]:
    return {given.key: given.value for given in read_variables(environ).layer().values()}


def in_arguments(**arguments: object) -> dict[str, object]:
    return {given.key: given.value for given in read_arguments(arguments).given}


# --- environment


def test_every_option_has_its_variable_but_those_of_the_command_line() -> None:
    options = {option for option in OPTIONS if option.in_variables and option.kind is not Kind.MAP}
    environ = {str(option.environment_variable): "x" for option in options}
    layer = read_variables(environ).layer()
    assert {given.option for given in layer.values()} == options
    assert {given.origin for given in layer.values()} == set(environ)


def test_names_of_placeholders_are_in_lower_case() -> None:
    assert in_environment(FLYWAY_PLACEHOLDERS_DB_NAME="x") == {"placeholders.db_name": "x"}


def test_the_settings_of_placeholders_are_not_placeholders() -> None:
    environ = {"FLYWAY_PLACEHOLDER_PREFIX": "[[", "FLYWAY_PLACEHOLDERS_PREFIX": "x", "FLYWAY_PLACEHOLDERS_": "y"}
    assert in_environment(**environ) == {"placeholderPrefix": "[[", "placeholders.prefix": "x"}


@pytest.mark.parametrize(
    "name",
    [
        *("FLYWAY_NOT_KNOWN", "FLYWAY_", "flyway_", "flyway_not_known", "flyway_placeholders", "environments_"),
        *("environments_prod", "FLYWAY_ENVIRONMENT", "FLYWAY_INFO_OF_STATE", "FLYWAY_WORKING_DIRECTORY"),
        *("TARGET", "PATH", "DB_PASSWORD"),
    ],
)
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


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("flyway_environment", "environment"),
        ("flyway_target", "target"),
        ("flyway_outOfOrder", "outOfOrder"),
        ("flyway_placeholders_Db", "placeholders.Db"),
        ("flyway_jdbcProperties_sslmode", "jdbcProperties.sslmode"),
        ("flyway_postgresql_transactional_lock", "postgresql.transactional.lock"),
        ("FLYWAY_JDBC_PROPERTIES_SSLMODE", "jdbcProperties.sslmode"),
        ("FLYWAY_JDBC_PROPERTIES_ACCESSTOKEN", "jdbcProperties.accessToken"),
    ],
)
def test_variables_are_read_in_flyways_other_spelling_too(name: str, key: str) -> None:
    assert in_environment(**{name: "x"}) == {key: "x"}


def test_a_variable_in_small_letters_wins_over_one_in_capitals() -> None:
    assert in_environment(FLYWAY_TARGET="1", flyway_target="2") == {"target": "2"}


def test_a_variable_may_belong_to_an_environment() -> None:
    place = read_variables({"environments_prod_url": "u", "environments_prod_flyway_target": "2"})
    assert place.environments == {"prod"}
    assert {(given.key, given.scope) for given in place.given} == {
        ("url", Scope("prod")),
        ("target", Scope("prod", overrides=True)),
    }


def test_a_variable_of_flyways_that_would_change_a_command_is_an_error() -> None:
    with pytest.raises(errors.UnsupportedOption, match="FLYWAY_DRYRUN_OUTPUT"):
        read_variables({"FLYWAY_DRYRUN_OUTPUT": "out.sql"}).layer()


def test_a_variable_of_flyways_without_an_effect_is_warned_of() -> None:
    [warning] = read_variables({"FLYWAY_CALLBACKS": "com.example.Callback"}).warnings
    assert warning == "environment: FLYWAY_CALLBACKS is ignored: Java code does not run here."


def test_the_variable_that_flyway_does_not_read_names_the_one_that_it_reads() -> None:
    [warning] = read_variables({"FLYWAY_ENVIRONMENT": "prod"}).warnings
    assert "flyway_environment" in warning


# --- arguments


def test_arguments_are_given_by_key_and_their_origin_is_the_flag() -> None:
    arguments = {"outOfOrder": True, "password": Secret("x"), "placeholders": {"A": "b"}}
    assert {given.key: given.origin for given in read_arguments(arguments).given} == {
        "outOfOrder": "--out-of-order",
        "password": "-password",
        "placeholders.A": "--placeholder A",
    }


def test_a_program_calls_an_option_by_its_identifier() -> None:
    layer = program_layer({"outOfOrder": True, "placeholders": {"A": "b"}})
    assert [given.origin for given in layer.values()] == ["out_of_order", "placeholders A"]
    with pytest.raises(errors.InvalidOption, match=r"^placeholders: expected a table") as caught:
        program_layer({"placeholders": "A=b"})
    assert "--" not in (caught.value.hint or "")


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
        read_arguments({key: value})
    assert "hunter2" not in str(caught.value)


def test_an_unknown_key_is_an_error_with_the_nearest_known_one() -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        read_arguments({"outofordr": True})
    assert caught.value.nearest == "outOfOrder"


@pytest.mark.parametrize(
    ("key", "argument"),
    [
        ("placeholder.X", "-placeholders.X=VALUE"),
        ("placeholder.a_long_name.with_dots", "-placeholders.a_long_name.with_dots=VALUE"),
        ("placeholder", "-placeholders.NAME=VALUE"),
        ("placeholder.", "-placeholders.NAME=VALUE"),
        ("flyway.placeholders.X", "-placeholders.X=VALUE"),
        ("jdbcPropertys.sslmode", "-jdbcProperties.sslmode=VALUE"),
        ("placeholderPrefx", "placeholderPrefix"),
        ("flyway.url", "url"),
    ],
)
def test_an_unknown_key_that_is_like_a_table_is_told_the_whole_argument(key: str, argument: str) -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        read_arguments({key: "x"})
    assert caught.value.hint == f"Did you mean '{argument}'?"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("placeholders", "Write -placeholders.NAME=VALUE, or --placeholder NAME=VALUE."),
        (
            "environments.prod.flyway.placeholders",
            "Write -environments.prod.flyway.placeholders.NAME=VALUE.",
        ),
    ],
)
def test_a_table_that_is_given_as_one_text_is_told_how_to_name_its_entries(key: str, hint: str) -> None:
    with pytest.raises(errors.InvalidOption, match="expected a table of texts, found a text") as caught:
        read_arguments({key: "x"})
    assert caught.value.hint == hint


def test_several_unknown_keys_are_told_at_once() -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        read_arguments({"outofordr": True, "placeholder.X": "1", "xyz": "1"})
    assert caught.value.unknown == (
        ("outofordr", "outOfOrder"),
        ("placeholder.X", "-placeholders.X=VALUE"),
        ("xyz", None),
    )


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("placeholders.X", "y", {"placeholders.X": "y"}),
        ("placeholders.a.b", "y", {"placeholders.a.b": "y"}),
        ("jdbcProperties.sslmode", "require", {"jdbcProperties.sslmode": "require"}),
        ("postgresql.transactional.lock", "false", {"postgresql.transactional.lock": "false"}),
    ],
)
def test_single_entries_and_dotted_keys_are_accepted(key: str, value: str, expected: dict[str, object]) -> None:
    assert in_arguments(**{key: value}) == expected


@pytest.mark.parametrize(
    ("key", "scope", "name", "origin"),
    [
        ("environments.prod.url", Scope("prod"), "url", "environments.prod.url"),
        ("environments.prod.schemas", Scope("prod"), "schemas", "environments.prod.schemas"),
        (
            "environments.prod.jdbcProperties.sslmode",
            Scope("prod"),
            "jdbcProperties.sslmode",
            "environments.prod.jdbcProperties.sslmode",
        ),
        (
            "environments.prod.flyway.outOfOrder",
            Scope("prod", overrides=True),
            "outOfOrder",
            "environments.prod.flyway.outOfOrder",
        ),
        (
            "environments.prod.flyway.placeholders.X",
            Scope("prod", overrides=True),
            "placeholders.X",
            "environments.prod.flyway.placeholders.X",
        ),
    ],
)
def test_a_key_may_belong_to_an_environment(key: str, scope: Scope, name: str, origin: str) -> None:
    place = read_arguments({key: "x"})
    [given] = place.given
    assert (given.scope, given.key, given.origin) == (scope, name, origin)
    assert place.environments == {"prod"}


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("environments.prod.uri", "environments.prod.url"),
        ("environments.prod.outOfOrder", None),
        ("environments.prod.flyway.outOfOrdr", "environments.prod.flyway.outOfOrder"),
        ("environments.prod.flyway.cherryPick", None),
        ("environments.prod", "environment"),
        ("environments", "environment"),
    ],
)
def test_an_unknown_key_of_an_environment_names_the_nearest_there(key: str, nearest: str | None) -> None:
    with pytest.raises(errors.UnknownOption) as caught:
        read_arguments({key: "x"})
    assert caught.value.nearest == nearest


@pytest.mark.parametrize(
    ("key", "value", "warnings"),
    [
        ("driver", "org.postgresql.Driver", 0),
        ("reportEnabled", "false", 0),
        ("reportEnabled", "true", 1),
        ("reportEnabled", True, 1),
        ("callbacks", "com.example.Callback", 1),
        ("licenseKey", "x", 0),
        ("check.code", "x", 0),
        ("environments.prod.driver", "x", 0),
        ("environments.prod.provisioner", "clean", 1),
        ("provisionMode", "reprovision", 1),
        ("provisionMode", "provision", 0),
    ],
)
def test_what_only_flyway_has_is_ignored_with_a_warning_where_it_matters(
    key: str, value: object, warnings: int
) -> None:
    place = read_arguments({key: value})
    assert place.given == ()
    assert len(place.warnings) == warnings


@pytest.mark.parametrize(
    ("key", "present"),
    [
        ("cleanOnValidationError", None),
        ("plugins.vault.url", None),
        ("ignoreMissingMigrations", 'ignoreMigrationPatterns with "*:missing"'),
    ],
)
def test_what_flyway_has_no_more_is_an_error_that_names_the_present_way(key: str, present: str | None) -> None:
    with pytest.raises(errors.ObsoleteOption) as caught:
        read_arguments({key: "true"})
    assert caught.value.obsolete == ((key, present),)


def test_dry_runs_are_refused() -> None:
    with pytest.raises(errors.UnsupportedOption, match="dryRunOutput") as caught:
        read_arguments({"dryRunOutput": "out.sql"})
    assert caught.value.hint


def test_values_are_not_in_the_repr_of_a_layer() -> None:
    environ = {"FLYWAY_PASSWORD": "hunter2", "FLYWAY_PLACEHOLDERS_X": "hunter2", "FLYWAY_URL": "hunter2"}
    assert "hunter2" not in repr(read_variables(environ).layer())


@pytest.mark.parametrize("name", ["flyway_workingDirectory", "flyway_infoOfState", "flyway_infoSinceDate"])
def test_an_option_that_no_variable_has_has_none_in_small_letters_either(name: str) -> None:
    assert in_environment(**{name: "x"}) == {}


def test_all_that_is_wrong_with_keys_is_told_at_once() -> None:
    wrong = {"outofordr": "x", "cleanOnValidationError": "x", "dryRunOutput": "x"}
    with pytest.raises(errors.UnknownOption) as caught:
        read_arguments(wrong)
    assert all(key in str(caught.value) for key in wrong)
    assert caught.value.message == str(caught.value)
    assert caught.value.hint == (
        "Did you mean 'outOfOrder'? Write what replaces them, or remove them. "
        "Remove it; 'taxiway info' shows what would run."
    )


def test_an_empty_value_on_the_command_line_counts_as_not_given() -> None:
    empty = {"password": "", "url": "", "locations": "", "outOfOrder": "", "environments.prod.password": ""}
    assert read_command_line(empty).given == ()


@pytest.mark.parametrize("key", ["installedBy", "schemas", "placeholders.X"])
def test_an_empty_value_on_the_command_line_counts_where_the_option_accepts_one(key: str) -> None:
    [given] = read_command_line({key: ""}).given
    assert (given.key, given.value) == (key, "")
