"""``[infra]`` in taxiway.toml: read for whoever builds it, checked for everybody."""

from dataclasses import fields
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.infra import KEYS, load_infra
from taxiway.config.toml import parse_toml
from taxiway.model.infra import BastionWish, DatabaseWish, EndpointsWish, GithubWish, InfraSettings

FULL = """
[task]
stack = "shop"
region = "eu-west-1"

[infra]
vpc = "vpc-1"
subnets = ["subnet-${env:ZONE}"]
memory = 1024

[infra.database]
max_capacity = 2

[infra.bastion]

[infra.environment]
TAXIWAY_CONNECT_RETRIES = "3"

[environments.prod.infra]
stack = "shop-prod"

[environments.prod.infra.database]
min_capacity = 0.5
"""


def load(text: str, tmp_path: Path, environment: str | None = None) -> InfraSettings | None:
    (tmp_path / "taxiway.toml").write_text(text)
    return load_infra(environ={"ZONE": "a"}, directory=tmp_path, file=None, environment=environment)


def test_tables_are_read_and_stack_and_region_are_those_of_tasks(tmp_path: Path) -> None:
    assert load(FULL, tmp_path) == InfraSettings(
        stack="shop",
        region="eu-west-1",
        vpc="vpc-1",
        subnets=("subnet-a",),
        memory=1024,
        database=DatabaseWish(max_capacity=2.0),
        bastion=BastionWish(),
        environment={"TAXIWAY_CONNECT_RETRIES": "3"},
    )


def test_the_tables_of_the_environment_win_key_by_key(tmp_path: Path) -> None:
    settings = load(FULL, tmp_path, "prod")
    assert settings
    assert (settings.stack, settings.vpc) == ("shop-prod", "vpc-1")
    assert settings.database == DatabaseWish(max_capacity=2.0, min_capacity=0.5)


def test_without_a_table_there_is_nothing(tmp_path: Path) -> None:
    assert load('[task]\ncluster = "x"', tmp_path) is None


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ('[infra]\nvcp = "x"', "infra.vcp", "infra.vpc"),
        ("[infra.database]\nmin_capcity = 1", "infra.database.min_capcity", "infra.database.min_capacity"),
        (
            "[environments.prod.infra]\nmemry = 1",
            "environments.prod.infra.memry",
            "environments.prod.infra.memory",
        ),
        ("[infra.databse]\nx = 1", "infra.databse", "infra.database"),
        ('[infr]\nvpc = "x"', "infr", "infra"),
    ],
)
def test_an_unknown_key_is_an_error_for_every_command(text: str, key: str, nearest: str, tmp_path: Path) -> None:
    for read in (lambda: load(text, tmp_path), lambda: parse_toml(text)):
        with pytest.raises(errors.UnknownOption) as caught:
            read()
        assert (caught.value.key, caught.value.nearest) == (key, nearest)


@pytest.mark.parametrize(
    "text",
    [
        "[infra]\nmemory = true",
        '[infra]\nmemory = "1024"',
        "[infra]\nmemory = 1.5",
        "[infra]\ndatabase = 1",
        "[infra.environment]\nX = 1",
        '[infra.database]\nmax_capacity = "2"',
        "infra = 1",
        "[environments.prod]\ninfra = 1",
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption):
        load(text, tmp_path)


def test_every_key_is_a_setting_and_every_setting_has_a_key() -> None:
    inner = {"database": DatabaseWish, "bastion": BastionWish, "github": GithubWish, "endpoints": EndpointsWish}
    names = {field.name for field in fields(InfraSettings)} - inner.keys()
    names |= {f"{table}.{field.name}" for table, wish in inner.items() for field in fields(wish)}
    assert {key.name for key in KEYS} == names
