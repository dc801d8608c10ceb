"""Flyway as a child process that answers commands."""

import base64
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Lock, Timer
from typing import Final, Self

_HOME: Final = Path(__file__).parent / "oracle"
_BUILD: Final = Path(__file__).parent.parent / "build" / "conformance"
_PATIENCE_SECONDS: Final = 60.0


def find_missing_programs() -> list[str]:
    """What the oracle needs and this machine does not have."""
    return [program for program in ("java", "javac", "mvn") if shutil.which(program) is None]


class Hangs(Exception):
    """Flyway did not answer in time, and its process was ended."""


class Oracle:
    """One Java virtual machine for everything: ``with Oracle() as oracle``.

    A machine that hangs is ended, and the next command gets a new one.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        """Fetch Flyway if need be, and compile the oracle."""
        jars, project = _BUILD / "lib", _HOME / "pom.xml"
        if not jars.exists() or jars.stat().st_mtime < project.stat().st_mtime:
            shutil.rmtree(jars, ignore_errors=True)
            _run("mvn", "--quiet", "--batch-mode", "--file", str(project),
                 "dependency:copy-dependencies", f"-DoutputDirectory={jars}")  # fmt: skip
        _run("javac", "-d", str(_BUILD / "classes"), "-cp", f"{jars}/*", str(_HOME / "Oracle.java"))
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.communicate()

    @property
    def version(self) -> str:
        """Which Flyway this is."""
        return self.ask("version", {})[1]

    def ask(
        self, command: str, settings: Mapping[str, str], *, patience_seconds: float = _PATIENCE_SECONDS
    ) -> list[str]:
        """Run a command; the fields of the answer. One command at a time: others wait.

        Raises:
            Hangs: There was no answer in time.
        """
        text = "".join(f"{_escaped(key)}={_escaped(value)}\n" for key, value in settings.items())
        with self._lock:
            answer = self._exchange(f"{command} {base64.b64encode(text.encode()).decode()}\n", patience_seconds)
        return [base64.b64decode(field).decode() for field in answer.rstrip("\n").split("\t")[:-1]]

    def _exchange(self, request: str, patience_seconds: float) -> str:
        process = self._process = self._process or _start()
        assert process.stdin
        assert process.stdout
        timer = Timer(patience_seconds, process.kill)
        timer.start()
        process.stdin.write(request)
        process.stdin.flush()
        answer = process.stdout.readline()
        timer.cancel()
        if not answer:
            process.communicate()
            self._process = None
            raise Hangs
        return answer


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{_BUILD}/lib/*:{_BUILD}/classes", "Oracle"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _escaped(text: str) -> str:
    """As Java's properties want it: UTF-16 code units for whatever is special or not ASCII."""
    units = memoryview(text.encode("utf-16-be", "surrogatepass"))
    codes = (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))
    return "".join(chr(code) if chr(code).isalnum() and code < 127 else f"\\u{code:04x}" for code in codes)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
