"""A file for the eyes of our child processes only: how ssh is given a private key without leaving one behind."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_FOR_OWNER_ONLY: Final = 0o600


@contextmanager
def private_file(content: bytes, *, in_memory: bool = True) -> Iterator[str]:
    """A path at which processes of the same user can read ``content`` until the block ends.

    On Linux the file has no name and lies in memory: it goes with this process, even a killed one. Where there
    is no such thing, and with ``in_memory=False``, it is a file in a directory that only its owner can enter,
    removed on every way out.
    """
    descriptor = _memory_file() if in_memory else None
    if descriptor is None:
        with tempfile.TemporaryDirectory(prefix="taxiway-") as directory:
            path = Path(directory) / "content"
            path.touch(mode=_FOR_OWNER_ONLY)
            path.write_bytes(content)
            yield str(path)
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/{os.getpid()}/fd/{descriptor}"


def _memory_file() -> int | None:
    if sys.platform != "linux" or not Path("/proc/self/fd").is_dir():
        return None
    with suppress(OSError):
        descriptor = os.memfd_create("taxiway")
        # A new one is 0777, and ssh refuses a private key that others could read.
        os.fchmod(descriptor, _FOR_OWNER_ONLY)
        return descriptor
    return None
