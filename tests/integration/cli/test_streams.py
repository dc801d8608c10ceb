"""Output that cannot be written does not stop a migration half way, and the exit code still tells the truth."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.workspace import Workspace

SCRIPTS = {f"V{number}__m.sql": f"CREATE TABLE t{number} ();" for number in range(1, 9)}
FULL = "The output could not be written: No space left on device."


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    workspace.write(SCRIPTS)
    return workspace


def run(workspace: Workspace, arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command with redirections, as the shell does them."""
    basic = {"PATH": os.defpath, "HOME": str(workspace.directory), "TZ": "UTC"}
    return subprocess.run(
        ["sh", "-c", f'"$0" -m taxiway {arguments}', sys.executable],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=workspace.directory,
        env=basic | workspace.environment | environment,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "-o json >&-"])
def test_a_closed_stream_is_one_that_nobody_reads(workspace: Workspace, redirection: str) -> None:
    result = run(workspace, f"migrate {redirection}")
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(workspace.applied()) == len(SCRIPTS)


@pytest.mark.parametrize("option", ["", "-o json"])
def test_a_full_disk_does_not_stop_the_work_but_the_result_is_missed(workspace: Workspace, option: str) -> None:
    result = run(workspace, f"migrate {option} >/dev/full")
    assert result.returncode == 1
    assert result.stderr.decode().startswith(FULL)
    assert "succeeded, and ends with 1" in result.stderr.decode()
    assert len(result.stderr.splitlines()) == 1
    assert len(workspace.applied()) == len(SCRIPTS)


def test_a_failure_keeps_its_exit_code_when_the_disk_is_full(workspace: Workspace) -> None:
    result = run(workspace, "migrate --target oops -o json >/dev/full")
    assert result.returncode == 2
    assert result.stderr.decode().startswith(FULL)


def test_an_error_that_cannot_be_shown_keeps_its_exit_code(workspace: Workspace) -> None:
    assert run(workspace, "migrate --target oops 2>/dev/full").returncode == 2


def test_a_reader_who_leaves_in_the_middle_stops_nothing(workspace: Workspace) -> None:
    pipe = '"$0" -m taxiway migrate; echo $? >code; } | head -n 1'
    result = run(workspace, f"--version; {{ {pipe}")
    assert result.stderr == b""
    assert (workspace.directory / "code").read_text() == "0\n"
    assert len(workspace.applied()) == len(SCRIPTS)


def test_a_name_that_the_terminal_cannot_show_is_escaped(workspace: Workspace) -> None:
    workspace.write({"V9__日本.sql": "SELECT 1;"})
    result = run(workspace, "migrate", PYTHONIOENCODING="latin-1")
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"\\u65e5\\u672c" in result.stdout
    assert len(workspace.applied()) == len(SCRIPTS) + 1


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_json_is_json_in_every_encoding(workspace: Workspace, encoding: str) -> None:
    workspace.write({"V9__é日😀.sql": "SELECT 1;"})
    result = run(workspace, "info -o json", PYTHONIOENCODING=encoding)
    assert (result.returncode, result.stderr) == (0, b"")
    migrations = json.loads(result.stdout.decode(encoding))["migrations"]
    assert migrations[-1]["description"] == "é日😀"
