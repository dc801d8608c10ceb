"""``[tunnel]`` of ``taxiway.toml``."""

from pathlib import Path

from taxiway.config.tunnel import load_tunnel
from taxiway.model.tunnel import TunnelSettings


def load(tmp_path: Path, text: str, environment: str | None = None, **environ: str) -> TunnelSettings:
    (tmp_path / "taxiway.toml").write_text(text)
    return load_tunnel(environ=environ, directory=tmp_path, file=None, environment=environment)


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
