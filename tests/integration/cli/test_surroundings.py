"""A call needs neither a home directory nor luck with the directory that it is started in."""

import os
import pwd
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from taxiway.cli.commands.config import config
from taxiway.cli.invocation import Invocation
from tests.support.command import complaint


def test_a_current_directory_that_was_removed_is_told(tmp_path: Path) -> None:
    script = f"mkdir gone && cd gone && rmdir ../gone && exec {shlex.quote(sys.executable)} -P -m taxiway config"
    result = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "current directory" in complaint(result, 2, "configuration")


def test_a_user_without_a_home_directory_has_no_files_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_entry(uid: int) -> None:
        raise KeyError(uid)

    # Only an administrator could become a user that has no entry.
    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    monkeypatch.delenv("HOME")
    monkeypatch.chdir(tmp_path)
    config.main(["table"], obj=Invocation(), standalone_mode=False)
    assert "flyway_schema_history" in capsys.readouterr().out
