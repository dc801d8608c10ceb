"""Whoever opens tunnels: ``taxiway tunnel`` as a process, and what it leads to."""

import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_COMMAND: Final = Path(sysconfig.get_path("scripts")) / "taxiway"
_SECONDS: Final = 60


@dataclass(slots=True)
class RunningTunnel:
    """A call that goes on. Its output goes to files, so that nobody has to read it meanwhile."""

    process: subprocess.Popen[str]
    out: Path
    err: Path

    def wait_for(self, words: str, *, times: int = 1) -> None:
        """Return when standard error has the words so often."""
        deadline = time.monotonic() + _SECONDS
        while self.stderr.count(words) < times:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.stderr}"
            assert time.monotonic() < deadline, f"never said {words!r}:\n{self.stderr}"
            time.sleep(0.02)

    def open(self) -> str:
        """Wait until it is open; the line for psql."""
        self.wait_for("The tunnel is open")
        deadline = time.monotonic() + 5
        while not self.stdout:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self.stdout

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    @property
    def stdout(self) -> str:
        """So far."""
        return self.out.read_text()

    @property
    def stderr(self) -> str:
        """So far."""
        return self.err.read_text()

    @property
    def code(self) -> str | None:
        """That of the error, once it has ended."""
        last = self.stderr.splitlines()[-1] if self.stderr else ""
        return last.removeprefix("Code: ") if last.startswith("Code: ") else None


@dataclass(slots=True)
class TunnelUser:
    """Calls ``taxiway tunnel`` in a directory that is HOME and TMPDIR as well. ``outputs``: all that was printed."""

    directory: Path
    environment: Mapping[str, str]
    prefix: Sequence[str] = ()
    outputs: list[str] = field(default_factory=list)

    def write(self, **keys: str | int | Sequence[str]) -> None:
        """``[tunnel]`` with these keys."""
        lines = [f"{name} = {_toml(value)}" for name, value in keys.items()]
        (self.directory / "taxiway.toml").write_text("\n".join(["[tunnel]", *lines, ""]))

    @contextmanager
    def calling(self, *arguments: str, **variables: str) -> Iterator[RunningTunnel]:
        """A call while it runs. Killed on the way out."""
        number = len(self.outputs)
        out, err = self.directory / f"out-{number}", self.directory / f"err-{number}"
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen(
                [*self.prefix, _COMMAND, "tunnel", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
                cwd=self.directory,
                env=self.variables | variables,
                start_new_session=True,
            )
        running = RunningTunnel(process, out, err)
        try:
            yield running
        finally:
            process.kill()
            process.wait()
            self.outputs.append(running.stdout + running.stderr)

    @property
    def variables(self) -> dict[str, str]:
        """Of every call."""
        home = str(self.directory)
        return {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "TMPDIR": home,
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            **self.environment,
        }

    def call(self, *arguments: str, **variables: str) -> RunningTunnel:
        """Run it to its end."""
        with self.calling(*arguments, **variables) as running:
            running.process.wait(_SECONDS)
        return running

    def psql(self, line: str, statement: str, password: str) -> subprocess.CompletedProcess[str]:
        """Run the line that was printed, as a shell does, with a statement."""
        return subprocess.run(
            [*self.prefix, "/bin/sh", "-c", f'{line.strip()} -XAtc "$1"', "sh", statement],
            capture_output=True,
            text=True,
            env=self.variables | {"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "20"},
            timeout=_SECONDS,
            check=False,
        )


def _toml(value: str | int | Sequence[str]) -> str:
    if isinstance(value, int):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(map(_toml, value))}]"


def processes_of(directory: Path) -> list[str]:
    """The command lines of all processes that have the directory in their arguments or as HOME."""
    found: list[str] = []
    marks = (f"HOME={directory}\0".encode(), str(directory).encode())
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environment, arguments = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if arguments and (marks[0] in environment + b"\0" or marks[1] in arguments):
            found.append(arguments.replace(b"\0", b" ").decode(errors="replace").strip())
    return found
