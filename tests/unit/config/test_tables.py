"""What holds for every table of taxiway.toml that is for whoever works with AWS, whatever it is about."""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config import infra, secrets, task, tunnel
from taxiway.config.table import Table
from taxiway.config.toml import FLYWAY, parse_toml
from taxiway.model.infra import BastionWish, DatabaseWish, EndpointsWish, GithubWish, InfraSettings
from taxiway.model.stored_secret import SecretsSettings
from taxiway.model.task import TaskSettings
from taxiway.model.tunnel import TunnelSettings

LOADERS: dict[str, Callable[..., object]] = {
    "task": task.load_task,
    "infra": infra.load_infra,
    "tunnel": tunnel.load_tunnel,
    "secrets": secrets.load_secrets,
}
NOTHING = {"task": TaskSettings(), "infra": None, "tunnel": TunnelSettings(), "secrets": SecretsSettings()}
SETTINGS: list[tuple[Table, type, dict[str, type]]] = [
    (task.TABLE, TaskSettings, {}),
    (
        infra.TABLE,
        InfraSettings,
        {"database": DatabaseWish, "bastion": BastionWish, "github": GithubWish, "endpoints": EndpointsWish},
    ),
    (tunnel.TABLE, TunnelSettings, {}),
    (secrets.TABLE, SecretsSettings, {}),
]


def load(table: str, text: str, directory: Path, environment: str | None = None) -> object:
    (directory / "taxiway.toml").write_text(text)
    return LOADERS[table](environ={}, directory=directory, file=None, environment=environment)


@pytest.mark.parametrize(("table", "settings", "inner"), SETTINGS, ids=LOADERS)
def test_every_key_is_a_setting_and_every_setting_has_a_key(
    table: Table, settings: type, inner: dict[str, type]
) -> None:
    names = {field.name for field in fields(settings)} - inner.keys()
    names |= {f"{name}.{field.name}" for name, wish in inner.items() for field in fields(wish)}
    assert {key.attribute for key in table.keys} == names


@pytest.mark.parametrize("table", LOADERS)
def test_without_a_file_nothing_is_set(table: str, tmp_path: Path) -> None:
    assert LOADERS[table](environ={}, directory=tmp_path, file=None, environment=None) == NOTHING[table]


@pytest.mark.parametrize("table", LOADERS)
def test_an_unknown_environment_has_a_nearest_name(table: str, tmp_path: Path) -> None:
    with pytest.raises(errors.UnknownEnvironment) as caught:
        load(table, f"[environments.prod.{table}]\n", tmp_path, "prd")
    assert caught.value.hint == "Did you mean 'prod'?"
    with pytest.raises(errors.UnknownEnvironment):
        LOADERS[table](environ={}, directory=tmp_path / "none", file=None, environment="prod")


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
        ('[infra]\nvcp = "x"', "infra.vcp", "infra.vpc"),
        ("[infra.database]\nmin_capcity = 1", "infra.database.min_capcity", "infra.database.min_capacity"),
        (
            "[environments.prod.infra]\nmemry = 1",
            "environments.prod.infra.memry",
            "environments.prod.infra.memory",
        ),
        ("[infra.databse]\nx = 1", "infra.databse", "infra.database"),
        ('[infr]\nvpc = "x"', "infr", "infra"),
        ("[tunnel]\nclustr = 'x'", "tunnel.clustr", "tunnel.cluster"),
        ("[environments.p.tunnel]\nvai = 'ssh'", "environments.p.tunnel.vai", "environments.p.tunnel.via"),
        ('[tunnl]\nvia = "ssh"', "tunnl", "tunnel"),
        ('[secrets]\ndeploy_key_secert = "x"', "secrets.deploy_key_secert", "secrets.deploy_key_secret"),
        (
            '[environments.prod.secrets]\ndeploy_key_secert = "x"',
            "environments.prod.secrets.deploy_key_secert",
            "environments.prod.secrets.deploy_key_secret",
        ),
        ('[secrts]\ndeploy_key_secret = "x"', "secrts", "secrets"),
    ],
)
def test_an_unknown_key_is_an_error_for_every_command(text: str, key: str, nearest: str, tmp_path: Path) -> None:
    readers: list[Callable[[], object]] = [partial(parse_toml, text)]
    readers += [partial(load, name, text, tmp_path) for name in LOADERS]
    for read in readers:
        with pytest.raises(errors.UnknownOption) as caught:
            read()
        assert (caught.value.key, caught.value.nearest) == (key, nearest)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("task", "[task]\ncluster = 1"),
        ("task", "[task]\nsubnets = [1]"),
        ("task", '[task]\nassign_public_ip = "yes"'),
        ("task", '[task]\ncluster = ""'),
        ("infra", "[infra]\nmemory = true"),
        ("infra", '[infra]\nmemory = "1024"'),
        ("infra", "[infra]\nmemory = 1.5"),
        ("infra", "[infra]\ndatabase = 1"),
        ("infra", "[infra.environment]\nX = 1"),
        ("infra", '[infra.database]\nmax_capacity = "2"'),
        ("tunnel", '[tunnel]\nport = "15432"'),
        ("tunnel", "[tunnel]\nport = true"),
        ("tunnel", '[tunnel]\nreader = "yes"'),
        ("tunnel", '[tunnel]\ntarget = " "'),
        ("secrets", "[secrets]\ntags = 1"),
        ("secrets", "[secrets]\ntags = {team = 1}"),
        *((table, f"{table} = 1") for table in LOADERS),
        *((table, f"[environments.prod]\n{table} = 1") for table in LOADERS),
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error(table: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption):
        load(table, text, tmp_path)


@pytest.mark.parametrize("table", LOADERS)
def test_a_reference_to_a_secret_is_refused(table: str, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption, match="only environment variables"):
        load(table, f'[{table}]\nregion = "${{secret:x#y}}"', tmp_path)


@pytest.mark.parametrize("table", LOADERS)
def test_a_variable_that_is_not_set_is_an_error(table: str, tmp_path: Path) -> None:
    with pytest.raises(errors.VariableNotSet, match="ZONE"):
        load(table, f'[{table}]\nregion = "${{env:ZONE}}"', tmp_path)


@pytest.mark.parametrize("table", LOADERS)
def test_the_commands_on_a_database_do_not_heed_the_tables(table: str) -> None:
    text = f'[{table}]\nregion = "x"\n[environments.prod]\nurl = "postgresql://db/shop"\n'
    place = parse_toml(f'{text}[environments.prod.{table}]\nregion = "y"\n')
    assert [str(one.option.key) for one in place.given] == ["url"]


@pytest.mark.parametrize("table", LOADERS)
def test_flyways_file_has_no_such_table(table: str) -> None:
    assert parse_toml(f'[{table}]\nregion = "x"', dialect=FLYWAY).given == ()
