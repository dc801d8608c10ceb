"""What people see of the configuration, and every option from every place once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from taxiway.config.effective import EffectiveOption
from taxiway.config.load import load
from taxiway.config.merge import Loaded
from taxiway.config.option import Kind, Option
from taxiway.config.options import OPTIONS
from taxiway.secret import Secret


def load_in(directory: Path, arguments: Mapping[str, object] | None = None, **environ: str) -> Loaded:
    return load(
        arguments or {}, environ=environ, directory=directory, secret=lambda _id, _key: Secret("from the manager")
    )


def shown(loaded: Loaded) -> dict[str, EffectiveOption]:
    return {one.key: one for one in loaded.effective}


def test_every_option_is_there_in_the_order_of_the_table(tmp_path: Path) -> None:
    effective = load_in(tmp_path).effective
    assert [one.key for one in effective] == [o.key for o in OPTIONS if o.kind is not Kind.MAP]
    assert {one.origin for one in effective} == {"default"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target", "latest"),
        ("outOfOrder", "false"),
        ("sqlMigrationSuffixes", ".sql"),
        ("locations", "filesystem:sql"),
        ("url", ""),
        ("cleanDisabled", "true"),
    ],
)
def test_defaults_are_shown_as_they_would_be_written(key: str, value: str, tmp_path: Path) -> None:
    assert shown(load_in(tmp_path))[key].value == value


def test_values_have_their_origin_and_placeholders_come_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "flyway.toml").write_text("[flyway]\nlocations = ['a', 'b']\nplaceholders = {X = '${env.Y}'}")
    options = shown(load_in(tmp_path, {"outOfOrder": True}, FLYWAY_TARGET="2", Y="z"))
    assert options["outOfOrder"] == EffectiveOption(
        key="outOfOrder", value="true", origin="--out-of-order", is_secret=False
    )
    assert (options["target"].value, options["target"].origin) == ("2", "FLYWAY_TARGET")
    assert (options["locations"].value, options["locations"].origin) == ("a, b", "flyway.toml: flyway.locations")
    assert options["placeholders.X"].value == "z"
    assert options["placeholders.X"].origin == "flyway.toml: flyway.placeholders.X"


def test_what_is_confidential_is_shown_as_stars(tmp_path: Path) -> None:
    (tmp_path / "taxiway.toml").write_text("[flyway.placeholders]\nA = '${secret:x}'")
    loaded = load_in(
        tmp_path,
        {
            "password": "hunter2",
            "url": "postgresql://u:hunter3@h/d?sslpassword=hunter4",
            "placeholders.PWD": "hunter5",
        },
        FLYWAY_JDBC_PROPERTIES_PASSWORD="hunter6",
    )
    options = shown(loaded)
    for key in ("password", "placeholders.A", "placeholders.PWD", "jdbcProperties.password"):
        assert (options[key].value, options[key].is_secret) == ("********", True)
    assert options["url"].value == "postgresql://u:********@h/d?sslpassword=********"
    assert options["url"].is_secret
    assert not any("hunter" in one.value or "manager" in one.value for one in loaded.effective)


VALUES = {
    "hostaddr": "127.0.0.1",
    "auth": "iam",
    "pooler": "refuse",
    "sslmode": "require",
    "port": "5433",
    "encoding": "UTF-16",
    "configFileEncoding": "UTF-8",
    "environment": "default",
    "ignoreMigrationPatterns": "*:missing",
    "errorOverrides": "42P01:0:W",
    "infoSinceDate": "31/12/2026 16:30",
    "infoUntilDate": "31/12/2026 16:30",
    "infoOfState": "pending,out_of_order",
    "url": "postgresql://h/d",
    "configFiles": "-",
}
BY_KIND = {
    Kind.STRING: "1",
    Kind.BOOLEAN: "true",
    Kind.INTEGER: "3",
    Kind.LIST: "a",
    Kind.MAP: "x",
    Kind.SECRET: "hunter2",
}


def sample(option: Option) -> str:
    return VALUES.get(option.key, BY_KIND[option.kind])


def key_of(option: Option) -> str:
    return f"{option.key}.x" if option.kind is Kind.MAP else option.key


def origin_after(loaded: Loaded, option: Option) -> str:
    return loaded.origins[key_of(option)]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.key)
def test_every_option_is_accepted_as_an_argument(option: Option, tmp_path: Path) -> None:
    loaded = load_in(tmp_path, {key_of(option): sample(option)})
    assert origin_after(loaded, option).startswith(option.flag or f"-{option.key}")


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.in_variables], ids=lambda option: option.key)
def test_every_option_is_accepted_as_a_variable(option: Option, tmp_path: Path) -> None:
    variable = f"{option.environment_variable}{'X' if option.kind is Kind.MAP else ''}"
    assert origin_after(load_in(tmp_path, None, **{variable: sample(option)}), option) == variable


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.in_files], ids=lambda option: option.key)
def test_every_option_of_files_is_accepted_in_conf(option: Option, tmp_path: Path) -> None:
    (tmp_path / "flyway.conf").write_text(f"flyway.{key_of(option)}={sample(option)}")
    assert origin_after(load_in(tmp_path), option) == f"flyway.conf: flyway.{key_of(option)}"


IN_TOML = [
    (name, option)
    for name in ("flyway.toml", "taxiway.toml")
    for option in OPTIONS
    if option.in_files and not (option.is_ours and option.table != "flyway" and name == "flyway.toml")
]


@pytest.mark.parametrize(("name", "option"), IN_TOML, ids=lambda value: getattr(value, "key", value))
def test_every_option_of_files_is_accepted_in_toml(name: str, option: Option, tmp_path: Path) -> None:
    table = "environments.default" if option.in_environment else option.table
    text = "${env:P}" if option.kind is Kind.SECRET else sample(option)
    value = f"['{text}']" if option.kind is Kind.LIST else f"'{text}'"
    if option.kind in {Kind.BOOLEAN, Kind.INTEGER}:
        value = text
    entry = f"{option.name or option.key}{'.x' if option.kind is Kind.MAP else ''}"
    (tmp_path / name).write_text(f"[{table}]\n{entry} = {value}")
    assert origin_after(load_in(tmp_path, P="x"), option) == f"{name}: {table}.{entry}"


def test_batch_and_error_overrides_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="errorOverrides and batch cannot be used together"):
        load_in(tmp_path, {"batch": "true", "errorOverrides": "*:*:W"})
    load_in(tmp_path, {"batch": "false", "errorOverrides": "*:*:W"})
