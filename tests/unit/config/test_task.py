"""``[task]`` in taxiway.toml: read for whoever starts tasks, checked for everybody."""

from pathlib import Path

from taxiway.config.task import load_task
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
