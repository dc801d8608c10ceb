"""A share of one processor and of memory, as a container has it: control groups of Linux, version 2 or 1."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_PERIOD_MICROSECONDS: Final = 100_000


class QuotaUnavailable(Exception):
    """This machine does not let us limit a process."""


@contextmanager
def processor_share(share: float) -> Iterator[tuple[Path, ...]]:
    """The ``cgroup.procs`` files that a process joins to get no more than this share of one processor.

    Raises:
        QuotaUnavailable: There are no control groups, or they are not ours to make.
    """
    with _limited({"cpu": _processor(share)}) as files:
        yield files


@contextmanager
def task_limits(share: float, memory_mib: int) -> Iterator[tuple[Path, ...]]:
    """The same, with so much memory in all, as a task of Fargate has it: who wants more is killed.

    Raises:
        QuotaUnavailable: There are no control groups, or they are not ours to make.
    """
    with _limited({"cpu": _processor(share), "memory": _memory(memory_mib << 20)}) as files:
        yield files


def _is_second_version() -> bool:
    return (_ROOT / "cgroup.controllers").exists()


def _processor(share: float) -> dict[str, str]:
    quota = int(share * _PERIOD_MICROSECONDS)
    if _is_second_version():
        return {"cpu.max": f"{quota} {_PERIOD_MICROSECONDS}"}
    return {"cpu.cfs_period_us": f"{_PERIOD_MICROSECONDS}", "cpu.cfs_quota_us": f"{quota}"}


def _memory(size: int) -> dict[str, str]:
    return {"memory.max" if _is_second_version() else "memory.limit_in_bytes": f"{size}"}


@contextmanager
def _limited(settings: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[Path, ...]]:
    """Groups with these settings by controller: one for all of them, or in version 1 one for each."""
    name = f"taxiway-bench-{os.getpid()}"
    with ExitStack() as stack:
        groups = []
        for controller, values in settings.items():
            group = _ROOT / name if _is_second_version() else _ROOT / controller / name
            if group not in groups:
                groups.append(stack.enter_context(_group(group)))
            for file, value in values.items():
                _write(group / file, value)
        yield tuple(group / "cgroup.procs" for group in groups)


@contextmanager
def _group(path: Path) -> Iterator[Path]:
    try:
        path.mkdir()
    except OSError as error:
        raise QuotaUnavailable(f"no control group could be made: {error.strerror}") from error
    try:
        yield path
    finally:
        path.rmdir()


def _write(file: Path, value: str) -> None:
    try:
        file.write_text(value)
    except OSError as error:
        raise QuotaUnavailable(f"{file.name} could not be set: {error.strerror}") from error
