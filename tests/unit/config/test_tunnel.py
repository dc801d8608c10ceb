"""``[tunnel]`` of ``taxiway.toml``."""

from dataclasses import fields
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.config.tunnel import KEYS, load_tunnel
from taxiway.model.tunnel import TunnelSettings


def load(tmp_path: Path, text: str, environment: str | None = None, **environ: str) -> TunnelSettings:
    (tmp_path / "taxiway.toml").write_text(text)
    return load_tunnel(environ=environ, directory=tmp_path, file=None, environment=environment)


def test_every_setting_has_a_key() -> None:
    assert {key.attribute for key in KEYS} == {field.name for field in fields(TunnelSettings)}


def test_an_environment_wins_key_by_key(tmp_path: Path) -> None:
    text = (
        '[tunnel]\ncluster = "shop"\nport = 15432\nhost_key = "a, b"\n'
        '[environments.prod.tunnel]\ncluster = "${env:CLUSTER}"\nreader = true'
    )
    assert load(tmp_path, text) == TunnelSettings(cluster="shop", port=15432, host_keys=("a", "b"))
    prod = load(tmp_path, text, "prod", CLUSTER="shop-prod")
    assert prod == TunnelSettings(cluster="shop-prod", port=15432, host_keys=("a", "b"), reader=True)


def test_what_tasks_say_of_stack_and_account_is_not_said_again(tmp_path: Path) -> None:
    task = '[task]\nstack = "shop"\nregion = "eu-west-1"\nprofile = "prod"\n'
    assert load(tmp_path, task) == TunnelSettings(stack="shop", region="eu-west-1", profile="prod")
    named = load(tmp_path, f'{task}[tunnel]\ncluster = "other"\nregion = "us-east-1"\n')
    assert named == TunnelSettings(cluster="other", region="us-east-1", profile="prod")
    assert load(tmp_path, f'{task}[tunnel]\nstack = "tools"\n').stack == "tools"


def test_without_a_file_nothing_is_said(tmp_path: Path) -> None:
    assert load_tunnel(environ={}, directory=tmp_path, file=None, environment=None) == TunnelSettings()


@pytest.mark.parametrize(
    "line", ['port = "15432"', "port = true", "cluster = 1", 'reader = "yes"', 'target = " "']
)
def test_values_of_another_kind_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(errors.InvalidOption):
        load(tmp_path, f"[tunnel]\n{line}")


@pytest.mark.parametrize(
    ("text", "key"), [("[tunnel]\nclustr = 'x'", "tunnel.clustr"), ("[environments.p.tunnel]\nvai = 'ssh'", "vai")]
)
def test_an_unknown_key_is_an_error_with_the_nearest_name(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(errors.UnknownOption, match=key) as caught:
        load(tmp_path, text)
    assert "Did you mean" in (caught.value.hint or "")


def test_a_reference_to_a_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption, match="only environment variables"):
        load(tmp_path, '[tunnel]\nuser = "${secret:x#y}"')
