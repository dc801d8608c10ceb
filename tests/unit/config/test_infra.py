"""``[infra]`` in taxiway.toml: read for whoever builds it, checked for everybody."""

from pathlib import Path

from taxiway.config.infra import load_infra
from taxiway.model.infra import BastionWish, DatabaseWish, InfraSettings

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
