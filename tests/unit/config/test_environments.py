"""Environments: how one is chosen, and what wins."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.load import load
from taxiway.config.merge import Loaded
from taxiway.secret import Secret

FLYWAY = """
[environments.default]
url = "postgresql://default/app"
[environments.prod]
url = "jdbc:postgresql://prod/app"
user = "${env.DB_USER}"
password = "hunter2"
schemas = ["app"]
[environments.prod.jdbcProperties]
sslmode = "verify-full"
ApplicationName = "file"
[environments.prod.flyway]
outOfOrder = true
locations = ["filesystem:prod"]
[environments.prod.flyway.placeholders]
B = "prod"
[flyway]
locations = ["filesystem:a", "filesystem:b"]
outOfOrder = false
[flyway.placeholders]
A = "all"
B = "all"
"""
ENVIRON = {"DB_USER": "app"}


def load_from(
    directory: Path, arguments: Mapping[str, object] | None = None, *, text: str = FLYWAY, **environ: str
) -> Loaded:
    (directory / "flyway.toml").write_text(text, encoding="utf-8")
    return load(
        arguments or {}, environ=ENVIRON | environ, directory=directory, secret=lambda _id, _key: Secret("s3cret")
    )


def test_without_a_choice_it_is_the_default_one(tmp_path: Path) -> None:
    loaded = load_from(tmp_path)
    assert loaded.settings.database.url == "postgresql://default/app"
    assert loaded.settings.migrations.environment == "default"
    assert loaded.settings.migrations.policy.out_of_order is False


def test_the_chosen_one_gives_the_database_and_overrides_the_rest(tmp_path: Path) -> None:
    settings = load_from(tmp_path, {"environment": "prod"}).settings
    assert settings.database.url == "jdbc:postgresql://prod/app"
    assert settings.database.user == "app"
    assert settings.database.password == Secret("hunter2")
    assert settings.database.jdbc_properties == {"sslmode": "verify-full", "ApplicationName": "file"}
    assert settings.migrations.schemas == ("app",)
    assert settings.migrations.policy.out_of_order is True
    assert [str(location) for location in settings.migrations.locations] == ["filesystem:prod"]
    assert settings.migrations.placeholders.values == {"B": "prod"}
    assert settings.migrations.environment == "prod"


@pytest.mark.parametrize(
    ("arguments", "environ", "line"),
    [
        ({"environment": "prod"}, {"flyway_environment": "default"}, "environment = 'default'"),
        ({}, {"flyway_environment": "prod"}, "environment = 'default'"),
        ({}, {}, "environment = 'prod'"),
        ({}, {"STAGE": "prod"}, "environment = '${env.STAGE}'"),
    ],
)
def test_it_is_chosen_by_the_highest_place(
    arguments: Mapping[str, object], environ: dict[str, str], line: str, tmp_path: Path
) -> None:
    text = FLYWAY.replace("[flyway]\n", f"[flyway]\n{line}\n")
    assert load_from(tmp_path, arguments, text=text, **environ).settings.migrations.environment == "prod"


def test_a_hyphen_is_no_environment(tmp_path: Path) -> None:
    assert load_from(tmp_path, {"environment": "-"}).settings.database.url == ""


def test_the_default_one_need_not_be_there(tmp_path: Path) -> None:
    assert load_from(tmp_path, text="").settings.migrations.environment == "default"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Prod", "Did you mean 'prod'? Upper and lower case differ."),
        ("prd", "Did you mean 'prod'?"),
        ("staging", "Add [environments.staging]"),
    ],
)
def test_an_unknown_one_is_an_error(name: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(
        errors.UnknownEnvironment,
        match=f"^--environment: there is no environment '{name}'. There are default, prod",
    ) as caught:
        load_from(tmp_path, {"environment": name})
    assert (caught.value.hint or "").startswith(hint)
    assert "case" not in (caught.value.hint or "") or name == "Prod"


def test_an_unknown_one_of_a_variable_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(errors.UnknownEnvironment, match=r"^flyway_environment: there is no environment 'x'"):
        load_from(tmp_path, flyway_environment="x")


# --- precedence


def test_overrides_beat_the_command_line_and_the_environment(tmp_path: Path) -> None:
    loaded = load_from(
        tmp_path,
        {"environment": "prod", "outOfOrder": False, "locations": "x", "placeholders": {"A": "argument"}},
        FLYWAY_OUT_OF_ORDER="false",
    )
    assert loaded.settings.migrations.policy.out_of_order is True
    assert loaded.settings.migrations.placeholders.values == {"B": "prod"}
    assert loaded.origins["outOfOrder"] == "flyway.toml: environments.prod.flyway.outOfOrder"
    assert loaded.warnings == (
        "--out-of-order has no effect: flyway.toml: environments.prod.flyway.outOfOrder wins.",
        "--locations has no effect: flyway.toml: environments.prod.flyway.locations wins.",
    )


def test_overrides_on_the_command_line_beat_those_of_the_file(tmp_path: Path) -> None:
    arguments = {"environment": "prod", "environments.prod.flyway.outOfOrder": "false"}
    assert load_from(tmp_path, arguments).settings.migrations.policy.out_of_order is False


@pytest.mark.parametrize(
    ("arguments", "environ", "host"),
    [
        ({"url": "postgresql://argument/x"}, {"FLYWAY_URL": "postgresql://variable/x"}, "argument"),
        ({}, {"FLYWAY_URL": "postgresql://variable/x"}, "variable"),
        ({}, {"environments_prod_url": "postgresql://dotted/x"}, "dotted"),
        (
            {"environments.prod.url": "postgresql://named/x", "url": "postgresql://argument/x"},
            {"FLYWAY_URL": "postgresql://variable/x"},
            "named",
        ),
        ({"environments.default.url": "postgresql://other/x"}, {}, "prod"),
    ],
)
def test_the_url_of_the_chosen_one_can_be_given_from_outside(
    arguments: dict[str, object], environ: dict[str, str], host: str, tmp_path: Path
) -> None:
    loaded = load_from(tmp_path, {"environment": "prod"} | arguments, **environ)
    assert f"//{host}/" in str(loaded.settings.database.url)


def test_properties_merge_one_by_one(tmp_path: Path) -> None:
    loaded = load_from(
        tmp_path,
        {"environment": "prod", "jdbcProperties.sslmode": "require"},
        FLYWAY_JDBC_PROPERTIES_APPLICATIONNAME="variable",
    )
    assert loaded.settings.database.jdbc_properties == {"sslmode": "require", "ApplicationName": "variable"}


def test_our_file_may_add_to_an_environment_of_flyways(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text(
        "[environments.prod]\npassword = '${secret:x#password}'\n[environments.prod.flyway]\ntarget = '2'"
    )
    loaded = load_from(tmp_path, {"environment": "prod"})
    assert loaded.settings.database.password == Secret("s3cret")
    assert loaded.origins["target"] == "taxiway.toml: environments.prod.flyway.target"
    assert loaded.settings.database.url == "jdbc:postgresql://prod/app"


def test_an_environment_wins_over_the_table_for_all_of_our_file(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text(
        "[database]\nhost = 'all'\nuser = 'all'\n[environments.prod]\nhost = 'prod'\nname = 'db'"
    )
    database = load_from(tmp_path, {"environment": "prod"}, text="").settings.database
    assert database.parameters == {"host": "prod", "dbname": "db"}
    assert database.user == "all"


# --- references to placeholders


def test_a_reference_may_name_a_placeholder(tmp_path: Path) -> None:
    text = "[flyway]\ntable = 'h_${placeholder.NAME}'\nplaceholders = {name = '${env.DB_USER}', X = '${placeholder.name}!'}"
    migrations = load_from(tmp_path, text=text).settings.migrations
    assert migrations.table == "h_app"
    assert migrations.placeholders.values == {"name": "app", "X": "app!"}


def test_a_placeholder_that_is_confidential_stays_so(tmp_path: Path) -> None:
    text = "[flyway.placeholders]\nA_PASSWORD = 'hunter2'\n[environments.default]\npassword = '${placeholder.A_PASSWORD}'"
    loaded = load_from(tmp_path, text=text)
    assert loaded.settings.database.password == Secret("hunter2")
    with pytest.raises(errors.InvalidOption, match="confidential"):
        load_from(tmp_path, text=text.replace("password =", "user ="))


@pytest.mark.parametrize(
    ("line", "phrase"),
    [
        ("X = '${placeholder.Y}'\nY = '${placeholder.x}'", "refers to itself"),
        ("X = '${placeholder.Z}'", "the placeholder 'Z' is not set"),
    ],
)
def test_a_placeholder_that_has_no_value_is_an_error(line: str, phrase: str, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption, match=phrase):
        load_from(tmp_path, text=f"[flyway.placeholders]\n{line}")


def test_a_placeholder_does_not_choose_the_environment(tmp_path: Path) -> None:
    text = FLYWAY.replace("[flyway]\n", "[flyway]\nenvironment = '${placeholder.A}'\n")
    with pytest.raises(errors.InvalidOption, match=r"flyway\.environment: a placeholder cannot choose"):
        load_from(tmp_path, text=text, A="prod")
