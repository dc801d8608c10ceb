"""Flyway as a child process that answers commands."""

import base64
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

_HOME: Final = Path(__file__).parent / "oracle"
_BUILD: Final = Path(__file__).parent.parent / "build" / "conformance"


class Oracle:
    """One Java virtual machine for all cases: ``with Oracle() as oracle``."""

    def __enter__(self) -> Self:
        """Fetch Flyway if need be, compile the oracle, start it."""
        jars = _BUILD / "lib"
        if not jars.exists():
            _run("mvn", "--quiet", "--batch-mode", "--file", str(_HOME / "pom.xml"),
                 "dependency:copy-dependencies", f"-DoutputDirectory={jars}")  # fmt: skip
        _run("javac", "-d", str(_BUILD / "classes"), "-cp", f"{jars}/*", str(_HOME / "Oracle.java"))
        self._process = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*:{_BUILD / 'classes'}", "Oracle"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, command: str, settings: Mapping[str, str]) -> list[str]:
        """Run a command; the answer's first field is ``ok``, ``invalid`` or ``error``."""
        text = "".join(f"{_escaped(key)}={_escaped(value)}\n" for key, value in settings.items())
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command} {base64.b64encode(text.encode()).decode()}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().rstrip("\n").split("\t")[:-1]
        return [base64.b64decode(field).decode() for field in answer]


def _escaped(text: str) -> str:
    """As Java's properties want it."""
    return "".join(f"\\u{ord(char):04x}" if char in "\\:=#! \t\n" or ord(char) > 126 else char for char in text)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError:
        raise SystemExit(f"'{command[0]}' is not on PATH: conformance needs Java 17 and Maven.") from None
