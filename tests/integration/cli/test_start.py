"""What a command loads: nothing that it does not use. Loading is most of the time that a short command takes."""

import os
import subprocess
import sys

import pytest

from tests.support.workspace import Workspace

NEVER = {
    *("psycopg", "boto3", "botocore", "click", "rich", "tzlocal", "zoneinfo", "logging", "asyncio", "subprocess"),
    *("urllib.parse", "tomllib", "difflib", "tempfile", "shutil", "socket", "ssl", "argparse", "traceback"),
}
OF_OURS_NEVER = (
    *("aws", "runner.run", "runner.job", "authoring", "sources.git", "sources.program", "sql", "cli.commands"),
    *("config.toml", "config.conf", "config.resolvers", "model.result", "model.plan", "model.script"),
    *("engine.migrate", "engine.execute", "engine.callback_runner", "planning.validate", "reports.flyway_json"),
)
# What info loads is 197 modules with Python 3.13, half of them ours. To be raised for a good reason only.
MOST_MODULES = 205


def loaded_by(workspace: Workspace, *arguments: str) -> set[str]:
    """The modules that a command has loaded in the end, as Python tells."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "taxiway", *arguments],
        cwd=workspace.directory,
        env={"PATH": os.defpath, "HOME": str(workspace.directory), "TZ": "UTC", **workspace.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.rpartition("|") for line in result.stderr.splitlines() if line.startswith("import time:"))
    return {name.strip() for _, _, name in rows}


@pytest.fixture
def up_to_date(workspace: Workspace) -> Workspace:
    workspace.write({"V1__a.sql": "CREATE TABLE a (n int);", "V2__b.sql": "CREATE TABLE b (n int);"})
    workspace.migrate()
    return workspace


def test_info_loads_nothing_that_it_does_not_use(up_to_date: Workspace) -> None:
    loaded = loaded_by(up_to_date, "info")
    assert loaded & NEVER == set()
    assert [name for name in OF_OURS_NEVER if f"taxiway.{name}" in loaded] == []
    assert len(loaded) <= MOST_MODULES


def test_migrate_with_nothing_to_do_loads_no_library_that_it_does_not_use(up_to_date: Workspace) -> None:
    assert loaded_by(up_to_date, "migrate") & NEVER == set()


def test_options_in_both_styles_need_no_click(up_to_date: Workspace) -> None:
    loaded = loaded_by(up_to_date, "-outOfOrder=true", "info", "--target", "latest", "-q")
    assert "click" not in loaded


def test_the_version_is_told_without_the_table_of_settings() -> None:
    code = "import sys; from taxiway.cli.main import run; run(['--version']); print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {"click", "taxiway.config.options"}.isdisjoint(output.split())


def test_ctrl_c_before_anything_is_loaded_is_no_traceback() -> None:
    code = """
import sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "taxiway.cli.main":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from taxiway.__main__ import main
main()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")
