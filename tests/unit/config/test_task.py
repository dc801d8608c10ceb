"""``[task]`` in taxiway.toml: read for whoever starts tasks, checked for everybody."""

from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.table import ValueKind
from taxiway.config.task import KEYS, load_task
from taxiway.config.toml import FLYWAY, parse_toml
from taxiway.model.task import TaskSettings

FULL = """
[task]
cluster = "apps-${env:STAGE}"
task_definition = "taxiway"
subnets = ["private-a", "private-b"]
security_groups = "${env:GROUPS}"
assign_public_ip = false

[environments.prod]
url = "postgresql://db/shop"

[environments.prod.task]
cluster = "prod"
region = "eu-west-1"
"""


def load(text: str, tmp_path: Path, environment: str | None = None, **environ: str) -> TaskSettings:
    (tmp_path / "taxiway.toml").write_text(text)
    return load_task(environ=environ, directory=tmp_path, file=None, environment=environment)


def test_the_table_is_read_with_its_references(tmp_path: Path) -> None:
    assert load(FULL, tmp_path, STAGE="test", GROUPS="a, b") == TaskSettings(
        cluster="apps-test",
        task_definition="taxiway",
        subnets=("private-a", "private-b"),
        security_groups=("a", "b"),
        assign_public_ip=False,
    )


def test_the_table_of_the_environment_wins_key_by_key(tmp_path: Path) -> None:
    settings = load(FULL, tmp_path, "prod", STAGE="test", GROUPS="a")
    assert (settings.cluster, settings.region, settings.task_definition) == ("prod", "eu-west-1", "taxiway")


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    assert load_task(environ={}, directory=tmp_path, file=None, environment=None) == TaskSettings()


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ('[task]\nclutser = "x"', "task.clutser", "task.cluster"),
        (
            "[environments.prod.task]\nsubnet = []",
            "environments.prod.task.subnet",
            "environments.prod.task.subnets",
        ),
        ('[taks]\ncluster = "x"', "taks", "task"),
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
        "[task]\ncluster = 1",
        "[task]\nsubnets = [1]",
        '[task]\nassign_public_ip = "yes"',
        '[task]\ncluster = ""',
        '[task]\ncluster = "${secret:x}"',
        "task = 1",
        "[environments.prod]\ntask = 1",
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption):
        load(text, tmp_path)


def test_a_variable_that_is_not_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.VariableNotSet, match="STAGE"):
        load(FULL, tmp_path)


def test_an_unknown_environment_has_a_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(errors.UnknownEnvironment) as caught:
        load(FULL, tmp_path, "prd", STAGE="test", GROUPS="a")
    assert caught.value.hint == "Did you mean 'prod'?"
    with pytest.raises(errors.UnknownEnvironment):
        load_task(environ={}, directory=tmp_path / "none", file=None, environment="prod")


def test_the_commands_on_a_database_do_not_heed_the_tables() -> None:
    place = parse_toml(FULL)
    assert [str(one.option.key) for one in place.given] == ["url"]


def test_flyways_file_has_no_such_table() -> None:
    assert parse_toml('[task]\ncluster = "x"', dialect=FLYWAY).given == ()


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_is_a_setting(key: object) -> None:
    assert {one.name for one in KEYS} == set(TaskSettings.__dataclass_fields__)
    assert {one.kind for one in KEYS} == {ValueKind.TEXT, ValueKind.LIST, ValueKind.BOOLEAN}
