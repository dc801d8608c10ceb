"""Neither a process, nor a file, nor a trace of the key stays behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from taxiway.errors import GitRefNotFound, GitUnreachable
from taxiway.sources.git import GitRepository, checkout
from tests.integration.sources.conftest import Recording


class Interrupted(Exception):
    """What a signal handler of the runner raises."""


def processes_that_know(text: str) -> list[str]:
    """The command lines of other processes with the text in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command and path.parent.name != str(os.getpid()):
            found.append(command)
    return found


def assert_no_process_knows(text: str) -> None:
    deadline = time.monotonic() + 5
    while processes_that_know(text) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes_that_know(text) == []


@contextmanager
def silent_server_that_signals(number: signal.Signals) -> Iterator[int]:
    """A server that sends us a signal when somebody connects, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connections: list[socket.socket] = []

        def accept() -> None:
            connections.append(server.accept()[0])
            os.kill(os.getpid(), number)

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        thread.join()
        for connection in connections:
            connection.close()


def raise_interrupted(*_: object) -> None:
    raise Interrupted


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Interrupted)]
)
def test_an_interruption_ends_git_and_ssh_and_removes_their_files(
    repository: GitRepository, temporary: Path, number: signal.Signals, expected: type[BaseException]
) -> None:
    before = signal.getsignal(number)
    if expected is Interrupted:
        signal.signal(number, raise_interrupted)
    try:
        with silent_server_that_signals(number) as port:
            slow = replace(repository, url=f"ssh://git@127.0.0.1:{port}/x.git")
            with pytest.raises(expected), checkout(slow, "trunk"):
                pass
            assert_no_process_knows(str(port))
    finally:
        signal.signal(number, before)
    assert list(temporary.iterdir()) == []


def test_a_timeout_ends_git_and_ssh_too(repository: GitRepository, temporary: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        silent = replace(repository, url=f"ssh://git@127.0.0.1:{port}/x.git")
        with pytest.raises(GitUnreachable), checkout(silent, "trunk", timeout_seconds=0.5):
            pass
        assert_no_process_knows(str(port))
    assert list(temporary.iterdir()) == []


def test_as_first_process_of_a_container_the_orphans_are_reaped_as_well(tmp_path: Path) -> None:
    """PR_SET_CHILD_SUBREAPER (prctl(2), 36) makes a process the parent of orphans, as the first one is."""
    program = """
import ctypes, os, socket
from taxiway.errors import GitUnreachable
from taxiway.sources.git import GitRepository, checkout
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
with socket.create_server(("127.0.0.1", 0)) as server:
    url = f"ssh://git@127.0.0.1:{server.getsockname()[1]}/x.git"
    try:
        with checkout(GitRepository(url=url), "trunk", timeout_seconds=0.5):
            pass
    except GitUnreachable:
        pass
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no child is left")
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "no child is left\n"


def test_the_files_are_gone_when_the_block_ends(repository: GitRepository, temporary: Path) -> None:
    with checkout(repository, "trunk") as found:
        assert found.directory.is_relative_to(temporary)
        (found.directory / "sql").chmod(0o500)
        (found.directory / "sql/V1__a.sql").chmod(0o400)
    assert list(temporary.iterdir()) == []


def test_the_files_are_gone_when_the_block_fails(repository: GitRepository, temporary: Path) -> None:
    with pytest.raises(Interrupted), checkout(repository, "trunk"):
        raise Interrupted
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("branch", ["trunk", "nothing"])
def test_the_key_is_in_no_argument_and_no_variable(
    repository: GitRepository, recording: Recording, monkeypatch: pytest.MonkeyPatch, branch: str
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with suppress(GitRefNotFound), checkout(repository, branch):
        pass
    assert recording.count("ssh") > 0
    assert repository.private_key
    recorded = recording.text()
    assert not [line for line in repository.private_key.reveal().splitlines() if line in recorded]
    assert "hunter2" not in recorded


def test_the_key_is_in_no_file_while_git_runs_and_after(
    repository: GitRepository, recording: Recording, temporary: Path
) -> None:
    with checkout(repository, "trunk"):
        files = [path for path in temporary.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if b"PRIVATE KEY" in path.read_bytes()]
    assert recording.count("ssh") == 1
    assert recording.files_with_keys() == ""


def test_the_home_of_the_user_is_not_touched(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with checkout(repository, "trunk"):
        pass
    assert list(home.iterdir()) == []
