"""The private key of the bastion is in no file, argument or variable, at any moment of a tunnel."""

import re
import shutil
import threading
import time
from pathlib import Path
from typing import Final

import pytest

from sandbox.bastion import Bastion
from sandbox.relay import Relay
from tests.e2e.tunnel.conftest import Shop, through
from tests.support.tunnels import TunnelUser

# A file of which strace says that it is made, or opened for writing
_WRITTEN: Final = re.compile(r'(?:open|openat|openat2|creat)\([^"]*"([^"]+)"[^)]*O_(?:WRONLY|RDWR|CREAT)')


class Watch(threading.Thread):
    """Reads every file below a directory, and what every process of it was started with, again and again.

    Where the system tells what is opened (inotify), that would miss nothing either; reading finds what was written.
    """

    def __init__(self, directory: Path, wanted: bytes) -> None:
        super().__init__(daemon=True)
        self._directory, self._wanted = directory, wanted
        self._is_over = threading.Event()
        self.seen: set[str] = set()
        self.found: list[str] = []
        self.rounds = 0

    def run(self) -> None:
        while not self._is_over.is_set():
            for path in self._directory.rglob("*"):
                self._look(path)
            for process in Path("/proc").glob("[0-9]*"):
                self._look_at_process(process)
            self.rounds += 1

    def stop(self) -> None:
        self._is_over.set()
        self.join()

    def _look(self, path: Path) -> None:
        try:
            if path.is_file():
                self.seen.add(path.name)
                if self._wanted in path.read_bytes():
                    self.found.append(str(path))
        except OSError:
            pass

    def _look_at_process(self, process: Path) -> None:
        try:
            variables = (process / "environ").read_bytes()
            if f"HOME={self._directory}".encode() not in variables:
                return
            if self._wanted in variables + (process / "cmdline").read_bytes():
                self.found.append(str(process))
        except OSError:
            pass


@pytest.mark.parametrize("kind", ["sshd_bastion", "asyncssh_bastion"])
def test_the_private_key_is_nowhere_to_be_found(
    user: TunnelUser, shop: Shop, kind: str, request: pytest.FixtureRequest
) -> None:
    bastion = request.getfixturevalue(kind)
    assert isinstance(bastion, Bastion)
    middle = bastion.private_key.splitlines()[2].encode()
    with Relay(bastion.address, bastion.port) as way:
        through(bastion, user, shop, port=way.port)
        watch = Watch(user.directory, middle)
        watch.start()
        with user.calling() as tunnel:
            tunnel.open()
            way.cut()
            tunnel.wait_for("Connected again on the same port")
            time.sleep(0.2)
            tunnel.end()
        watch.stop()
    assert watch.found == []
    # It has looked, and at what there was: the public host key is such a file.
    assert "known_hosts" in watch.seen
    assert watch.rounds > 10
    assert middle.decode() not in tunnel.stdout + tunnel.stderr


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace for this test")
def test_nothing_but_the_public_host_key_is_ever_written_to_a_file(
    user: TunnelUser, shop: Shop, asyncssh_bastion: Bastion, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The system tells every file that is opened for writing, by the command and by all that it starts."""
    trace = tmp_path_factory.mktemp("trace") / "calls"
    calls = "trace=execve,open,openat,openat2,creat,memfd_create"
    # The tracer is the child of what it traces, so that signals reach that.
    user.prefix = ("strace", "-D", "-f", "-qq", "-e", calls, "-o", str(trace))
    through(asyncssh_bastion, user, shop)
    with user.calling(PYTHONDONTWRITEBYTECODE="1") as tunnel:
        line = tunnel.open()
        user.prefix = ()
        assert user.psql(line, "SELECT 1", shop.password).stdout == "1\n"
        assert tunnel.end() == 130
    text = trace.read_text()
    assert 'ssh-agent"' in text
    opened = {found[1] for found in _WRITTEN.finditer(text)}
    # Temporary files may be below /dev themselves, in /dev/shm.
    home = str(tmp_path_factory.getbasetemp())
    written = {one for one in opened if one.startswith(home) or not one.startswith(("/dev/", "/proc/"))}
    # Python tries the directory for temporary files with one that has four letters in it (tempfile).
    tried = {one for one in written if re.fullmatch(r"[a-z0-9_]{8}", Path(one).name)}
    assert len(tried) <= 1
    assert {Path(one).name for one in written - tried} == {"known_hosts"}
    assert "memfd_create" not in text
