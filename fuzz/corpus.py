"""The corpus in the repository: a file for each target, with an input in each line, as Python writes bytes."""

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).resolve().parent / "corpus"


def read_corpus(name: str) -> tuple[bytes, ...]:
    """The inputs that were kept for a target; none when it is new."""
    path = _path(name)
    return parse_corpus(path.read_text("ascii")) if path.exists() else ()


def write_corpus(name: str, inputs: Iterable[bytes]) -> None:
    """Keep these inputs."""
    _path(name).write_text(render_corpus(inputs), "ascii")


def parse_corpus(text: str) -> tuple[bytes, ...]:
    """The inputs in a file."""
    return tuple(ast.literal_eval(line) for line in text.splitlines())


def render_corpus(inputs: Iterable[bytes]) -> str:
    """A file with each input once, the shortest first."""
    return "".join(f"{one!r}\n" for one in sorted(set(inputs), key=lambda one: (len(one), one)))


def _path(name: str) -> Path:
    return DIRECTORY / f"{name}.txt"
