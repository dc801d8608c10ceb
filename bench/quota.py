"""A share of one processor for a command, as a container has it: control groups of Linux, version 2 or 1."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    quota = int(share * _PERIOD_MICROSECONDS)
    is_second = (_ROOT / "cgroup.controllers").exists()
    group = (_ROOT if is_second else _ROOT / "cpu") / f"taxiway-bench-{os.getpid()}"
    settings = (
        {"cpu.max": f"{quota} {_PERIOD_MICROSECONDS}"}
        if is_second
        else {"cpu.cfs_period_us": f"{_PERIOD_MICROSECONDS}", "cpu.cfs_quota_us": f"{quota}"}
    )
    try:
        group.mkdir()
    except OSError as error:
        raise QuotaUnavailable(f"no control group could be made: {error.strerror}") from error
    try:
        for name, value in settings.items():
            _write(group / name, value)
        yield (group / "cgroup.procs",)
    finally:
        group.rmdir()


def _write(file: Path, value: str) -> None:
    try:
        file.write_text(value)
    except OSError as error:
        raise QuotaUnavailable(f"{file.name} could not be set: {error.strerror}") from error
