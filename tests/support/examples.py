"""The examples of a Markdown page, as steps that can be taken.

A fenced block is an example when

- its first line has ``file="…"``: its text is written to that file;
- its language is ``console``: lines that begin with ``$ `` are commands, and the lines after one are what it
  prints, errors included. ``…`` stands for any text in a line, alone in a line for any lines;
- its language is ``python``: it is a program, and must end without an error.

Every other block is for reading. The database of the reader is written as in ``READER``.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"^```(?P<language>\w+)(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r'file="(?P<path>[^"]+)"')
_PROMPT: Final = re.compile(r"^\$ ", re.MULTILINE)
_ANYTHING: Final = "…"
_SECONDS: Final = 60

READER_URL: Final = "postgresql://app@localhost/app"
READER_DATABASE: Final = "localhost:5432/app"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    language: str
    file: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Write:
    """A file that the reader writes."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A line that the reader types, and what is seen then."""

    line: str
    expected: str


@dataclass(frozen=True, slots=True)
class Program:
    """Python that the reader runs."""

    text: str


type Step = Write | Command | Program


def blocks(markdown: str) -> tuple[Block, ...]:
    """The fenced blocks of a page."""
    return tuple(
        Block(found["language"], name["path"] if (name := _FILE.search(found["info"])) else None, found["text"])
        for found in _BLOCK.finditer(markdown)
    )


def steps(markdown: str) -> tuple[Step, ...]:
    """The examples of a page, in its order."""
    return tuple(step for block in blocks(markdown) for step in _steps_of(block))


def _steps_of(block: Block) -> Iterator[Step]:
    if block.file:
        yield Write(block.file, block.text)
    elif block.language == "console":
        for typed in _PROMPT.split(block.text)[1:]:
            line, _, expected = typed.partition("\n")
            yield Command(line, expected)
    elif block.language == "python":
        yield Program(block.text)


def matches(expected: str, printed: str) -> bool:
    """Whether this was printed, but for what ``…`` stands for."""
    text = printed.rstrip()
    return (
        re.fullmatch("".join(map(_pattern, expected.rstrip().splitlines())), f"{text}\n" if text else "")
        is not None
    )


def _pattern(line: str) -> str:
    if line.strip() == _ANYTHING:
        return r"(?:.*\n)*"
    # The blanks behind it fill up the column of a table.
    return "[^\n]*".join(map(re.escape, re.split(rf"{_ANYTHING}(?: {{2,}})?", line.rstrip()))) + r"[ ]*\n"


@dataclass(slots=True)
class Reader:
    """Somebody who follows a page. Everything happens in ``directory``."""

    directory: Path
    variables: Mapping[str, str]
    exit_code: int = 0

    def take(self, step: Step) -> None:
        """Do it, and look whether what is seen is what the page says."""
        match step:
            case Write(path, text):
                target = self.directory / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            case Command(line, expected):
                printed = self._run("sh", "-c", f"(exit {self.exit_code}); {line}")
                assert matches(expected, printed), f"$ {line}\n--- the page:\n{expected}\n--- seen:\n{printed}"
            case Program(text):
                printed = self._run(sys.executable, "-c", text)
                assert self.exit_code == 0, printed

    def _run(self, *command: str) -> str:
        ended = subprocess.run(
            command,
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        self.exit_code = ended.returncode
        return ended.stdout

    @property
    def _environment(self) -> dict[str, str]:
        programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
        return {"PATH": programs, "HOME": str(self.directory), "LANG": "C.UTF-8", "TZ": "UTC", **self.variables}
