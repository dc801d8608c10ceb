"""Which lines of a module are reached by some inputs: those in functions, as others run at the import."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Final

type Lines = set[tuple[str, int]]

_TOOL: Final = sys.monitoring.COVERAGE_ID


@dataclass(frozen=True, slots=True)
class Coverage:
    """The lines that there are and those that were reached, by module."""

    there: Mapping[str, Lines]
    reached: Lines

    @property
    def percent(self) -> float:
        """Of all lines."""
        there = set[tuple[str, int]]().union(*self.there.values())
        return 100 * len(there & self.reached) / len(there)

    def missing(self) -> Iterator[str]:
        """The modules with the numbers of the lines that were not reached."""
        for module, there in self.there.items():
            if lines := sorted(line for _, line in there - self.reached):
                yield f"{module}: {', '.join(map(str, lines))}"


def measure(check: Callable[[bytes], None], inputs: Iterable[bytes], modules: Iterable[str]) -> Coverage:
    """Run the check with each input."""
    there = {module: _lines_of(module) for module in modules}
    with _reached() as reached:
        for one in inputs:
            check(one)
    return Coverage(there, reached)


@contextmanager
def _reached() -> Iterator[Lines]:
    reached: Lines = set()

    def on_line(code: CodeType, line: int) -> object:
        reached.add((code.co_filename, line))
        return sys.monitoring.DISABLE

    sys.monitoring.use_tool_id(_TOOL, "fuzz")
    sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, on_line)
    # What was switched off in an earlier measurement counts again.
    sys.monitoring.restart_events()
    sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)
    try:
        yield reached
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)


def _lines_of(module: str) -> Lines:
    path = Path(str(import_module(module).__file__))
    code = compile(path.read_text("utf-8"), str(path), "exec")
    return {(str(path), line) for inner in _functions(code) for line in _lines(inner)}


def _functions(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            # The body of a class runs at the import as well; its code has no local variables of its own.
            if constant.co_flags & _OPTIMISED:
                yield constant
            yield from _functions(constant)


def _lines(code: CodeType) -> Iterator[int]:
    return (line for _, _, line in code.co_lines() if line is not None and line != code.co_firstlineno)


_OPTIMISED: Final = 0x1
